//! An entry this process holds the lease of.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::journal::{RETENTION, RETENTION_KEYLESS, Verdict, millis, to_text};
use super::{Change, Disposal, Entry, Expected, Journal, Keep, State, Version};

/// What became of [`Held::fail`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// It is failed, and may be undone.
    Failed,
    /// It stands: its schedule succeeded.
    Succeeded,
    /// Not known yet, or not written: nothing may be undone.
    Undecided,
}

/// An entry this process holds the lease of. The lease is renewed in the background until the entry is settled or this
/// is dropped.
pub struct Held {
    journal: Journal,
    name: String,
    inner: Mutex<(Entry, Version)>,
    lease_until: AtomicU64,
    lost: AtomicBool,
    /// No more writes: the result is in.
    finished: AtomicBool,
}

impl Held {
    pub(super) fn keep(journal: Journal, name: String, entry: Entry, version: Version) -> Arc<Self> {
        let lease_until = AtomicU64::new(entry.lease_until);
        let lease = journal.lease;
        let held = Arc::new(Self {
            journal,
            name,
            inner: Mutex::new((entry, version)),
            lease_until,
            lost: AtomicBool::new(false),
            finished: AtomicBool::new(false),
        });
        held.journal.renewals.later(&held, lease / 3);
        held
    }

    /// The entry's name in the store.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the lease still holds: asked before every send. An unconfirmed renewal extends nothing.
    #[must_use]
    pub fn alive(&self) -> bool {
        !self.lost.load(Ordering::Acquire)
            && self.lease_until.load(Ordering::Acquire) > self.journal.ledger.clock.wall_ms()
    }

    /// The entry as last known.
    pub async fn entry(&self) -> Entry {
        self.inner.lock().await.0.clone()
    }

    /// Changes the entry by one compare-and-set on the fencing token, and renews the lease with it.
    pub async fn change(&self, left: Duration, edit: impl FnOnce(&mut Entry)) -> Change {
        // A renewal that the store does not answer must not hold up a result beyond its time.
        let began = self.journal.ledger.clock.now();
        let Ok(mut inner) = timeout(left, self.inner.lock()).await else { return Change::Unknown };
        let left = left.saturating_sub(self.journal.ledger.clock.now() - began);
        if !self.alive() || self.finished.load(Ordering::Acquire) {
            return Change::Refused;
        }
        let mut entry = inner.0.clone();
        edit(&mut entry);
        entry.lease_until = self.journal.ledger.clock.wall_ms().saturating_add(millis(self.journal.lease));
        let final_state = entry.is_closed();
        let keep = match (final_state, entry.keyless) {
            (false, _) => Keep::Open,
            (true, false) => Keep::For(RETENTION),
            (true, true) => Keep::For(RETENTION_KEYLESS),
        };
        let Ok(value) = to_text(&entry) else { return Change::Unknown };
        let expected = Expected::Version(inner.1.clone());
        let (change, version) = self.journal.ledger.put(&self.name, value, expected, keep, left).await;
        match change {
            Change::Applied => {
                self.lease_until.store(entry.lease_until, Ordering::Release);
                self.finished.store(final_state, Ordering::Release);
                *inner = (entry, version);
            }
            // Whether it lands is the store's secret now: nothing more may be sent on this lease.
            Change::Refused | Change::Unknown => self.lost.store(true, Ordering::Release),
        }
        change
    }

    /// Makes the entry failed, durably: before that nothing of it may be undone. One of a schedule asks the schedule
    /// first.
    pub async fn fail(&self, left: Duration) -> Failing {
        let entry = self.entry().await;
        let decided = match (entry.state, &entry.group) {
            (State::Failed, _) => return Failing::Failed,
            (State::Running, Some(group)) => self.journal.fail_group(group, left).await,
            (State::Running, None) => Verdict::Failed,
            (State::Succeeded { verified }, _) => Verdict::Succeeded { verified },
            (State::Settled { .. }, _) => Verdict::Forgotten,
        };
        let (state, then) = match decided {
            Verdict::Failed => (State::Failed, Failing::Failed),
            Verdict::Succeeded { verified } => (State::Succeeded { verified }, Failing::Succeeded),
            Verdict::Forgotten => (State::Settled { disposal: Disposal::Kept }, Failing::Succeeded),
            Verdict::Undecided => return Failing::Undecided,
        };
        match self.change(left, |entry| entry.state = state).await {
            Change::Applied => then,
            Change::Refused | Change::Unknown => Failing::Undecided,
        }
    }

    /// Renews the lease every third of its time, until the entry is settled or dropped; the first time is now.
    pub(super) async fn keep_alive(weak: Weak<Self>) {
        loop {
            let every = {
                let Some(held) = weak.upgrade() else { return };
                if held.finished.load(Ordering::Acquire) || held.lost.load(Ordering::Acquire) {
                    return;
                }
                held.renew().await;
                held.journal.lease / 3
            };
            sleep(every).await;
        }
    }

    async fn renew(&self) {
        let left = Duration::from_millis(
            self.lease_until.load(Ordering::Acquire).saturating_sub(self.journal.ledger.clock.wall_ms()),
        );
        let _ = self.change(left, |_| {}).await;
    }
}
