//! One reading of one profile: from its open copy to batches.
//!
//! A reading goes in portions, so that a full channel holds it back between two of them, and so that a
//! long history is committed as it goes. Each portion's place is sent with its visits and becomes the
//! cursor's only once the channel took it.

use jiff::Timestamp;

use super::cursor::{Mark, Place};
use super::profiles::{Family, Profile};
use super::reader::{ReadError, Reader, Text};
use crate::observation::{Batch, Checkpoint, Content, Evidence, Observation, Source, Visit};
use crate::sources::search_terms::search_terms;

/// Marks that are read at once.
const MARKS: usize = 512;
/// Marks that are passed in one portion when none of them is to be yielded.
const PASSED: usize = 64 * MARKS;
/// Bytes of text after which a portion ends.
const PORTION_BYTES: usize = 512 * 1024;
/// Visits after which a portion ends.
const PORTION_VISITS: usize = 128;

/// Which visits are the source's to yield.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    /// Earlier visits are left alone.
    pub(super) enrolled_at: Timestamp,
    /// When the copy was asked for: the database was at least as new as that.
    pub(super) now: Timestamp,
}

/// A reading in progress.
#[derive(Debug)]
pub(super) struct Reading {
    reader: Reader,
    profile: Profile,
    scope: Scope,
    place: Place,
    after: i64,
    titles_read: bool,
    ended: bool,
}

/// What one portion yielded.
#[derive(Debug)]
pub(super) struct Portion {
    /// Empty if nothing came of it that needs to be kept.
    pub(super) batch: Batch,
    /// The place after it.
    pub(super) place: Place,
}

impl Reading {
    /// Finds where to go on in the copy.
    pub(super) fn begin(
        reader: Reader,
        profile: Profile,
        mut place: Place,
        scope: Scope,
    ) -> Result<Self, ReadError> {
        reader.allow_work();
        let after = place.resume(|id| reader.time_of(id))?;
        Ok(Self { reader, profile, scope, place, after, titles_read: false, ended: false })
    }

    /// Reads the next portion; `None` when all has been read. Blocking.
    pub(super) fn next(&mut self) -> Result<Option<Portion>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        self.reader.allow_work();
        let before = self.place.clone();
        let mut observations = Vec::new();
        if !self.titles_read {
            self.titles_read = true;
            self.read_titles(&mut observations)?;
        }
        self.read_visits(&mut observations)?;
        let mut batch = Batch::default();
        if !observations.is_empty() || !self.place.is_same_position(&before) {
            let checkpoint = Checkpoint { input: self.profile.input(), place: self.place.encode() };
            batch = Batch { observations, checkpoints: vec![checkpoint], done: None };
        }
        Ok(Some(Portion { batch, place: self.place.clone() }))
    }

    /// Yields again the waiting visits whose title has arrived.
    fn read_titles(&mut self, observations: &mut Vec<Observation>) -> Result<(), ReadError> {
        for (id, time) in self.place.waiting(self.scope.now.as_microsecond()) {
            if self.reader.time_of(id)? != Some(time) {
                self.place.stop_waiting(id);
                continue;
            }
            let Some(text) = self.titled(id)?.filter(|text| text.title.is_some()) else { continue };
            self.place.stop_waiting(id);
            if let Ok(at) = Timestamp::from_microsecond(time) {
                let visit = visit(self.profile.browser, &self.profile.name, text);
                observations.push(self.observation(at, Content::LateTitle(visit)));
            }
        }
        Ok(())
    }

    fn read_visits(&mut self, observations: &mut Vec<Observation>) -> Result<(), ReadError> {
        let now = self.scope.now.as_microsecond();
        let (mut passed, mut bytes) = (0, 0);
        while passed < PASSED {
            let marks = self.reader.marks(self.after, MARKS)?;
            let last = marks.len() < MARKS;
            for mark in marks {
                if observations.len() >= PORTION_VISITS || bytes >= PORTION_BYTES {
                    return Ok(());
                }
                if let Some((at, text)) = self.ours(mark, now)? {
                    bytes += text.url.len() + text.title.as_ref().map_or(0, String::len);
                    if text.title.is_none() {
                        self.place.wait(mark, now);
                    }
                    let visit = visit(self.profile.browser, &self.profile.name, text);
                    observations.push(self.observation(at, Content::Visit(visit)));
                }
                self.place.pass(mark, now);
                self.after = mark.id;
                passed += 1;
            }
            if last {
                self.ended = true;
                self.place.complete(now);
                return Ok(());
            }
            if !observations.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The visit's time and text, if it is the source's to yield; otherwise its text stays unread.
    fn ours(&self, mark: Mark, now: i64) -> Result<Option<(Timestamp, Text)>, ReadError> {
        let Ok(at) = Timestamp::from_microsecond(mark.time) else { return Ok(None) };
        let elsewhere =
            mark.synced || self.reader.family == Family::Firefox && self.place.came_late(mark, now);
        if elsewhere || at < self.scope.enrolled_at || !self.place.is_unread(mark) {
            return Ok(None);
        }
        Ok(self.titled(mark.id)?.map(|text| (at, text)))
    }

    /// The text of a visit; an empty title counts as none.
    fn titled(&self, id: i64) -> Result<Option<Text>, ReadError> {
        let text = self.reader.text_of(id)?;
        Ok(text.map(|text| Text { title: text.title.filter(|title| !title.is_empty()), ..text }))
    }

    fn observation(&self, occurred_at: Timestamp, content: Content) -> Observation {
        let evidence = vec![Evidence::OsUser(self.profile.account.clone())];
        Observation { source: Source::BrowserHistory, occurred_at, evidence, content }
    }
}

/// Makes a visit of its text: search terms by the browser's record, or else by the address.
pub(super) fn visit(browser: &str, profile: &str, text: Text) -> Visit {
    let search_terms = text.search_terms.or_else(|| search_terms(&text.url));
    Visit {
        browser: browser.to_owned(),
        profile: profile.to_owned(),
        url: text.url,
        title: text.title,
        search_terms,
        transition: text.transition,
        private_window: false,
    }
}
