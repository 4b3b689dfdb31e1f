//! How long calls took: percentiles, and the buckets of a Prometheus histogram.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Upper bounds of the buckets, in milliseconds: from an answer out of memory to the longest batch.
pub(in crate::service) const BOUNDS_MS: [u64; 14] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 15_000, 30_000, 60_000];
/// Two digits: a percentile is right to 1 %, in 20 kB.
const DIGITS: u8 = 2;
/// Longer calls count as this long. A call may be given a day.
const LONGEST_US: u64 = 86_400_000_000;

/// Durations of calls.
#[derive(Debug, Clone)]
pub(super) struct Latency {
    /// In microseconds. `None` only if the bounds above were no bounds.
    histogram: Option<Histogram<u64>>,
    buckets: [u64; BOUNDS_MS.len()],
    sum: Duration,
    slowest: Duration,
    count: u64,
}

/// What [`Latency`] comes to.
#[expect(clippy::struct_field_names, reason = "JS reads these names, and a time says its unit")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Percentiles {
    /// Half of the calls took at most so many milliseconds.
    pub p50_ms: f64,
    /// 95 of 100 did.
    pub p95_ms: f64,
    /// 99 of 100 did.
    pub p99_ms: f64,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            histogram: Histogram::new_with_bounds(1, LONGEST_US, DIGITS).ok(),
            buckets: [0; BOUNDS_MS.len()],
            sum: Duration::ZERO,
            slowest: Duration::ZERO,
            count: 0,
        }
    }
}

impl Latency {
    pub(super) fn record(&mut self, took: Duration) {
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST_US));
        }
        for (bucket, bound) in self.buckets.iter_mut().zip(BOUNDS_MS) {
            *bucket += u64::from(took <= Duration::from_millis(bound));
        }
        self.sum += took;
        self.slowest = self.slowest.max(took);
        self.count += 1;
    }

    /// Of no calls, zeros.
    pub(super) fn percentiles(&self) -> Percentiles {
        let at = |quantile| {
            let micros = self.histogram.as_ref().map_or(0, |histogram| histogram.value_at_quantile(quantile));
            // A histogram's value is the upper end of its step; no call took longer than the slowest.
            let micros = Duration::from_micros(micros).min(self.slowest);
            tenths(micros)
        };
        if self.count == 0 {
            return Percentiles::default();
        }
        Percentiles { p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99) }
    }

    /// How many calls took at most each of [`BOUNDS_MS`].
    pub(super) const fn buckets(&self) -> [u64; BOUNDS_MS.len()] {
        self.buckets
    }

    pub(super) const fn sum(&self) -> Duration {
        self.sum
    }

    pub(super) fn slowest_ms(&self) -> f64 {
        tenths(self.slowest)
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn clear(&mut self) {
        if let Some(histogram) = &mut self.histogram {
            histogram.reset();
        }
        self.buckets = [0; BOUNDS_MS.len()];
        (self.sum, self.slowest, self.count) = (Duration::ZERO, Duration::ZERO, 0);
    }
}

/// Milliseconds to a tenth.
fn tenths(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_one_percent_and_never_above_the_slowest() {
        let mut latency = Latency::default();
        (1..=1_000).for_each(|ms| latency.record(Duration::from_millis(ms)));
        let seen = latency.percentiles();
        for (percentile, expected) in [(seen.p50_ms, 500.0), (seen.p95_ms, 950.0), (seen.p99_ms, 990.0)] {
            assert!((percentile - expected).abs() <= expected * 0.011, "{percentile} for {expected}");
        }
        let mut one = Latency::default();
        one.record(Duration::from_micros(3_640));
        assert!(one.percentiles().p99_ms <= one.slowest_ms());
    }

    #[test]
    fn a_bucket_holds_what_took_at_most_its_bound() {
        let mut latency = Latency::default();
        for micros in [4_999, 5_000, 5_001, 60_000_000, 60_000_001] {
            latency.record(Duration::from_micros(micros));
        }
        let buckets = latency.buckets();
        assert_eq!((buckets[0], buckets[1], buckets[13], latency.count()), (2, 3, 4, 5));
    }

    #[test]
    fn of_no_calls_there_are_zeros_also_after_clearing() {
        let mut latency = Latency::default();
        assert_eq!(latency.percentiles(), Percentiles::default());
        latency.record(Duration::from_secs(1));
        latency.clear();
        assert_eq!((latency.percentiles(), latency.count()), (Percentiles::default(), 0));
    }
}
