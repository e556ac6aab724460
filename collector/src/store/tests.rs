//! The store itself: durability, isolation of jobs, encryption, scopes.

use std::path::PathBuf;

use redshank_proto::clock::System;
use tempfile::TempDir;

use super::*;

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let scratch = Scratch::new();
    add_school(&scratch.store, "Marsh Lane").await.unwrap();
    let generation = scratch.store.generation();
    let Scratch { store, folder, key, path } = scratch;
    drop(store);
    let store = Store::open(&path, &key, Arc::new(System), Arc::new(System)).unwrap();
    assert_eq!(schools(&store).await, ["Marsh Lane"]);
    assert_eq!(store.generation(), generation);
    drop(folder);
}

#[tokio::test]
async fn a_job_that_fails_or_panics_leaves_no_trace_and_harms_no_other() {
    let scratch = Scratch::new();
    let scope = Scope::command_line();
    let failing = scratch.store.write(&scope, |edit| {
        insert_school(edit, "Gone")?;
        Err::<(), _>(StoreError::Missing("school"))
    });
    let panicking = scratch.store.write(&scope, |edit| {
        insert_school(edit, "Gone too")?;
        panic!("a job's bug");
        #[expect(unreachable_code, reason = "gives the closure its type")]
        Ok(())
    });
    let fine = add_school(&scratch.store, "Marsh Lane");
    let (failed, panicked, fine) = tokio::join!(failing, panicking, fine);
    assert!(matches!(failed, Err(StoreError::Missing("school"))));
    assert!(matches!(panicked, Err(StoreError::Closed)));
    fine.unwrap();
    assert_eq!(schools(&scratch.store).await, ["Marsh Lane"]);
}

#[tokio::test]
async fn many_writers_share_commits() {
    let scratch = Scratch::new();
    let before = *scratch.store.changed().borrow();
    let writes = (0..200).map(|n| {
        let store = scratch.store.clone();
        tokio::spawn(async move { add_school(&store, &format!("School {n:03}")).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    let commits = *scratch.store.changed().borrow() - before;
    assert!((1..=200).contains(&commits), "{commits}");
    assert_eq!(schools(&scratch.store).await.len(), 200);
}

#[tokio::test]
async fn the_file_is_encrypted_and_another_key_does_not_open_it() {
    let scratch = Scratch::new();
    add_school(&scratch.store, "Marsh Lane").await.unwrap();
    let Scratch { store, folder, key: _, path } = scratch;
    drop(store);
    for entry in folder.path().read_dir().unwrap() {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(entry.unwrap().path()).unwrap();
        std::io::Read::read_to_end(&mut { file }, &mut bytes).unwrap();
        assert!(!bytes.windows(10).any(|window| window == b"Marsh Lane"));
    }
    let wrong = Zeroizing::new([1; 32]);
    let error = Store::open(&path, &wrong, Arc::new(System), Arc::new(System)).unwrap_err();
    assert!(error.to_string().contains("does not open with this root key"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    add_school(&scratch.store, "Marsh Lane").await.unwrap();
    let mut names = Vec::new();
    for entry in scratch.folder.path().read_dir().unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["collector.sqlite", "collector.sqlite-shm", "collector.sqlite-wal"]);
    let again = Store::create(&scratch.path, &scratch.key, Arc::new(System), Arc::new(System));
    assert!(again.unwrap_err().to_string().contains("is there already"));
}

#[tokio::test]
async fn a_view_cannot_write() {
    let scratch = Scratch::new();
    let scope = Scope::command_line();
    let written =
        scratch.store.read(&scope, |view| Ok(view.sql().execute("DELETE FROM schools", [])?));
    assert!(matches!(written.await, Err(StoreError::Sqlite(_))));
}

/// A store in a folder of its own.
pub(crate) struct Scratch {
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
    pub(crate) key: DatabaseKey,
    pub(crate) path: PathBuf,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::with(Arc::new(System), Arc::new(System))
    }

    pub(crate) fn with(clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("collector.sqlite");
        let key = Zeroizing::new([7; 32]);
        let store = Store::create(&path, &key, clock, randomness).unwrap();
        Self { store, folder, key, path }
    }

    /// Runs SQL that no module would.
    pub(crate) async fn vandalise(&self, sql: &'static str) {
        let scope = Scope::command_line();
        self.store.write(&scope, move |edit| Ok(edit.sql().execute_batch(sql)?)).await.unwrap();
    }

    /// Rows of a table.
    pub(crate) async fn count(&self, table: &'static str) -> u32 {
        let scope = Scope::command_line();
        let count = format!("SELECT count(*) FROM {table}");
        let read = self
            .store
            .read(&scope, move |view| Ok(view.sql().query_row(&count, [], |row| row.get(0))?));
        read.await.unwrap()
    }
}

async fn add_school(store: &Store, name: &str) -> Result<(), StoreError> {
    let name = name.to_owned();
    store.write(&Scope::command_line(), move |edit| insert_school(edit, &name)).await
}

fn insert_school(edit: &Edit<'_>, name: &str) -> Result<(), StoreError> {
    let school = redshank_proto::id::SchoolId::draw(edit.randomness());
    edit.sql().execute(
        "INSERT INTO schools (school, name, time_zone, created_at) VALUES (?1, ?2, 'Europe/London', 0)",
        (school.as_bytes(), name),
    )?;
    Ok(())
}

async fn schools(store: &Store) -> Vec<String> {
    let scope = Scope::command_line();
    let read = store.read(&scope, |view| {
        let mut statement = view.sql().prepare("SELECT name FROM schools ORDER BY name")?;
        value::collect(statement.query([])?, |row| Ok(row.get(0)?))
    });
    read.await.unwrap()
}
