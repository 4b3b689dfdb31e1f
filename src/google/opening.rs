//! The first request to a host opens its connection alone.
//!
//! Until TLS has agreed on HTTP/2 the client cannot know that one connection will do, and a cold burst of 256 requests
//! opens more than 200. Whoever comes second waits for the first to be answered, for a bounded time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::MutexGuard;
use tokio::time::Instant;

use crate::clock::Clock;

/// Whether there is a connection, and whose turn it is to open one.
#[derive(Debug)]
pub(super) struct Opening {
    clock: Clock,
    /// How long a connection that nobody uses stays open.
    idle: Duration,
    used: Mutex<Option<Instant>>,
    alone: tokio::sync::Mutex<()>,
}

impl Opening {
    pub(super) fn new(clock: Clock, idle: Duration) -> Self {
        Self { clock, idle, used: Mutex::default(), alone: tokio::sync::Mutex::default() }
    }

    /// Waits, at most for `bound`, while another request opens the connection. Some: it is ours to open; hold it until
    /// there is an answer.
    pub(super) async fn enter(&self, bound: Duration) -> Option<MutexGuard<'_, ()>> {
        if self.is_open() {
            return None;
        }
        let alone = tokio::time::timeout(bound, self.alone.lock()).await.ok()?;
        (!self.is_open()).then_some(alone)
    }

    /// An answer came: there is a connection.
    pub(super) fn opened(&self) {
        self.set(Some(self.clock.now()));
    }

    /// The connection broke.
    pub(super) fn broke(&self) {
        self.set(None);
    }

    fn set(&self, used: Option<Instant>) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = used;
    }

    fn is_open(&self) -> bool {
        let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.is_some_and(|used| self.clock.now().saturating_duration_since(used) < self.idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn opening() -> Opening {
        Opening::new(Clock::paused(0), 60 * SECOND)
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_waits_for_the_first_and_then_nobody_waits() {
        let opening = opening();
        let first = opening.enter(2 * SECOND).await;
        assert!(first.is_some());
        let answer = async {
            tokio::time::sleep(SECOND).await;
            opening.opened();
            drop(first);
        };
        let (second, ()) = tokio::join!(opening.enter(2 * SECOND), answer);
        assert!(second.is_none());
        assert_eq!(opening.clock.wall_ms(), 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_request_that_hangs_holds_up_the_others_for_a_bounded_time() {
        let opening = opening();
        let _first = opening.enter(2 * SECOND).await;
        assert!(opening.enter(2 * SECOND).await.is_none());
        assert_eq!(opening.clock.wall_ms(), 2_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_broke_or_idled_away_is_opened_alone_again() {
        let opening = opening();
        opening.opened();
        assert!(opening.enter(SECOND).await.is_none());
        opening.broke();
        drop(opening.enter(SECOND).await.unwrap());
        opening.opened();
        tokio::time::sleep(60 * SECOND).await;
        assert!(opening.enter(SECOND).await.is_some());
    }
}
