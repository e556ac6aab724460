//! A helpline's visit and a query string without a match are found nowhere: not in spool, wire, store or logs.
//!
//! What is on the disk and on the wire is encrypted, so its bytes alone would prove little. Therefore the test
//! also looks where it is in clear: in the pages that the DSL sees, in the feed, and, with the collector's own
//! keys, in every table of its store.

use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use prost::Message as _;
use redshank_collector::keys::{DataFolder, KeyRing};
use redshank_collector::store::Store;
use redshank_proto::clock::{Clock, Randomness, System};
use redshank_proto::id::{Epoch, KeyId, Lane, Position, SchoolId};
use redshank_proto::v1::EpochKey;
use redshank_tests::feed::Reader;
use redshank_tests::replay::History;
use redshank_tests::script::Step;

use super::scene::{Scene, eventually};

/// In the helpline's address, in a query string, in a title: each found nowhere.
const SECRETS: [&str; 4] = ["samaritans", "session=8f3a", "8f3a", "how-we-can-help"];

#[tokio::test]
async fn a_helpline_and_a_query_string_are_found_nowhere() {
    let mut scene = Scene::start().await;
    let history = History::begin(&scene.profile).unwrap();
    history
        .visit(&Step::page(
            "www.samaritans.org",
            "/how-we-can-help/",
            "How we can help | Samaritans",
        ))
        .unwrap();
    history
        .visit(&Step::page("www.geology.example", "/volcanoes?session=8f3a", "How volcanoes work"))
        .unwrap();
    history.visit(&Step::search("how to kill myself")).unwrap();

    let dsl = scene.dsl().await;
    let page = eventually("the alert", async || {
        let rows = dsl.queue().await.ok()?;
        dsl.alert(&rows.first()?.alert).await.ok()
    })
    .await;
    // What is looked for could be found: the match is there, and so is the browsing around it.
    assert!(page.contains("how to kill myself"));
    assert!(page.contains("geology.example"), "the visit before the match is its context");
    assert_nothing("the alert's page", page.as_bytes());

    let mut reader = Reader::connect(&scene.stack.agents_url(), &scene.stack.reader).await.unwrap();
    let change = reader.subscribe(Vec::new()).await.unwrap().next().await.unwrap().unwrap();
    assert_nothing("the feed", format!("{change:?}").as_bytes());

    scene.stack.stop().await.unwrap();
    let opened = store(&scene.stack.collector_folder()).await;
    assert!(opened.events > 0 && opened.cells > 200, "the store was looked through: {opened:?}");
    let mut files = 0;
    for folder in [scene.stack.agent_folder(), scene.stack.collector_folder()] {
        search(&folder, &mut files);
    }
    assert!(files > 5, "{files} files are too few to be both folders");
    for log in ["agent.log", "collector.log"] {
        assert_nothing(log, &std::fs::read(scene.stack.folder().join(log)).unwrap());
    }
}

/// How much of a store was looked through.
#[derive(Debug)]
struct LookedThrough {
    cells: usize,
    events: usize,
}

/// Looks through every table of the store, and into every event that is sealed in it.
async fn store(folder: &Path) -> LookedThrough {
    let folder = DataFolder::new(folder);
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
    LookedThrough { cells: tables(&database), events: events(&database, &ring) }
}

fn tables(database: &rusqlite::Connection) -> usize {
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
                    assert_nothing(&name, bytes);
                }
            }
        }
    }
    cells
}

fn events(database: &rusqlite::Connection, ring: &KeyRing) -> usize {
    let mut count = 0;
    let mut all = database
        .prepare(
            "SELECT e.school, e.epoch, e.lane, e.sequence, k.key, c.sealed FROM events e
             JOIN event_contents c USING (position)
             JOIN epochs k ON k.device = e.device AND k.epoch = e.epoch",
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
        assert_nothing("an event's payload", &cipher.open(position, bytes(5)).unwrap());
        count += 1;
    }
    count
}

fn search(folder: &Path, files: &mut usize) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, files);
        } else {
            *files += 1;
            let name = path.display().to_string();
            // The signed policy names the helplines that are private: it is the list, not a visit.
            if path.file_name().is_some_and(|name| name == "policy") {
                continue;
            }
            assert_nothing(&name, &std::fs::read(&path).unwrap());
        }
    }
}

fn assert_nothing(place: &str, bytes: &[u8]) {
    let lower = bytes.to_ascii_lowercase();
    for secret in SECRETS {
        let found = lower.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "`{secret}` is in {place}");
    }
}
