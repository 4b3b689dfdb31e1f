//! What calls came to, in numbers. No names: people read them who must not see whose calendar it was.

mod latency;
mod overdue;
mod prometheus;
mod success;
mod timeline;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use self::latency::{BOUNDS_MS, Latency, Percentiles};
pub(super) use self::overdue::{AtWork, Punctuality};
use self::success::Figures;
pub use self::success::{Part, Success};
use self::timeline::{SLICE_MS, Slice, Timeline};
use super::tokens::TokenCount;
use crate::clock::Clock;
use crate::google::TallySnapshot;
use crate::model::{Code, Outcome};
use crate::operation::prevented::PreventedSnapshot;

/// Failures that are kept for reading.
const RECENT: usize = 50;
/// Calls that concern no calendar stay out of the plot.
const OF_TOKENS: &str = "getRefreshedOAuthClient";

/// Calls of one method.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationCount {
    /// Answered with success.
    pub succeeded: u64,
    /// … of them read back and compared.
    pub verified: u64,
    /// … of them found done by an earlier call with the same key.
    pub replayed: u64,
    /// … of them stored wrong at first and put right: silent failures that were caught and mended.
    pub repaired: u64,
    /// Answered with `VERIFICATION_FAILED`: silent failures that were caught and cleaned up.
    pub unverified: u64,
    /// Rejected, by code.
    pub failed: BTreeMap<&'static str, u64>,
    /// Rejected, by what may have happened in the calendar.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Settled more than a second after their deadline.
    pub hung: u64,
    /// Milliseconds of all calls together.
    pub total_ms: u64,
    /// Milliseconds of the slowest call, to a tenth as the percentiles are: none of them is above it.
    pub slowest_ms: f64,
    /// How long calls took.
    #[serde(flatten)]
    pub percentiles: Percentiles,
    /// How many calls took at most each of the Prometheus bounds.
    #[serde(skip)]
    buckets: [u64; BOUNDS_MS.len()],
    /// Rejected, by code and outcome.
    #[serde(skip)]
    failures: BTreeMap<(&'static str, &'static str), u64>,
    #[serde(skip)]
    total: Duration,
}

impl OperationCount {
    /// Calls that were answered.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.succeeded + self.unverified + self.failed.values().sum::<u64>()
    }
}

/// HTTP requests under an idempotency key that were answered without running their handler.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestCount {
    /// With the answer of an earlier one.
    pub replayed: u64,
    /// Because an earlier one was still at work.
    pub refused: u64,
}

/// One call that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentFailure {
    /// Unix milliseconds at which it was answered.
    pub at: u64,
    /// The method.
    pub operation: String,
    /// What went wrong.
    pub code: &'static str,
    /// What may have happened in the calendar.
    pub outcome: &'static str,
    /// Milliseconds the call took.
    pub elapsed_ms: u64,
}

/// What `metrics()` returns.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricsSnapshot {
    /// Unix milliseconds at which counting began.
    pub since: u64,
    /// What it comes to.
    pub success: Success,
    /// By method, as JS names it.
    pub operations: BTreeMap<String, OperationCount>,
    /// Harm that was kept off calendars, by kind.
    pub prevented: PreventedSnapshot,
    /// Calls that shared the attempt of another with the same key.
    pub shared: u64,
    /// Repeated HTTP requests.
    pub requests: RequestCount,
    /// Renewals of access tokens.
    pub tokens: TokenCount,
    /// HTTP exchanges with Google.
    pub google: TallySnapshot,
    /// Calls at work now.
    pub in_flight: usize,
    /// Attempts and clean-ups that are open now.
    pub open_work: usize,
    /// Clean-ups closed after their call was answered.
    pub settled: u64,
    /// Calls over the last quarter of an hour.
    pub timeline: TimelineSnapshot,
    /// The last failures, newest first.
    pub recent_failures: Vec<RecentFailure>,
}

/// Calls over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineSnapshot {
    /// How long a slice is.
    pub slice_ms: u64,
    /// Slices with calls, oldest first.
    pub slices: Vec<Slice>,
}

/// What others count.
#[derive(Default)]
pub(super) struct Elsewhere {
    pub(super) prevented: PreventedSnapshot,
    pub(super) shared: u64,
    pub(super) tokens: TokenCount,
    pub(super) google: TallySnapshot,
    pub(super) in_flight: usize,
    pub(super) open_work: usize,
    pub(super) open_clean_ups: u64,
    pub(super) settled: u64,
}

/// How one call ended.
#[expect(clippy::struct_excessive_bools, reason = "each is counted by itself")]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ending {
    pub(super) verified: bool,
    pub(super) replayed: bool,
    pub(super) repaired: bool,
    pub(super) unverified: bool,
    /// What may be in the calendar of a write that is `unverified`.
    pub(super) left: Option<Outcome>,
    pub(super) failed: Option<(Code, Outcome)>,
}

/// Counters since the start.
#[derive(Debug)]
pub(super) struct Metrics {
    clock: Clock,
    since: u64,
    pub(super) punctuality: Punctuality,
    replayed: AtomicU64,
    refused: AtomicU64,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    operations: BTreeMap<String, (OperationCount, Latency)>,
    timeline: Timeline,
    recent: VecDeque<RecentFailure>,
}

