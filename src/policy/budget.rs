//! Can Google, and can we, bear another try? The answer is no only in an outage.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How far back failures count.
const WINDOW: Duration = Duration::from_secs(10);
/// The window is kept in slices, so that its size does not depend on the traffic.
const SLICE: Duration = Duration::from_millis(500);
/// Fewer exchanges prove nothing: a lone failing call must get its retries.
const MIN_EXCHANGES: u64 = 100;
/// Retries stop above this share of failures. High on purpose: at 50 % of losses a retry still halves the damage;
/// it is near a full outage that six times the traffic keeps a service down.
const MAX_FAILED_PERCENT: u64 = 60;

/// Stops retries, never first tries, while more than 60 % of at least 100 exchanges in the last 10 s failed.
#[derive(Debug, Default)]
pub struct RetryBudget {
    slices: Mutex<VecDeque<Slice>>,
}

#[derive(Debug)]
struct Slice {
    begun: Instant,
    exchanges: u64,
    failed: u64,
}

impl RetryBudget {
    /// Notes how an exchange ended; `failed` means in a way that asks for a retry.
    pub fn record(&self, now: Instant, failed: bool) {
        let mut slices = self.slices.lock().unwrap_or_else(PoisonError::into_inner);
        if slices.back().is_none_or(|slice| now.saturating_duration_since(slice.begun) >= SLICE) {
            forget_old(&mut slices, now);
            slices.push_back(Slice { begun: now, exchanges: 0, failed: 0 });
        }
        if let Some(slice) = slices.back_mut() {
            slice.exchanges += 1;
            slice.failed += u64::from(failed);
        }
    }

    /// Whether a retry may be made.
    #[must_use]
    pub fn allows(&self, now: Instant) -> bool {
        let mut slices = self.slices.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut slices, now);
        let exchanges: u64 = slices.iter().map(|slice| slice.exchanges).sum();
        let failed: u64 = slices.iter().map(|slice| slice.failed).sum();
        exchanges < MIN_EXCHANGES || failed * 100 <= exchanges * MAX_FAILED_PERCENT
    }
}

fn forget_old(slices: &mut VecDeque<Slice>, now: Instant) {
    while slices.front().is_some_and(|slice| now.saturating_duration_since(slice.begun) >= WINDOW) {
        slices.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn record(budget: &RetryBudget, now: Instant, good: u32, failed: u32) {
        (0..good).for_each(|_| budget.record(now, false));
        (0..failed).for_each(|_| budget.record(now, true));
    }

    #[test]
    fn a_lone_caller_may_always_retry() {
        let (budget, now) = (RetryBudget::default(), Clock::system().now());
        record(&budget, now, 0, 99);
        assert!(budget.allows(now));
    }

    #[test]
    fn retries_stop_above_sixty_percent_of_a_hundred() {
        let (budget, now) = (RetryBudget::default(), Clock::system().now());
        record(&budget, now, 40, 60);
        assert!(budget.allows(now));
        record(&budget, now, 0, 1);
        assert!(!budget.allows(now));
    }

    #[test]
    fn failures_are_forgotten_after_ten_seconds() {
        let (budget, now) = (RetryBudget::default(), Clock::system().now());
        record(&budget, now, 0, 500);
        assert!(!budget.allows(now + Duration::from_millis(9_900)));
        assert!(budget.allows(now + WINDOW));
    }

    #[test]
    fn the_window_takes_a_bounded_number_of_slices() {
        let (budget, now) = (RetryBudget::default(), Clock::system().now());
        (0..100_000).for_each(|step| budget.record(now + Duration::from_millis(step), true));
        assert!(budget.slices.lock().unwrap().len() <= 21);
    }
}
