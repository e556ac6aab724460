//! What a minimised observation means under the policy in force: an event, or nothing.
//!
//! | seen | becomes |
//! |---|---|
//! | a page or request with a match of severity 3 to 5 | an urgent event, with what its user opened before |
//! | a page or request with a lesser match | a routine event without context |
//! | a visit or request without a match | a routine event, address only, if policy wants visits; or nothing |
//! | a request that the filter blocked | a match of `filter_breach`, if the school chose its category; else a count |
//! | a late title | an event only for rules that the visit itself did not match |
//! | text of a page | an event only for what an earlier state of its field did not match; if policy reads such text |
//! | a program on a list, a removable medium | a routine event for the weekly summary; a match if policy raises it |
//! | observations that a source lost | a gap |
//! | a notice that was shown | a routine event that says which, and to whom |
//!
//! The counts leave through [`Judge::take_counts`], all as one event of nobody's.
//!
//! # What always holds
//! - Title, search terms, a filter's reason and a user agent leave only beside a match; of text only the
//!   snippet leaves, at most [`bounds::SNIPPET_BYTES`] round a match.
//! - Context is in memory only, the last [`bounds::CONTEXT_VISITS`] pages of ten minutes for each
//!   user (`context`), and leaves only with a match of severity 3 or more.
//! - Of a page with a match of illegal imagery nothing leaves but the fact, the address and the
//!   times: no snippet of any of its matches, no title, no search terms, no context. That holds for
//!   its late title too, and for the page as context of another.
//! - Staff's text is not even matched unless policy says so.
//! - An exemption or a pause takes matches of severity 1 to 4 away, never one of 5. Phrases that are left alone
//!   take away single hits, before the best of a rule is chosen.
//! - Rules are applied for the age group that policy gives the account.
//! - A payload fits its bound: the oldest context is left out first, then the least severe matches.

mod context;
mod counts;
mod fields;
mod matches;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use prost::Message as _;
use redshank_matcher::{Category, Place};
use redshank_proto::clock::Clock;
use redshank_proto::id::Lane;
use redshank_proto::seal::SEAL_OVERHEAD;
use redshank_proto::{bounds, time, v1};

use self::context::{Context, Page};
use self::counts::Counts;
use self::fields::Fields;
use self::matches::{Matches, Reading};
use self::wire::Words;
use crate::minimiser::{Content, Minimised, PageText, Request, Visit};
use crate::observation::{Action, Evidence, Medium, MediumChange, Program, TextKind};
use crate::policy::{List, Listed, PolicyInForce, RunBy};
use crate::spool::{Captured, FoldKey};

/// The least severity that goes by the urgent lane, and takes context with it.
const URGENT: u8 = 3;
/// Bytes left free in a payload for what a fold adds: a count and a time.
const FOLD_BYTES: usize = 64;
/// Bytes of a payload before it is sealed.
const PAYLOAD_BYTES: usize = bounds::SEALED_PAYLOAD_BYTES - SEAL_OVERHEAD - FOLD_BYTES;

/// The filters' names for indecent images of children: a blocked request of these is that category's match,
/// of which nothing is kept but the fact, the address and the times.
const ILLEGAL: [&str; 7] = [
    "child abuse",
    "child abuse images",
    "childabuse",
    "csam",
    "csai",
    "illegal child abuse images",
    "iwf",
];

/// Judges observations in the order in which they come; remembers the last few for their context.
#[derive(Debug)]
pub struct Judge {
    clock: Arc<dyn Clock>,
    context: Context,
    fields: Fields,
    counts: Counts,
}

