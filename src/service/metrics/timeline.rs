//! The last quarter of an hour, in slices: how many calls, how many failed, how long they took.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use super::latency::{Latency, Percentiles};

/// One slice.
pub(super) const SLICE_MS: u64 = 10_000;
/// Slices that are kept.
const KEPT: usize = 90;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    past: VecDeque<Slice>,
    at: u64,
    latency: Latency,
    failed: u64,
}

/// Calls that ended within [`SLICE_MS`] from `at`. Slices without calls are left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Slice {
    /// Unix milliseconds at which it begins.
    pub at: u64,
    /// Calls that ended.
    pub calls: u64,
    /// … of them without success.
    pub failed: u64,
    /// How long they took.
    #[serde(flatten)]
    pub percentiles: Percentiles,
}

impl Timeline {
    pub(super) fn record(&mut self, now_ms: u64, took: Duration, failed: bool) {
        self.turn(now_ms);
        self.latency.record(took);
        self.failed += u64::from(failed);
    }

    /// Oldest first; the last one may not be over yet.
    pub(super) fn slices(&mut self, now_ms: u64) -> Vec<Slice> {
        self.turn(now_ms);
        self.past.iter().copied().chain(self.current()).collect()
    }

    fn current(&self) -> Option<Slice> {
        let calls = self.latency.count();
        let percentiles = self.latency.percentiles();
        (calls > 0).then_some(Slice { at: self.at, calls, failed: self.failed, percentiles })
    }

    fn turn(&mut self, now_ms: u64) {
        let at = now_ms - now_ms % SLICE_MS;
        if at == self.at {
            return;
        }
        self.past.extend(self.current());
        self.latency.clear();
        (self.at, self.failed) = (at, 0);
        let oldest = at.saturating_sub(SLICE_MS * KEPT as u64);
        // A clock that was set back leaves slices of a time to come.
        self.past.retain(|slice| (oldest..at).contains(&slice.at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn calls_are_told_in_the_slice_in_which_they_ended() {
        let mut timeline = Timeline::default();
        timeline.record(10_000, SECOND, false);
        timeline.record(19_999, SECOND, true);
        timeline.record(20_000, 2 * SECOND, false);
        let told = timeline.slices(21_000);
        assert_eq!(
            told.iter().map(|slice| (slice.at, slice.calls, slice.failed)).collect::<Vec<_>>(),
            [(10_000, 2, 1), (20_000, 1, 0)]
        );
        assert!((told[1].percentiles.p50_ms - 2_000.0).abs() < 21.0);
    }

    #[test]
    fn a_quarter_of_an_hour_is_kept_and_quiet_slices_are_left_out() {
        let mut timeline = Timeline::default();
        for slice in 0..1_000 {
            timeline.record(slice * SLICE_MS, SECOND, false);
        }
        assert_eq!(timeline.slices(999 * SLICE_MS).len(), KEPT + 1);
        assert_eq!(timeline.slices(1_050 * SLICE_MS).len(), 40);
        assert!(timeline.slices(5_000 * SLICE_MS).is_empty());
    }

    #[test]
    fn a_clock_that_is_set_back_leaves_no_slice_of_a_time_to_come() {
        let mut timeline = Timeline::default();
        timeline.record(100_000, SECOND, false);
        timeline.record(50_000, SECOND, false);
        assert_eq!(timeline.slices(50_000).iter().map(|slice| slice.at).collect::<Vec<_>>(), [50_000]);
    }
}
