//! Is there time? One deadline per call, shared by everything the call starts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::signal::Signal;

/// When a call must have settled. Clones share one end: extending or cancelling one is seen by all.
///
/// A cancelled deadline (the caller's `AbortSignal`, `close()`) begins nothing new. What cleans up afterwards starts a
/// deadline of its own.
#[derive(Debug, Clone)]
pub struct Deadline {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    /// What messages tell, when it is not the time from start to end.
    told: Option<Duration>,
    end: Mutex<Instant>,
    cancelled: Signal,
}

impl Deadline {
    /// A deadline `timeout` after `now`.
    #[must_use]
    pub fn starts(now: Instant, timeout: Duration) -> Self {
        Self::new(now, timeout, None)
    }

    fn new(started: Instant, time: Duration, told: Option<Duration>) -> Self {
        let end = Mutex::new(started.checked_add(time).unwrap_or(started));
        Self { shared: Arc::new(Shared { started, told, end, cancelled: Signal::default() }) }
    }

    /// A deadline of its own over the first `share` (`0.0..=1.0`) of this one's time. Messages still tell the whole.
    #[must_use]
    pub fn first_part(&self, share: f64) -> Self {
        let whole = self.end().saturating_duration_since(self.started());
        Self::new(self.started(), whole.mul_f64(share.clamp(0.0, 1.0)), Some(whole))
    }

    /// When the call began.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.shared.started
    }

    /// When it must have ended.
    #[must_use]
    pub fn end(&self) -> Instant {
        *self.shared.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is left, zero when it passed. A cancelled deadline still tells the time it has.
    #[must_use]
    pub fn left(&self, now: Instant) -> Duration {
        self.end().saturating_duration_since(now)
    }

    /// Whether a wait of `delay` from `now` ends before the deadline, with time left to do something afterwards.
    #[must_use]
    pub fn has_room_for(&self, now: Instant, delay: Duration) -> bool {
        delay < self.left(now)
    }

    /// Moves the end to `end`, only ever later: another caller joined who may wait longer.
    pub fn extend_to(&self, end: Instant) {
        let mut current = self.shared.end.lock().unwrap_or_else(PoisonError::into_inner);
        *current = end.max(*current);
    }

    /// Ends waiting at once, everywhere.
    pub fn cancel(&self) {
        self.shared.cancelled.raise();
    }

    /// Whether [`Deadline::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.is_raised()
    }

    /// Resolves when the deadline is cancelled; never, if it is not.
    pub async fn cancelled(&self) {
        self.shared.cancelled.raised().await;
    }

    /// The whole time allowed, in milliseconds, as messages tell it (`timed out after 10000ms`).
    #[must_use]
    pub fn timeout_ms(&self) -> u64 {
        let whole = self.end().saturating_duration_since(self.shared.started);
        crate::clock::millis(self.shared.told.unwrap_or(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn clones_share_an_end_that_only_moves_later() {
        let now = Clock::paused(0).now();
        let deadline = Deadline::starts(now, 10 * SECOND);
        let clone = deadline.clone();
        clone.extend_to(now + 5 * SECOND);
        assert_eq!(deadline.left(now), 10 * SECOND);
        clone.extend_to(now + 20 * SECOND);
        assert_eq!(deadline.left(now + SECOND), 19 * SECOND);
        assert_eq!(deadline.timeout_ms(), 20_000);
        assert_eq!(deadline.left(now + 60 * SECOND), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_part_ends_earlier_and_tells_the_whole_time() {
        let deadline = Deadline::starts(Clock::paused(0).now(), 10 * SECOND);
        let part = deadline.first_part(0.7);
        assert_eq!(part.left(deadline.started()), 7 * SECOND);
        assert_eq!(part.timeout_ms(), 10_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_would_end_at_the_deadline_has_no_room() {
        let now = Clock::paused(0).now();
        let deadline = Deadline::starts(now, SECOND);
        assert!(deadline.has_room_for(now, Duration::from_millis(999)));
        assert!(!deadline.has_room_for(now, SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn cancelling_is_seen_by_waiters_before_and_after() {
        let deadline = Deadline::starts(Clock::paused(0).now(), SECOND);
        let waiter = tokio::spawn({
            let deadline = deadline.clone();
            async move { deadline.cancelled().await }
        });
        tokio::task::yield_now().await;
        deadline.clone().cancel();
        assert!(waiter.await.is_ok());
        assert!(deadline.is_cancelled());
        deadline.cancelled().await;
    }
}