impl Judge {
    /// Makes one that remembers nothing.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            context: Context::default(),
            fields: Fields::default(),
            counts: Counts::default(),
        }
    }

    /// Judges an observation; `None` if nothing of it leaves the device by itself.
    pub fn judge(&mut self, policy: &PolicyInForce, seen: &Minimised) -> Option<Captured> {
        match seen.content() {
            Content::Visit(visit) => self.visit(policy, seen, visit),
            Content::LateTitle(visit) => self.late_title(policy, seen, visit),
            Content::Text(text) => self.text(policy, seen, text),
            Content::Request(request) => self.request(policy, seen, request),
            Content::Program(program) => self.program(policy, seen, program),
            Content::Medium(medium) => self.medium(policy, seen, medium),
            Content::Missed(missed) => {
                let gap = v1::event_payload::Content::Gap(wire::missed(*missed));
                Some(self.event(policy, seen, Matches::default(), Vec::new(), gap))
            }
            Content::NoticeShown(shown) => {
                let shown = v1::event_payload::Content::NoticeShown(wire::notice_shown(*shown));
                Some(self.event(policy, seen, Matches::default(), Vec::new(), shown))
            }
        }
    }

    /// The counts of what was judged since the last time, as one event; `None` if nothing was counted.
    pub fn take_counts(&mut self, policy: &PolicyInForce) -> Option<Captured> {
        let counts = v1::event_payload::Content::FilterCounts(self.counts.take()?);
        let now = self.clock.now();
        Some(self.envelope(policy, now, Vec::new(), Matches::default(), Vec::new(), counts))
    }

    fn visit(
        &mut self,
        policy: &PolicyInForce,
        seen: &Minimised,
        visit: &Visit,
    ) -> Option<Captured> {
        let [search, path, host] = words_of(visit);
        let texts = [search, (Place::Title, visit.title.as_deref()), path, host];
        let user = user(seen);
        let page = page(&user, seen, visit);
        let account = account(seen);
        let reading = Reading::of(policy, account.as_deref(), seen.occurred_at());
        let matches = Matches::find(&reading, &texts);
        let (matches, context) = self.weigh(policy, seen, &page, matches);
        if matches.is_empty() && !reports_visits(policy, seen) {
            return None;
        }
        let content = wire::visit(visit, words(&matches));
        let content = v1::event_payload::Content::Visit(content);
        Some(self.event(policy, seen, matches, context, content))
    }

    fn late_title(
        &mut self,
        policy: &PolicyInForce,
        seen: &Minimised,
        visit: &Visit,
    ) -> Option<Captured> {
        let user = user(seen);
        let title = [(Place::Title, visit.title.as_deref())];
        let account = account(seen);
        let reading = Reading::of(policy, account.as_deref(), seen.occurred_at());
        let mut matches = Matches::find_late(&reading, &title, &words_of(visit));
        let illegal = matches.is_illegal();
        excuse(policy, seen, &mut matches);
        let page = page(&user, seen, visit);
        let context = self.context_of(&page, &matches);
        self.context.entitle(&Page { title: page.title.filter(|_| !illegal), ..page });
        if matches.is_empty() {
            return None;
        }
        let content = wire::visit(visit, words(&matches));
        let content = v1::event_payload::Content::Visit(content);
        Some(self.event(policy, seen, matches, context, content))
    }

    fn text(
        &mut self,
        policy: &PolicyInForce,
        seen: &Minimised,
        text: &PageText,
    ) -> Option<Captured> {
        let account = account(seen);
        if !policy.reads_text(text.kind, account.as_deref()) {
            return None;
        }
        let reading = Reading::of(policy, account.as_deref(), seen.occurred_at());
        let place = match text.kind {
            TextKind::Typed | TextKind::Prompt => Place::Typed,
            TextKind::Answer | TextKind::Page => Place::PageText,
        };
        let mut matches = Matches::find(&reading, &[(place, Some(text.text.as_str()))]);
        matches.look_also(&reading, &[text.title.as_deref()]);
        let (user, address) = (user(seen), text.address.text());
        if matches.is_illegal() {
            self.context.bare(&user, address);
        }
        excuse(policy, seen, &mut matches);
        let mut news = self.fields.news(&user, text.field, matches.wire()).into_iter();
        matches.retain(|_| news.next().unwrap_or(true));
        if matches.is_empty() {
            return None;
        }
        let page = Page { user: &user, at: seen.occurred_at(), address, title: None };
        let context = self.context_of(&page, &matches);
        let content = wire::page_text(text, words(&matches));
        let content = v1::event_payload::Content::Text(content);
        Some(self.event(policy, seen, matches, context, content))
    }

    fn request(
        &mut self,
        policy: &PolicyInForce,
        seen: &Minimised,
        request: &Request,
    ) -> Option<Captured> {
        let texts = [
            (Place::Search, request.search_terms.as_deref()),
            (Place::UrlPath, request.place.path()),
            (Place::Host, Some(request.place.host())),
        ];
        let account = account(seen);
        let reading = Reading::of(policy, account.as_deref(), seen.occurred_at());
        let mut matches = Matches::find(&reading, &texts);
        let told = [&request.reason, &request.category, &request.user_agent];
        matches.look_also(&reading, &told.map(Option::as_deref));
        if request.action == Action::Blocked {
            match policy.filter_severity(request.category.as_deref()) {
                Some(severity) => matches.add(breach(request.category.as_deref(), severity)),
                None => self.counts.add(request.category.as_deref()),
            }
        }
        let (user, address) = (user(seen), request.place.text());
        let page = Page { user: &user, at: seen.occurred_at(), address, title: None };
        let (matches, context) = self.weigh(policy, seen, &page, matches);
        if matches.is_empty() && !reports_visits(policy, seen) {
            return None;
        }
        let content = wire::request(request, seen.source(), words(&matches));
        let content = v1::event_payload::Content::Request(content);
        Some(self.event(policy, seen, matches, context, content))
    }

    fn program(
        &self,
        policy: &PolicyInForce,
        seen: &Minimised,
        program: &Program,
    ) -> Option<Captured> {
        let run_by = if account(seen).is_some() { RunBy::Person } else { RunBy::System };
        let listed = policy.programs().verdict(program, run_by)?;
        if listed.list == List::Allowed {
            return None;
        }
        let mut matches = Matches::default();
        if listed.severity > 0 {
            matches.add(unwanted(program, &listed));
        }
        excuse(policy, seen, &mut matches);
        let content = v1::event_payload::Content::Program(wire::program(program, listed.list));
        Some(self.event(policy, seen, matches, Vec::new(), content))
    }

    fn medium(
        &self,
        policy: &PolicyInForce,
        seen: &Minimised,
        medium: &Medium,
    ) -> Option<Captured> {
        let rule = policy.media();
        let mut matches = Matches::default();
        if !rule.allowed && rule.severity > 0 && medium.change == MediumChange::Inserted {
            matches.add(v1::Match {
                rule: "removable_media.inserted".to_owned(),
                category: Category::RemovableMedia.as_str().to_owned(),
                severity: rule.severity,
                ..Default::default()
            });
        }
        excuse(policy, seen, &mut matches);
        let content = v1::event_payload::Content::Medium(wire::medium(medium, rule.allowed));
        Some(self.event(policy, seen, matches, Vec::new(), content))
    }

    /// Takes away what policy exempts, finds the context of what remains, and remembers the page.
    fn weigh(
        &mut self,
        policy: &PolicyInForce,
        seen: &Minimised,
        page: &Page<'_>,
        mut matches: Matches,
    ) -> (Matches, Vec<v1::ContextVisit>) {
        let illegal = matches.is_illegal();
        excuse(policy, seen, &mut matches);
        let context = self.context_of(page, &matches);
        let title = page.title.filter(|_| !illegal);
        // Pages of which nobody knows whose they are may be several children's.
        if !page.user.is_empty() {
            self.context.remember(&Page { title, ..*page });
        }
        (matches, context)
    }

    fn context_of(&self, page: &Page<'_>, matches: &Matches) -> Vec<v1::ContextVisit> {
        if matches.severity() >= URGENT && !matches.is_illegal() {
            self.context.before(page)
        } else {
            Vec::new()
        }
    }

    fn event(
        &self,
        policy: &PolicyInForce,
        seen: &Minimised,
        matches: Matches,
        context: Vec<v1::ContextVisit>,
        content: v1::event_payload::Content,
    ) -> Captured {
        let evidence = seen.evidence().iter().map(|it| wire::evidence(policy, it)).collect();
        self.envelope(policy, seen.occurred_at(), evidence, matches, context, content)
    }

    fn envelope(
        &self,
        policy: &PolicyInForce,
        occurred_at: jiff::Timestamp,
        evidence: Vec<v1::Evidence>,
        matches: Matches,
        context: Vec<v1::ContextVisit>,
        content: v1::event_payload::Content,
    ) -> Captured {
        let severity = matches.severity();
        let fold = (!matches.is_empty()).then(|| fold_key(&evidence, &matches, &content));
        let payload = v1::EventPayload {
            occurred_at: Some(time::to_wire(occurred_at)),
            observed_at: Some(time::to_wire(self.clock.now())),
            boot_id: self.clock.boot_id().map(Vec::from).unwrap_or_default(),
            since_boot: Some(time::duration_to_wire(self.clock.since_boot())),
            evidence,
            policy_serial: policy.serial(),
            matches: matches.into_wire(),
            context,
            content: Some(content),
            ..Default::default()
        };
        let lane = if severity >= URGENT { Lane::Urgent } else { Lane::Routine };
        Captured { lane, severity, fold, payload: fitted(payload) }
    }
}

