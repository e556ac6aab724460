//! One visit, two witnesses: the browser's history file and the extension in it.
//!
//! Whichever tells of a visit first makes the event of it. The other's word for the same visit of the same
//! user is then a repetition, and at most its title is news: it goes on as a late title. If it knows of a search
//! where the first did not (Chromium notes the words of every engine that it has), it goes on whole: rather told
//! twice than not. Two tell of one
//! visit if the address is the same, query and fragment included and the scheme aside (a page that upgrades
//! to https is two visits in the history, and one to the extension), and the times are at most
//! [`APART`] apart.
//!
//! # What always holds
//! - Each visit of one witness stands against one of the other, so that somebody who opens a page twice is
//!   told of twice; only the echo of an upgrade ([`ECHO`]) counts as the same.
//! - What waits for its other half survives a restart: its place is stored in the transaction that stores
//!   the event, as a [`Checkpoint`], and holds digests and times alone.
//! - Visits of private windows have no second witness and are not kept here.
//! - The memory is bounded: [`KEPT`] visits, each for [`KEPT_FOR`].

use std::collections::HashMap;
use std::collections::VecDeque;

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};

use crate::minimiser::{Content, Minimised, Visit};
use crate::observation::{Checkpoint, Evidence, Source};

/// The input under which the place is kept.
const INPUT: &str = "sightings";
/// How far apart the two may date one visit: the history dates a page by its commit, the extension by the
/// browser's event for it; a busy machine lies between.
const APART: SignedDuration = SignedDuration::from_secs(10);
/// Within which a further visit to the same address is the echo of an upgrade or a redirect to itself.
const ECHO: SignedDuration = SignedDuration::from_secs(2);
/// How long a visit waits for its other half: Chromium's ten seconds, the longest poll, and room.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Visits kept at a time: one a second for as long as they are kept, from a class on a shared machine.
const KEPT: usize = 512;
/// Bytes of one visit in the place: key, time, title, search terms, witness.
const ENTRY: usize = 8 + 8 + 4 + 4 + 1;

/// The visits that were told of, until their other half has come.
#[derive(Debug, Default)]
pub struct Sightings {
    visits: VecDeque<Sighting>,
    changed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sighting {
    /// Of user and page.
    key: [u8; 8],
    at: Timestamp,
    /// Of the title; 0: none yet.
    title: u32,
    /// Of what was searched for; 0: nothing was told.
    terms: u32,
    witness: Witness,
    /// Whether the other half has come.
    paired: bool,
    /// When it was told, by the wall clock: what ages it.
    told_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Witness {
    History,
    Extension,
}

impl Sightings {
    /// Goes on from what was kept.
    #[must_use]
    pub fn kept(checkpoints: &HashMap<String, Vec<u8>>, now: Timestamp) -> Self {
        let place = checkpoints.get(INPUT).map_or(&[][..], Vec::as_slice);
        let visits = place.chunks_exact(ENTRY).filter_map(|entry| Sighting::decode(entry, now));
        Self { visits: visits.take(KEPT).collect(), changed: false }
    }

    /// What of an observation is news; `None` if the other witness has told all of it.
    pub fn news(&mut self, seen: Minimised, now: Timestamp) -> Option<Minimised> {
        let witness = match seen.source() {
            Source::BrowserHistory => Witness::History,
            Source::BrowserExtension => Witness::Extension,
            _ => return Some(seen),
        };
        let Some(Evidence::OsUser(user)) = seen.evidence().first() else { return Some(seen) };
        let (visit, late) = match seen.content() {
            Content::Visit(visit) => (visit, false),
            Content::LateTitle(visit) => (visit, true),
            _ => return Some(seen),
        };
        if visit.private_window {
            return Some(seen);
        }
        self.age(now);
        let (key, title) = (key(user, visit), digest_of(visit.title.as_deref()));
        let terms = digest_of(visit.search_terms.as_deref());
        if late {
            return self.titled(key, title).then_some(seen);
        }
        let at = seen.occurred_at();
        let Some(half) = self.other_half(key, at, witness) else {
            self.keep(Sighting { key, at, title, terms, witness, paired: false, told_at: now });
            return Some(seen);
        };
        half.paired = true;
        // A browser knows the words of searches whose address does not show them: those were not told yet.
        let searched = terms != 0 && terms != half.terms;
        let (known, told_at) = (half.title, half.at);
        let new = title != 0 && title != known;
        if new {
            half.title = title;
        }
        if searched {
            half.terms = terms;
        }
        self.changed = true;
        if searched {
            return Some(seen);
        }
        new.then(|| seen.into_late_title(told_at))
    }

    /// The place to keep, if it has changed since the last time.
    pub fn checkpoint(&mut self) -> Option<Checkpoint> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let place = self.visits.iter().flat_map(Sighting::encode).collect();
        Some(Checkpoint { input: INPUT.to_owned(), place })
    }

    /// The visit of the other witness that this one repeats: the nearest in time that has no half yet, or
    /// the one that this echoes.
    fn other_half(
        &mut self,
        key: [u8; 8],
        at: Timestamp,
        witness: Witness,
    ) -> Option<&mut Sighting> {
        let apart = |sighting: &Sighting| sighting.at.duration_since(at).abs();
        self.visits
            .iter_mut()
            .filter(|it| it.key == key && it.witness != witness)
            .filter(|it| apart(it) <= if it.paired { ECHO } else { APART })
            .min_by_key(|it| (it.paired, apart(it)))
    }

    /// Notes the title of a visit that was told of; says whether it is new.
    fn titled(&mut self, key: [u8; 8], title: u32) -> bool {
        let Some(known) = self.visits.iter_mut().rev().find(|it| it.key == key) else {
            return true;
        };
        let new = known.title != title;
        known.title = title;
        self.changed |= new;
        new
    }

    fn keep(&mut self, sighting: Sighting) {
        if self.visits.len() >= KEPT {
            self.visits.pop_front();
        }
        self.visits.push_back(sighting);
        self.changed = true;
    }

    fn age(&mut self, now: Timestamp) {
        let before = self.visits.len();
        // A clock that was set back makes some of them come from the future.
        self.visits.retain(|it| now.duration_since(it.told_at).abs() <= KEPT_FOR);
        self.changed |= self.visits.len() != before;
    }
}

impl Sighting {
    fn encode(&self) -> [u8; ENTRY] {
        let mut entry = [0; ENTRY];
        entry[..8].copy_from_slice(&self.key);
        entry[8..16].copy_from_slice(&self.at.as_microsecond().to_be_bytes());
        entry[16..20].copy_from_slice(&self.title.to_be_bytes());
        entry[20..24].copy_from_slice(&self.terms.to_be_bytes());
        let extension = self.witness == Witness::Extension;
        entry[24] = u8::from(extension) | u8::from(self.paired) << 1;
        entry
    }

