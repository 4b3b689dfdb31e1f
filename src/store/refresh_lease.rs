//! Whose turn it is to refresh a grant, among all processes that share the store.
//!
//! A lease saves requests, and with rotation grants: who comes second waits, and reads what the first one saved. It is no
//! lock to rely on: a store that does not answer, or an owner who takes too long, lets others refresh too.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::{Change, Expected, Keep, Store, Version};
use crate::clock::{Clock, millis};

/// An owner who did not come to an end in this time is passed over: one exchange with the endpoint, and one save.
const LIFE: Duration = Duration::from_secs(6);
/// What the store may take: a refresh does not wait for it long.
const PATIENCE: Duration = Duration::from_secs(1);
/// Records are overwritten, not deleted; nothing asks for an old one after this.
const KEPT: Duration = Duration::from_hours(1);

/// The leases of one store. Clones share it.
#[derive(Clone)]
pub struct RefreshLeases {
    ledger: Ledger,
}

/// An answer to [`RefreshLeases::take`].
pub enum Taken {
    /// Ours; give it back.
    Ours(RefreshLease),
    /// Another process refreshes this grant now; for this long at most, unless it takes the lease anew.
    Others(Duration),
    /// The store does not say.
    Unknown,
}

/// A lease of ours. Dropped without [`RefreshLease::give_back`], it runs out.
pub struct RefreshLease {
    ledger: Ledger,
    key: String,
    version: Version,
}

#[derive(Serialize, Deserialize)]
struct Value {
    /// Unix ms; 0 when it was given back.
    until: u64,
}

impl RefreshLeases {
    /// The leases kept in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock, random: fn() -> u128) -> Self {
        Self { ledger: Ledger::new(store, clock, random) }
    }

    /// Takes the lease of a grant, named by a hash from which nobody can find the grant.
    pub async fn take(&self, grant: &[u8; 32]) -> Taken {
        let key = grant.iter().fold("surecal:refresh:".to_owned(), |mut key, byte| {
            let _ = write!(key, "{byte:02x}");
            key
        });
        let Ok(there) = self.ledger.get(&key, PATIENCE).await else { return Taken::Unknown };
        let now = self.ledger.clock.wall_ms();
        let until = there.as_ref().and_then(|record| serde_json::from_str::<Value>(&record.value).ok());
        // A time that no owner can have written is a clock gone wrong, and is not waited for.
        let left = until.map_or(0, |value| value.until.saturating_sub(now)).min(millis(LIFE));
        if left > 0 {
            return Taken::Others(Duration::from_millis(left));
        }
        let expected = there.map_or(Expected::Absent, |record| Expected::Version(record.version));
        let (change, version) = self.put(&key, now + millis(LIFE), expected).await;
        match change {
            Change::Applied => Taken::Ours(RefreshLease { ledger: self.ledger.clone(), key, version }),
            Change::Refused => Taken::Others(LIFE),
            Change::Unknown => Taken::Unknown,
        }
    }

    async fn put(&self, key: &str, until: u64, expected: Expected) -> (Change, Version) {
        put(&self.ledger, key, until, expected).await
    }
}

impl RefreshLease {
    /// The next one may go on.
    pub async fn give_back(self) {
        put(&self.ledger, &self.key, 0, Expected::Version(self.version)).await;
    }
}

async fn put(ledger: &Ledger, key: &str, until: u64, expected: Expected) -> (Change, Version) {
    let value = serde_json::to_string(&Value { until }).unwrap_or_default();
    ledger.put(key, value, expected, Keep::For(KEPT), PATIENCE).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    fn leases() -> RefreshLeases {
        let clock = Clock::paused(1_000);
        RefreshLeases::new(Arc::new(MemoryStore::new(clock.clone())), clock, rand::random::<u128>)
    }

    #[tokio::test(start_paused = true)]
    async fn one_has_it_until_it_is_given_back_or_has_run_out() {
        let leases = leases();
        let Taken::Ours(first) = leases.take(&[7; 32]).await else { panic!("it is free") };
        assert!(matches!(leases.take(&[7; 32]).await, Taken::Others(left) if left == LIFE));
        assert!(matches!(leases.take(&[8; 32]).await, Taken::Ours(_)), "another grant has its own");
        first.give_back().await;
        let Taken::Ours(silent) = leases.take(&[7; 32]).await else { panic!("it was given back") };
        tokio::time::sleep(LIFE).await;
        assert!(matches!(leases.take(&[7; 32]).await, Taken::Ours(_)));
        silent.give_back().await;
        assert!(matches!(leases.take(&[7; 32]).await, Taken::Others(_)), "who was passed over gives nothing back");
    }
}