/// The texts of a visit beside its title.
fn words_of(visit: &Visit) -> [(Place, Option<&str>); 3] {
    [
        (Place::Search, visit.search_terms.as_deref()),
        (Place::UrlPath, Some(visit.address.path())),
        (Place::Host, Some(visit.address.host())),
    ]
}

fn page<'a>(user: &'a str, seen: &Minimised, visit: &'a Visit) -> Page<'a> {
    let (address, title) = (visit.address.text(), visit.title.as_deref());
    Page { user, at: seen.occurred_at(), address, title }
}

fn words(matches: &Matches) -> Words {
    match (matches.is_illegal(), matches.is_empty()) {
        (true, _) => Words::Never,
        (false, true) => Words::Stay,
        (false, false) => Words::Leave,
    }
}

/// The account that speaks for a person, where there is one; with the domain before it, where that is known.
fn account(seen: &Minimised) -> Option<String> {
    seen.evidence().iter().find_map(|piece| match piece {
        Evidence::ProxyUser { name, authority } if !authority.is_empty() => {
            Some(format!("{authority}\\{name}"))
        }
        Evidence::OsUser(name) | Evidence::ProxyUser { name, .. } => Some(name.clone()),
        Evidence::Lease { .. } | Evidence::ClientAddress(_) => None,
    })
}

