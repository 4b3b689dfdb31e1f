//! Waiting, but never past the deadline.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crate::clock::Clock;
use crate::policy::Deadline;

/// Why a wait was cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The deadline passed.
    TimedOut,
    /// The deadline was cancelled.
    Cancelled,
}

/// `future`'s output, unless the deadline ends first; then `future` is dropped. Follows a deadline that is extended.
pub async fn within<F: Future>(clock: &Clock, deadline: &Deadline, future: F) -> Result<F::Output, Over> {
    if deadline.is_cancelled() {
        return Err(Over::Cancelled);
    }
    tokio::pin!(future);
    // Most of what is waited for here (a place, a turn, a token) is there already, and needs no timer and nobody who listens.
    if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        return Ok(output);
    }
    // Boxed for the same reason.
    let waited = async {
        loop {
            tokio::select! {
                biased;
                () = deadline.cancelled() => return Err(Over::Cancelled),
                output = &mut future => return Ok(output),
                () = tokio::time::sleep_until(deadline.end()) => {
                    if deadline.left(clock.now()).is_zero() {
                        return Err(Over::TimedOut);
                    }
                }
            }
        }
    };
    Box::pin(waited).await
}

/// Sleeps for `delay`, if that ends before the deadline; else returns at once: nothing could be done afterwards.
pub async fn pause(clock: &Clock, deadline: &Deadline, delay: Duration) -> Result<(), Over> {
    if deadline.is_cancelled() {
        return Err(Over::Cancelled);
    }
    if !deadline.has_room_for(clock.now(), delay) {
        return Err(Over::TimedOut);
    }
    within(clock, deadline, tokio::time::sleep(delay)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_sleep_that_would_pass_the_deadline_is_not_begun() {
        let clock = Clock::paused(0);
        let deadline = Deadline::starts(clock.now(), SECOND);
        assert_eq!(pause(&clock, &deadline, SECOND).await, Err(Over::TimedOut));
        assert_eq!(clock.wall_ms(), 0);
        assert_eq!(pause(&clock, &deadline, SECOND / 2).await, Ok(()));
        assert_eq!(clock.wall_ms(), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_extended_meanwhile_is_followed() {
        let clock = Clock::paused(0);
        let deadline = Deadline::starts(clock.now(), SECOND);
        let extending = async {
            tokio::time::sleep(SECOND / 2).await;
            deadline.extend_to(deadline.started() + 3 * SECOND);
        };
        let (waited, ()) = tokio::join!(within(&clock, &deadline, std::future::pending::<()>()), extending);
        assert_eq!(waited, Err(Over::TimedOut));
        assert_eq!(clock.wall_ms(), 3_000);
    }

    #[tokio::test(start_paused = true)]
    async fn cancelling_ends_a_sleep_at_once() {
        let clock = Clock::paused(0);
        let deadline = Deadline::starts(clock.now(), 10 * SECOND);
        let cancelling = async {
            tokio::time::sleep(SECOND).await;
            deadline.cancel();
        };
        let (slept, ()) = tokio::join!(pause(&clock, &deadline, 5 * SECOND), cancelling);
        assert_eq!(slept, Err(Over::Cancelled));
        assert_eq!(clock.wall_ms(), 1_000);
        assert_eq!(pause(&clock, &deadline, Duration::ZERO).await, Err(Over::Cancelled));
    }
}
