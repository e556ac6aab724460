//! The bound of everything that crosses the wire, in one place, with its reason.
//!
//! A sender keeps to a bound, and the receiver refuses what is past it; both read it here.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Bytes of one gRPC message an agent or reader may send: a full batch with its framing.
pub const MESSAGE_BYTES: usize = MIB + 64 * KIB;
/// Bytes of one gRPC message a collector may send to an agent: the largest signed policy.
pub const POLICY_BYTES: usize = 4 * MIB;
/// Bytes of one gRPC message on the enrolment listener, to the collector.
pub const ENROLMENT_MESSAGE_BYTES: usize = 32 * KIB;
/// Bytes of request headers: HTTP/2's own default is 16 MiB, of which nobody honest needs more than this.
pub const HEADER_BYTES: u32 = 8 * 1024;
/// Bytes of one sealed payload: 32 matches of 600 bytes and 20 context visits of 5 KiB do not fit at their
/// fullest; the agent drops the oldest context until they do.
pub const SEALED_PAYLOAD_BYTES: usize = 64 * KIB;
/// Events in one batch.
pub const BATCH_EVENTS: usize = 256;
/// Bytes of sealed payload in one batch.
pub const BATCH_BYTES: usize = MIB;
/// Bytes of routine events that may be unacknowledged on one stream, so that urgent never waits behind more.
pub const ROUTINE_WINDOW_BYTES: u32 = 32 * 1024;
/// Epochs of one device that the collector keeps track of. One a start, ten starts a day, for a school year
/// of 190 days, twice over.
pub const EPOCHS_PER_DEVICE: u32 = 4_000;
/// Runs that an agent names as begun and never welcomed: two months of daily starts without a network.
pub const RUNS_SINCE: usize = 64;
/// Pieces of evidence in one event.
pub const EVIDENCE: usize = 8;
/// Bytes of one piece of evidence.
pub const EVIDENCE_BYTES: usize = 256;
/// Matches in one event.
pub const MATCHES: usize = 32;
/// Bytes of a rule's id.
pub const RULE_BYTES: usize = 128;
/// Bytes of a snippet.
pub const SNIPPET_BYTES: usize = 600;
/// Reasons of one match, and bytes of one.
pub const REASONS: usize = 8;
/// Bytes of one reason of a match.
pub const REASON_BYTES: usize = 128;
/// Visits kept as the context of a match.
pub const CONTEXT_VISITS: usize = 20;
/// Bytes of an address.
pub const ADDRESS_BYTES: usize = 4_096;
/// Bytes of a title or of search terms.
pub const TITLE_BYTES: usize = 1_024;
/// Bytes of a short name: a browser, a source, a category.
pub const NAME_BYTES: usize = 64;
/// Bytes of a longer name: a profile, a host, an account.
pub const LONG_NAME_BYTES: usize = 256;
/// Sources in one health report.
pub const HEALTH_SOURCES: usize = 256;
/// Bytes of a source's reason for not seeing all.
pub const HEALTH_REASON_BYTES: usize = 512;
/// Bytes of a certificate signing request or of one certificate.
pub const CERTIFICATE_BYTES: usize = 8 * KIB;
/// Bytes of an encoded trust bundle.
pub const TRUST_BUNDLE_BYTES: usize = 256 * KIB;
/// Rule packs in a policy.
pub const RULE_PACKS: usize = 256;
/// Bytes of one rule pack.
pub const RULE_PACK_BYTES: usize = 512 * KIB;
/// Entries of the private list.
pub const PRIVATE_ENTRIES: usize = 20_000;
/// Bytes of a filter's category.
pub const FILTER_CATEGORY_BYTES: usize = 128;
/// Filter categories in a policy.
pub const FILTER_CATEGORIES: usize = 256;
/// Categories counted in one event; the rest are counted without a name.
pub const FILTER_COUNTS: usize = 64;
/// Bytes of a filter's reason for what it did.
pub const FILTER_REASON_BYTES: usize = 256;
/// Bytes of a user agent: browsers' own are below it.
pub const USER_AGENT_BYTES: usize = 256;
/// Bytes of a program's path.
pub const PATH_BYTES: usize = 1_024;
/// Bytes of a text of a page that the matcher is given.
pub const TEXT_BYTES: usize = 32 * KIB;
/// Patterns of staff accounts in a policy.
pub const STAFF_ACCOUNTS: usize = 1_024;
/// Exemptions in a policy, and accounts or rules in one.
pub const EXEMPTIONS: usize = 256;
/// Phrases in an exemption.
pub const EXEMPTION_PHRASES: usize = 64;
/// Bytes of a phrase in an exemption.
pub const EXEMPTION_PHRASE_BYTES: usize = 256;
/// Groups of accounts of an age group of their own in a policy.
pub const AGES: usize = 64;
/// Patterns of accounts in one of them.
pub const AGE_ACCOUNTS: usize = 256;
/// Programs in a policy.
pub const PROGRAMS: usize = 4_096;
/// Periods of a school's week in a policy.
pub const SCHOOL_PERIODS: usize = 64;
/// Bytes of a note that a feed reader writes.
pub const NOTE_BYTES: usize = 2_000;
/// The longest pause that a collector can ask of an agent: past it a school would be blind by a peer's word.
pub const LONGEST_SLOW_DOWN: Duration = Duration::from_secs(600);
/// How long agents keep acknowledged urgent events, to send them again to a restored collector.
pub const URGENT_KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3_600);
/// A TLS handshake takes three messages; a peer that needs longer is holding a place open.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Cuts `text` to at most `bytes`, on a character's bound.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_on_a_character() {
        assert_eq!(cut("naïve", 3), "na");
        assert_eq!(cut("naïve", 4), "naï");
        assert_eq!(cut("naïve", 40), "naïve");
        assert_eq!(cut("😀", 3), "");
    }
}
