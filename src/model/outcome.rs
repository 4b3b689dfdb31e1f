//! What may have happened in the calendar: the one question every error answers.

use serde::{Deserialize, Serialize};

/// "Is it in the calendar?", as far as this process can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing of this operation ever reached Google.
    NotSent,
    /// Google, or a check before the write, refused it: nothing changed.
    Rejected,
    /// A write was sent and its fate is not known; it is being cleaned up and listed by `pending()`.
    Unknown,
    /// The write is in the calendar although the operation failed.
    Applied,
}

impl Outcome {
    /// The name JS sees.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Applied => "applied",
        }
    }
}
