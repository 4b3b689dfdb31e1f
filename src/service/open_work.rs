//! How much is open: writes under way and clean-ups. While it is not zero the process had better not end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// A counter that can be waited on. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenWork(Arc<Counter>);

#[derive(Debug, Default)]
struct Counter {
    open: AtomicUsize,
    /// Told each time nothing is open any more.
    none_left: Notify,
}

/// Counts as one until dropped.
#[derive(Debug)]
pub(super) struct Open(Arc<Counter>);

impl OpenWork {
    pub(super) fn begin(&self) -> Open {
        self.0.open.fetch_add(1, Ordering::AcqRel);
        Open(Arc::clone(&self.0))
    }

    pub(super) fn count(&self) -> usize {
        self.0.open.load(Ordering::Acquire)
    }

    /// Waits until nothing is open, at most `most`. Whether nothing is.
    pub(super) async fn drained(&self, most: Duration) -> bool {
        let nothing_open = async {
            loop {
                // Made before the count is read: it hears of what is over from here on.
                let none_left = self.0.none_left.notified();
                if self.count() == 0 {
                    return;
                }
                none_left.await;
            }
        };
        timeout(most, nothing_open).await.is_ok()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}
