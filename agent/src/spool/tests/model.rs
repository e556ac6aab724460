//! The spool against the simplest thing that behaves like it: a list.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<(Lane, Option<u8>)>),
    Offer(Lane, usize),
    Settle(Lane),
    Restart,
    NewLog,
}

/// An event as the list has it.
#[derive(Debug, Clone)]
struct Known {
    words: String,
    fold: Option<u8>,
    occurrences: u32,
    epoch: u32,
    offered: bool,
    acknowledged: bool,
}

#[derive(Debug, Default)]
struct Model {
    lanes: [Vec<Known>; 2],
    epoch: u32,
    log: u8,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_spool_behaves_like_a_list(steps in prop::collection::vec(step(), 1..24)) {
        compare(&steps);
    }
}

fn compare(steps: &[Step]) {
    let bench = Bench::new();
    let mut spool = bench.open();
    let mut model = Model::default();
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Append(events) => {
                let events: Vec<_> = events
                    .iter()
                    .enumerate()
                    .map(|(n, (lane, fold))| (*lane, *fold, format!("{at}.{n}")))
                    .collect();
                spool
                    .append(
                        events
                            .iter()
                            .map(|(lane, fold, words)| captured(*lane, *fold, words))
                            .collect(),
                        &[checkpoint("profile", b"1")],
                    )
                    .unwrap();
                events.into_iter().for_each(|(lane, fold, words)| model.append(lane, fold, words));
            }
            Step::Offer(lane, count) => {
                let offered = spool.waiting(*lane, None, *count, usize::MAX).unwrap();
                assert_eq!(offered.len(), model.offer(*lane, *count));
            }
            Step::Settle(lane) => {
                // Only what was offered in this run: the model's own record of it.
                for waiting in spool.waiting(*lane, None, model.offered(*lane), usize::MAX).unwrap()
                {
                    let (epoch, through) = (waiting.position.epoch, waiting.position.sequence);
                    spool.settle(model.generation(), epoch, *lane, through, &[]).unwrap();
                }
                model.settle(*lane);
            }
            Step::Restart => {
                drop(spool);
                spool = bench.open();
                model.restart();
            }
            Step::NewLog => {
                model.log += 1;
                spool.meet(model.generation()).unwrap();
                model.lanes[0].iter_mut().for_each(|known| known.acknowledged = false);
            }
        }
        let stats = spool.stats().unwrap();
        let waiting =
            |lane: usize| model.lanes[lane].iter().filter(|it| !it.acknowledged).count() as u64;
        assert_eq!((stats.urgent, stats.routine, stats.lost), (waiting(0), waiting(1), 0));
    }
    for lane in Lane::ALL {
        let found: Vec<_> = all(&spool, lane).iter().map(|it| bench.unseal(&spool, it)).collect();
        let found: Vec<_> = found.iter().map(|it| (words(it), it.occurrences)).collect();
        let expected: Vec<_> = model.lanes[lane as usize]
            .iter()
            .filter(|it| !it.acknowledged)
            .map(|it| (it.words.clone(), it.occurrences))
            .collect();
        assert_eq!(found, expected);
    }
    let place = spool.checkpoints().unwrap().remove("profile");
    assert_eq!(place.is_some(), steps.iter().any(|step| matches!(step, Step::Append(_))));
}

impl Model {
    fn append(&mut self, lane: Lane, fold: Option<u8>, words: String) {
        let lane = &mut self.lanes[lane as usize];
        let known = lane.iter().position(|it| {
            fold.is_some() && it.fold == fold && it.epoch == self.epoch && !it.offered
        });
        let new = Known {
            words,
            fold,
            occurrences: 0,
            epoch: self.epoch,
            offered: false,
            acknowledged: false,
        };
        let event = match known.map(|at| lane.remove(at)) {
            Some(first) => Known { occurrences: first.occurrences.max(1) + 1, ..first },
            None => new,
        };
        lane.push(event);
    }

    fn offer(&mut self, lane: Lane, count: usize) -> usize {
        let mut waiting: Vec<_> = self.lanes[lane as usize]
            .iter_mut()
            .filter(|it| !it.acknowledged)
            .take(count)
            .collect();
        waiting.iter_mut().for_each(|known| known.offered = true);
        waiting.len()
    }

    /// How many of the first that wait were offered in this run.
    fn offered(&self, lane: Lane) -> usize {
        let waiting = self.lanes[lane as usize].iter().filter(|it| !it.acknowledged);
        waiting.take_while(|it| it.offered).count()
    }

    fn settle(&mut self, lane: Lane) {
        let events = &mut self.lanes[lane as usize];
        match lane {
            Lane::Urgent => events.iter_mut().for_each(|it| it.acknowledged |= it.offered),
            Lane::Routine => events.retain(|it| !it.offered),
        }
    }

    fn restart(&mut self) {
        self.epoch += 1;
        for lane in &mut self.lanes {
            lane.iter_mut().for_each(|known| known.offered = false);
        }
    }

    fn generation(&self) -> Generation {
        Generation::from_bytes([self.log; 16])
    }
}

fn step() -> impl Strategy<Value = Step> {
    let lane = || prop::sample::select(Lane::ALL.to_vec());
    prop_oneof![
        4 => prop::collection::vec((lane(), prop::option::of(0..3_u8)), 0..5).prop_map(Step::Append),
        2 => (lane(), 1..4_usize).prop_map(|(lane, count)| Step::Offer(lane, count)),
        2 => lane().prop_map(Step::Settle),
        1 => Just(Step::Restart),
        1 => Just(Step::NewLog),
    ]
}

fn captured(lane: Lane, fold: Option<u8>, words: &str) -> Captured {
    let fold = fold.map(|key| FoldKey::of([[key].as_slice()]));
    Captured { lane, severity: 3, fold, payload: payload(words) }
}

fn words(payload: &v1::EventPayload) -> String {
    match &payload.content {
        Some(Content::Visit(visit)) => visit.title.clone().unwrap_or_default(),
        _ => String::new(),
    }
}
