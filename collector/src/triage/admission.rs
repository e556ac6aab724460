//! Holds an unsealed payload against every bound of `redshank/v1/events.proto`.
//!
//! An agent is a hostile peer, and its certificate proves only which device it is. What breaks a bound is
//! refused whole: a payload cut to size would say something that nobody saw.

use redshank_matcher::{Category, Severity};
use redshank_proto::v1::event_payload::Content;
use redshank_proto::{bounds, time, v1};

use jiff::Timestamp;

/// Why an event is not taken into triage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The epoch's key was never announced.
    NoEpochKey,
    /// The epoch's key is sealed to a key that is not ours.
    NoSchoolKey,
    /// The seal does not verify.
    DoesNotOpen,
    /// Not an `EventPayload`.
    Malformed,
    /// `occurred_at` or `observed_at` is missing or malformed.
    Time,
    /// Evidence past its bounds.
    Evidence,
    /// A match past its bounds.
    Match,
    /// A category that no pack can have.
    Category,
    /// A severity outside 1 to 5.
    Severity,
    /// A context visit past its bounds, or context without a match.
    Context,
    /// A visit past its bounds, or more of it than may leave a device without a match.
    Visit,
    /// Text of a page past its bounds, or without a match: it must not have left its device.
    Text,
    /// A logged request past its bounds, or more of it than may leave without a match.
    Request,
    /// A program past its bounds.
    Program,
    /// A removable medium past its bounds.
    Medium,
    /// Counts of blocked requests past their bounds, or beside a match: they are of nobody.
    FilterCounts,
    /// A notice of no version.
    Notice,
    /// Illegal imagery with words or titles beside it.
    Imagery,
    /// No match, and content of a kind unknown here.
    UnknownContent,
    /// Looking at it ended in a panic: a bug of ours that this event found.
    Panicked,
}

impl Refusal {
    /// In words for whoever looks after the collector.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::NoEpochKey => "the epoch's key was never announced",
            Self::NoSchoolKey => "the epoch's key is sealed to an unknown key",
            Self::DoesNotOpen => "the seal does not verify",
            Self::Malformed => "not an event payload",
            Self::Time => "a time is missing or malformed",
            Self::Evidence => "evidence past its bounds",
            Self::Match => "a match past its bounds",
            Self::Category => "an unknown category",
            Self::Severity => "a severity outside 1 to 5",
            Self::Context => "context past its bounds",
            Self::Visit => "a visit past its bounds",
            Self::Text => "text of a page past its bounds or without a match",
            Self::Request => "a logged request past its bounds",
            Self::Program => "a program past its bounds",
            Self::Medium => "a removable medium past its bounds",
            Self::FilterCounts => "counts of blocked requests past their bounds",
            Self::Notice => "a notice of no version",
            Self::Imagery => "illegal imagery with text beside it",
            Self::UnknownContent => "content of an unknown kind",
            Self::Panicked => "looking at it failed",
        }
    }
}

/// A payload within its bounds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Admitted {
    /// The payload.
    pub(super) payload: v1::EventPayload,
    /// As the agent encoded it, with fields that are unknown here.
    pub(super) bytes: Vec<u8>,
    /// When it occurred, by the device.
    pub(super) occurred_at: Timestamp,
    /// When its last repeat occurred, by the device; `occurred_at` if there was none.
    pub(super) last_occurred_at: Timestamp,
    /// Category and severity of its most severe match; the first of equals. None: no match.
    pub(super) lead: Option<(Category, Severity)>,
}

impl Admitted {
    /// Checks a payload.
    ///
    /// # Errors
    /// The first bound it breaks.
    pub(super) fn check(payload: v1::EventPayload, bytes: Vec<u8>) -> Result<Self, Refusal> {
        let at = |wire| time::from_wire(wire).ok_or(Refusal::Time);
        let occurred_at = at(payload.occurred_at.as_ref())?;
        at(payload.observed_at.as_ref())?;
        let last_occurred_at = match payload.last_occurred_at.as_ref() {
            Some(last) => at(Some(last))?.max(occurred_at),
            None => occurred_at,
        };
        require(matches!(payload.boot_id.len(), 0 | 16), Refusal::Malformed)?;
        require(
            payload.evidence.len() <= bounds::EVIDENCE
                && payload.evidence.iter().all(|evidence| {
                    (1..=bounds::EVIDENCE_BYTES).contains(&evidence.value.len())
                        && evidence.authority.len() <= bounds::LONG_NAME_BYTES
                }),
            Refusal::Evidence,
        )?;
        let lead = lead(&payload.matches)?;
        require(context_fits(&payload), Refusal::Context)?;
        let matched = lead.is_some();
        match &payload.content {
            Some(Content::Visit(visit)) => require(visit_fits(visit, matched), Refusal::Visit)?,
            Some(Content::Gap(gap)) => {
                require(matches!(gap.epoch.len(), 0 | 16), Refusal::Malformed)?;
            }
            Some(Content::Text(text)) => require(text_fits(text, matched), Refusal::Text)?,
            Some(Content::Request(request)) => {
                require(request_fits(request, matched), Refusal::Request)?;
            }
            Some(Content::Program(program)) => require(program_fits(program), Refusal::Program)?,
            Some(Content::Medium(medium)) => {
                require(medium.name.len() <= bounds::LONG_NAME_BYTES, Refusal::Medium)?;
            }
            Some(Content::FilterCounts(counts)) => {
                require(counts_fit(counts, matched), Refusal::FilterCounts)?;
            }
            Some(Content::NoticeShown(notice)) => require(notice.version > 0, Refusal::Notice)?,
            None => require(matched, Refusal::UnknownContent)?,
        }
        require(imagery_is_bare(&payload), Refusal::Imagery)?;
        Ok(Self { payload, bytes, occurred_at, last_occurred_at, lead })
    }
}

