//! What a log's source says of how well it sees it: pure, from what it met and the time.
//!
//! Counts are of the log since it was last rotated, so that what was put right is forgotten the next
//! day; and they are rounded, since a status that changes with every line is of no use to anybody.

use jiff::{SignedDuration, Timestamp};

use super::follow::Refusal;
use crate::observation::{Source, Target};
use crate::policy::SchoolHours;
use crate::sources::State;

/// A log of a school that is awake grows every few seconds.
const QUIET: SignedDuration = SignedDuration::from_mins(30);
/// Requests from which it can be told whether pages are named.
const ENOUGH: u64 = 20;
/// Requests after which older ones count half.
const MANY: u64 = 1_000;
/// Of so many in a hundred requests only the host is known, if TLS is not inspected.
const ONLY_HOSTS: u64 = 95;
/// Bytes of a reason.
const REASON: usize = 256;

/// What was met in one log.
#[derive(Debug)]
pub(super) struct Met {
    source: Source,
    /// Why the log is not read.
    pub(super) trouble: Option<Refusal>,
    /// Its reading failed for a reason that is ours.
    pub(super) failed: bool,
    /// It is rotated by being emptied.
    pub(super) emptied: bool,
    /// It cannot be watched, and is looked at from time to time.
    pub(super) late: bool,
    unread: u64,
    first_unread: Option<(u64, String)>,
    too_long: u64,
    cut_short: u64,
    /// How many files are to be begun before a loss is forgotten.
    lost: u8,
    requests: u64,
    hosts: u64,
    grown_at: Timestamp,
}

impl Met {
    pub(super) fn new(source: Source, now: Timestamp) -> Self {
        Self {
            source,
            trouble: None,
            failed: false,
            emptied: false,
            late: false,
            unread: 0,
            first_unread: None,
            too_long: 0,
            cut_short: 0,
            lost: 0,
            requests: 0,
            hosts: 0,
            grown_at: now,
        }
    }

    /// Something was written to the log.
    pub(super) fn grown(&mut self, now: Timestamp) {
        self.grown_at = now;
    }

    pub(super) fn request(&mut self, target: &Target) {
        if self.requests >= MANY {
            (self.requests, self.hosts) = (self.requests / 2, self.hosts / 2);
        }
        self.requests += 1;
        self.hosts += u64::from(matches!(target, Target::Host(_)));
    }

    pub(super) fn unread(&mut self, offset: u64, shape: String) {
        self.unread = self.unread.saturating_add(1);
        self.first_unread.get_or_insert((offset, shape));
    }

    pub(super) fn too_long(&mut self) {
        self.too_long = self.too_long.saturating_add(1);
    }

    pub(super) fn cut_short(&mut self) {
        self.cut_short = self.cut_short.saturating_add(1);
    }

    pub(super) fn lost(&mut self) {
        self.lost = 2;
    }

    /// Another file begins.
    pub(super) fn begun(&mut self) {
        (self.unread, self.first_unread) = (0, None);
        (self.too_long, self.cut_short) = (0, 0);
        self.lost = self.lost.saturating_sub(1);
    }

    /// How well the log is seen.
    pub(super) fn state(&self, now: Timestamp, hours: Option<&SchoolHours>) -> State {
        if self.failed {
            return State::Blind(
                "reading it failed, and is tried again; this is a fault of ours".to_owned(),
            );
        }
        if let Some(refused) = self.trouble {
            return State::Blind(format!("the log cannot be read: {refused}{}", way_out(refused)));
        }
        let mut reasons: Vec<String> = Vec::new();
        if self.lost > 0 {
            reasons.push("lines were lost when it was rotated".to_owned());
        }
        if let Some((offset, shape)) = &self.first_unread {
            let unread = about(self.unread);
            reasons.push(format!(
                "{unread} not understood, first at offset {offset}: {}; is the format right?",
                cut(shape, REASON / 3)
            ));
        }
        if self.too_long > 0 {
            reasons.push(format!("{} too long to read", about(self.too_long)));
        }
        if self.cut_short > 0 {
            reasons.push(format!("{} cut short at a rotation", about(self.cut_short)));
        }
        reasons.extend(self.quiet(now, hours));
        if self.late {
            reasons.push(
                "its folder cannot be watched: requests are seen some seconds late".to_owned(),
            );
        }
        if self.emptied {
            reasons.push(
                "it is rotated by copying and emptying, which can lose lines: rotate by renaming"
                    .to_owned(),
            );
        }
        if self.source == Source::DnsLog {
            reasons.push("only host names: DNS sees no pages".to_owned());
        } else if self.requests >= ENOUGH && self.hosts * 100 >= self.requests * ONLY_HOSTS {
            reasons.push("only host names, because TLS is not inspected".to_owned());
        }
        if reasons.is_empty() {
            return State::Ok;
        }
        State::Degraded(cut(&reasons.join("; "), REASON).to_owned())
    }

