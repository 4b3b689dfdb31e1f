//! Users, their tokens, and what a token lets them do.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::operation::Operation;
use crate::reply::Refusal;

/// The scope a token has unless told otherwise: everything.
pub(crate) const FULL_SCOPE: &str = "https://www.googleapis.com/auth/calendar";

/// A user to make, or to give new tokens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUser {
    /// The address, which is the id of the user's own calendar too.
    pub email: String,
    /// Chosen by the emulator when absent.
    pub access_token: Option<String>,
    /// Chosen by the emulator when absent.
    pub refresh_token: Option<String>,
    /// Life of the access token; 3600 when absent, 0 or less for one that has expired.
    pub expires_in_seconds: Option<i64>,
    /// Zone of the user's own calendar, when it is made now; `UTC` when absent.
    pub time_zone: Option<String>,
    /// Scopes with spaces between them; full calendar access when absent.
    pub scope: Option<String>,
    /// A service account without delegation: it may invite nobody.
    #[serde(default)]
    pub service_account: bool,
}

/// What a user holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The user.
    pub email: String,
    /// For the `Authorization` header.
    pub access_token: String,
    /// For the token endpoint.
    pub refresh_token: String,
    /// When the access token expires, in milliseconds since 1970.
    pub expiry_date: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct AccessToken {
    pub(crate) email: String,
    pub(crate) scope: String,
    pub(crate) expires: Timestamp,
    pub(crate) refresh_token: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) email: String,
    pub(crate) scope: String,
    pub(crate) revoked: bool,
}

/// Who is asking.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub(crate) email: String,
    pub(crate) service_account: bool,
}

/// Everybody's tokens.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// Address to "is a service account".
    pub(crate) users: BTreeMap<String, bool>,
    pub(crate) access_tokens: HashMap<String, AccessToken>,
    pub(crate) grants: HashMap<String, Grant>,
}

impl Accounts {
    /// The user behind a token, live or not, for fault rules and the log.
    pub(crate) fn holder(&self, authorization: Option<&str>) -> Option<&str> {
        let token = self.access_tokens.get(bearer(authorization?)?)?;
        Some(&token.email)
    }

    pub(crate) fn is_user(&self, email: &str) -> bool {
        self.users.keys().any(|user| user.eq_ignore_ascii_case(email))
    }

    /// Lets a call in, or says why not: 401 for the token, 403 for its scope.
    pub(crate) fn admit(&self, call: &Call, now: Timestamp) -> Result<Principal, Refusal> {
        let header = call.authorization.as_deref().ok_or_else(Refusal::login_required)?;
        let token = bearer(header).and_then(|token| self.access_tokens.get(token)).ok_or_else(Refusal::auth_error)?;
        if token.expires <= now {
            return Err(Refusal::auth_error());
        }
        if !allows(&token.scope, call.operation) {
            return Err(Refusal::insufficient_scope());
        }
        let service_account = self.users.get(&token.email).copied().unwrap_or_default();
        Ok(Principal { email: token.email.clone(), service_account })
    }

    /// Ends the life of access tokens: one, all of a user, or all.
    pub(crate) fn expire(&mut self, email: Option<&str>, access_token: Option<&str>, now: Timestamp) -> usize {
        let mut count = 0;
        for (name, token) in &mut self.access_tokens {
            if email.is_none_or(|email| email == token.email) && access_token.is_none_or(|wanted| wanted == name) {
                token.expires = now;
                count += 1;
            }
        }
        count
    }

    /// Kills grants, and with them the access tokens made from them: one, all of a user, or all.
    pub(crate) fn revoke(&mut self, email: Option<&str>, refresh_token: Option<&str>, now: Timestamp) -> usize {
        let mut dead = Vec::new();
        for (name, grant) in &mut self.grants {
            if email.is_none_or(|email| email == grant.email) && refresh_token.is_none_or(|wanted| wanted == name) {
                grant.revoked = true;
                dead.push(name.clone());
            }
        }
        for token in self.access_tokens.values_mut() {
            if token.refresh_token.as_ref().is_some_and(|name| dead.contains(name)) {
                token.expires = now;
            }
        }
        dead.len()
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn allows(scopes: &str, operation: Operation) -> bool {
    const ROOT: &str = "https://www.googleapis.com/auth/calendar";
    scopes.split_whitespace().any(|scope| match scope.strip_prefix(ROOT) {
        Some("") => true,
        Some(".events" | ".events.owned") => operation.name().starts_with("events."),
        Some(".events.readonly" | ".events.public.readonly") => {
            operation.name().starts_with("events.") && !operation.is_write()
        }
        Some(".readonly") => !operation.is_write(),
        Some(".calendars") => operation.name().starts_with("calendars."),
        Some(".calendars.readonly") => operation == Operation::CalendarsGet,
        _ => false,
    })
}
