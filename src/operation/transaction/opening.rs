//! How a transaction begins: its intent is journalled. Of all calls with one key one works, and the others hear what became
//! of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::undo::{Here, undo};
use super::{Caller, Transactions};
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::timed_out;
use crate::policy::Deadline;
use crate::store::{Entry, Held, Opening, Resumed};

/// Gaps between looks at another call with the same key.
const FIRST_GAP: Duration = Duration::from_millis(50);
const LAST_GAP: Duration = Duration::from_millis(500);

/// What a call finds under its key.
pub enum Opened {
    /// It is this call's turn.
    Begun(Arc<Held>),
    /// An earlier one succeeded, and this is its entry.
    Done(Box<Entry>),
    /// What a dead process did under this key is not undone yet: the entry is to be worked on further, and this call fails.
    Undoing(Arc<Held>, CalendarError),
}

/// Journals the intent; with a key, when it is this call's turn.
///
/// # Errors
/// `IDEMPOTENCY_IN_PROGRESS`: another call was at work until `work` was over. `IDEMPOTENCY_KEY_REUSED`: it asked for
/// something else.
pub async fn open(
    parts: &Transactions,
    caller: &Caller,
    intent: impl Fn() -> Entry + Sync,
    key: Option<&str>,
    work: &Deadline,
) -> Result<Opened, CalendarError> {
    let cx = &parts.cx;
    let left = || work.left(cx.clock.now());
    let Some(key) = key else { return Ok(Opened::Begun(cx.journal.begin(intent(), left()).await?)) };
    let mut gap = FIRST_GAP;
    loop {
        match cx.journal.begin_keyed(intent(), key, left()).await? {
            Opening::Begun(held) => return Ok(Opened::Begun(held)),
            Opening::Done(entry) => return Ok(Opened::Done(entry)),
            Opening::Reused => return Err(reused()),
            Opening::Left(name, record) => {
                if let Resumed::Held(held) = cx.journal.take_over(&name, &record, left()).await {
                    let undone = undo(parts, caller, &held, &Here::default(), work).await;
                    if undone.open {
                        return Ok(Opened::Undoing(held, in_progress()));
                    }
                    continue;
                }
            }
            Opening::Busy => {}
        }
        if left() <= gap {
            return Err(in_progress());
        }
        tokio::select! {
            () = sleep(gap) => gap = (gap * 2).min(LAST_GAP),
            () = work.cancelled() => return Err(timed_out(&caller.scope(work.clone()))),
        }
    }
}

fn reused() -> CalendarError {
    CalendarError::new(
        Code::IdempotencyKeyReused,
        Outcome::Rejected,
        "This idempotency key belongs to another request. Nothing was changed; use a new key for a new one.",
    )
}

fn in_progress() -> CalendarError {
    CalendarError::new(
        Code::IdempotencyInProgress,
        Outcome::Rejected,
        "An earlier call with this idempotency key is still at work, or still being undone. Nothing was done by this one; call again.",
    )
}
