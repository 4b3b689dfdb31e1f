//! Renewals of access tokens, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::google::{GrantFailure, Issued};

/// How long one answer of the endpoint speaks for it.
const NEWS: Duration = Duration::from_mins(1);

/// Counters since the start.
#[derive(Debug, Default)]
pub(in crate::service) struct TokenTally {
    refreshed: AtomicU64,
    dead: AtomicU64,
    misconfigured: AtomicU64,
    failed: AtomicU64,
    retries: AtomicU64,
    last: Mutex<Option<(Instant, bool)>>,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenCount {
    /// Access tokens that the endpoint gave.
    pub refreshed: u64,
    /// Grants found dead: their users must reconnect.
    pub dead: u64,
    /// Renewals refused because the app's client is configured wrong.
    pub misconfigured: u64,
    /// Renewals given up: the endpoint or the network did not work.
    pub failed: u64,
    /// Exchanges that were made again.
    pub retries: u64,
}

/// Whether the token endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Reached {
    Up,
    Down,
    Unknown,
}

impl Reached {
    pub(in crate::service) const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

impl TokenTally {
    /// One exchange, which may be made again.
    pub(super) fn exchanged(&self, now: Instant, result: &Result<Issued, GrantFailure>) {
        let up = !matches!(result, Err(GrantFailure::Passing(_) | GrantFailure::Unreachable(_)));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, up));
    }

    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// A renewal is over, retries and all.
    pub(super) fn settled(&self, result: &Result<Issued, GrantFailure>) {
        let counter = match result {
            Ok(_) => &self.refreshed,
            Err(GrantFailure::Dead) => &self.dead,
            Err(GrantFailure::Misconfigured(_)) => &self.misconfigured,
            Err(GrantFailure::Passing(_) | GrantFailure::Unreachable(_)) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::service) fn count(&self) -> TokenCount {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TokenCount {
            refreshed: read(&self.refreshed),
            dead: read(&self.dead),
            misconfigured: read(&self.misconfigured),
            failed: read(&self.failed),
            retries: read(&self.retries),
        }
    }

    pub(in crate::service) fn reached(&self, now: Instant) -> Reached {
        match *self.last.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((at, up)) if now.saturating_duration_since(at) < NEWS => {
                if up {
                    Reached::Up
                } else {
                    Reached::Down
                }
            }
            _ => Reached::Unknown,
        }
    }
}
