//! Why the send loop stopped, told as an error: what happened, what may be in the calendar, what to do.

use std::time::Duration;

use super::error_body;
use super::fault::describe;
use super::scope::Scope;
use super::send::{Answer, Reply};
use super::transport::{FaultKind, HttpReply, TransportFault};
use super::wait::Over;
use crate::clock::{Clock, millis};
use crate::model::{CalendarError, Code, Outcome};
use crate::policy::{Kind, Seen, Verdict};

/// What ended the loop.
#[derive(Debug)]
pub(super) enum Why {
    /// The deadline passed.
    TimedOut,
    /// The deadline was cancelled.
    Cancelled,
    /// Another process has taken the operation over.
    LeaseLost,
    /// The user is over a limit that lasts for hours; for how long we hold back writes.
    Parked(Duration),
    /// Our own rate limit; how long its wait would have been.
    Throttled(Duration),
    /// No token came before the deadline.
    NoToken,
    /// There is no token.
    Credentials(Box<CalendarError>),
    /// A verdict after which nothing is sent again.
    Final(Verdict),
    /// Trouble that outlasted the retries.
    RetriesUsed(Code),
    /// Trouble, during an outage.
    BudgetSpent(Code),
    /// Trouble, and the wait before the next try would pass the deadline.
    NoRoom(Code, Duration),
}

impl Why {
    /// The name in metrics.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::TimedOut | Self::NoRoom(..) | Self::NoToken => "deadline",
            Self::Cancelled => "cancelled",
            Self::LeaseLost => "lease",
            Self::Parked(_) => "parked",
            Self::Throttled(_) => "throttled",
            Self::Credentials(_) => "credentials",
            Self::Final(_) => "final",
            Self::RetriesUsed(_) => "retries",
            Self::BudgetSpent(_) => "budget",
        }
    }
}

impl From<Over> for Why {
    fn from(over: Over) -> Self {
        match over {
            Over::TimedOut => Self::TimedOut,
            Over::Cancelled => Self::Cancelled,
        }
    }
}

/// What one exchange has gone through so far.
pub(super) struct Course<'a> {
    pub(super) scope: &'a Scope,
    clock: &'a Clock,
    kind: Kind,
    /// The worst that any send of it may have done.
    outcome: Outcome,
    status: Option<u16>,
    reason: Option<String>,
    fault: Option<FaultKind>,
}

impl<'a> Course<'a> {
    pub(super) const fn new(scope: &'a Scope, clock: &'a Clock, kind: Kind) -> Self {
        Self { scope, clock, kind, outcome: Outcome::NotSent, status: None, reason: None, fault: None }
    }

