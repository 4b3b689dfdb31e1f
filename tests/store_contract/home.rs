//! The stores under test, each with a way for time to pass.

use std::sync::Arc;
use std::time::Duration;

use surecal::clock::{Clock, WallHand};
use surecal::service::HostStore;
use surecal::store::{
    Expected, IdempotencyClaims, Journal, Keep, MemoryStore, Put, RedisStore, SqliteStore, Store, Synchronous, Version,
    Written,
};

use crate::object::StoreObject;
use crate::redis_server::RedisServer;
use crate::temporary::Directory;

/// When the tests begin, in Unix ms.
pub const BEGINNING: u64 = 1_800_000_000_000;
/// The lease of the tests' journals and claims: nothing is renewed while a test runs.
pub const LEASE: Duration = Duration::from_secs(30);

type Open = Box<dyn Fn() -> Arc<dyn Store> + Send + Sync>;

pub struct Home {
    /// One process's way to it.
    pub store: Arc<dyn Store>,
    /// Another one's.
    pub other: Arc<dyn Store>,
    pub clock: Clock,
    hand: WallHand,
    /// What the server itself forgets, it forgets in its own time.
    own_time: bool,
    _server: Option<RedisServer>,
    _directory: Option<Directory>,
}

impl Home {
    fn of(clock: (Clock, WallHand), open: &Open) -> Self {
        let (clock, hand) = clock;
        Self { store: open(), other: open(), clock, hand, own_time: false, _server: None, _directory: None }
    }

    pub fn memory() -> Option<Self> {
        let clock = Clock::by_hand(BEGINNING);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.0.clone()));
        let open: Open = Box::new(move || Arc::clone(&store));
        Some(Self::of(clock, &open))
    }

    pub fn sqlite() -> Option<Self> {
        let clock = Clock::by_hand(BEGINNING);
        let directory = Directory::new();
        let (path, time) = (directory.file("surecal.db"), clock.0.clone());
        let open: Open =
            Box::new(move || Arc::new(SqliteStore::open(&path, Synchronous::Normal, time.clone()).unwrap()));
        Some(Self { _directory: Some(directory), ..Self::of(clock, &open) })
    }

    pub fn redis() -> Option<Self> {
        let server = RedisServer::start()?;
        let url = server.url();
        let open: Open = Box::new(move || Arc::new(RedisStore::new(&url, "app:").unwrap()));
        Some(Self { own_time: true, _server: Some(server), ..Self::of(Clock::by_hand(BEGINNING), &open) })
    }

    pub fn object() -> Option<Self> {
        let clock = Clock::by_hand(BEGINNING);
        let object = StoreObject::new(clock.0.clone());
        let open: Open = Box::new(move || Arc::new(HostStore::new(Arc::new(object.clone()))));
        Some(Self::of(clock, &open))
    }

    /// A time that values can be kept for and that a test can wait for.
    pub fn while_kept(&self) -> Duration {
        if self.own_time { Duration::from_millis(400) } else { Duration::from_hours(1) }
    }

    /// Lets time pass, for the store and for leases.
    pub async fn pass(&self, time: Duration) {
        self.hand.advance(time);
        if self.own_time {
            tokio::time::sleep(time).await;
        }
    }

    /// Lets time pass for leases and lifetimes that are written in values, not for the store.
    pub fn pass_for_leases(&self, time: Duration) {
        self.hand.advance(time);
    }

    pub fn journals(&self) -> [Journal; 2] {
        [&self.store, &self.other]
            .map(|store| Journal::new(Arc::clone(store), self.clock.clone(), LEASE, rand::random::<u128>))
    }

    pub fn claims(&self) -> [IdempotencyClaims; 2] {
        [&self.store, &self.other]
            .map(|store| IdempotencyClaims::new(Arc::clone(store), self.clock.clone(), rand::random::<u128>))
    }

    pub async fn put(&self, put: Put) -> Written {
        self.store.put(put).await.unwrap()
    }

    pub async fn value(&self, key: &str) -> Option<String> {
        self.store.get(key).await.unwrap().map(|record| record.value)
    }
}

pub fn put(key: &str, value: &str, expected: Option<u128>, version: u128, keep: Keep) -> Put {
    Put {
        key: key.to_owned(),
        value: value.to_owned(),
        expected: expected.map_or(Expected::Absent, |bits| Expected::Version(Version::from_bits(bits))),
        version: Version::from_bits(version),
        keep,
    }
}
