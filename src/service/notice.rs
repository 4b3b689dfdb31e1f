//! What a service tells without being asked: settled clean-ups and log lines.

use std::sync::Arc;

use serde::Serialize;

use crate::store::Disposal;

/// Where notices go. Must not block.
pub type Listener = Arc<dyn Fn(Notice) + Send + Sync>;

/// How loud a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Details.
    Debug,
    /// What happens once in a while.
    Info,
    /// What somebody should look at.
    Warn,
    /// What somebody must look at.
    Error,
}

/// See the module. Holds no token, no address of a guest and no event text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Notice {
    /// An attempt whose call was answered before is closed now.
    #[serde(rename_all = "camelCase")]
    Settled {
        /// The method.
        operation: String,
        /// Whose calendar.
        user_id: String,
        /// Which event.
        event_id: String,
        /// What became of it: `deleted` or `kept`.
        settled: Disposal,
    },
    /// Fresh tokens wait for a caller's auth object; the tokens themselves are fetched, not told.
    #[serde(rename_all = "camelCase")]
    Tokens {
        /// Which object.
        auth_ref: u32,
    },
    /// A log line.
    Log {
        /// How loud.
        level: Level,
        /// What.
        message: String,
    },
}