/// Whose page it was, for what this device remembers: the strongest evidence.
fn user(seen: &Minimised) -> String {
    match seen.evidence().first() {
        None => String::new(),
        Some(Evidence::OsUser(name)) => name.clone(),
        Some(Evidence::ProxyUser { name, authority }) => format!("{authority}\\{name}"),
        Some(Evidence::Lease { mac }) => mac.clone(),
        Some(Evidence::ClientAddress(address)) => address.to_string(),
    }
}

/// Takes away the matches that an exemption covers.
fn excuse(policy: &PolicyInForce, seen: &Minimised, matches: &mut Matches) {
    let exemptions = policy.exemptions();
    let account = account(seen);
    matches.retain(|found| !exemptions.cover(found, account.as_deref(), seen.occurred_at()));
}

/// Whether a visit without a match is reported: a pause covers it like all else.
fn reports_visits(policy: &PolicyInForce, seen: &Minimised) -> bool {
    policy.report_visits()
        && !policy.exemptions().pause(account(seen).as_deref(), seen.occurred_at())
}

/// The match that a blocked request of a chosen category is.
fn breach(category: Option<&str>, severity: u8) -> v1::Match {
    let category = category.unwrap_or("unnamed");
    if ILLEGAL.contains(&category.trim().to_lowercase().as_str()) {
        return v1::Match {
            rule: "illegal_imagery.filter".to_owned(),
            category: Category::IllegalImagery.as_str().to_owned(),
            severity: severity.into(),
            reasons: vec!["the filter blocked it as an image of child abuse".to_owned()],
            ..Default::default()
        };
    }
    let slug: String = category
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(64)
        .collect();
    let reason = format!("the filter blocked it as {category}");
    v1::Match {
        rule: format!("filter_breach.{slug}"),
        category: Category::FilterBreach.as_str().to_owned(),
        severity: severity.into(),
        place: v1::Place::Unspecified.into(),
        reasons: vec![bounds::cut(&reason, bounds::REASON_BYTES).to_owned()],
        ..Default::default()
    }
}

/// The match that a listed program is, where policy raises it.
fn unwanted(program: &Program, listed: &Listed) -> v1::Match {
    let (category, rule) = match listed.list {
        List::Bypass => (Category::Bypass, "bypass.program"),
        List::RemoteControl => (Category::UnapprovedSoftware, "unapproved_software.remote_control"),
        List::Denied | List::Allowed => {
            (Category::UnapprovedSoftware, "unapproved_software.denied")
        }
    };
    let name = bounds::cut(&program.name, bounds::SNIPPET_BYTES);
    v1::Match {
        rule: rule.to_owned(),
        category: category.as_str().to_owned(),
        severity: listed.severity.into(),
        place: v1::Place::Program.into(),
        snippet: name.to_owned(),
        start: 0,
        end: u32::try_from(name.len()).unwrap_or(0),
        reasons: vec![bounds::cut(&listed.reason, bounds::REASON_BYTES).to_owned()],
    }
}

/// Two events are repeats if person, rules, words and content are the same: the address too, so
/// that no worrying page vanishes behind another.
fn fold_key(
    evidence: &[v1::Evidence],
    matches: &Matches,
    content: &v1::event_payload::Content,
) -> FoldKey {
    let mut told = v1::EventPayload {
        evidence: evidence.to_vec(),
        matches: matches.wire().to_vec(),
        content: Some(content.clone()),
        ..Default::default()
    };
    // How and in which browser somebody came back to a page makes no other event of it.
    match &mut told.content {
        Some(v1::event_payload::Content::Visit(visit)) => {
            visit.transition = v1::Transition::Unspecified.into();
            visit.browser.clear();
            visit.profile.clear();
        }
        Some(v1::event_payload::Content::Request(request)) => request.status = 0,
        _ => {}
    }
    FoldKey::of([told.encode_to_vec().as_slice()])
}

fn fitted(mut payload: v1::EventPayload) -> v1::EventPayload {
    while payload.encoded_len() > PAYLOAD_BYTES {
        if !payload.context.is_empty() {
            payload.context.remove(0);
        } else if payload.matches.pop().is_none() {
            break;
        }
    }
    payload
}
