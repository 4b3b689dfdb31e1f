//! The emulator's time: tokio's clock, so that a test which pauses tokio pauses Google too.

#![allow(clippy::disallowed_methods, reason = "this is the one place that reads a clock")]

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Wall time is a base plus what tokio's clock says has passed.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    base: Timestamp,
    started: Instant,
}

impl Clock {
    /// A clock that starts at `base`, or at the real time.
    pub(crate) fn new(base: Option<Timestamp>) -> Self {
        Self { base: base.unwrap_or_else(Timestamp::now), started: Instant::now() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(self.started)
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.base.checked_add(self.elapsed()).unwrap_or(Timestamp::MAX)
    }

    /// `seconds` from now, which may be in the past.
    pub(crate) fn wall_in(&self, seconds: i64) -> Timestamp {
        self.wall().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
    }
}
