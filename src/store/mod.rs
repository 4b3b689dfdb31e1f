//! One small thing under every protocol: a versioned key-value with compare-and-set.
//!
//! A lease is a time inside a value; the version is the fencing token; renewing, taking over and finishing are
//! compare-and-sets. The version of a put is made by its caller, because a put whose reply is lost may still have been
//! applied (a paused Redis applies it seconds later): reading the version back tells.
//!
//! Nothing that a protocol relies on is deleted. "Absent" is no version, so a late put that expects it would land after
//! a delete; what is finished with is overwritten with a settled value and kept longer than any put can be late.

mod allotments;
mod attendee_record;
mod claims;
mod held;
mod journal;
mod lane;
mod ledger;
mod memory;
mod plan;
mod redis;
mod refresh_lease;
mod renewals;
mod sqlite;

use std::fmt;
use std::time::Duration;

use crate::google::BoxFuture;
use data_encoding::HEXLOWER;

pub use allotments::Allotments;
pub use attendee_record::{AttendeeKey, AttendeeRecords, Leaving, Removing, was_being_removed};
pub use claims::{Answer, Asked, Begun, Encoding, HeldClaim, IdempotencyClaims};
pub use held::{Failing, Held};
pub use journal::{Change, Disposal, Entry, Fate, Intent, Journal, Opening, Resumed, State};
pub use memory::MemoryStore;
pub use plan::{Act, Plan, Step};
pub use redis::RedisStore;
pub use refresh_lease::{RefreshLease, RefreshLeases, Taken};
pub use sqlite::{SqliteStore, Synchronous};

/// A value's version and fencing token: 128 random bits in hex, made by the writer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    /// A version from 128 random bits.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        Self(HEXLOWER.encode(&bits.to_be_bytes()))
    }

    /// A version read back from a store.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The text a store keeps.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What must be true of the key for a put to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// The key has no value.
    Absent,
    /// The key's value has this version.
    Version(Version),
}

/// How long a value stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Unfinished: never expires and is listed by [`Store::open`].
    Open,
    /// Finished: forgotten after this long. Not under an hour, see the module's text.
    For(Duration),
}

/// A value and its version.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The value: JSON text. May name a user and a calendar, and hold a stored answer; never a token.
    pub value: String,
    /// Its version.
    pub version: Version,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} bytes at {})", self.value.len(), self.version.as_str())
    }
}

/// One compare-and-set.
#[derive(Clone)]
pub struct Put {
    /// `surecal:…`, without personal data.
    pub key: String,
    /// The new value.
    pub value: String,
    /// What must be there.
    pub expected: Expected,
    /// The new version: random, of the caller's making.
    pub version: Version,
    /// How long the value stays.
    pub keep: Keep,
}

/// What became of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The value is there.
    Applied,
    /// Something else was there than expected.
    Refused,
}

/// A store that did not answer. A put that met one may still be applied later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store did not answer: {what}")]
pub struct StoreFault {
    /// Our own words; never the store's.
    pub what: &'static str,
}

/// Four methods. A new home for claims and journal (`MongoDB`, `DynamoDB`, …) is these.
///
/// Reads must be linearizable, and an acknowledged write must never be lost.
pub trait Store: Send + Sync + 'static {
    /// The value of a key.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Record>, StoreFault>>;

    /// Compare and set.
    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written, StoreFault>>;

    /// Compare and delete; only for what nothing relies on.
    fn delete<'a>(&'a self, key: &'a str, expected: Version) -> BoxFuture<'a, Result<Written, StoreFault>>;

    /// The unfinished values (kept [`Keep::Open`]) whose key starts with `prefix`.
    fn open<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Record)>, StoreFault>>;

    /// Told when a service closes, for a home that has old values lying about. Most have not.
    fn tidy(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
