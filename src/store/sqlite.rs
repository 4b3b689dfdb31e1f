//! The store of one machine: a `SQLite` file, shared by all processes that name it.
//!
//! Write-ahead log: readers and the writer do not wait for each other. Every put is one statement in a transaction of its
//! own: a deferred transaction that reads first and writes then fails at once with "busy", whatever `busy_timeout` says,
//! when another process wrote in between (693 of 2,000 were lost so; of single statements none).
//!
//! The file holds user ids and stored answers: it is made readable for its owner alone.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::{Expected, Keep, Put, Record, Store, StoreFault, Version, Written};
use crate::clock::{Clock, millis};
use crate::google::BoxFuture;
use crate::model::{CalendarError, Code, Outcome};

/// The layout of the file that this code writes; in `user_version`.
const SCHEMA: i32 = 1;
/// Marks the file as ours, so that no other program's database is ever migrated: "sure" in ASCII.
const APPLICATION: i32 = 0x7375_7265;
/// How long a statement waits for another process's write. Below what a caller waits for one answer, so that "busy" is
/// told while somebody listens.
const BUSY: Duration = Duration::from_millis(900);
/// The same while the file is opened, when several processes may be making it at once.
const BUSY_OPENING: Duration = Duration::from_secs(5);
const OPEN_AGAIN: Duration = Duration::from_millis(10);
/// After this long without a write the log is cut: on a loaded machine never in between, and once for a burst of writes.
const AT_REST: Duration = Duration::from_secs(1);
/// Expired rows that one put works off, at most.
const EXPIRED_PER_PUT: u32 = 4;

/// When a write counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Handed to the system: survives kill -9 of any process, not a power cut in the last moments.
    #[default]
    Normal,
    /// On the disk: survives a power cut too, at about a seventh of the writes per second.
    Full,
}

/// See the module. Two threads of its own do the work; they end with the store.
pub struct SqliteStore {
    clock: Clock,
    reader: Desk,
    writer: Desk,
}

impl SqliteStore {
    /// Opens the file, or makes it; its directory must be there.
    ///
    /// # Errors
    /// `CONFIGURATION`: the file can't be opened or made, is another program's, or a newer surecal's.
    pub fn open(path: &Path, synchronous: Synchronous, clock: Clock) -> Result<Self, CalendarError> {
        make_private(path).map_err(|_| refused(CANNOT_OPEN))?;
        let writer = patiently(|| connect(path, synchronous)).map_err(|_| refused(CANNOT_OPEN))?;
        migrate(&writer)?;
        let reader = patiently(|| connect(path, synchronous)).map_err(|_| refused(CANNOT_OPEN))?;
        for connection in [&writer, &reader] {
            connection.busy_timeout(BUSY).map_err(|_| refused(CANNOT_OPEN))?;
        }
        let (Ok(reader), Ok(writer)) = (Desk::of(reader, None), Desk::of(writer, Some(cut_log))) else {
            return Err(refused("no thread could be started for it"));
        };
        Ok(Self { clock, reader, writer })
    }
}

const CANNOT_OPEN: &str =
    "the file cannot be opened or made; its directory must exist, be writable and not be on a network drive";

fn refused(why: &str) -> CalendarError {
    CalendarError::new(Code::Configuration, Outcome::NotSent, format!("store.sqlite: {why}."))
}

/// Makes the file before `SQLite` does, which takes the mode of its log and index from it.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Tries again while others have the file: `SQLite` does not wait when several turn a new file to WAL at once, whatever the
/// busy timeout says, since each would wait for the other.
fn patiently<T>(attempt: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let mut tries = BUSY_OPENING.as_millis() / OPEN_AGAIN.as_millis();
    loop {
        let result = attempt();
        tries -= 1;
        let busy = matches!(
            result.as_ref().err().and_then(rusqlite::Error::sqlite_error_code),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        );
        if !busy || tries == 0 {
            return result;
        }
        std::thread::sleep(OPEN_AGAIN);
    }
}

fn connect(path: &Path, synchronous: Synchronous) -> rusqlite::Result<Connection> {
    // No SQLITE_OPEN_URI: a path is a path. One thread owns the connection: SQLite's own lock is not needed.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_OPENING)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    let level = match synchronous {
        Synchronous::Normal => "NORMAL",
        Synchronous::Full => "FULL",
    };
    connection.pragma_update(None, "synchronous", level)?;
    // What is overwritten may be an address: without this its bytes stay in the file until something else needs the room.
    connection.query_row("PRAGMA secure_delete = ON", [], |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

/// Brings the file to [`SCHEMA`]. Several processes may be at it: the first does it, in one transaction.
fn migrate(connection: &Connection) -> Result<(), CalendarError> {
    let cannot = |_| refused(CANNOT_OPEN);
    let change = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(cannot)?;
    let number = |sql: &str| change.query_row(sql, [], |row| row.get::<_, i32>(0));
    let application = number("PRAGMA application_id").map_err(cannot)?;
    let version = number("PRAGMA user_version").map_err(cannot)?;
    let tables = number("SELECT count(*) FROM sqlite_schema").map_err(cannot)?;
    match (application, version) {
        (APPLICATION, SCHEMA) => return Ok(()),
        (APPLICATION, version) if version > SCHEMA => {
            return Err(refused("the file was written by a newer surecal; update this one"));
        }
        (0, 0) if tables == 0 => {}
        _ => return Err(refused("the file is another program's database; name one of its own")),
    }
    change
        .execute_batch(
            "CREATE TABLE records (
               key TEXT NOT NULL PRIMARY KEY,
               value TEXT NOT NULL,
               version TEXT NOT NULL,
               expires_at INTEGER -- Unix ms; NULL: open
             ) STRICT;
             CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
             CREATE INDEX records_open ON records (key) WHERE expires_at IS NULL;",
        )
        .map_err(cannot)?;
    change.pragma_update(None, "application_id", APPLICATION).map_err(cannot)?;
    change.pragma_update(None, "user_version", SCHEMA).map_err(cannot)?;
    change.commit().map_err(cannot)
}

