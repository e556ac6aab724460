//! What to do next with the files that a log has become: pure, from what is seen of them.
//!
//! | standing | what is seen | step |
//! |---|---|---|
//! | at the end of the file in hand | a later generation has content | begin it |
//! | | the log itself goes on where the file in hand ends (it was copied back) | resume in it |
//! | | the log itself begins as a generation that was read | join it at its end |
//! | | nothing of that | wait: the proxy may write on to the file in hand, under whatever name |
//! | adrift: no file in hand, something read | a file holds what was read, and goes on | resume in it |
//! | | one that may hold it cannot be read yet (it is being compressed) | wait, but not for ever |
//! | | there is no log at all | wait: its disk may be away |
//! | | another generation is there, and this one is nowhere | it is lost |
//! | fresh: nothing read of the generation | as at the end; and an empty log | begin it |
//! | vanished: the same, and its file is nowhere | no rotated file can be what became of it | what it may have got is lost |
//! | | else | as fresh |
//!
//! **A generation is unread** if its name says that it was rotated (or it is the log itself), its
//! beginning is not one of those known, and it comes after the oldest file that is known: what lies
//! before it was there before anything was read, or was read longer ago than is remembered.

/// One file, in the order of its rotation: oldest first, the log itself last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) likeness: Likeness,
    /// Whether its beginning is one of those that need not be read.
    pub(super) known: bool,
    pub(super) empty: bool,
    /// Whether it is the log itself.
    pub(super) live: bool,
    /// Whether its name says that rotation made it, or it is the log itself. Others only serve to go on in.
    pub(super) in_order: bool,
    pub(super) packed: bool,
}

/// What a file has of the generation that was being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// All that was read, where it was read; perhaps more.
    Continues,
    /// The same beginning, but not what was read last: it was cut, or edited.
    Cut,
    /// Nothing.
    Unlike,
    /// It cannot be read yet.
    Unsettled,
}

/// Where the reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// All of the file in hand is read.
    AtEnd,
    /// Something was read, and the file is not in hand: after a start, or because it was emptied.
    Adrift,
    /// Nothing of a generation has been read, and no file is in hand.
    Fresh,
    /// The same, and the file that was to be read is not in the folder any more.
    Vanished,
}

/// What to do next. A number is an index into the sights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Take this file in hand and go on at the place.
    Resume(usize),
    /// The generation in hand is done: take this file, from its beginning.
    Begin(usize),
    /// Take this file in hand at its end: its beginning was read under another name.
    Join(usize),
    /// What was left of the generation is nowhere. Decide again, fresh.
    Lost,
    /// Nothing, until something changes.
    Wait,
    /// Nothing, but look again soon.
    WaitShortly,
}

/// Decides. `patient` says that what is unsettled may be waited for.
pub(super) fn decide(standing: Standing, sights: &[Sight], patient: bool) -> Step {
    match standing {
        Standing::AtEnd => at_end(sights),
        Standing::Adrift => adrift(sights, patient),
        Standing::Fresh => fresh(sights),
        Standing::Vanished if live(sights).is_some() && !any_rotated(sights) => Step::Lost,
        Standing::Vanished => fresh(sights),
    }
}

fn at_end(sights: &[Sight]) -> Step {
    let oldest = sights.iter().position(|sight| {
        sight.in_order && (sight.known || matches!(sight.likeness, Likeness::Continues))
    });
    if let Some(next) = next_unread(sights, oldest.unwrap_or(0), false) {
        return Step::Begin(next);
    }
    match live(sights) {
        Some((index, live)) if live.likeness == Likeness::Continues => Step::Resume(index),
        Some((index, live)) if !live.empty && read_under_another_name(live) => Step::Join(index),
        _ => Step::Wait,
    }
}

fn adrift(sights: &[Sight], patient: bool) -> Step {
    let goes_on =
        sights.iter().enumerate().filter(|(_, sight)| sight.likeness == Likeness::Continues);
    // Of several, the one that may still grow, then one that need not be unpacked.
    if let Some((index, _)) = goes_on.min_by_key(|(_, sight)| (!sight.live, sight.packed)) {
        return Step::Resume(index);
    }
    if patient && sights.iter().any(|sight| sight.likeness == Likeness::Unsettled) {
        return Step::WaitShortly;
    }
    let is_there = |sight: &Sight| sight.live || sight.in_order && !sight.known && !sight.empty;
    if sights.iter().any(is_there) { Step::Lost } else { Step::Wait }
}

fn fresh(sights: &[Sight]) -> Step {
    // A file that continues is one of which nothing was read, known by its identity: it is unread.
    let oldest = sights.iter().position(|sight| sight.in_order && sight.known);
    if let Some(next) = next_unread(sights, oldest.unwrap_or(0), true) {
        return Step::Begin(next);
    }
    match live(sights) {
        Some((index, live)) if live.empty => Step::Begin(index),
        Some((index, live)) if read_under_another_name(live) => Step::Join(index),
        _ => Step::Wait,
    }
}

