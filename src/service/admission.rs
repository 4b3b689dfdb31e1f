//! Letting a call in: the service is open, the user's token is fresh, and one of `maxInFlight` seats is free in time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;

use super::call::Call;
use super::notice::{Level, Notice};
use super::tokens::{Tokens, UserCredentials};
use super::{Cancel, Service};
use crate::google::Credentials;
use crate::model::{CalendarError, Code, Outcome};
use crate::policy::Deadline;

/// A call that was let in. The seat is free again when this is dropped.
pub(super) struct Seated {
    pub(super) deadline: Deadline,
    pub(super) credentials: Arc<dyn Credentials>,
    _seat: OwnedSemaphorePermit,
}

impl Service {
    /// Lets a call in, or says why not; then nothing was sent to the calendar.
    pub(super) async fn seat(
        &self,
        operation: &'static str,
        call: &mut Call,
        cancel: &Cancel,
    ) -> Result<Seated, CalendarError> {
        if self.shared.closed.load(Ordering::Acquire) {
            let message = format!("{operation} failed: the service was closed. Nothing was sent to Google.");
            return Err(CalendarError::new(Code::Closed, Outcome::NotSent, message));
        }
        for option in &call.unknown {
            let message = format!("{operation}: {option} is not known and was ignored");
            (self.shared.listener)(Notice::Log { level: Level::Warn, message });
        }
        let deadline = self.deadline_of(call);
        let seats = Arc::clone(&self.shared.seats);
        let seat = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(aborted(operation)),
            seat = timeout_at(deadline.end(), seats.acquire_owned()) => seat,
        };
        let Ok(Ok(seat)) = seat else {
            let message = format!(
                "{operation} failed: limits.maxInFlight calls were at work until its deadline. Nothing was sent to Google; call again later, or raise the limit."
            );
            return Err(CalendarError::new(Code::Overloaded, Outcome::NotSent, message));
        };
        let credentials = self.credentials_of(call, self.config().min_validity);
        self.fresh(operation, &credentials, call.force_refresh, &deadline, cancel).await?;
        let credentials: Arc<dyn Credentials> = credentials;
        self.shared.background.supply(&call.target.user, &credentials);
        Ok(Seated { deadline, credentials, _seat: seat })
    }

    /// A user's tokens that live for `least`, inside the call's deadline.
    pub(super) async fn tokens_of(
        &self,
        operation: &'static str,
        call: &mut Call,
        least: Duration,
        cancel: &Cancel,
    ) -> Result<Tokens, CalendarError> {
        let deadline = self.deadline_of(call);
        let credentials = self.credentials_of(call, least);
        self.fresh(operation, &credentials, call.force_refresh, &deadline, cancel).await
    }

    fn deadline_of(&self, call: &Call) -> Deadline {
        let now = self.shared.clock.now();
        Deadline::starts(now.checked_sub(call.spent).unwrap_or(now), call.timeout)
    }

    fn credentials_of(&self, call: &mut Call, least: Duration) -> Arc<UserCredentials> {
        self.shared.keyring.credentials(&call.target.user, std::mem::take(&mut call.auth), least)
    }

    /// Tokens that will do, before anything is written: an operation does not begin with one that dies under it.
    async fn fresh(
        &self,
        operation: &'static str,
        credentials: &UserCredentials,
        force: bool,
        deadline: &Deadline,
        cancel: &Cancel,
    ) -> Result<Tokens, CalendarError> {
        let tokens = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(aborted(operation)),
            tokens = timeout_at(deadline.end(), credentials.tokens(None, force)) => tokens,
        };
        tokens.unwrap_or_else(|_| {
            let message = format!(
                "{operation} timed out after {}ms: the access token was not refreshed in time. Nothing was sent to the calendar; call again later.",
                deadline.timeout_ms()
            );
            Err(CalendarError::new(Code::GoogleAuthFailed, Outcome::NotSent, message))
        })
    }
}

fn aborted(operation: &str) -> CalendarError {
    let message = format!("{operation} was aborted by its AbortSignal: nothing was sent to Google.");
    CalendarError::new(Code::Aborted, Outcome::NotSent, message)
}
