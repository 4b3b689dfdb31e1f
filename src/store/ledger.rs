//! A store whose puts are known to be applied or refused, as far as the time allows.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Change, Expected, Keep, Put, Record, Store, StoreFault, Version, Written};
use crate::clock::Clock;

/// What one attempt to reach the store may take before it is asked again.
const PATIENCE: Duration = Duration::from_secs(1);
/// Gaps between attempts: doubling.
const FIRST_GAP: Duration = Duration::from_millis(20);
const LAST_GAP: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Clone)]
pub(super) struct Ledger {
    store: Arc<dyn Store>,
    pub(super) clock: Clock,
    pub(super) random: fn() -> u128,
}

impl Ledger {
    pub(super) const fn new(store: Arc<dyn Store>, clock: Clock, random: fn() -> u128) -> Self {
        Self { store, clock, random }
    }

    /// Asked until it answers or the time is over.
    pub(super) async fn get(&self, key: &str, left: Duration) -> Result<Option<Record>, StoreFault> {
        let ends = self.clock.now() + left;
        let mut gap = FIRST_GAP;
        loop {
            let left = ends.saturating_duration_since(self.clock.now());
            let answer = within(left.min(PATIENCE), self.store.get(key)).await;
            if answer.is_ok() || ends.saturating_duration_since(self.clock.now()) <= gap {
                return answer;
            }
            sleep(gap).await;
            gap = (gap * 2).min(LAST_GAP);
        }
    }

    pub(super) async fn open(&self, prefix: &str, left: Duration) -> Result<Vec<(String, Record)>, StoreFault> {
        within(left, self.store.open(prefix)).await
    }

    /// A put whose fate is known, as far as `left` allows: after a fault the nonce is looked for, and the same put is
    /// sent again, which can do no harm, since whichever of the two lands second is refused.
    pub(super) async fn put(
        &self,
        key: &str,
        value: String,
        expected: Expected,
        keep: Keep,
        mut left: Duration,
    ) -> (Change, Version) {
        let version = Version::from_bits((self.random)());
        let put = Put { key: key.to_owned(), value, expected, version: version.clone(), keep };
        let mut gap = FIRST_GAP;
        let ends = self.clock.now() + left;
        loop {
            match within(left.min(PATIENCE), self.store.put(put.clone())).await {
                Ok(Written::Applied) => return (Change::Applied, version),
                Ok(Written::Refused) | Err(_) => {}
            }
            left = ends.saturating_duration_since(self.clock.now());
            match within(left.min(PATIENCE), self.store.get(key)).await {
                Ok(Some(record)) if record.version == version => return (Change::Applied, version),
                Ok(there) if !expectation_holds(&put.expected, there.as_ref()) => return (Change::Refused, version),
                Ok(_) | Err(_) => {}
            }
            if ends.saturating_duration_since(self.clock.now()) <= gap {
                return (Change::Unknown, version);
            }
            sleep(gap).await;
            gap = (gap * 2).min(LAST_GAP);
            left = ends.saturating_duration_since(self.clock.now());
        }
    }
}

fn expectation_holds(expected: &Expected, there: Option<&Record>) -> bool {
    match (expected, there) {
        (Expected::Absent, None) => true,
        (Expected::Version(version), Some(record)) => record.version == *version,
        _ => false,
    }
}

async fn within<T>(left: Duration, work: impl Future<Output = Result<T, StoreFault>>) -> Result<T, StoreFault> {
    tokio::pin!(work);
    // A store in this process has answered already: it needs no timer.
    if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        return answer;
    }
    timeout(left, work).await.unwrap_or(Err(StoreFault { what: "no answer in time" }))
}
