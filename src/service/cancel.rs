//! One call's `AbortSignal`, as Rust sees it.

use tokio::sync::watch;

/// A flag that can be waited for. Clones share it.
#[derive(Debug, Clone)]
pub struct Cancel(watch::Sender<bool>);

impl Default for Cancel {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Cancel {
    /// Raises it, for good.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Resolves when it is raised.
    pub async fn cancelled(&self) {
        let mut seen = self.0.subscribe();
        // Cannot fail: `self` holds the sender.
        let _ = seen.wait_for(|raised| *raised).await;
    }
}
