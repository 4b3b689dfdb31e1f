//! The one error type: what it is, what may have happened in the calendar, what to do next.
//!
//! Nothing in an error may hold a token, a secret, an attendee's address or event text: messages are made of our own
//! words, field names, numbers, HTTP statuses and Google's *reason* words, never of bodies, URLs or values.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::outcome::Outcome;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $http:literal, $retryable:literal;)+) => {
        /// What went wrong, as a stable word. The table is held against docs/reference.md and `index.d.ts` by a test.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// Every code, in the order of the table in docs/reference.md.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word JS sees in `error.code`.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name,)+ } }

            /// The HTTP status an Express app answers with.
            #[must_use]
            pub const fn http_status(self) -> u16 { match self { $(Self::$variant => $http,)+ } }

            /// Whether the same call may succeed later without anybody changing anything.
            #[must_use]
            pub const fn retryable(self) -> bool { match self { $(Self::$variant => $retryable,)+ } }
        }
    };
}

codes! {
    /// The input is wrong; nothing was sent.
    ValidationFailed = "VALIDATION_FAILED", 400, false;
    /// The deadline passed.
    Timeout = "TIMEOUT", 504, true;
    /// The network failed: refused, reset, cut, not JSON.
    NetworkError = "NETWORK_ERROR", 502, true;
    /// Google answered 5xx.
    ServerError = "SERVER_ERROR", 502, true;
    /// Google, or the local rate limit, said "slower".
    RateLimited = "RATE_LIMITED", 429, true;
    /// Google's usage limits, which last for hours.
    QuotaExceeded = "QUOTA_EXCEEDED", 429, false;
    /// The grant is dead or missing: the user must reconnect.
    GoogleAuthRequired = "GOOGLE_AUTH_REQUIRED", 401, false;
    /// The token could not be refreshed now.
    GoogleAuthFailed = "GOOGLE_AUTH_FAILED", 401, true;
    /// Google refuses this user or this scope.
    PermissionDenied = "PERMISSION_DENIED", 403, false;
    /// No such event or calendar, or not visible to this user.
    NotFound = "NOT_FOUND", 404, false;
    /// What was written could not be read back as it was asked for.
    VerificationFailed = "VERIFICATION_FAILED", 502, true;
    /// One idempotency key was used for two different requests.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", 422, false;
    /// The first request with this key is still running.
    IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS", 409, true;
    /// The calendar is in a state in which the operation makes no sense.
    Conflict = "CONFLICT", 409, false;
    /// The event changed between read and write, more often than we retry.
    PreconditionFailed = "PRECONDITION_FAILED", 412, true;
    /// Google hides the guest list from this user.
    AttendeesHidden = "ATTENDEES_HIDDEN", 422, false;
    /// The store of claims and journal does not answer.
    StoreUnavailable = "STORE_UNAVAILABLE", 503, true;
    /// `maxInFlight` stayed full past the deadline.
    Overloaded = "OVERLOADED", 503, true;
    /// The caller's `AbortSignal` fired.
    Aborted = "ABORTED", 499, false;
    /// The service was closed.
    Closed = "CLOSED", 503, false;
    /// The configuration is wrong.
    Configuration = "CONFIGURATION", 500, false;
    /// A fault of surecal itself.
    Internal = "INTERNAL", 500, false;
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What became of the rest of a call over several events, when one failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollback {
    /// Ids of events of which everything is undone.
    pub done: Vec<String>,
    /// Ids of events for whose undo no time was left; it goes on, and `pending()` lists them.
    pub pending: Vec<String>,
    /// Ids of events, and names of steps, whose undo met an error; it goes on. Also steps whose undo only a function of the
    /// caller's knew, which failed or took too long: it is not called again.
    pub failed: Vec<String>,
    /// Ids of events that were not worked on any more.
    pub not_reached: Vec<String>,
}

/// An operation's failure. Built with [`CalendarError::new`] and the `with_` methods.
#[derive(Clone, PartialEq, Eq)]
pub struct CalendarError {
    /// What went wrong.
    pub code: Code,
    /// What may have happened in the calendar.
    pub outcome: Outcome,
    /// What happened, what it means for the calendar, what to do. Never holds values.
    pub message: String,
    /// Whether the same call may succeed later; starts as the code's own answer.
    pub retryable: bool,
    /// Whether the user must go through Google's consent again.
    pub requires_reauth: bool,
    /// The method that failed, as JS names it: `createEvent`.
    pub operation: Option<&'static str>,
    /// The event concerned, when there is one id.
    pub event_id: Option<String>,
    /// Google's HTTP status, if it answered.
    pub status: Option<u16>,
    /// Google's reason word (`errors[].reason`), if it gave one; letters, digits, `_`, `-` and `.` only.
    pub reason: Option<String>,
    /// HTTP exchanges begun.
    pub attempts: u32,
    /// Milliseconds from the call to the failure.
    pub elapsed_ms: u64,
    /// The field of the input that is wrong (`eventData.start.dateTime`).
    pub field: Option<String>,
    /// What became of the rest of a call over several events.
    pub rollback: Box<Rollback>,
}

impl CalendarError {
    /// A new error; `retryable` is the code's.
    #[must_use]
    pub fn new(code: Code, outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            code,
            outcome,
            message: message.into(),
            retryable: code.retryable(),
            requires_reauth: matches!(code, Code::GoogleAuthRequired),
            operation: None,
            event_id: None,
            status: None,
            reason: None,
            attempts: 0,
            elapsed_ms: 0,
            field: None,
            rollback: Box::default(),
        }
    }

    /// Wrong input: nothing was sent. `field` is a path such as `eventData.start.dateTime`; `what` completes the
    /// sentence "`field` …" without repeating the value ("must be an RFC 3339 time").
    #[must_use]
    pub fn validation(field: &str, what: &str) -> Self {
        let mut error = Self::new(
            Code::ValidationFailed,
            Outcome::NotSent,
            format!("{field} {what}. Nothing was sent to Google; correct the input and call again."),
        );
        error.field = Some(field.to_owned());
        error
    }

    /// A fault of ours, told without the panic's or library's own text.
    #[must_use]
    pub fn internal(outcome: Outcome, what: &str) -> Self {
        Self::new(Code::Internal, outcome, format!("surecal met an internal fault: {what}. Please report it."))
    }

    /// The same error with another outcome.
    #[must_use]
    pub const fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The same error with the event it concerns.
    #[must_use]
    pub fn with_event(mut self, event_id: impl Into<String>) -> Self {
        self.event_id = Some(event_id.into());
        self
    }

    /// The same error with Google's status and reason.
    #[must_use]
    pub fn with_reply(mut self, status: u16, reason: Option<String>) -> Self {
        self.status = Some(status);
        self.reason = reason;
        self
    }
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CalendarError({}, {}", self.code.name(), self.outcome.name())?;
        if let Some(status) = self.status {
            write!(f, ", HTTP {status}")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, ", {reason}")?;
        }
        write!(f, ", attempts {}, {} ms: {})", self.attempts, self.elapsed_ms, self.message)
    }
}

