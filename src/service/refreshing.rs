//! Fresh tokens: before a call begins, and for their own sake.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout_at;

use super::call::Call;
use super::metrics::Ending;
use super::tokens::{Tokens, UserCredentials};
use super::{Cancel, Service};
use crate::model::{CalendarError, Code, Outcome};
use crate::policy::Deadline;

/// A token that lives shorter than this is about to expire (google-auth-library's own eager refresh).
const SOON: Duration = Duration::from_mins(5);

impl Service {
    /// The user's tokens, fresh: `getRefreshedOAuthClient`.
    pub async fn refresh_tokens(&self, args: &str, cancel: Cancel) -> Result<String, CalendarError> {
        const OPERATION: &str = "getRefreshedOAuthClient";
        let work = Box::pin(async {
            let config = self.config();
            let mut call = Call::parse(args, &config, 1)?;
            let least = if call.require_fresh { config.min_validity } else { SOON };
            let deadline = self.deadline_of(&call);
            let _at_work = self.shared.metrics.punctuality.begin(OPERATION, deadline.end());
            let credentials = self.credentials_of(&mut call, least);
            let tokens = self.fresh(OPERATION, &credentials, call.force_refresh, &deadline, &cancel).await?;
            Ok((tokens.to_value().to_string(), Ending::default()))
        });
        self.counted(OPERATION, work).await
    }

    /// New tokens for a caller's auth object, as JSON text, once.
    #[must_use]
    pub fn take_tokens(&self, auth_ref: u32) -> Option<String> {
        self.shared.keyring.fresh.remove(&auth_ref).map(|(_, tokens)| tokens.to_value().to_string())
    }

    pub(super) fn deadline_of(&self, call: &Call) -> Deadline {
        let now = self.shared.clock.now();
        Deadline::starts(now.checked_sub(call.spent).unwrap_or(now), call.timeout)
    }

    pub(super) fn credentials_of(&self, call: &mut Call, least: Duration) -> Arc<UserCredentials> {
        self.shared.keyring.credentials(&call.target.user, std::mem::take(&mut call.auth), least)
    }

    /// Tokens that will do, before anything is written: an operation does not begin with one that dies under it.
    pub(super) async fn fresh(
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

pub(super) fn aborted(operation: &str) -> CalendarError {
    let message = format!("{operation} was aborted by its AbortSignal: nothing was sent to Google.");
    CalendarError::new(Code::Aborted, Outcome::NotSent, message)
}
