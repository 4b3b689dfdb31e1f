//! What calls came to, in numbers. No names: people read them who must not see whose calendar it was.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::google::TallySnapshot;
use crate::model::Code;

/// Calls of one method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
    /// Milliseconds of all calls together.
    pub total_ms: u64,
    /// Milliseconds of the slowest call.
    pub slowest_ms: u64,
}

/// What `metrics()` returns.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricsSnapshot {
    /// By method, as JS names it.
    pub operations: BTreeMap<&'static str, OperationCount>,
    /// HTTP exchanges with Google.
    pub google: TallySnapshot,
    /// Calls at work now.
    pub in_flight: usize,
    /// Attempts and clean-ups that are open now.
    pub open_work: usize,
    /// Clean-ups closed after their call was answered.
    pub settled: u64,
}

/// How one call ended.
#[expect(clippy::struct_excessive_bools, reason = "each is counted by itself")]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ending {
    pub(super) verified: bool,
    pub(super) replayed: bool,
    pub(super) repaired: bool,
    pub(super) unverified: bool,
    pub(super) failed: Option<Code>,
}

/// Counters since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics(Mutex<BTreeMap<&'static str, OperationCount>>);

impl Metrics {
    pub(super) fn count(&self, operation: &'static str, ending: Ending, took: Duration) {
        let mut operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = operations.entry(operation).or_default();
        match ending.failed {
            Some(code) => *count.failed.entry(code.name()).or_default() += 1,
            None if ending.unverified => count.unverified += 1,
            None => {
                count.succeeded += 1;
                count.verified += u64::from(ending.verified);
                count.replayed += u64::from(ending.replayed);
                count.repaired += u64::from(ending.repaired);
            }
        }
        let millis = crate::clock::millis(took);
        count.total_ms += millis;
        count.slowest_ms = count.slowest_ms.max(millis);
    }

    pub(super) fn operations(&self) -> BTreeMap<&'static str, OperationCount> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
