//! Who may stop a change of a transaction's between the lane's read and its write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::clock::Clock;
use crate::google::{BoxFuture, Scope};
use crate::model::{CalendarError, Claim};
use crate::operation::attendees::{Party, Proceed};
use crate::operation::exposure::Exposure;
use crate::operation::timed_out;
use crate::store::{AttendeeKey, AttendeeRecords, Held};

/// What a question to the store may take while a lane waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Adds, and notes so before.
pub(super) struct Adding {
    pub(super) records: AttendeeRecords,
    pub(super) held: Arc<Held>,
    pub(super) key: AttendeeKey,
    pub(super) claim: Claim,
    pub(super) over: Arc<AtomicBool>,
    /// The record may say that this transaction added.
    pub(super) begun: AtomicBool,
    /// The record says so; who had kept the attendee before.
    pub(super) noted: OnceLock<Vec<Claim>>,
    /// The whole call's. Each change has one of its own as well: that one of them was left says nothing of the others.
    pub(super) exposure: Arc<Exposure>,
    pub(super) scope: Scope,
    pub(super) clock: Clock,
}

impl Party for Adding {
    fn alive(&self) -> bool {
        self.held.alive() && !self.over.load(Ordering::Acquire)
    }

    fn before_write(&self, _present: bool) -> BoxFuture<'_, Result<Proceed, CalendarError>> {
        Box::pin(async move {
            if !self.exposure.expose() {
                return Err(timed_out(&self.scope));
            }
            self.begun.store(true, Ordering::Release);
            let left = self.scope.deadline.left(self.clock.now()).min(PATIENCE);
            let kept = self.records.adding(&self.key, &self.claim, &self.held, left).await?;
            // The first time counts: who keeps them after it may rely on what was sent then.
            let _ = self.noted.set(kept);
            Ok(Proceed::Write)
        })
    }
}

/// Takes off, as long as the record says that it is this transaction that does.
pub(super) struct Expelling {
    pub(super) records: AttendeeRecords,
    pub(super) held: Arc<Held>,
    pub(super) key: AttendeeKey,
    pub(super) claim: Claim,
}

impl Party for Expelling {
    fn alive(&self) -> bool {
        self.held.alive()
    }

    fn before_write(&self, _present: bool) -> BoxFuture<'_, Result<Proceed, CalendarError>> {
        Box::pin(async move {
            let ours = self.records.is_removing(&self.key, &self.claim, PATIENCE).await?;
            Ok(if ours { Proceed::Write } else { Proceed::Leave })
        })
    }
}

/// Leaves who arrived; of who did not, makes sure that they do not come any more.
pub(super) struct Settling {
    pub(super) held: Arc<Held>,
}

impl Party for Settling {
    fn alive(&self) -> bool {
        self.held.alive()
    }

    fn before_write(&self, present: bool) -> BoxFuture<'_, Result<Proceed, CalendarError>> {
        Box::pin(std::future::ready(Ok(if present { Proceed::Leave } else { Proceed::Write })))
    }
}
