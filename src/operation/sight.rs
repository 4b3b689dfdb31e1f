//! What stands at a derived id, as one read shows it.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::google::{Fetched, HttpReply};
use crate::model::compare::plain::as_asked;
use crate::model::compare::{Comparison, compare_whole};
use crate::model::event::EventData;
use crate::model::stamp::Stamp;
use crate::model::{CalendarError, Claims};

/// What an attempt's read of its id shows. Whether it is what was asked for is told at once where it plainly is, which
/// spares most calls the tree of what was read.
pub enum Found {
    /// The event that was asked for, made by a call with this key.
    AsAsked(Standing, Claims),
    /// Anything else.
    Otherwise(Fetched),
}

/// An event that stands at the id, and how it differs from what was asked for.
pub struct Standing {
    /// The `ETag`, with its quotes.
    pub etag: String,
    /// The body, byte for byte.
    pub raw: Bytes,
    /// What differs.
    pub comparison: Comparison,
    /// The body, parsed; empty where nothing differs.
    pub event: Map<String, Value>,
}

impl Found {
    /// Reads an answer: `None` if it is not the event `id`.
    pub fn of(reply: &HttpReply, id: &str, print: &str, asked: &EventData) -> Option<Self> {
        let Some(event) = as_asked(asked.text(), &reply.body, id, print) else {
            return Fetched::of(reply, id).map(Self::Otherwise);
        };
        let etag = event.etag.or_else(|| reply.etag.clone()).unwrap_or_default();
        let standing = Standing { etag, raw: reply.body.clone(), comparison: Comparison::default(), event: Map::new() };
        Some(Self::AsAsked(standing, event.claims))
    }

    /// What is not plainly as asked.
    pub fn otherwise(self) -> Option<Fetched> {
        match self {
            Self::Otherwise(found) => Some(found),
            Self::AsAsked(..) => None,
        }
    }
}

impl Standing {
    /// Compares what was read.
    pub fn of(found: Fetched, asked: &EventData) -> Result<Self, CalendarError> {
        let comparison = compare_whole(&asked.body()?, &found.event);
        Ok(Self { etag: found.etag, raw: found.raw, comparison, event: found.event })
    }
}

/// See the module.
pub enum Sight {
    /// 404. Proves nothing: a write may still be under way.
    Absent,
    /// Deleted; the id stays taken, so a late insert meets 409.
    Tombstone,
    /// A clean-up's placeholder. Whoever meets it deletes it.
    Fence(Fetched),
    /// Stamped with our request's fingerprint.
    Ours(Fetched, Claims),
    /// Stamped with another request's fingerprint.
    OtherRequest,
    /// At our derived id, but the stamps are gone: somebody's PUT wiped them.
    Unstamped(Fetched),
}

impl Sight {
    /// Reads what a get returned against the fingerprint looked for.
    #[must_use]
    pub fn of(found: Option<Fetched>, print: &str) -> Self {
        let Some(found) = found else { return Self::Absent };
        if found.cancelled() {
            return Self::Tombstone;
        }
        let stamp = Stamp::of(&found.event);
        if stamp.fence {
            return Self::Fence(found);
        }
        match stamp.print {
            None => Self::Unstamped(found),
            Some(there) if there == print => Self::Ours(found, stamp.claims),
            Some(_) => Self::OtherRequest,
        }
    }
}
