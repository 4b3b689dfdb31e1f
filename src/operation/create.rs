//! Create: an event that is there once, as asked for, or not at all.
//!
//! The event's id is derived from the idempotency key, so that every attempt, in whatever process, writes to one place.
//! Each attempt stamps its *claim* on the event, and a clean-up takes out only its own. The order below is the
//! protocol: intent, insert, look, adopt or repair, result.

use std::sync::Arc;

use bytes::Bytes;

use super::attempt::Attempt;
use super::exposure::Exposure;
use super::{Context, Target, Verification, WriteParams};
use crate::google::Scope;
use crate::model::compare::Difference;
use crate::model::event::EventData;
use crate::model::{CalendarError, Warning};
use crate::store::Held;

/// The name under which ids are derived and errors speak.
pub const OPERATION: &str = "createEvent";

/// What to do at the tombstone of an event that this key made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnDeleted {
    /// Make it again, under the next generation of the id.
    Recreate,
    /// Reject with `CONFLICT`.
    Reject,
}

/// One event to be made.
pub struct CreateRequest {
    /// Where.
    pub target: Target,
    /// What.
    pub data: Arc<EventData>,
    /// The idempotency key; `None`: one is made for this call alone.
    pub key: Option<String>,
    /// How the writes are sent.
    pub params: WriteParams,
    /// `None`: the event is not read back (`skipVerification`).
    pub verification: Option<Verification>,
    /// What to do at a tombstone.
    pub on_deleted: OnDeleted,
    /// Inserts after the first.
    pub max_retries: u32,
}

/// An event that is in the calendar.
#[derive(Clone)]
pub struct Creation {
    /// Read back and compared.
    pub verified: bool,
    /// Google's own JSON text of it.
    pub event: Bytes,
    /// Its id.
    pub event_id: String,
    /// It was there before this attempt.
    pub replayed: bool,
    /// It was stored wrong at first and put right.
    pub repaired: bool,
    /// What the caller should know.
    pub warnings: Vec<Warning>,
}

/// What became of what a failed attempt wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Proved gone, or never there.
    Deleted,
    /// Left: others rely on it.
    Kept,
    /// Not done yet; it goes on in the background.
    Pending,
}

/// How an attempt ended without an error.
#[derive(Clone)]
pub enum Created {
    /// It is there.
    Done(Creation),
    /// Google did not store what it was asked for, twice; cleaned up.
    Unverified {
        /// Which fields; empty: it was never seen at all.
        mismatches: Vec<Difference>,
        /// What became of it.
        cleanup: Cleanup,
        /// The id it had.
        event_id: String,
    },
}

/// An attempt's end, and the entry that is still open, if any: somebody must go on with it.
pub struct Concluded<T> {
    /// What the caller is told.
    pub answer: Result<T, CalendarError>,
    /// What is not cleaned up yet.
    pub open: Option<Arc<Held>>,
    /// HTTP exchanges begun.
    pub attempts: u32,
    /// The id the event has or would have; empty if nothing was begun.
    pub event_id: String,
}

/// Creates one event. Its steps are boxed, for most of its time a create waits for the reply to its insert: what came before
/// and what may come after take no room meanwhile.
pub async fn create(cx: &Context, scope: Scope, request: &CreateRequest, exposure: &Exposure) -> Concluded<Created> {
    let mut attempt = match Box::pin(Attempt::begin(cx, scope, request, exposure, None)).await {
        Ok(attempt) => Box::new(attempt),
        Err(error) => {
            return Concluded { answer: Err(error), open: None, attempts: 0, event_id: String::new() };
        }
    };
    match Box::pin(attempt.run()).await {
        Ok(creation) => Box::pin(attempt.commit(creation)).await,
        Err(failure) => Box::pin(attempt.give_up(failure)).await,
    }
}
