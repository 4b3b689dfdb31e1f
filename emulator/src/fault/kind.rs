//! The kinds of fault.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// On which side of the commit a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// The request is lost: nothing is changed.
    #[default]
    Before,
    /// The reply is lost: the change is made.
    After,
}

const fn after() -> When {
    When::After
}

const fn keep_bytes() -> Option<usize> {
    None
}

const fn drip_ms() -> u64 {
    100
}

const fn drip_bytes() -> usize {
    16
}

/// One way to go wrong. Faults that replace the reply strike before the commit unless told otherwise; those that
/// spoil the real reply (`truncate`, `drip`, `bigBody`) after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The connection is reset.
    Reset {
        /// Side of the commit.
        #[serde(default)]
        when: When,
    },
    /// No answer comes.
    Hang {
        /// Side of the commit.
        #[serde(default)]
        when: When,
    },
    /// An error status with Google's body for it.
    Status {
        /// Side of the commit.
        #[serde(default)]
        when: When,
        /// The HTTP status.
        status: u16,
        /// `errors[].reason` (token endpoint: the `error` word); the usual one of the status when absent.
        reason: Option<String>,
        /// A `Retry-After` header.
        retry_after_seconds: Option<u64>,
        /// `errors[].domain`.
        domain: Option<String>,
        /// `errors[].message`.
        message: Option<String>,
    },
    /// The reply's body stops in the middle.
    Truncate {
        /// Side of the commit.
        #[serde(default = "after")]
        when: When,
        /// Bytes of the body that arrive; half of them when absent.
        #[serde(default = "keep_bytes")]
        keep_bytes: Option<usize>,
    },
    /// 200 with a page of HTML.
    Html {
        /// Side of the commit.
        #[serde(default)]
        when: When,
    },
    /// The reply comes in small pieces.
    Drip {
        /// Side of the commit.
        #[serde(default = "after")]
        when: When,
        /// Milliseconds before each piece.
        #[serde(default = "drip_ms")]
        every_ms: u64,
        /// Bytes in a piece.
        #[serde(default = "drip_bytes")]
        chunk_bytes: usize,
    },
    /// 200 with the full reply, and nothing stored.
    Drop,
    /// 200 with the reply that was hoped for, and something else stored.
    Corrupt {
        /// Merged over what is stored (null deletes); the summary is garbled when absent.
        fields: Option<Map<String, Value>>,
    },
    /// Nobody sees the new event for a while, but its id is taken.
    DelayedVisibility {
        /// How long.
        ms: u64,
    },
    /// Readers see the state before the write for a while. On `events.get`: this read and those after it.
    Stale {
        /// How long.
        ms: u64,
    },
    /// 412 although the etag is right.
    Precondition,
    /// The request hangs, and is applied later, with its id and `If-Match` checked then.
    Late {
        /// When; only by `release` when absent.
        after_ms: Option<u64>,
    },
    /// 302.
    Redirect {
        /// Where to.
        location: String,
        /// Side of the commit.
        #[serde(default)]
        when: When,
    },
    /// The reply, and behind it spaces up to this many bytes: still JSON.
    BigBody {
        /// How many.
        bytes: usize,
        /// Side of the commit.
        #[serde(default = "after")]
        when: When,
    },
    /// The reply comes later. The change is made at once.
    Latency {
        /// How much later.
        ms: u64,
    },
    /// HTTP/2: `RST_STREAM(REFUSED_STREAM)`, nothing done. HTTP/1.1: a reset before.
    RefusedStream,
    /// Token endpoint: 400 `invalid_grant`. The grant itself stays alive.
    InvalidGrant,
    /// Token endpoint: the reply carries a new refresh token, and the old one dies.
    Rotate,
}

impl Fault {
    /// A status with Google's usual body, before the commit.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self::status_when(status, When::Before)
    }

    /// A status with Google's usual body.
    #[must_use]
    pub const fn status_when(status: u16, when: When) -> Self {
        Self::Status { when, status, reason: None, retry_after_seconds: None, domain: None, message: None }
    }

    /// A 403 with this reason, before the commit.
    #[must_use]
    pub fn forbidden(reason: &str) -> Self {
        let reason = Some(reason.to_owned());
        Self::Status { when: When::Before, status: 403, reason, retry_after_seconds: None, domain: None, message: None }
    }

    /// The whole reply, slowly, after the commit.
    #[must_use]
    pub const fn drip(every_ms: u64, chunk_bytes: usize) -> Self {
        Self::Drip { when: When::After, every_ms, chunk_bytes }
    }

    /// Half of the reply, after the commit.
    #[must_use]
    pub const fn truncate() -> Self {
        Self::Truncate { when: When::After, keep_bytes: None }
    }

    /// Its name in a rule.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Reset { .. } => "reset",
            Self::Hang { .. } => "hang",
            Self::Status { .. } => "status",
            Self::Truncate { .. } => "truncate",
            Self::Html { .. } => "html",
            Self::Drip { .. } => "drip",
            Self::Drop => "drop",
            Self::Corrupt { .. } => "corrupt",
            Self::DelayedVisibility { .. } => "delayedVisibility",
            Self::Stale { .. } => "stale",
            Self::Precondition => "precondition",
            Self::Late { .. } => "late",
            Self::Redirect { .. } => "redirect",
            Self::BigBody { .. } => "bigBody",
            Self::Latency { .. } => "latency",
            Self::RefusedStream => "refusedStream",
            Self::InvalidGrant => "invalidGrant",
            Self::Rotate => "rotate",
        }
    }

    /// Its side of the commit, if it has a choice.
    #[must_use]
    pub const fn when(&self) -> Option<When> {
        match self {
            Self::Reset { when }
            | Self::Hang { when }
            | Self::Status { when, .. }
            | Self::Truncate { when, .. }
            | Self::Html { when }
            | Self::Drip { when, .. }
            | Self::Redirect { when, .. }
            | Self::BigBody { when, .. } => Some(*when),
            _ => None,
        }
    }

    /// How the log names it: `reset after`, `status 503 before`, `drop`.
    pub(crate) fn label(&self) -> String {
        let kind = match self {
            Self::Status { status, .. } => format!("status {status}"),
            other => other.kind().to_owned(),
        };
        match self.when() {
            None => kind,
            Some(When::Before) => format!("{kind} before"),
            Some(When::After) => format!("{kind} after"),
        }
    }
}