impl std::error::Error for CalendarError {}

/// The shape that crosses to JS, where `lib/errors.js` makes a `CalendarError` of it.
impl Serialize for CalendarError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", &self.code)?;
        map.serialize_entry("outcome", self.outcome.name())?;
        map.serialize_entry("message", &self.message)?;
        map.serialize_entry("retryable", &self.retryable)?;
        map.serialize_entry("requiresReauth", &self.requires_reauth)?;
        map.serialize_entry("operation", &self.operation)?;
        map.serialize_entry("eventId", &self.event_id)?;
        map.serialize_entry("status", &self.status)?;
        map.serialize_entry("reason", &self.reason)?;
        map.serialize_entry("attempts", &self.attempts)?;
        map.serialize_entry("elapsedMs", &self.elapsed_ms)?;
        map.serialize_entry("field", &self.field)?;
        let Rollback { done, pending, failed, not_reached } = &*self.rollback;
        if !done.is_empty() || !pending.is_empty() {
            map.serialize_entry("rolledBack", done)?;
            map.serialize_entry("rollbackPending", pending)?;
        }
        if !failed.is_empty() {
            map.serialize_entry("rollbackFailed", failed)?;
        }
        if !not_reached.is_empty() {
            map.serialize_entry("notReached", not_reached)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_error_status_and_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| (400..600).contains(&code.http_status())));
    }
}