fn require(holds: bool, otherwise: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(otherwise) }
}

/// Checks every match and gives category and severity of the one that leads.
fn lead(matches: &[v1::Match]) -> Result<Option<(Category, Severity)>, Refusal> {
    require(matches.len() <= bounds::MATCHES, Refusal::Match)?;
    let mut lead: Option<(Category, Severity)> = None;
    for found in matches {
        let category = found.category.parse().map_err(|_| Refusal::Category)?;
        let severity =
            u8::try_from(found.severity).ok().and_then(Severity::new).ok_or(Refusal::Severity)?;
        require(match_fits(found), Refusal::Match)?;
        if lead.is_none_or(|(_, highest)| severity > highest) {
            lead = Some((category, severity));
        }
    }
    Ok(lead)
}

fn match_fits(found: &v1::Match) -> bool {
    // Rule ids are shown on screen and written beside the audit trail: packs spell them in these letters.
    let spelt = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let (Ok(start), Ok(end)) = (usize::try_from(found.start), usize::try_from(found.end)) else {
        return false;
    };
    (1..=bounds::RULE_BYTES).contains(&found.rule.len())
        && found.rule.chars().all(spelt)
        && found.snippet.len() <= bounds::SNIPPET_BYTES
        && found.snippet.get(start..end).is_some()
        && found.reasons.len() <= bounds::REASONS
        && found.reasons.iter().all(|reason| reason.len() <= bounds::REASON_BYTES)
}

fn context_fits(payload: &v1::EventPayload) -> bool {
    payload.context.len() <= bounds::CONTEXT_VISITS
        && (payload.context.is_empty() || !payload.matches.is_empty())
        && payload.context.iter().all(|visit| {
            visit.address.len() <= bounds::ADDRESS_BYTES
                && visit.title.as_ref().is_none_or(|title| title.len() <= bounds::TITLE_BYTES)
        })
}

fn visit_fits(visit: &v1::Visit, matched: bool) -> bool {
    let text = |text: &Option<String>| {
        text.as_ref().is_none_or(|text| matched && text.len() <= bounds::TITLE_BYTES)
    };
    visit.browser.len() <= bounds::NAME_BYTES
        && visit.profile.len() <= bounds::LONG_NAME_BYTES
        && (1..=bounds::ADDRESS_BYTES).contains(&visit.address.len())
        && text(&visit.title)
        && text(&visit.search_terms)
}

fn text_fits(text: &v1::PageText, matched: bool) -> bool {
    matched
        && text.browser.len() <= bounds::NAME_BYTES
        && text.address.len() <= bounds::ADDRESS_BYTES
        && within(text.title.as_ref(), bounds::TITLE_BYTES)
}

fn request_fits(request: &v1::LoggedRequest, matched: bool) -> bool {
    let beside =
        |text: &Option<String>, bytes| text.is_none() || (matched && within(text.as_ref(), bytes));
    (1..=bounds::ADDRESS_BYTES).contains(&request.address.len())
        && within(request.category.as_ref(), bounds::FILTER_CATEGORY_BYTES)
        && beside(&request.reason, bounds::FILTER_REASON_BYTES)
        && beside(&request.search_terms, bounds::TITLE_BYTES)
        && beside(&request.user_agent, bounds::USER_AGENT_BYTES)
}

fn program_fits(program: &v1::Program) -> bool {
    (1..=bounds::LONG_NAME_BYTES).contains(&program.name.len())
        && within(program.path.as_ref(), bounds::PATH_BYTES)
        && within(program.publisher.as_ref(), bounds::LONG_NAME_BYTES)
}

fn counts_fit(counts: &v1::FilterCounts, matched: bool) -> bool {
    !matched
        && counts.counts.len() <= bounds::FILTER_COUNTS
        && counts.counts.iter().all(|counted| {
            counted.count > 0 && counted.category.len() <= bounds::FILTER_CATEGORY_BYTES
        })
}

fn within(text: Option<&String>, bytes: usize) -> bool {
    text.is_none_or(|text| text.len() <= bytes)
}

/// Of illegal imagery nothing is stored but the fact, the address and the times.
fn imagery_is_bare(payload: &v1::EventPayload) -> bool {
    let imagery = |found: &v1::Match| found.category == Category::IllegalImagery.as_str();
    if !payload.matches.iter().any(imagery) {
        return true;
    }
    let bare = match &payload.content {
        Some(Content::Visit(visit)) => visit.title.is_none() && visit.search_terms.is_none(),
        Some(Content::Text(text)) => text.title.is_none(),
        Some(Content::Request(request)) => {
            request.reason.is_none() && request.search_terms.is_none()
        }
        // What these say is no address; of a program or a medium there is no such match.
        Some(Content::Program(_) | Content::Medium(_)) => false,
        Some(Content::Gap(_) | Content::FilterCounts(_) | Content::NoticeShown(_)) | None => true,
    };
    bare && payload.matches.iter().all(|found| found.snippet.is_empty())
}

#[cfg(test)]
mod tests;
