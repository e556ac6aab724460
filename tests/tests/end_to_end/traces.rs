//! Looks for marks in every byte that a device and a collector have kept.
//!
//! What is on the disk and on the wire is encrypted, so its bytes alone would prove little. Therefore it is also
//! looked for where it is in clear: in the feed and, with the collector's own keys, in every table of its store
//! and in every event that is sealed there, which is all that ever was on the wire.

use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use prost::Message as _;
use redshank_collector::keys::{DataFolder, KeyRing};
use redshank_collector::store::Store;
use redshank_proto::clock::{Clock, Randomness, System};
use redshank_proto::id::{Epoch, KeyId, Lane, Position, SchoolId};
use redshank_proto::v1::{EpochKey, EventPayload};
use redshank_tests::feed::Reader;
use redshank_tests::stack::Stack;

/// The signed policy and what is compiled of it came from the school, not from a pupil: ...
const OF_RULES: [&str; 2] = ["policy", "compiled-rules"];
/// ... they name the helplines that are private, and what makes a text harmless.
const NAMED_BY_RULES: [&str; 2] = ["samaritans", "childline"];

/// The marks that are to be found nowhere, in lower case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks<'a>(pub(crate) &'a [&'a str]);

/// How much of a stack was looked through.
#[derive(Debug)]
pub(crate) struct LookedThrough {
    pub(crate) cells: usize,
    pub(crate) events: Vec<EventPayload>,
    pub(crate) files: usize,
}

impl<'a> Marks<'a> {
    /// None of the marks is in `bytes`, as UTF-8 or as UTF-16.
    pub(crate) fn assert_not_in(self, place: &str, bytes: &[u8]) {
        let found = self.found_in(bytes);
        assert!(found.is_empty(), "{found:?} in {place}");
    }

    /// The marks that are in `bytes`, as UTF-8 or as UTF-16.
    pub(crate) fn found_in(self, bytes: &[u8]) -> Vec<&'a str> {
        let lower = bytes.to_ascii_lowercase();
        let holds = |part: &[u8]| lower.windows(part.len()).any(|window| window == part);
        let wide = |mark: &str| mark.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let here = |mark: &&&str| holds(mark.as_bytes()) || holds(&wide(mark));
        self.0.iter().filter(here).copied().collect()
    }

    /// None of the marks is in the first change that the feed tells of.
    pub(crate) async fn assert_not_in_feed(self, stack: &Stack) {
        let mut reader = Reader::connect(&stack.agents_url(), &stack.reader).await.unwrap();
        let mut changes = reader.subscribe(Vec::new()).await.unwrap();
        let change = changes.next().await.unwrap().unwrap();
        self.assert_not_in("the feed", format!("{change:?}").as_bytes());
    }

    /// None of the marks is in what the programs, which have ended, have kept: spool, store, logs.
    pub(crate) async fn assert_not_in_stack(self, stack: &Stack) -> LookedThrough {
        let looked_through = open(stack, self).await;
        let mut files = 0;
        for folder in [stack.agent_folder(), stack.collector_folder()] {
            each_file(&folder, &mut |path, bytes| {
                files += 1;
                let place = path.display().to_string();
                if path.file_name().is_some_and(|name| OF_RULES.iter().any(|it| name == *it)) {
                    let mut found = self.found_in(bytes);
                    // Four letters stand in any five megabytes by chance.
                    found.retain(|mark| mark.len() > 4 && !NAMED_BY_RULES.contains(mark));
                    assert!(found.is_empty(), "{found:?} in {place}");
                } else {
                    self.assert_not_in(&place, bytes);
                }
            });
        }
        assert!(files > 5, "{files} files are too few to be both folders");
        for log in ["agent.log", "collector.log"] {
            self.assert_not_in(log, &std::fs::read(stack.folder().join(log)).unwrap());
        }
        LookedThrough { files, ..looked_through }
    }
}

/// Every event in the store of a collector that has ended.
pub(crate) async fn events(stack: &Stack) -> Vec<EventPayload> {
    open(stack, Marks(&[])).await.events
}

/// Hands over each file below a folder.
pub(crate) fn each_file(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, look);
        } else if path.is_file() {
            look(&path, &std::fs::read(&path).unwrap());
        }
    }
}

/// Looks through every table of the store, and into every event that is sealed in it.
async fn open(stack: &Stack, marks: Marks<'_>) -> LookedThrough {
    let folder = DataFolder::new(stack.collector_folder());
    let root = folder.root_key().unwrap();
    let key = folder.database_key(&root).unwrap();
    let (clock, randomness): (Arc<dyn Clock>, Arc<dyn Randomness>) =
        (Arc::new(System), Arc::new(System));
    let store = Store::open(&folder.database(), &key, clock.clone(), randomness.clone()).unwrap();
    let ring = KeyRing::load(root, &store, clock, randomness).await.unwrap();
    drop(store);
    let database = rusqlite::Connection::open(folder.database()).unwrap();
    let pragma = format!("PRAGMA key = \"x'{}'\"", HEXLOWER.encode(&*key));
    database.execute_batch(&pragma).unwrap();
    let (cells, events) = (tables(&database, marks), sealed(&database, &ring, marks));
    LookedThrough { cells, events, files: 0 }
}

fn tables(database: &rusqlite::Connection, marks: Marks<'_>) -> usize {
    let mut cells = 0;
    let mut tables =
        database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for name in names.map(Result::unwrap) {
        // The signed policies hold the private list, which names the helplines.
        if name == "policies" {
            continue;
        }
        let mut all = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = all.column_count();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                cells += 1;
                if let Ok(bytes) = row.get_ref(column).unwrap().as_bytes() {
                    marks.assert_not_in(&name, bytes);
                }
            }
        }
    }
    cells
}

fn sealed(database: &rusqlite::Connection, ring: &KeyRing, marks: Marks<'_>) -> Vec<EventPayload> {
    let mut events = Vec::new();
    let mut all = database
        .prepare(
            "SELECT e.school, e.epoch, e.lane, e.sequence, k.key, c.sealed FROM events e
             JOIN event_contents c USING (position)
             JOIN epochs k ON k.device = e.device AND k.epoch = e.epoch
             ORDER BY position",
        )
        .unwrap();
    let mut rows = all.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let bytes = |column: usize| row.get_ref(column).unwrap().as_blob().unwrap();
        let school = SchoolId::try_from(bytes(0)).unwrap();
        let position = Position {
            epoch: Epoch::try_from(bytes(1)).unwrap(),
            lane: Lane::from_number(row.get(2).unwrap()).unwrap(),
            sequence: u64::try_from(row.get::<_, i64>(3).unwrap()).unwrap(),
        };
        let key = EpochKey::decode(bytes(4)).unwrap();
        let sealed_to = KeyId::try_from(key.hpke_key_id.as_slice()).unwrap();
        let cipher = ring.school_key(school, sealed_to).unwrap().open_epoch(school, &key).unwrap();
        let payload = cipher.open(position, bytes(5)).unwrap();
        marks.assert_not_in("an event's payload", &payload);
        events.push(EventPayload::decode(&payload[..]).unwrap());
    }
    events
}
