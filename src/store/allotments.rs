//! The shared count of a rate, in the store.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::{Change, Expected, Keep, Store};
use crate::clock::Clock;
use crate::google::{Allotter, BoxFuture};
use crate::policy::allotment::{Share, allot};

/// What the store may take: a request waits for it.
const PATIENCE: Duration = Duration::from_millis(500);
/// Others who were quicker, one after the other, before one's turn is put off.
const TRIES: u32 = 8;
const PUT_OFF: Duration = Duration::from_millis(20);
/// A rate at rest is forgotten after this.
const KEPT: Duration = Duration::from_hours(1);

/// Rates in a store. Names are hashes: no user is named.
#[derive(Clone)]
pub struct Allotments {
    ledger: Ledger,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Value {
    /// Unix µs.
    rested_at: u64,
}

impl Allotments {
    /// The rates kept in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock, random: fn() -> u128) -> Self {
        Self { ledger: Ledger::new(store, clock, random) }
    }

    async fn take(&self, name: &str, per_minute: u32, wanted: u32) -> Option<Share> {
        let key = format!("surecal:rate:{name}");
        for _ in 0..TRIES {
            let there = self.ledger.get(&key, PATIENCE).await.ok()?;
            let value = there.as_ref().and_then(|record| serde_json::from_str::<Value>(&record.value).ok());
            let rested_at = value.map_or(0, |value| value.rested_at);
            let share = allot(rested_at, self.ledger.clock.wall_ms().saturating_mul(1_000), per_minute, wanted);
            if share.granted == 0 {
                return Some(share);
            }
            let value = serde_json::to_string(&Value { rested_at: share.rested_at }).ok()?;
            let expected = there.map_or(Expected::Absent, |record| Expected::Version(record.version));
            match self.ledger.put(&key, value, expected, Keep::For(KEPT), PATIENCE).await.0 {
                Change::Applied => return Some(share),
                Change::Refused => {}
                Change::Unknown => return None,
            }
        }
        Some(Share { granted: 0, rested_at: 0, wait: PUT_OFF })
    }
}

impl Allotter for Allotments {
    fn allot<'a>(&'a self, name: &'a str, per_minute: u32, wanted: u32) -> BoxFuture<'a, Option<Share>> {
        Box::pin(self.take(name, per_minute, wanted))
    }
}