    fn quiet(&self, now: Timestamp, hours: Option<&SchoolHours>) -> Option<String> {
        let quiet = now.duration_since(self.grown_at);
        let begun = now.checked_sub(QUIET).ok()?;
        let expected = hours.is_none_or(|hours| hours.are_on(now) && hours.are_on(begun));
        if quiet < QUIET || !expected {
            return None;
        }
        let minutes = quiet.as_mins() / QUIET.as_mins() * QUIET.as_mins();
        let since = if minutes < 120 {
            format!("{minutes} minutes")
        } else {
            format!("{} hours", minutes / 60)
        };
        Some(format!("it has not grown for {since}"))
    }
}

/// What to do about a file that is not read.
pub(super) fn way_out(refused: Refusal) -> &'static str {
    match refused {
        Refusal::Missing => "; check its path in agent.toml, and whether its server writes it",
        Refusal::NoPermission => {
            "; let the agent's account read it and its folder, by its group for instance"
        }
        Refusal::NotRegular => "; name the file itself in agent.toml",
        Refusal::Unreadable(_) => "",
    }
}

/// A count of lines, rounded down.
fn about(count: u64) -> String {
    match count {
        1 => "1 line".to_owned(),
        2..=20 => format!("{count} lines"),
        _ => format!("over {} lines", 10_u64.saturating_pow(count.ilog10()).max(20)),
    }
}

fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use redshank_proto::v1;

    use super::*;

    #[test]
    fn what_was_met_is_told_until_the_next_rotation() {
        let mut met = met(Source::ProxyLog);
        assert_eq!(met.state(at(0), None), State::Ok);
        for number in 0..12 {
            met.unread(9_041 + number, "9 fields by space".to_owned());
        }
        met.lost();
        met.begun();
        assert_eq!(why(&met, 0), "lines were lost when it was rotated");
        for number in 0..12 {
            met.unread(9_041 + number, "9 fields by space".to_owned());
        }
        assert_eq!(
            why(&met, 0),
            "lines were lost when it was rotated; 12 lines not understood, first at offset 9041: 9 fields by \
             space; is the format right?"
        );
        met.begun();
        assert_eq!(met.state(at(0), None), State::Ok);
        met.too_long();
        met.cut_short();
        assert_eq!(why(&met, 0), "1 line too long to read; 1 line cut short at a rotation");
        met.trouble = Some(Refusal::NoPermission);
        let State::Blind(why) = met.state(at(0), None) else { panic!() };
        assert!(why.contains("no permission to read it; let the agent's account"), "{why}");
    }

    #[test]
    fn a_quiet_log_is_told_in_school_hours_or_at_any_time() {
        let mut met = met(Source::ProxyLog);
        assert_eq!(met.state(at(29), None), State::Ok);
        assert_eq!(why(&met, 30), "it has not grown for 30 minutes");
        assert_eq!(why(&met, 119), "it has not grown for 90 minutes");
        assert_eq!(why(&met, 185), "it has not grown for 3 hours");
        met.grown(at(185));
        assert_eq!(met.state(at(186), None), State::Ok);
        // Monday, an hour after the start, for an hour.
        let hours = SchoolHours::new(&v1::SchoolHours {
            time_zone: "UTC".to_owned(),
            periods: vec![v1::SchoolPeriod { day: 1, from_minute: 17 * 60, until_minute: 18 * 60 }],
        })
        .unwrap();
        let met = super::Met::new(Source::ProxyLog, at(0));
        for (minute, quiet) in [(60, false), (89, false), (90, true), (119, true), (120, false)] {
            let state = met.state(at(minute), Some(&hours));
            assert_eq!(state != State::Ok, quiet, "{minute}");
        }
    }

    #[test]
    fn only_hosts_are_told_of_once_it_is_sure() {
        let mut met = met(Source::ProxyLog);
        for _ in 0..19 {
            met.request(&Target::Host(String::new()));
        }
        assert_eq!(met.state(at(0), None), State::Ok);
        met.request(&Target::Url(String::new()));
        assert_eq!(why(&met, 0), "only host names, because TLS is not inspected");
        for _ in 0..2 {
            met.request(&Target::Url(String::new()));
        }
        assert_eq!(met.state(at(0), None), State::Ok);
        for _ in 0..3_000 {
            met.request(&Target::Host(String::new()));
        }
        assert_eq!(why(&met, 0), "only host names, because TLS is not inspected");
        assert_eq!(
            why(&super::Met::new(Source::DnsLog, at(0)), 0),
            "only host names: DNS sees no pages"
        );
    }

    #[test]
    fn counts_are_rounded_and_reasons_bounded() {
        for (count, told) in
            [(1, "1 line"), (20, "20 lines"), (99, "over 20 lines"), (2_345, "over 1000 lines")]
        {
            assert_eq!(about(count), told);
        }
        let mut met = met(Source::DnsLog);
        (met.emptied, met.late) = (true, true);
        met.unread(0, "é".repeat(500));
        met.lost();
        assert!(why(&met, 60).len() <= REASON);
    }

    fn why(met: &Met, minute: i64) -> String {
        match met.state(at(minute), None) {
            State::Degraded(why) => why,
            other => panic!("{other:?}"),
        }
    }

    fn met(source: Source) -> Met {
        Met::new(source, at(0))
    }

    /// Minutes after 16:00 UTC of a Monday.
    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + minute * 60).unwrap()
    }
}
