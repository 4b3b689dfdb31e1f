//! Calls whose time is over. There should be none: a call settles within its deadline and one second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;

/// How long after its deadline a call may settle.
const GRACE: Duration = Duration::from_secs(1);

/// The calls at work, and how many settled too late. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::service) struct Punctuality {
    clock: Clock,
    calls: Arc<Mutex<Calls>>,
}

#[derive(Debug, Default)]
struct Calls {
    next: u64,
    due: HashMap<u64, Instant>,
    late: HashMap<&'static str, u64>,
}

/// A call at work, until it is dropped.
#[derive(Debug)]
pub(in crate::service) struct AtWork {
    clock: Clock,
    calls: Arc<Mutex<Calls>>,
    number: u64,
    operation: &'static str,
}

impl Punctuality {
    pub(in crate::service) fn new(clock: Clock) -> Self {
        Self { clock, calls: Arc::default() }
    }

    /// A call that must settle by `deadline`.
    pub(in crate::service) fn begin(&self, operation: &'static str, deadline: Instant) -> AtWork {
        let mut calls = lock(&self.calls);
        calls.next += 1;
        let number = calls.next;
        calls.due.insert(number, deadline + GRACE);
        drop(calls);
        AtWork { clock: self.clock.clone(), calls: Arc::clone(&self.calls), number, operation }
    }

    /// Calls that are at work although their time is over.
    pub(super) fn overdue(&self) -> u64 {
        let now = self.clock.now();
        lock(&self.calls).due.values().filter(|due| **due < now).count() as u64
    }

    /// Calls that settled too late, by method.
    pub(super) fn late(&self) -> HashMap<&'static str, u64> {
        lock(&self.calls).late.clone()
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let now = self.clock.now();
        let mut calls = lock(&self.calls);
        if calls.due.remove(&self.number).is_some_and(|due| due < now) {
            *calls.late.entry(self.operation).or_default() += 1;
        }
    }
}

fn lock(calls: &Mutex<Calls>) -> std::sync::MutexGuard<'_, Calls> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_counts_as_hung_while_it_hangs_and_afterwards() {
        let clock = Clock::paused(0);
        let punctuality = Punctuality::new(clock.clone());
        let call = punctuality.begin("createEvent", clock.now() + 10 * SECOND);
        tokio::time::advance(11 * SECOND).await;
        assert_eq!(punctuality.overdue(), 0);
        tokio::time::advance(SECOND / 1_000).await;
        assert_eq!(punctuality.overdue(), 1);
        drop(call);
        assert_eq!((punctuality.overdue(), punctuality.late()), (0, HashMap::from([("createEvent", 1)])));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_settles_within_a_second_after_its_deadline_is_in_time() {
        let clock = Clock::paused(0);
        let punctuality = Punctuality::new(clock.clone());
        let call = punctuality.begin("createEvent", clock.now() + 10 * SECOND);
        tokio::time::advance(11 * SECOND).await;
        drop(call);
        assert!(punctuality.late().is_empty());
    }
}
