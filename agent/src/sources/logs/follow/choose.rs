//! Which file comes next: looks at what is there, has it decided, and does it.

use std::ffi::OsString;
use std::ops::ControlFlow;

use super::decide::{Likeness, Sight, Standing, Step, decide};
use super::files::{Location, Refusal};
use super::hand::Refill;
use super::lines::Lines;
use super::reader::{Look, Reader};
use super::{Follow, Found, Reached};
use crate::sources::logs::place::{Fingerprint, Identity};

/// How many looks a compressed file that ends too early is waited for.
const PATIENCE: u32 = 25;

/// A file that may be taken in hand.
pub(super) struct Candidate {
    pub(super) sight: Sight,
    pub(super) name: OsString,
    pub(super) identity: Option<Identity>,
    pub(super) reader: Reader,
    pub(super) look: Look,
}

/// What was seen of the files.
struct View {
    candidates: Vec<Candidate>,
    /// Why the log itself is not among them.
    no_log: Option<Refusal>,
}

impl Follow {
    /// Finds the file to go on in.
    pub(super) fn step(
        &mut self,
        take: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<Reached>, Refusal> {
        let location = match self.location.take() {
            Some(location) => location,
            None => match Location::resolve(&self.path) {
                Ok(location) => location,
                Err(refused) => return Ok(ControlFlow::Break(Reached::NoLog(refused))),
            },
        };
        self.place = self.place();
        let mut view = self.view(&location)?;
        self.location = Some(location);
        if std::mem::take(&mut self.first) {
            self.pass_over(&view);
            return Ok(ControlFlow::Continue(()));
        }
        let vanished =
            self.place.identity.is_some() && view.candidates.iter().all(|it| !self.is_same(it));
        if let Some(hand) = &mut self.hand
            && vanished
            && !hand.begun
        {
            // What it got since is read before anything else.
            hand.begun = true;
            return Ok(ControlFlow::Continue(()));
        }
        let standing = self.standing(vanished);
        let sights: Vec<_> = view.candidates.iter().map(|found| found.sight).collect();
        let step = decide(standing, &sights, self.waits < PATIENCE);
        self.waits = if step == Step::WaitShortly { self.waits + 1 } else { 0 };
        let given = match step {
            Step::Resume(index) => {
                self.resume(index, view);
                ControlFlow::Continue(())
            }
            Step::Begin(index) => self.begin(index, standing, view, take)?,
            Step::Join(index) => {
                self.join(view.candidates.swap_remove(index))?;
                take(Found::Begun)
            }
            Step::Lost => {
                self.give_up(&view);
                take(Found::Lost)
            }
            Step::WaitShortly => return Ok(ControlFlow::Break(Reached::Soon)),
            Step::Wait => return Ok(ControlFlow::Break(self.wait(view.no_log))),
        };
        Ok(given.map_break(|()| Reached::Enough))
    }

    fn view(&self, location: &Location) -> Result<View, Refusal> {
        let related = match location.related(self.place.identity) {
            Ok(related) => related,
            Err(Refusal::Missing) => Vec::new(),
            Err(refused) => return Err(refused),
        };
        let mut no_log = Some(Refusal::Missing);
        let mut candidates = Vec::new();
        for file in related {
            let (opened, stat) = match location.open(&file.name) {
                Ok(opened) => opened,
                Err(refused) => {
                    if file.live {
                        no_log = Some(refused);
                    }
                    continue;
                }
            };
            if file.live {
                no_log = None;
            }
            let mut reader = Reader::new(opened, file.packed);
            let look = reader.look(stat, &self.place);
            let sight = Sight {
                likeness: look.likeness,
                known: self.place.knows(&look.start),
                empty: look.start.is_empty() && look.likeness != Likeness::Unsettled,
                live: file.live,
                in_order: file.in_order,
                packed: file.packed,
            };
            let (name, identity) = (file.name, stat.identity);
            candidates.push(Candidate { sight, name, identity, reader, look });
        }
        Ok(View { candidates, no_log })
    }

    /// Remembers what was rotated before the log was seen first, as nothing to be read.
    fn pass_over(&mut self, view: &View) {
        let former = |it: &&Candidate| !it.sight.live && it.sight.in_order && !it.sight.empty;
        for former in view.candidates.iter().filter(former) {
            self.place.remember(Fingerprint::of(&former.look.start));
        }
    }

    fn standing(&self, vanished: bool) -> Standing {
        match (&self.hand, self.place.offset) {
            (Some(hand), 0) if !hand.begun => Standing::Fresh,
            (Some(_), _) => Standing::AtEnd,
            (None, 0) if vanished => Standing::Vanished,
            (None, 0) => Standing::Fresh,
            (None, _) => Standing::Adrift,
        }
    }

    /// Whether it is the file that was being read.
    fn is_same(&self, found: &Candidate) -> bool {
        found.identity.is_some() && found.identity == self.place.identity
    }

    /// Whether the file that was being read has other content.
    fn was_emptied(&self, view: &View) -> bool {
        let other = |it: &Candidate| it.sight.likeness != Likeness::Continues;
        view.candidates.iter().any(|it| self.is_same(it) && other(it))
    }

    fn resume(&mut self, index: usize, mut view: View) {
        let emptied = self.was_emptied(&view);
        let found = view.candidates.swap_remove(index);
        let renamed = !found.sight.live && self.is_same(&found);
        // Rotation renames, and compresses what it renamed; this was copied.
        let copied = !found.sight.live && !found.sight.packed && !self.is_same(&found);
        self.place.emptied = emptied || copied || self.place.emptied && !renamed;
        self.take_in_hand(found);
    }

    /// Begins the next file, unless there is more in the one in hand.
    fn begin(
        &mut self,
        index: usize,
        standing: Standing,
        mut view: View,
        take: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Refusal> {
        let done = standing == Standing::AtEnd;
        let mut broken = None;
        if done {
            // It may have been written to until the next one was begun.
            match self.refill()? {
                Refill::End => {}
                Refill::Broken => broken = Some(take(Found::Lost)),
                Refill::More => return Ok(ControlFlow::Continue(())),
                Refill::Emptied if self.put_down() => return Ok(take(Found::Lost)),
                Refill::Emptied => return Ok(ControlFlow::Continue(())),
            }
            self.place.emptied &= self.hand.as_ref().is_some_and(|hand| !hand.live);
        }
        let stayed = view.candidates.iter().any(|it| it.sight.live && self.is_same(it));
        let found = view.candidates.swap_remove(index);
        self.place.emptied |= standing == Standing::Fresh && !found.sight.live && stayed;
        let cut = (done && self.lines.waiting() > 0).then_some(self.place.offset);
        if let (Some(_), Some(hand)) = (cut, &mut self.hand) {
            hand.marks.advance(self.lines.ahead());
            hand.marks.write_to(&mut self.place);
        }
        self.place.begin(found.identity);
        self.take_in_hand(found);
        // All of them, whatever the answer to the first is: the place is behind all.
        let cut = cut.map(|offset| take(Found::CutShort(offset)));
        let given = [broken, cut, Some(take(Found::Begun))];
        let enough = given.into_iter().flatten().any(|given| given.is_break());
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Gives the generation up of which the rest is nowhere.
    fn give_up(&mut self, view: &View) {
        self.place.emptied |= self.was_emptied(view);
        self.place.begin(None);
        self.lines = Lines::begin(false);
        // What is shorter than what was read of it has been read.
        let cut = |it: &&Candidate| it.sight.likeness == Likeness::Cut;
        for cut in view.candidates.iter().filter(cut) {
            self.place.remember(Fingerprint::of(&cut.look.start));
        }
    }

    fn wait(&mut self, no_log: Option<Refusal>) -> Reached {
        if no_log.is_some() && self.hand.is_none() {
            // What the technician named may be a link to somewhere else when it is there again.
            self.location = None;
        }
        no_log.map_or(Reached::End, Reached::NoLog)
    }
}