    /// Its age begins anew: what waits for its other half has not been able to come meanwhile.
    fn decode(entry: &[u8], now: Timestamp) -> Option<Self> {
        let flags = entry[24];
        Some(Self {
            key: entry[..8].try_into().ok()?,
            at: Timestamp::from_microsecond(i64::from_be_bytes(entry[8..16].try_into().ok()?))
                .ok()?,
            title: u32::from_be_bytes(entry[16..20].try_into().ok()?),
            terms: u32::from_be_bytes(entry[20..24].try_into().ok()?),
            witness: if flags & 1 == 1 { Witness::Extension } else { Witness::History },
            paired: flags & 2 == 2,
            told_at: now,
        })
    }
}

fn key(user: &str, visit: &Visit) -> [u8; 8] {
    let user = user.to_lowercase();
    first_bytes(&[user.as_bytes(), &[0], &visit.key.0])
}

/// Stands for a text; 0 if there is none.
fn digest_of(text: Option<&str>) -> u32 {
    let digest = |text: &str| u32::from_be_bytes(first_bytes(&[text.as_bytes()]));
    text.map_or(0, |text| digest(text).max(1))
}

fn first_bytes<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; N];
    bytes.copy_from_slice(&context.finish().as_ref()[..N]);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::minimiser::{PrivateList, minimise};
    use crate::observation::{self, Observation, Transition};

    const PAGE: &str = "https://a.example/page?q=1";

    #[test]
    fn whichever_tells_first_makes_the_event() {
        for (first, second) in [
            (Source::BrowserHistory, Source::BrowserExtension),
            (Source::BrowserExtension, Source::BrowserHistory),
        ] {
            let mut sightings = Sightings::default();
            assert!(sightings.news(visit(first, PAGE, 0, "A page"), at(0)).is_some());
            assert!(sightings.news(visit(second, PAGE, 3, "A page"), at(12)).is_none());
            // A second visit is a second visit, to both.
            assert!(sightings.news(visit(first, PAGE, 20, "A page"), at(20)).is_some());
            assert!(sightings.news(visit(second, PAGE, 20, "A page"), at(30)).is_none());
        }
    }

    #[test]
    fn other_pages_users_times_and_private_windows_are_other_visits() {
        let mut sightings = Sightings::default();
        sightings.news(visit(Source::BrowserExtension, PAGE, 0, ""), at(0));
        let history = |url, second| visit(Source::BrowserHistory, url, second, "");
        assert!(sightings.news(history("https://a.example/page?q=2", 0), at(1)).is_some());
        assert!(sightings.news(history(PAGE, 11), at(11)).is_some());
        let mut by_ben = observed(Source::BrowserHistory, PAGE, 0, "");
        by_ben.evidence = vec![Evidence::OsUser("ben".into())];
        assert!(sightings.news(minimised(by_ben), at(1)).is_some());
        let mut private = observed(Source::BrowserExtension, PAGE, 11, "");
        let observation::Content::Visit(page) = &mut private.content else { panic!() };
        page.private_window = true;
        assert!(sightings.news(minimised(private), at(12)).is_some());
        assert!(sightings.news(history(PAGE, 0), at(12)).is_none());
    }

    #[test]
    fn a_search_that_only_the_history_knows_of_is_told() {
        let mut sightings = Sightings::default();
        sightings.news(visit(Source::BrowserExtension, PAGE, 0, "A page"), at(0));
        let mut searched = observed(Source::BrowserHistory, PAGE, 1, "A page");
        let observation::Content::Visit(page) = &mut searched.content else { panic!() };
        page.search_terms = Some("how to end it all".into());
        let news = sightings.news(minimised(searched.clone()), at(9)).unwrap();
        assert!(matches!(news.content(), Content::Visit(_)));
        assert!(sightings.news(minimised(searched), at(10)).is_none());
    }

    #[test]
    fn an_upgrade_to_https_is_one_visit() {
        let mut sightings = Sightings::default();
        sightings.news(visit(Source::BrowserExtension, PAGE, 0, "A page"), at(0));
        let plain = PAGE.replace("https", "http");
        assert!(sightings.news(visit(Source::BrowserHistory, &plain, 0, ""), at(9)).is_none());
        assert!(sightings.news(visit(Source::BrowserHistory, PAGE, 0, "A page"), at(9)).is_none());
    }

    #[test]
    fn a_title_that_the_first_did_not_have_comes_late_and_once() {
        let mut sightings = Sightings::default();
        sightings.news(visit(Source::BrowserExtension, PAGE, 0, ""), at(0));
        let second = visit(Source::BrowserHistory, PAGE, 1, "A page");
        let late = sightings.news(second, at(9)).unwrap();
        assert!(matches!(late.content(), Content::LateTitle(_)));
        assert_eq!(late.occurred_at(), at(0), "it joins the visit that was told of");
        let mut title = observed(Source::BrowserExtension, PAGE, 2, "A page");
        let observation::Content::Visit(page) = title.content else { panic!() };
        title.content = observation::Content::LateTitle(page);
        assert!(sightings.news(minimised(title), at(10)).is_none());
    }

    #[test]
    fn what_waits_survives_a_restart_and_the_place_is_written_when_it_changes() {
        let mut sightings = Sightings::default();
        assert_eq!(sightings.checkpoint(), None);
        sightings.news(visit(Source::BrowserExtension, PAGE, 0, "A page"), at(0));
        let place = sightings.checkpoint().unwrap();
        assert_eq!(sightings.checkpoint(), None);
        let kept = HashMap::from([(place.input, place.place)]);
        let mut again = Sightings::kept(&kept, at(4_000));
        assert!(again.news(visit(Source::BrowserHistory, PAGE, 0, "A page"), at(4_001)).is_none());
        let mut aged = Sightings::kept(&kept, at(4_000));
        assert!(aged.news(visit(Source::BrowserHistory, PAGE, 0, "A page"), at(4_301)).is_some());
    }

    #[test]
    fn the_memory_is_bounded_and_damage_is_no_harm() {
        let mut sightings = Sightings::default();
        for number in 0..2 * KEPT {
            let url = format!("https://a.example/{number}");
            sightings.news(visit(Source::BrowserHistory, &url, 0, ""), at(0));
        }
        let place = sightings.checkpoint().unwrap().place;
        assert_eq!(place.len(), KEPT * ENTRY);
        let torn = HashMap::from([(INPUT.to_owned(), place[..ENTRY + 3].to_vec())]);
        assert_eq!(Sightings::kept(&torn, at(0)).visits.len(), 1);
    }

    proptest! {
        /// Each of some visits is told by both, in any order and with any delay: one event each.
        #[test]
        fn every_visit_is_told_once(
            visits in prop::collection::vec((0..4_u8, 11..60_i64, any::<bool>(), 0..5_i64), 1..40),
        ) {
            let mut told = Vec::new();
            let mut second = 0;
            for (page, pause, extension_first, delay) in &visits {
                second += pause;
                let url = format!("https://a.example/{page}");
                let (first, other) = if *extension_first {
                    (Source::BrowserExtension, Source::BrowserHistory)
                } else {
                    (Source::BrowserHistory, Source::BrowserExtension)
                };
                told.push((second, visit(first, &url, second, "A page")));
                told.push((second + delay, visit(other, &url, second, "A page")));
            }
            told.sort_by_key(|(when, _)| *when);
            let mut sightings = Sightings::default();
            let news = told.into_iter().filter_map(|(when, seen)| sightings.news(seen, at(when)));
            prop_assert_eq!(news.count(), visits.len());
        }
    }

    fn visit(source: Source, url: &str, second: i64, title: &str) -> Minimised {
        minimised(observed(source, url, second, title))
    }

    fn minimised(seen: Observation) -> Minimised {
        minimise(&PrivateList::default(), seen).unwrap()
    }

    fn observed(source: Source, url: &str, second: i64, title: &str) -> Observation {
        Observation {
            source,
            occurred_at: at(second),
            evidence: vec![Evidence::OsUser("ann".into())],
            content: observation::Content::Visit(observation::Visit {
                browser: "Chrome".into(),
                profile: String::new(),
                url: url.into(),
                title: Some(title.into()),
                search_terms: None,
                transition: Transition::Link,
                private_window: false,
            }),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }
}
