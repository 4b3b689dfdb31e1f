//! One call's `AbortSignal`, as Rust sees it.

use std::sync::Arc;

use crate::policy::Signal;

/// A flag that can be waited for. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Signal>);

impl Cancel {
    /// Raises it, for good.
    pub fn cancel(&self) {
        self.0.raise();
    }

    /// Resolves when it is raised.
    pub async fn cancelled(&self) {
        self.0.raised().await;
    }
}
