//! The file itself.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use surecal::clock::Clock;
use surecal::model::{CalendarError, Code};
use surecal::store::{Keep, SqliteStore, Store, Synchronous};

use crate::home::put;
use crate::temporary::Directory;

fn open(path: &Path) -> Result<SqliteStore, CalendarError> {
    SqliteStore::open(path, Synchronous::Normal, Clock::system())
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_its_log_are_readable_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let store = open(&directory.file("surecal.db")).unwrap();
    store.put(put("a", "1", None, 1, Keep::Open)).await.unwrap();
    for name in ["surecal.db", "surecal.db-wal", "surecal.db-shm"] {
        let mode = std::fs::metadata(directory.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_was_written_is_there_when_the_file_is_opened_again() {
    let directory = Directory::new();
    for version in 0..5 {
        let store = SqliteStore::open(&directory.file("surecal.db"), Synchronous::Full, Clock::system()).unwrap();
        let expected = (version > 0).then(|| version - 1);
        store.put(put("a", &version.to_string(), expected, version, Keep::Open)).await.unwrap();
        assert_eq!(store.get("a").await.unwrap().unwrap().value, version.to_string());
    }
}

/// An address in a value, then a value without it.
async fn with_an_overwritten_address(directory: &Directory) -> SqliteStore {
    let store = open(&directory.file("surecal.db")).unwrap();
    store.put(put("a", &ADDRESS.repeat(20), None, 1, Keep::Open)).await.unwrap();
    store.put(put("a", "none", Some(1), 2, Keep::Open)).await.unwrap();
    store
}

const ADDRESS: &str = "canary@school.example";

fn holds_the_address(directory: &Directory) -> bool {
    ["surecal.db", "surecal.db-wal"].into_iter().any(|name| {
        let bytes = std::fs::read(directory.file(name)).unwrap();
        bytes.windows(ADDRESS.len()).any(|window| window == ADDRESS.as_bytes())
    })
}

#[tokio::test]
async fn what_was_overwritten_is_nowhere_when_the_store_was_told_to_tidy() {
    let directory = Directory::new();
    let store = with_an_overwritten_address(&directory).await;
    store.tidy().await;
    assert!(!holds_the_address(&directory));
}

#[tokio::test]
async fn what_was_overwritten_is_nowhere_when_the_store_has_rested() {
    let directory = Directory::new();
    let store = with_an_overwritten_address(&directory).await;
    let mut looks = 0;
    while holds_the_address(&directory) {
        looks += 1;
        assert!(looks < 600, "the log was not cut");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(store.get("a").await.unwrap().unwrap().value, "none");
}

#[test]
fn a_file_that_is_not_ours_or_newer_than_we_know_is_refused_without_telling_its_name() {
    let directory = Directory::new();
    let sql = |name: &str, sql: &str| Connection::open(directory.file(name)).unwrap().execute_batch(sql).unwrap();
    sql("theirs.db", "CREATE TABLE users (name TEXT)");
    sql("marked.db", "PRAGMA application_id = 77");
    drop(open(&directory.file("newer.db")).unwrap());
    sql("newer.db", "PRAGMA user_version = 2");
    std::fs::write(directory.file("text.db"), "this is no database at all, but a text of some length").unwrap();
    for name in ["theirs.db", "marked.db", "newer.db", "text.db", "no/such/directory.db", ""] {
        let error = open(&directory.file(name)).err().unwrap_or_else(|| panic!("{name} was taken"));
        assert_eq!(error.code, Code::Configuration, "{name}");
        assert!(!error.message.contains("surecal-test"), "{}", error.message);
    }
    let tables: u32 = Connection::open(directory.file("theirs.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1, "nothing of ours was put into it");
}

#[test]
fn many_that_make_the_same_file_at_once_all_get_it() {
    for _ in 0..5 {
        let directory = Directory::new();
        let path = directory.file("surecal.db");
        std::thread::scope(|scope| {
            let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&path).map(drop))).collect();
            for opened in opening {
                assert!(opened.join().unwrap().is_ok());
            }
        });
    }
}

#[tokio::test]
async fn expired_rows_leave_the_file_as_others_are_written() {
    let (clock, hand) = Clock::by_hand(crate::home::BEGINNING);
    let directory = Directory::new();
    let path = directory.file("surecal.db");
    let store = SqliteStore::open(&path, Synchronous::Normal, clock).unwrap();
    let hour = Keep::For(Duration::from_hours(1));
    for number in 0..100 {
        store.put(put(&format!("old {number}"), "1", None, 1, hour)).await.unwrap();
    }
    hand.advance(Duration::from_hours(2));
    for number in 0..30 {
        store.put(put(&format!("new {number}"), "1", None, 1, hour)).await.unwrap();
    }
    let rows: u32 =
        Connection::open(&path).unwrap().query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 30);
}

#[tokio::test]
async fn a_file_that_another_program_holds_locked_is_a_fault_in_a_second_and_works_again_afterwards() {
    let directory = Directory::new();
    let path = directory.file("surecal.db");
    let store = open(&path).unwrap();
    let locker = Connection::open(&path).unwrap();
    locker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = std::time::SystemTime::now();
    assert!(store.put(put("a", "1", None, 1, Keep::Open)).await.is_err());
    assert!(began.elapsed().unwrap() < Duration::from_secs(4));
    assert!(store.get("a").await.unwrap().is_none(), "readers do not wait for the writer");
    locker.execute_batch("ROLLBACK").unwrap();
    store.put(put("a", "1", None, 1, Keep::Open)).await.unwrap();
    assert!(store.get("a").await.unwrap().is_some());
}
