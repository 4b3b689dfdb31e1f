//! A flag that can be waited for.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Raised once, for good. Nobody listening costs nothing: each call has several.
#[derive(Debug, Default)]
pub struct Signal {
    is_raised: AtomicBool,
    heard: Notify,
}

impl Signal {
    /// Raises it.
    pub fn raise(&self) {
        self.is_raised.store(true, Ordering::Release);
        self.heard.notify_waiters();
    }

    /// Whether it is raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.is_raised.load(Ordering::Acquire)
    }

    /// Resolves when it is raised; never, if it is not.
    pub async fn raised(&self) {
        // Made before the flag is read: it hears of what is raised from here on.
        let heard = self.heard.notified();
        if !self.is_raised() {
            heard.await;
        }
    }
}
