//! The token endpoint: a form in, tokens out. Its errors carry a string, unlike the calendar's.

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::Response;
use serde_json::{Value, json};

use super::World;
use crate::account::{AccessToken, FULL_SCOPE, Grant};
use crate::call::Call;
use crate::record::TokenRecord;
use crate::reply::json_reply;

/// "Remaining lifetime" of a new access token, in seconds, as Google says it.
const LIFETIME: i64 = 3599;
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The fields of a token request.
pub(super) struct TokenForm {
    fields: Vec<(String, String)>,
}

impl TokenForm {
    pub(super) fn of(call: &Call) -> Self {
        Self { fields: form_urlencoded::parse(&call.form).into_owned().collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An error of the token endpoint.
pub(super) fn refuse(status: u16, error: &str, description: &str) -> Response<Bytes> {
    json_reply(status, &json!({ "error": error, "error_description": description }))
}

pub(super) fn invalid_grant() -> Response<Bytes> {
    refuse(400, "invalid_grant", "Token has been expired or revoked.")
}

impl World {
    /// Answers a token request; `rotate` makes the reply carry a new refresh token and kills the old one.
    pub(super) fn issue(&mut self, form: &TokenForm, rotate: bool) -> Response<Bytes> {
        match form.get("grant_type") {
            Some("refresh_token") => self.refresh(form, rotate),
            Some(JWT_BEARER) => self.assert(form),
            Some(other) => refuse(400, "unsupported_grant_type", &format!("Invalid grant_type: {other}")),
            None => refuse(400, "invalid_request", "Missing required parameter: grant_type"),
        }
    }

    fn refresh(&mut self, form: &TokenForm, rotate: bool) -> Response<Bytes> {
        if form.get("client_id") != Some(&self.client.0) {
            return refuse(401, "invalid_client", "The OAuth client was not found.");
        }
        if form.get("client_secret") != Some(&self.client.1) {
            return refuse(401, "invalid_client", "The provided client secret is invalid.");
        }
        let Some(old) = form.get("refresh_token").filter(|token| !token.is_empty()) else {
            return refuse(400, "invalid_request", "Missing required parameter: refresh_token");
        };
        let Some(grant) = self.accounts.grants.get(old).filter(|grant| !grant.revoked).cloned() else {
            return invalid_grant();
        };
        let mut name = old.to_owned();
        if rotate {
            if let Some(grant) = self.accounts.grants.get_mut(old) {
                grant.revoked = true;
            }
            name = format!("1//{}", self.random_id(40));
            self.accounts.grants.insert(name.clone(), grant.clone());
        }
        let mut reply = self.grant_access(&grant, Some(name.clone()));
        if rotate {
            reply["refresh_token"] = json!(name);
        }
        json_reply(200, &reply)
    }

    /// A service account's assertion: its shape and its subject are checked, its signature is not.
    fn assert(&mut self, form: &TokenForm) -> Response<Bytes> {
        let claims = form.get("assertion").and_then(|jwt| {
            let bytes = BASE64URL_NOPAD.decode(jwt.split('.').nth(1)?.as_bytes()).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        });
        let Some(claims) = claims else { return refuse(400, "invalid_grant", "Invalid JWT: Failed to parse.") };
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let Some(email) = text("sub").or(text("iss")).filter(|email| self.accounts.is_user(email)) else {
            let description = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.";
            return refuse(401, "unauthorized_client", description);
        };
        let scope = text("scope").unwrap_or(FULL_SCOPE).to_owned();
        let grant = Grant { email: email.to_owned(), scope, revoked: false };
        json_reply(200, &self.grant_access(&grant, None))
    }

    fn grant_access(&mut self, grant: &Grant, refresh_token: Option<String>) -> Value {
        let name = format!("ya29.{}", self.random_id(40));
        let expires = self.clock.wall_in(LIFETIME);
        let token = AccessToken { email: grant.email.clone(), scope: grant.scope.clone(), expires, refresh_token };
        self.accounts.access_tokens.insert(name.clone(), token);
        json!({ "access_token": name, "expires_in": LIFETIME, "scope": grant.scope, "token_type": "Bearer" })
    }

    pub(super) fn record_token(&mut self, form: &TokenForm, outcome: &str) {
        let grant_type = form.get("grant_type").unwrap_or_default().to_owned();
        let refresh_token = form.get("refresh_token").map(str::to_owned);
        let at_ms = self.now_ms();
        self.token_log.push(TokenRecord { grant_type, refresh_token, outcome: outcome.to_owned(), at_ms });
    }
}