impl Metrics {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            since: clock.wall_ms(),
            punctuality: Punctuality::new(clock.clone()),
            clock: clock.clone(),
            replayed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            counts: Mutex::default(),
        }
    }

    pub(super) fn count(&self, operation: &str, ending: Ending, took: Duration) {
        let now = self.clock.wall_ms();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // What was not as asked for has failed, also where the call is answered.
        let failure = ending
            .failed
            .or_else(|| {
                ending.unverified.then_some((Code::VerificationFailed, ending.left.unwrap_or(Outcome::Unknown)))
            })
            .map(|(code, outcome)| (code.name(), outcome.name()));
        counts.count(operation, ending, took);
        if operation != OF_TOKENS {
            counts.timeline.record(now, took, failure.is_some());
        }
        let Some((code, outcome)) = failure else { return };
        counts.recent.truncate(RECENT - 1);
        let elapsed_ms = crate::clock::millis(took);
        counts.recent.push_front(RecentFailure { at: now, operation: operation.to_owned(), code, outcome, elapsed_ms });
    }

    /// A repeated HTTP request was answered: with a kept answer, or because the first is at work.
    pub(super) fn request_repeated(&self, replayed: bool) {
        let counter = if replayed { &self.replayed } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self, elsewhere: Elsewhere) -> MetricsSnapshot {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut operations: BTreeMap<_, _> =
            counts.operations.iter().map(|(name, (count, latency))| (name.clone(), told(count, latency))).collect();
        let slices = counts.timeline.slices(self.clock.wall_ms());
        let recent_failures = counts.recent.iter().cloned().collect();
        drop(counts);
        for (name, late) in self.punctuality.late() {
            operations.entry(name.to_owned()).or_default().hung = late;
        }
        let requests = RequestCount {
            replayed: self.replayed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        };
        let Elsewhere { prevented, shared, tokens, google, in_flight, open_work, open_clean_ups, settled } = elsewhere;
        let success = Success::of(&Figures {
            operations: &operations,
            prevented,
            requests,
            shared,
            overdue: self.punctuality.overdue(),
            open_clean_ups,
        });
        MetricsSnapshot {
            since: self.since,
            success,
            operations,
            prevented,
            shared,
            requests,
            tokens,
            google,
            in_flight,
            open_work,
            settled,
            timeline: TimelineSnapshot { slice_ms: SLICE_MS, slices },
            recent_failures,
        }
    }
}

impl Counts {
    fn count(&mut self, operation: &str, ending: Ending, took: Duration) {
        let (count, latency) = self.operations.entry(operation.to_owned()).or_default();
        latency.record(took);
        match ending.failed {
            Some((code, outcome)) => {
                *count.failed.entry(code.name()).or_default() += 1;
                *count.outcomes.entry(outcome.name()).or_default() += 1;
                *count.failures.entry((code.name(), outcome.name())).or_default() += 1;
            }
            None if ending.unverified => count.unverified += 1,
            None => {
                count.succeeded += 1;
                count.verified += u64::from(ending.verified);
                count.replayed += u64::from(ending.replayed);
                count.repaired += u64::from(ending.repaired);
            }
        }
    }
}

fn told(count: &OperationCount, latency: &Latency) -> OperationCount {
    OperationCount {
        total_ms: crate::clock::millis(latency.sum()),
        slowest_ms: latency.slowest_ms(),
        percentiles: latency.percentiles(),
        buckets: latency.buckets(),
        total: latency.sum(),
        ..count.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: Code, outcome: Outcome) -> Ending {
        Ending { failed: Some((code, outcome)), ..Ending::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn each_call_is_counted_by_method_code_and_outcome() {
        let metrics = Metrics::new(&Clock::paused(1_000));
        let took = Duration::from_millis(20);
        metrics.count("createEvent", Ending { verified: true, repaired: true, ..Ending::default() }, took);
        metrics.count("createEvent", Ending { unverified: true, ..Ending::default() }, took);
        metrics.count("createEvent", failed(Code::Timeout, Outcome::Unknown), 3 * took);
        metrics.count("getEvent", failed(Code::NotFound, Outcome::Rejected), took);
        let told = metrics.snapshot(Elsewhere::default());
        let create = &told.operations["createEvent"];
        assert_eq!(
            (create.calls(), create.succeeded, create.verified, create.repaired, create.unverified),
            (3, 1, 1, 1, 1)
        );
        assert_eq!((create.failed["TIMEOUT"], create.outcomes["unknown"]), (1, 1));
        assert_eq!((create.total_ms, create.slowest_ms.to_string()), (100, "60".to_owned()));
        assert_eq!(told.operations["getEvent"].failed["NOT_FOUND"], 1);
        assert_eq!(told.since, 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_fifty_failures_are_kept_newest_first() {
        let metrics = Metrics::new(&Clock::paused(0));
        for took in 0..60 {
            metrics.count("createEvent", failed(Code::Timeout, Outcome::Unknown), Duration::from_millis(took));
        }
        let told = metrics.snapshot(Elsewhere::default()).recent_failures;
        assert_eq!((told.len(), told[0].elapsed_ms, told[49].elapsed_ms), (50, 59, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn refreshes_of_tokens_stay_out_of_the_plot() {
        let metrics = Metrics::new(&Clock::paused(0));
        metrics.count(OF_TOKENS, Ending::default(), Duration::ZERO);
        assert!(metrics.snapshot(Elsewhere::default()).timeline.slices.is_empty());
    }
}