/// Writes the log into the file and empties it.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// The same, and waits for nobody: a write that comes meanwhile would wait as well.
fn cut_log(connection: &Connection) {
    let _ = connection.busy_timeout(Duration::ZERO);
    let _ = checkpoint(connection);
    let _ = connection.busy_timeout(BUSY);
}

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A thread with a connection, and the queue to it.
struct Desk(mpsc::Sender<Job>);

impl Desk {
    /// `at_rest`: done once when no job has come for [`AT_REST`] after the last one.
    fn of(connection: Connection, at_rest: Option<fn(&Connection)>) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::Builder::new().name("surecal-sqlite".to_owned()).spawn(move || {
            while let Ok(job) = queue.recv() {
                job(&connection);
                let Some(at_rest) = at_rest else { continue };
                loop {
                    match queue.recv_timeout(AT_REST) {
                        Ok(job) => job(&connection),
                        Err(RecvTimeoutError::Timeout) => break at_rest(&connection),
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            }
        })?;
        Ok(Self(jobs))
    }

    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreFault>> {
        let (told, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more: what was not begun is better not done late.
            if !told.is_closed() {
                let _ = told.send(work(connection));
            }
        });
        let sent = self.0.send(job);
        Box::pin(async move {
            sent.map_err(|_| FAULT)?;
            // SQLite's own words can hold the path.
            answer.await.map_err(|_| FAULT)?.map_err(|_| FAULT)
        })
    }
}

const FAULT: StoreFault = StoreFault { what: "the SQLite file is busy or cannot be read or written" };

fn sql_time(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn write(connection: &Connection, put: &Put, now: u64) -> rusqlite::Result<Written> {
    let expires_at = match put.keep {
        Keep::Open => None,
        Keep::For(time) => Some(sql_time(now.saturating_add(millis(time)))),
    };
    let now = sql_time(now);
    let changed = match &put.expected {
        Expected::Absent => connection
            .prepare_cached(
                "INSERT INTO records (key, value, version, expires_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE
                 SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at
                 WHERE records.expires_at <= ?5",
            )?
            .execute(params![put.key, put.value, put.version.as_str(), expires_at, now])?,
        Expected::Version(version) => connection
            .prepare_cached(
                "UPDATE records SET value = ?2, version = ?3, expires_at = ?4
                 WHERE key = ?1 AND version = ?6 AND (expires_at IS NULL OR expires_at > ?5)",
            )?
            .execute(params![put.key, put.value, put.version.as_str(), expires_at, now, version.as_str()])?,
    };
    if changed == 0 {
        return Ok(Written::Refused);
    }
    forget_some(connection, now);
    Ok(Written::Applied)
}

/// Works a few expired rows off: the cost of a put stays flat whatever the file holds. It may fail: the put is done.
fn forget_some(connection: &Connection, now: i64) {
    // Looked for first: a DELETE takes the write lock even when there is nothing to delete.
    let any = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM records WHERE expires_at <= ?1)")
        .and_then(|mut look| look.query_row([now], |row| row.get::<_, bool>(0)));
    if any.unwrap_or(false) {
        let _ = connection
            .prepare_cached(
                "DELETE FROM records WHERE rowid IN
                   (SELECT rowid FROM records WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
            )
            .and_then(|mut delete| delete.execute(params![now, EXPIRED_PER_PUT]));
    }
}

impl Store for SqliteStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Record>, StoreFault>> {
        let (key, now) = (key.to_owned(), sql_time(self.clock.wall_ms()));
        self.reader.ask(move |connection| {
            connection
                .prepare_cached(
                    "SELECT value, version FROM records
                     WHERE key = ?1 AND (expires_at IS NULL OR expires_at > ?2)",
                )?
                .query_row(params![key, now], |row| {
                    Ok(Record { value: row.get(0)?, version: Version::from_text(row.get(1)?) })
                })
                .optional()
        })
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written, StoreFault>> {
        let clock = self.clock.clone();
        self.writer.ask(move |connection| write(connection, &put, clock.wall_ms()))
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Version) -> BoxFuture<'a, Result<Written, StoreFault>> {
        let key = key.to_owned();
        self.writer.ask(move |connection| {
            let deleted = connection
                .prepare_cached("DELETE FROM records WHERE key = ?1 AND version = ?2")?
                .execute(params![key, expected.as_str()])?;
            Ok(if deleted == 0 { Written::Refused } else { Written::Applied })
        })
    }

    fn open<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Record)>, StoreFault>> {
        let prefix = prefix.to_owned();
        self.reader.ask(move |connection| {
            connection
                .prepare_cached(
                    "SELECT key, value, version FROM records
                     WHERE expires_at IS NULL AND key >= ?1 AND substr(key, 1, length(?1)) = ?1 ORDER BY key",
                )?
                .query_map([prefix], |row| {
                    Ok((row.get(0)?, Record { value: row.get(1)?, version: Version::from_text(row.get(2)?) }))
                })?
                .collect()
        })
    }
    /// Overwritten values are in the log too, until it is written into the file and cut. While another process reads, it
    /// stays as it is, and that one cuts it.
    fn tidy(&self) -> BoxFuture<'_, ()> {
        let cut = self.writer.ask(checkpoint);
        Box::pin(async move { drop(cut.await) })
    }
}