/// Whether there is a rotated file, perhaps an empty one, that is not known.
fn any_rotated(sights: &[Sight]) -> bool {
    let oldest = sights.iter().position(|sight| sight.in_order && sight.known);
    let rotated = |sight: &Sight| sight.in_order && !sight.live && !sight.known;
    sights.iter().skip(oldest.unwrap_or(0)).any(rotated)
}

/// The oldest generation with content that was not read, from `oldest` on.
fn next_unread(sights: &[Sight], oldest: usize, fresh: bool) -> Option<usize> {
    let unread = |sight: &Sight| {
        let other =
            fresh && sight.likeness == Likeness::Continues || sight.likeness == Likeness::Unlike;
        sight.in_order && !sight.empty && !sight.known && other
    };
    sights.iter().skip(oldest).position(unread).map(|index| index + oldest)
}

fn live(sights: &[Sight]) -> Option<(usize, &Sight)> {
    sights.iter().enumerate().find(|(_, sight)| sight.live)
}

fn read_under_another_name(live: &Sight) -> bool {
    live.known || live.likeness == Likeness::Cut
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: Sight = Sight {
        likeness: Likeness::Unlike,
        known: false,
        empty: false,
        live: true,
        in_order: true,
        packed: false,
    };
    const ROTATED: Sight = Sight { live: false, ..LIVE };
    const KNOWN: Sight = Sight { known: true, ..ROTATED };
    const HELD: Sight = Sight { likeness: Likeness::Continues, ..ROTATED };
    const PACKED: Sight = Sight { packed: true, ..HELD };
    const PARTIAL: Sight = Sight { likeness: Likeness::Unsettled, packed: true, ..ROTATED };
    const EMPTY: Sight = Sight { empty: true, ..LIVE };
    const ASIDE: Sight = Sight { in_order: false, ..ROTATED };

    #[test]
    fn every_standing_has_its_step() {
        use Standing::{Adrift, AtEnd, Fresh, Vanished};
        for (standing, sights, step) in [
            // The end of the file in hand.
            (AtEnd, &[HELD, LIVE][..], Step::Begin(1)),
            (AtEnd, &[HELD, EMPTY], Step::Wait),
            (AtEnd, &[HELD], Step::Wait),
            (AtEnd, &[KNOWN, HELD, ROTATED, ROTATED, LIVE], Step::Begin(2)),
            (AtEnd, &[ROTATED, KNOWN, HELD, LIVE], Step::Begin(3)),
            (AtEnd, &[KNOWN, ROTATED, HELD, LIVE], Step::Begin(1)),
            (AtEnd, &[HELD, ASIDE, EMPTY], Step::Wait),
            (AtEnd, &[KNOWN, PARTIAL, LIVE], Step::Begin(2)),
            (AtEnd, &[HELD, Sight { likeness: Likeness::Continues, ..LIVE }], Step::Resume(1)),
            (AtEnd, &[HELD, Sight { known: true, ..LIVE }], Step::Join(1)),
            // It was deleted, and nothing else is known.
            (AtEnd, &[LIVE], Step::Begin(0)),
            (AtEnd, &[], Step::Wait),
            // No file in hand.
            (Adrift, &[HELD, Sight { likeness: Likeness::Continues, ..LIVE }], Step::Resume(1)),
            (Adrift, &[PACKED, HELD, LIVE], Step::Resume(1)),
            (Adrift, &[PACKED, LIVE], Step::Resume(0)),
            (Adrift, &[Sight { in_order: false, ..HELD }, LIVE], Step::Resume(0)),
            (Adrift, &[PARTIAL, LIVE], Step::WaitShortly),
            (Adrift, &[KNOWN, LIVE], Step::Lost),
            (Adrift, &[KNOWN, EMPTY], Step::Lost),
            (Adrift, &[KNOWN, ROTATED], Step::Lost),
            (Adrift, &[KNOWN, ASIDE], Step::Wait),
            (Adrift, &[], Step::Wait),
            // Nothing read yet.
            (Fresh, &[KNOWN, EMPTY], Step::Begin(1)),
            (Fresh, &[KNOWN, ROTATED, EMPTY], Step::Begin(1)),
            (Fresh, &[ROTATED, KNOWN, LIVE], Step::Begin(2)),
            (Fresh, &[ROTATED, HELD, ROTATED, LIVE], Step::Begin(0)),
            (Fresh, &[ROTATED, KNOWN, HELD, ROTATED, LIVE], Step::Begin(2)),
            (Fresh, &[KNOWN, Sight { likeness: Likeness::Continues, ..LIVE }], Step::Begin(1)),
            (Fresh, &[KNOWN, Sight { known: true, ..LIVE }], Step::Join(1)),
            (Fresh, &[KNOWN], Step::Wait),
            (Fresh, &[], Step::Wait),
            (Vanished, &[KNOWN, LIVE], Step::Lost),
            (Vanished, &[KNOWN, ROTATED, LIVE], Step::Begin(1)),
            (Vanished, &[KNOWN, Sight { empty: true, ..ROTATED }, LIVE], Step::Begin(2)),
            (Vanished, &[KNOWN], Step::Wait),
        ] {
            assert_eq!(decide(standing, sights, true), step, "{standing:?} {sights:?}");
        }
        assert_eq!(decide(Adrift, &[PARTIAL, LIVE], false), Step::Lost);
    }
}
