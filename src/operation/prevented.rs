//! Harm that was kept off calendars, in numbers: each event once, however many calls shared its attempt.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::store::Disposal;

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Prevented {
    repaired: AtomicU64,
    restored: AtomicU64,
    refused: AtomicU64,
    removed: AtomicU64,
    left: AtomicU64,
    adopted: AtomicU64,
    lost_replies: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreventedSnapshot {
    /// Events that Google stored otherwise than it was asked to, and that were put right.
    pub repaired: u64,
    /// Events that Google acknowledged and did not store, and that were inserted again.
    pub restored: u64,
    /// Writes that Google acknowledged and that were found wrong to the last: told as `VERIFICATION_FAILED`.
    pub refused: u64,
    /// Clean-ups that ended with nothing of a failed call in the calendar.
    pub removed: u64,
    /// Clean-ups that left the event, because others rely on it or it was changed.
    pub left: u64,
    /// Events found made already by an earlier call with the same key.
    pub adopted: u64,
    /// Events found made although the reply to their insert was lost.
    pub lost_replies: u64,
}

/// How an attempt's event came to be there.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any combination can occur")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Making {
    /// An earlier call had made it.
    pub adopted: bool,
    /// Its insert's reply was lost, and it was found.
    pub reply_lost: bool,
    /// It was stored wrong and put right.
    pub repaired: bool,
    /// It was acknowledged, not stored, and inserted again.
    pub restored: bool,
}

impl Prevented {
    /// An event is there.
    pub fn made(&self, making: Making) {
        count(&self.adopted, making.adopted);
        count(&self.lost_replies, making.reply_lost && !making.adopted);
        count(&self.repaired, making.repaired);
        count(&self.restored, making.restored);
    }

    /// A write was found wrong and is not told as done.
    pub fn refused(&self) {
        count(&self.refused, true);
    }

    /// A clean-up or an undo came to an end.
    pub fn cleaned_up(&self, disposal: Disposal) {
        match disposal {
            Disposal::Deleted => count(&self.removed, true),
            Disposal::Kept => count(&self.left, true),
            Disposal::Nothing => {}
        }
    }

    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> PreventedSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PreventedSnapshot {
            repaired: read(&self.repaired),
            restored: read(&self.restored),
            refused: read(&self.refused),
            removed: read(&self.removed),
            left: read(&self.left),
            adopted: read(&self.adopted),
            lost_replies: read(&self.lost_replies),
        }
    }
}

fn count(counter: &AtomicU64, happened: bool) {
    counter.fetch_add(u64::from(happened), Ordering::Relaxed);
}
