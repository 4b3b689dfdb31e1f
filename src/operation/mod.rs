//! The verbs, each told as a protocol. A write is believed only when it was read back; what a failed call may have left
//! is known to the journal and cleaned up.

mod attempt;
pub mod attendees;
mod conditional;
pub mod create;
pub mod create_many;
pub mod delete;
pub mod enroll;
pub mod exposure;
pub mod prevented;
pub mod read;
pub mod reconcile;
pub mod removal;
pub mod sight;
pub mod transaction;
pub mod update;
pub mod verify;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use self::prevented::Prevented;
use crate::clock::Clock;
use crate::google::{Calendar, InsertParams, Scope, SendUpdates};
use crate::model::{CalendarError, Code, Outcome};
use crate::store::Journal;

/// What every verb works with.
#[derive(Clone)]
pub struct Context {
    /// Google's endpoints, behind the one send loop.
    pub calendar: Calendar,
    /// Intents and results.
    pub journal: Journal,
    /// Time.
    pub clock: Clock,
    /// What was kept off calendars.
    pub prevented: Arc<Prevented>,
}

/// Whose calendar.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The caller's own name for the user.
    pub user: String,
    /// Google's calendar id; `primary` means that user's.
    pub calendar: String,
}

/// How a write is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WriteParams {
    /// Whom Google mails.
    pub send_updates: SendUpdates,
    /// 0 or 1; 0 makes Google ignore conference data.
    pub conference_data_version: u8,
}

/// How surecal's own bookkeeping writes: nobody is mailed about a stamp.
const QUIET: InsertParams =
    InsertParams { conference_data_version: 0, send_updates: SendUpdates::None, supports_attachments: false };

/// How hard a write is looked at afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Verification {
    /// How long an event that Google acknowledged may stay invisible or stale.
    pub window: Duration,
    /// Whether a difference is repaired once before the event is given up.
    pub repair: bool,
}

impl Context {
    /// Waits, unless that would pass the deadline: then the call is over now.
    async fn pause(&self, scope: &Scope, time: Duration) -> Result<(), CalendarError> {
        if time >= scope.deadline.left(self.clock.now()) {
            return Err(timed_out(scope));
        }
        tokio::select! {
            () = sleep(time) => Ok(()),
            () = scope.deadline.cancelled() => Err(timed_out(scope)),
        }
    }

    fn left(&self, scope: &Scope) -> Duration {
        scope.deadline.left(self.clock.now())
    }
}

/// Polling gaps that grow: a read at once, then after 50, 100, 200, 400 and 800 ms.
#[derive(Debug, Clone, Copy)]
struct Gaps(Duration);

impl Gaps {
    const fn new() -> Self {
        Self(Duration::from_millis(50))
    }

    fn next(&mut self) -> Duration {
        let gap = self.0;
        self.0 = (gap * 2).min(Duration::from_millis(800));
        gap
    }
}

/// "Absent" means two reads that found nothing, this far apart: one alone may be an old read.
const ABSENT_TWICE: Duration = Duration::from_millis(300);

/// Whether nothing is there, as far as reads can tell.
#[derive(Debug, Default)]
struct Absence {
    since: Option<Instant>,
}

impl Absence {
    /// A read found nothing: since when has it been so, and is that long enough to be believed?
    fn is_certain(&mut self, now: Instant) -> bool {
        now.saturating_duration_since(*self.since.get_or_insert(now)) >= ABSENT_TWICE
    }

    /// A read found something.
    const fn ends(&mut self) {
        self.since = None;
    }
}

fn timed_out(scope: &Scope) -> CalendarError {
    let message = format!(
        "{} timed out after {}ms: what is left of its time is too short to go on.",
        scope.operation,
        scope.deadline.timeout_ms()
    );
    CalendarError::new(Code::Timeout, Outcome::NotSent, message)
}

fn lease_lost(scope: &Scope) -> CalendarError {
    let message = format!(
        "{} stopped: another process has taken it over, and settles it. Call again with the same idempotency key.",
        scope.operation
    );
    let mut error = CalendarError::new(Code::Conflict, Outcome::Unknown, message);
    // The same call with its key meets what the other process made of it.
    error.retryable = true;
    error
}

fn changed_too_often(what: &str) -> CalendarError {
    CalendarError::new(
        Code::PreconditionFailed,
        Outcome::Rejected,
        format!(
            "{what} was changed by others each time between reading and writing it: nothing was written then. Call again."
        ),
    )
}

/// The error of a call that sent a write before: whether that is in the calendar is not known.
fn may_have_changed(mut error: CalendarError) -> CalendarError {
    error.outcome = Outcome::Unknown;
    error.message =
        format!("{} A write of this call was sent before: read the event to learn whether it is there.", error.message);
    error
}

/// A closure that the send loop asks before each send.
fn lease_of(held: &Arc<crate::store::Held>) -> Arc<dyn Fn() -> bool + Send + Sync> {
    let held = Arc::clone(held);
    Arc::new(move || held.alive())
}
