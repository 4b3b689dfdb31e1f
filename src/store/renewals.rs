//! When entries are due for the first renewal of their leases. Nearly all are settled long before, so none has a task of its
//! own until then: at 8,000 attempts a second, 80,000 tasks would sleep for nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::Held;
use crate::clock::Clock;

/// See the module. Clones share everything.
#[derive(Clone)]
pub(super) struct Renewals {
    clock: Clock,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    /// All wait equally long, so the first is due first.
    entries: VecDeque<(Instant, Weak<Held>)>,
    /// Works the entries off. It ends with the last of them, and with the runtime it runs on.
    task: Option<JoinHandle<()>>,
}

impl Renewals {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, waiting: Arc::default() }
    }

    /// Begins to renew the lease of `held` after `wait`, which is the same for all, unless it is settled or dropped by then.
    pub(super) fn later(&self, held: &Arc<Held>, wait: Duration) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.forget();
        waiting.entries.push_back((self.clock.now() + wait, Arc::downgrade(held)));
        if waiting.task.as_ref().is_none_or(JoinHandle::is_finished) {
            waiting.task = Some(tokio::spawn(Self::work_off(Arc::clone(&self.waiting), self.clock.clone())));
        }
    }

    async fn work_off(waiting: Arc<Mutex<Waiting>>, clock: Clock) {
        loop {
            let due = {
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.forget();
                let now = clock.now();
                while let Some((due, held)) = waiting.entries.pop_front() {
                    if due > now {
                        waiting.entries.push_front((due, held));
                        break;
                    }
                    tokio::spawn(Held::keep_alive(held));
                }
                let Some((due, _)) = waiting.entries.front() else {
                    waiting.task = None;
                    return;
                };
                *due
            };
            sleep_until(due).await;
        }
    }
}

impl Waiting {
    /// Drops those at the front that need no renewal any more.
    fn forget(&mut self) {
        while self.entries.front().is_some_and(|(_, held)| held.strong_count() == 0) {
            self.entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Entry, Journal, MemoryStore};

    fn entry(bits: u64) -> Entry {
        let claim = crate::model::Claim::from_bits(bits);
        let text = serde_json::json!({
            "operation": "createEvent", "user": "u", "calendar": "primary", "eventId": "e", "generation": 0,
            "claim": claim, "print": "p", "state": { "is": "running" }, "group": null, "guests": false, "keyless": true,
            "leaseUntil": 0, "since": 0,
        });
        serde_json::from_value(text).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_renewed_and_what_was_dropped_is_forgotten_at_once() {
        const LEASE: Duration = Duration::from_secs(30);
        let clock = Clock::paused(0);
        let journal = Journal::new(Arc::new(MemoryStore::new(clock.clone())), clock.clone(), LEASE, || 7);
        let waiting = || journal.renewals.waiting.lock().unwrap().entries.len();
        for bits in 0..100 {
            drop(journal.begin(entry(bits), LEASE).await.unwrap());
        }
        assert_eq!(waiting(), 1, "only the last one, until the next comes");
        let held = journal.begin(entry(100), LEASE).await.unwrap();
        let other = journal.begin(entry(101), LEASE).await.unwrap();
        tokio::time::sleep(LEASE * 10).await;
        assert!(held.alive() && other.alive());
        assert_eq!(waiting(), 0);
        let late = journal.begin(entry(102), LEASE).await.unwrap();
        tokio::time::sleep(LEASE * 2).await;
        assert!(late.alive(), "the task was begun again");
    }

    #[test]
    fn a_runtime_that_ended_does_not_stop_the_renewals_on_the_next_one() {
        const LEASE: Duration = Duration::from_secs(30);
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let clock = runtime().block_on(async { Clock::paused(0) });
        let journal = Journal::new(Arc::new(MemoryStore::new(clock.clone())), clock, LEASE, || 7);
        let _first = runtime().block_on(journal.begin(entry(0), LEASE)).unwrap();
        runtime().block_on(async {
            let held = journal.begin(entry(1), LEASE).await.unwrap();
            tokio::time::sleep(LEASE * 2).await;
            assert!(held.alive());
        });
    }
}
