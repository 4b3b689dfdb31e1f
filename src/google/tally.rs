//! What was exchanged, in numbers. No names: metrics are read by people who must not see whose calendar it was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::clock::millis;
use crate::model::Code;
use crate::policy::{FaultKind, Kind};

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Tally {
    reads: AtomicU64,
    writes: AtomicU64,
    statuses: [AtomicU64; 4],
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
    throttled_ms: AtomicU64,
    backoff_ms: AtomicU64,
    token_renewals: AtomicU64,
    faults: Mutex<BTreeMap<&'static str, u64>>,
    retries: Mutex<BTreeMap<&'static str, u64>>,
    stops: Mutex<BTreeMap<&'static str, u64>>,
}

/// The counters at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TallySnapshot {
    /// HTTP exchanges begun that change nothing.
    pub reads: u64,
    /// HTTP exchanges begun that may change something.
    pub writes: u64,
    /// Answers by status class.
    pub status2xx: u64,
    /// Redirects (never followed) and 304.
    pub status3xx: u64,
    /// Refusals.
    pub status4xx: u64,
    /// Google's own failures, and statuses that do not exist.
    pub status5xx: u64,
    /// Bytes of request bodies.
    pub bytes_sent: u64,
    /// Bytes of answers' bodies, decompressed.
    pub bytes_received: u64,
    /// Milliseconds that requests waited for their turn.
    pub throttled_ms: u64,
    /// Milliseconds that requests waited before a repeat.
    pub backoff_ms: u64,
    /// Fresh tokens asked for after a 401.
    pub token_renewals: u64,
    /// Exchanges without a usable answer, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Repeats, by the code of what went wrong before.
    pub retries: BTreeMap<&'static str, u64>,
    /// Exchanges that ended in an error, by what ended them: `final` (an answer after which nothing is sent again),
    /// `retries` (all used), `budget`, `deadline`, `throttled`, `parked`, `cancelled`, `lease`, `credentials`.
    pub stops: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn sent(&self, kind: Kind, bytes: usize) {
        add(if kind == Kind::Read { &self.reads } else { &self.writes }, 1);
        add(&self.bytes_sent, bytes as u64);
    }

    pub(super) fn answered(&self, status: u16, bytes: usize) {
        let class = usize::from((status / 100).clamp(2, 5) - 2);
        if let Some(counter) = self.statuses.get(class) {
            add(counter, 1);
        }
        add(&self.bytes_received, bytes as u64);
    }

    pub(super) fn faulted(&self, kind: FaultKind) {
        count(&self.faults, kind.name());
    }

    pub(super) fn throttled(&self, waited: Duration) {
        add(&self.throttled_ms, millis(waited));
    }

    pub(super) fn retried(&self, code: Code, delay: Duration) {
        count(&self.retries, code.name());
        add(&self.backoff_ms, millis(delay));
    }

    pub(super) fn renewed(&self) {
        add(&self.token_renewals, 1);
    }

    pub(super) fn stopped(&self, why: &'static str) {
        count(&self.stops, why);
    }

    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> TallySnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let [status2xx, status3xx, status4xx, status5xx] = self.statuses.each_ref().map(read);
        TallySnapshot {
            reads: read(&self.reads),
            writes: read(&self.writes),
            status2xx,
            status3xx,
            status4xx,
            status5xx,
            bytes_sent: read(&self.bytes_sent),
            bytes_received: read(&self.bytes_received),
            throttled_ms: read(&self.throttled_ms),
            backoff_ms: read(&self.backoff_ms),
            token_renewals: read(&self.token_renewals),
            faults: copy(&self.faults),
            retries: copy(&self.retries),
            stops: copy(&self.stops),
        }
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

fn count(counts: &Mutex<BTreeMap<&'static str, u64>>, name: &'static str) {
    *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
}

fn copy(counts: &Mutex<BTreeMap<&'static str, u64>>) -> BTreeMap<&'static str, u64> {
    counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_counted_where_it_belongs() {
        let tally = Tally::default();
        tally.sent(Kind::Write, 10);
        tally.sent(Kind::Read, 0);
        for status in [200, 304, 404, 503, 999, 0] {
            tally.answered(status, 5);
        }
        tally.faulted(FaultKind::Cut);
        tally.retried(Code::RateLimited, Duration::from_millis(40));
        let seen = tally.snapshot();
        assert_eq!((seen.reads, seen.writes, seen.bytes_sent, seen.bytes_received), (1, 1, 10, 30));
        assert_eq!((seen.status2xx, seen.status3xx, seen.status4xx, seen.status5xx), (2, 1, 1, 2));
        assert_eq!((seen.faults["cut"], seen.retries["RATE_LIMITED"], seen.backoff_ms), (1, 1, 40));
    }
}