    /// Takes note of what a send brought.
    pub(super) fn note(&mut self, result: &Result<HttpReply, TransportFault>) -> Seen<'_> {
        match result {
            Ok(reply) => {
                self.status = Some(reply.status);
                self.reason = if reply.status < 400 { None } else { error_body::reason(&reply.body) };
                self.fault = None;
                if (400..500).contains(&reply.status) {
                    self.outcome = Outcome::Rejected;
                }
                Seen::Reply(reply.status, self.reason.as_deref())
            }
            Err(fault) => {
                self.status = None;
                self.reason = None;
                self.fault = Some(fault.kind);
                Seen::Fault(*fault)
            }
        }
    }

    /// The settled exchange.
    pub(super) fn reply<T>(&mut self, answer: Answer<T>) -> Reply<T> {
        Reply { answer, status: self.status.unwrap_or_default(), reason: self.reason.take() }
    }

    /// The stop, as the caller hears it.
    pub(super) fn error(&mut self, why: Why) -> CalendarError {
        let what = self.what();
        let (code, told) = match why {
            Why::Credentials(error) => return self.without_token(*error),
            Why::NoToken => (
                Code::GoogleAuthFailed,
                format!(
                    "the access token was not refreshed before the call timed out after {}ms",
                    self.scope.deadline.timeout_ms()
                ),
            ),
            Why::Cancelled => (Code::Aborted, "it was cancelled".to_owned()),
            Why::LeaseLost => {
                self.reason = Some("leaseLost".to_owned());
                (Code::Conflict, "another process has taken this operation over".to_owned())
            }
            Why::Parked(left) => (
                Code::QuotaExceeded,
                format!(
                    "this user is over Google's usage limits, which last for hours; writes are held back for another {} min",
                    left.as_secs().div_ceil(60)
                ),
            ),
            Why::Throttled(wait) => (
                Code::RateLimited,
                format!(
                    "the limit of requests per minute is used up, and a turn in {} ms comes too late",
                    millis(wait)
                ),
            ),
            Why::RetriesUsed(code) => (code, format!("{what}, {} retries notwithstanding", self.scope.max_retries)),
            Why::BudgetSpent(code) => (code, format!("{what}, and so do most requests now: no retry was made")),
            // An attempt that timed out, and then the call: a timeout, wherever exactly the last moment went.
            Why::TimedOut | Why::NoRoom(Code::Timeout, _) => return self.timed_out(),
            Why::NoRoom(code, delay) => {
                (code, format!("{what}, and the next try in {} ms comes too late", millis(delay)))
            }
            Why::Final(verdict) => match self.last_word(verdict, what) {
                Some(told) => told,
                None => return self.timed_out(),
            },
        };
        self.tell(code, &format!("failed: {told}"))
    }

    /// `None`: the call's deadline ended the last attempt.
    fn last_word(&mut self, verdict: Verdict, what: String) -> Option<(Code, String)> {
        let status = self.status.unwrap_or_default();
        Some(match verdict {
            Verdict::Unknown(code) => {
                self.outcome = Outcome::Unknown;
                if self.fault == Some(FaultKind::Timeout) && self.scope.deadline.left(self.clock.now()).is_zero() {
                    return None;
                }
                (code, what)
            }
            Verdict::Park => {
                (Code::QuotaExceeded, format!("{what}: this user is over usage limits, which last for hours"))
            }
            Verdict::RefreshToken => {
                (Code::GoogleAuthFailed, "Google refused the access token, and a fresh one as well".to_owned())
            }
            Verdict::Refuse(Code::PermissionDenied) => (
                Code::PermissionDenied,
                format!("{what}: this user, or the scopes they granted, do not allow it; a retry will not help"),
            ),
            Verdict::Refuse(Code::ValidationFailed) => (
                Code::ValidationFailed,
                format!("{what}: Google finds the request wrong; correct it, a retry will not help"),
            ),
            Verdict::Refuse(code) => (code, what),
            _ => (Code::Internal, format!("an answer (HTTP {status}) was not understood")),
        })
    }

    /// What went wrong in the last exchange.
    fn what(&self) -> String {
        match (self.fault, self.status, &self.reason) {
            (Some(fault), ..) => describe(fault).to_owned(),
            (None, Some(status), Some(reason)) => format!("Google answered HTTP {status} ({reason})"),
            (None, Some(status), None) => format!("Google answered HTTP {status}"),
            (None, None, _) => "nothing was sent".to_owned(),
        }
    }

    fn timed_out(&self) -> CalendarError {
        self.tell(Code::Timeout, &format!("timed out after {}ms", self.scope.deadline.timeout_ms()))
    }

    fn without_token(&self, error: CalendarError) -> CalendarError {
        let (status, reason) = (error.status.or(self.status), error.reason.clone().or_else(|| self.reason.clone()));
        CalendarError { status, reason, ..self.scope.fill(error, self.clock) }
    }

    fn tell(&self, code: Code, told: &str) -> CalendarError {
        let fate = match (self.kind, self.outcome) {
            (Kind::Read, _) => "The exchange that failed was a read; it changed nothing.",
            (Kind::Write, Outcome::NotSent) => "Nothing of this write reached the calendar.",
            (Kind::Write, Outcome::Rejected) => "Google did not apply this write.",
            (Kind::Write, _) => "The write was sent, and may or may not be in the calendar.",
        };
        let separator = if code == Code::Timeout && told.starts_with("timed out") { ": " } else { ". " };
        let message = format!("{} {told}{separator}{fate}", self.scope.operation);
        let mut error = CalendarError::new(code, self.outcome, message);
        error.status = self.status;
        error.reason.clone_from(&self.reason);
        if let Some(fault) = self.fault.filter(|fault| fault.is_lasting()) {
            error.retryable = false;
            error.reason = Some(fault.name().to_owned());
        }
        self.scope.fill(error, self.clock)
    }
}
