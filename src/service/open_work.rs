//! How much is open: writes under way and clean-ups. While it is not zero the process had better not end.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// A counter that can be waited on. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct OpenWork(watch::Sender<usize>);

/// Counts as one until dropped.
#[derive(Debug)]
pub(super) struct Open(watch::Sender<usize>);

impl Default for OpenWork {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl OpenWork {
    pub(super) fn begin(&self) -> Open {
        self.0.send_modify(|open| *open += 1);
        Open(self.0.clone())
    }

    pub(super) fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until nothing is open, at most `most`. Whether nothing is.
    pub(super) async fn drained(&self, most: Duration) -> bool {
        let mut seen = self.0.subscribe();
        timeout(most, seen.wait_for(|open| *open == 0)).await.is_ok()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}
