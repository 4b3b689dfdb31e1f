//! The store of one process: a map. What is open in it dies with the process.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::future::ready;
use std::sync::{Mutex, PoisonError};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Slot;

use super::{Expected, Keep, Put, Record, Store, StoreFault, Version, Written};
use crate::clock::Clock;
use crate::google::BoxFuture;

/// Settled values held at most; past it the one that would expire first is forgotten first. Unfinished ones are never
/// forgotten. At about 2 kB each, 100,000 are 200 MB.
const SETTLED_AT_MOST: usize = 100_000;

struct Kept {
    record: Record,
    /// Unix ms; `None` while open.
    expires: Option<u64>,
}

/// See the module.
pub struct MemoryStore {
    clock: Clock,
    values: DashMap<String, Kept>,
    /// When what expires, earliest first; a pair whose time is not the value's own any more is stale.
    expiries: Mutex<BinaryHeap<Reverse<(u64, String)>>>,
    open: Mutex<BTreeSet<String>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, values: DashMap::new(), expiries: Mutex::default(), open: Mutex::default() }
    }

    fn write(&self, put: Put) -> Written {
        let now = self.clock.wall_ms();
        let expires = match put.keep {
            Keep::Open => None,
            Keep::For(time) => Some(now.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))),
        };
        let kept = Kept { record: Record { value: put.value, version: put.version }, expires };
        // Held over the change, so that the list of open keys can't disagree with the values.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match self.values.entry(put.key.clone()) {
            Slot::Occupied(mut slot) => {
                let there = slot.get();
                let live = there.expires.is_none_or(|at| at > now);
                let fits = match &put.expected {
                    Expected::Absent => !live,
                    Expected::Version(version) => live && there.record.version == *version,
                };
                if !fits {
                    return Written::Refused;
                }
                slot.insert(kept);
            }
            Slot::Vacant(slot) => {
                if put.expected != Expected::Absent {
                    return Written::Refused;
                }
                slot.insert(kept);
            }
        }
        match expires {
            None => {
                open.insert(put.key);
            }
            Some(at) => {
                open.remove(&put.key);
                drop(open);
                self.forget(now, at, put.key);
            }
        }
        Written::Applied
    }

    /// Notes one expiry and works off at most two: the cost of a put stays flat whatever the store holds.
    fn forget(&self, now: u64, at: u64, key: String) {
        let mut expiries = self.expiries.lock().unwrap_or_else(PoisonError::into_inner);
        expiries.push(Reverse((at, key)));
        for _ in 0..2 {
            let full = expiries.len() > SETTLED_AT_MOST;
            match expiries.peek() {
                Some(Reverse((at, _))) if full || *at <= now => {}
                _ => return,
            }
            if let Some(Reverse((at, key))) = expiries.pop() {
                self.values.remove_if(&key, |_, kept| kept.expires == Some(at));
            }
        }
    }

    /// How many values are held, for tests and metrics.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Record>, StoreFault>> {
        let now = self.clock.wall_ms();
        let found = self.values.get(key).filter(|kept| kept.expires.is_none_or(|at| at > now));
        Box::pin(ready(Ok(found.map(|kept| kept.record.clone()))))
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written, StoreFault>> {
        Box::pin(ready(Ok(self.write(put))))
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Version) -> BoxFuture<'a, Result<Written, StoreFault>> {
        let removed = self.values.remove_if(key, |_, kept| kept.record.version == expected).is_some();
        if removed {
            self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        }
        Box::pin(ready(Ok(if removed { Written::Applied } else { Written::Refused })))
    }

    fn open<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Record)>, StoreFault>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let found = open
            .into_iter()
            .filter(|key| key.starts_with(prefix))
            .filter_map(|key| self.values.get(&key).map(|kept| (key.clone(), kept.record.clone())))
            .collect();
        Box::pin(ready(Ok(found)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn put(key: &str, expected: Expected, version: u128, keep: Keep) -> Put {
        Put { key: key.into(), value: version.to_string(), expected, version: Version::from_bits(version), keep }
    }

    #[tokio::test(start_paused = true)]
    async fn a_put_is_applied_only_on_what_it_expects() {
        let store = MemoryStore::new(Clock::paused(0));
        let written = async |p| store.put(p).await.unwrap();
        assert_eq!(written(put("a", Expected::Version(Version::from_bits(9)), 1, Keep::Open)).await, Written::Refused);
        assert_eq!(written(put("a", Expected::Absent, 1, Keep::Open)).await, Written::Applied);
        assert_eq!(written(put("a", Expected::Absent, 2, Keep::Open)).await, Written::Refused);
        assert_eq!(written(put("a", Expected::Version(Version::from_bits(1)), 2, Keep::Open)).await, Written::Applied);
        assert_eq!(store.get("a").await.unwrap().unwrap().value, "2");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_settled_is_forgotten_after_its_time_and_what_is_open_never() {
        let store = MemoryStore::new(Clock::paused(0));
        store.put(put("open", Expected::Absent, 1, Keep::Open)).await.unwrap();
        store.put(put("done", Expected::Absent, 1, Keep::For(HOUR))).await.unwrap();
        tokio::time::advance(HOUR * 2).await;
        assert!(store.get("done").await.unwrap().is_none());
        store.put(put("next", Expected::Absent, 1, Keep::For(HOUR))).await.unwrap();
        assert_eq!(store.len(), 2, "the expired value is gone from memory as well");
        assert_eq!(store.open("o").await.unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_that_was_written_again_does_not_expire_at_its_first_time() {
        let store = MemoryStore::new(Clock::paused(0));
        store.put(put("a", Expected::Absent, 1, Keep::For(HOUR))).await.unwrap();
        tokio::time::advance(HOUR / 2).await;
        store.put(put("a", Expected::Version(Version::from_bits(1)), 2, Keep::For(HOUR))).await.unwrap();
        tokio::time::advance(HOUR * 3 / 4).await;
        store.put(put("b", Expected::Absent, 1, Keep::For(HOUR))).await.unwrap();
        assert_eq!(store.get("a").await.unwrap().unwrap().value, "2");
    }
}
