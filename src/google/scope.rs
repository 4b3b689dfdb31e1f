//! What all exchanges of one call share.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::BoxFuture;
use super::quota_user::QuotaUser;
use super::token::{Credentials, Token};
use crate::clock::{Clock, millis};
use crate::model::CalendarError;
use crate::policy::Deadline;

/// Tokens a call asks for one after the other when Google refuses them. The first answer may be one that another call or
/// process got before, and dead as well; the second is new, and refused it says that the trouble is the account.
const RENEWALS: usize = 2;

/// Answers whether the call still owns its journal entry. Asked before each send, so it must be quick and not block.
pub type Lease = Arc<dyn Fn() -> bool + Send + Sync>;

/// Resolves when others have waited long enough behind a write that is under way. Asked anew for each send.
pub type Hurry = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// On whose behalf, for how long and how often: one per call (and one per clean-up, with its own deadline).
pub struct Scope {
    /// Whose quota and which calendar `primary` means.
    pub user: String,
    /// The method as JS names it (`createEvent`); messages start with it.
    pub operation: &'static str,
    /// Where the access token comes from.
    pub credentials: Arc<dyn Credentials>,
    /// When the call must have settled.
    pub deadline: Deadline,
    /// The most one HTTP exchange may take.
    pub attempt_timeout: Duration,
    /// Repeats of one exchange, at most.
    pub max_retries: u32,
    /// The call's own `quotaUser`; `None`: the configuration's.
    pub quota_user: Option<QuotaUser>,
    /// `false`: another process has taken over; send nothing more. `None`: nothing to lose.
    pub lease: Option<Lease>,
    /// Ends a write's exchange early, as if its own time were up: its fate is not known then. Waits before and between sends
    /// are not cut short. `None`: nobody waits.
    pub hurry: Option<Hurry>,
    is_beside: bool,
    attempts: AtomicU32,
    /// The tokens got after a 401, at most [`RENEWALS`].
    renewed: Mutex<Vec<Token>>,
}

impl Scope {
    /// A scope without a lease; set the public fields to change it.
    #[must_use]
    pub fn new(
        user: impl Into<String>,
        operation: &'static str,
        credentials: Arc<dyn Credentials>,
        deadline: Deadline,
        attempt_timeout: Duration,
        max_retries: u32,
    ) -> Self {
        Self {
            user: user.into(),
            operation,
            credentials,
            deadline,
            attempt_timeout,
            max_retries,
            quota_user: None,
            lease: None,
            hurry: None,
            is_beside: false,
            attempts: AtomicU32::new(0),
            renewed: Mutex::new(Vec::new()),
        }
    }

    /// The same call's scope, asking `lease` before each send.
    #[must_use]
    pub fn with_lease(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self
    }

    /// HTTP exchanges begun so far.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// A scope for reads on the side of this one's writes: the same call, credentials, lease and time, no repeats.
    #[must_use]
    pub fn beside(&self) -> Self {
        let credentials = Arc::clone(&self.credentials);
        let (user, deadline) = (self.user.clone(), self.deadline.clone());
        let mut beside = Self::new(user, self.operation, credentials, deadline, self.attempt_timeout, 0);
        beside.quota_user.clone_from(&self.quota_user);
        beside.lease.clone_from(&self.lease);
        beside.is_beside = true;
        beside
    }

    /// Counts what was begun in a scope beside this one.
    pub fn count_beside(&self, beside: &Self) {
        self.attempts.fetch_add(beside.attempts(), Ordering::Relaxed);
    }

    /// An error with what this scope knows about the call.
    pub(super) fn fill(&self, mut error: CalendarError, clock: &Clock) -> CalendarError {
        error.operation = Some(self.operation);
        error.attempts = self.attempts();
        error.elapsed_ms = millis(clock.now().saturating_duration_since(self.deadline.started()));
        error
    }

    pub(super) const fn is_beside(&self) -> bool {
        self.is_beside
    }

    pub(super) fn count_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) async fn hurried(&self) {
        match &self.hurry {
            Some(hurry) => hurry().await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn holds_lease(&self) -> bool {
        self.lease.as_ref().is_none_or(|held| held())
    }

    /// Whether another token may be asked for, Google having refused `token`.
    pub(super) fn may_renew(&self, token: &Token) -> bool {
        let renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.len() < RENEWALS || !renewed.contains(token)
    }

    pub(super) fn renewed(&self, token: &Token) {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed.len() == RENEWALS {
            renewed.remove(0);
        }
        renewed.push(token.clone());
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({}, attempts {})", self.operation, self.attempts())
    }
}
