//! The one seam for time. Everything that needs "now" is given a [`Clock`]; clippy bans reading time elsewhere.

#![expect(clippy::disallowed_methods, reason = "this file is the seam that the ban points to")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use governor::nanos::Nanos;
use tokio::time::Instant;

/// Monotonic and wall time. Cheap to clone; clones agree.
#[derive(Debug, Clone)]
pub struct Clock {
    origin: Instant,
    wall: Wall,
}

#[derive(Debug, Clone)]
enum Wall {
    System,
    /// Milliseconds since the Unix epoch at `origin`.
    Derived(u64),
    /// Milliseconds since the Unix epoch, moved by hand.
    Held(WallHand),
}

/// Moves the wall time of a [`Clock::by_hand`] and of its clones.
#[derive(Debug, Clone)]
pub struct WallHand(Arc<AtomicU64>);

impl WallHand {
    /// Moves wall time on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(millis(by), Ordering::AcqRel);
    }
}

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self { origin: Instant::now(), wall: Wall::System }
    }

    /// Wall time that starts at `base_ms` (Unix milliseconds) and moves with tokio's clock only: under
    /// `tokio::time::pause` both stand still and advance together.
    #[must_use]
    pub fn paused(base_ms: u64) -> Self {
        Self { origin: Instant::now(), wall: Wall::Derived(base_ms) }
    }

    /// Wall time that starts at `base_ms` (Unix milliseconds) and moves by hand only, while tokio's clock runs: for what
    /// waits on threads and processes, which a paused clock would run past.
    #[must_use]
    pub fn by_hand(base_ms: u64) -> (Self, WallHand) {
        let hand = WallHand(Arc::new(AtomicU64::new(base_ms)));
        (Self { origin: Instant::now(), wall: Wall::Held(hand.clone()) }, hand)
    }

    /// The monotonic time, for deadlines and delays.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::now()
    }

    /// Milliseconds since the Unix epoch, for leases and records that other processes read.
    #[must_use]
    pub fn wall_ms(&self) -> u64 {
        match &self.wall {
            Wall::System => millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
            Wall::Derived(base_ms) => base_ms.saturating_add(millis(self.since_origin())),
            Wall::Held(hand) => hand.0.load(Ordering::Acquire),
        }
    }

    fn since_origin(&self) -> Duration {
        Instant::now().saturating_duration_since(self.origin)
    }
}

/// Whole milliseconds, saturating.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The rate limits' view: nanoseconds since the clock was made.
impl governor::clock::Clock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.since_origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_moves_wall_and_monotonic_time_together() {
        let clock = Clock::paused(1_000);
        let begun = clock.now();
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(clock.wall_ms(), 1_250);
        assert_eq!(clock.now() - begun, Duration::from_millis(250));
    }
}
