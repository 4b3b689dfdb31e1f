//! Replies in Google's shapes.
//!
//! Error bodies: the guide "Handle API errors" (April 2026) and recorded replies. Where neither shows one, the words
//! are those seen in public issue threads.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

/// A JSON reply. A status out of range becomes 500.
pub(crate) fn json_reply(status: u16, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, max-age=0, must-revalidate"));
    response
}

/// A JSON reply with the `ETag` header that Google sends beside the field.
pub(crate) fn json_reply_with_etag(body: &Value, etag: &str) -> Response<Bytes> {
    let mut response = json_reply(200, body);
    set_header(&mut response, ETAG, etag);
    response
}

/// A reply without a body (204, 304).
pub(crate) fn empty_reply(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// A page where JSON was expected: a proxy's, a captive portal's, a front end's.
pub(crate) fn html_reply(status: u16, title: &str) -> Response<Bytes> {
    let page =
        format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
    let mut response = Response::new(Bytes::from(page));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    response
}

pub(crate) fn set_header(response: &mut Response<Bytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A request that Google refuses, as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    domain: Box<str>,
    reason: Box<str>,
    message: Box<str>,
    location: Option<(&'static str, &'static str)>,
    retry_after_seconds: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, domain: &str, reason: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            domain: domain.into(),
            reason: reason.into(),
            message: message.into().into_boxed_str(),
            location: None,
            retry_after_seconds: None,
        }
    }

    fn at(mut self, location_type: &'static str, location: &'static str) -> Self {
        self.location = Some((location_type, location));
        self
    }

    /// 400 with reason `invalid`.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "global", "invalid", message)
    }

    /// 400 with reason `required`.
    pub(crate) fn required(message: impl Into<String>) -> Self {
        Self::new(400, "global", "required", message)
    }

    pub(crate) fn invalid_parameter(parameter: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, "global", "invalidParameter", message).at("parameter", parameter)
    }

    pub(crate) fn parse_error() -> Self {
        Self::new(400, "global", "parseError", "Parse Error")
    }

    pub(crate) fn time_range_empty() -> Self {
        Self::new(400, "calendar", "timeRangeEmpty", "The specified time range is empty.")
    }

    /// The same for `list`, which names the parameter.
    pub(crate) fn time_range_empty_parameter() -> Self {
        Self::time_range_empty().at("parameter", "timeMax")
    }

    pub(crate) fn auth_error() -> Self {
        Self::new(401, "global", "authError", "Invalid Credentials").at("header", "Authorization")
    }

    pub(crate) fn login_required() -> Self {
        Self::new(401, "global", "required", "Login Required.").at("header", "Authorization")
    }

    pub(crate) fn insufficient_scope() -> Self {
        Self::new(403, "global", "insufficientPermissions", "Request had insufficient authentication scopes.")
    }

    pub(crate) fn writer_access_needed() -> Self {
        Self::new(403, "calendar", "requiredAccessLevel", "You need to have writer access to this calendar.")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(403, "global", "forbidden", "Forbidden")
    }

    pub(crate) fn non_organizer() -> Self {
        Self::new(
            403,
            "calendar",
            "forbiddenForNonOrganizer",
            "Shared properties can only be changed by the organizer of the event.",
        )
    }

    pub(crate) fn service_account() -> Self {
        Self::new(
            403,
            "calendar",
            "forbiddenForServiceAccounts",
            "Service accounts cannot invite attendees without Domain-Wide Delegation of Authority.",
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "global", "notFound", "Not Found")
    }

    pub(crate) fn duplicate() -> Self {
        Self::new(409, "global", "duplicate", "The requested identifier already exists.")
    }

    pub(crate) fn deleted() -> Self {
        Self::new(410, "global", "deleted", "Resource has been deleted")
    }

    pub(crate) fn full_sync_required() -> Self {
        Self::new(410, "calendar", "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
            .at("parameter", "syncToken")
    }

    pub(crate) fn condition_not_met() -> Self {
        Self::new(412, "global", "conditionNotMet", "Precondition Failed").at("header", "If-Match")
    }

    /// What Google says with this status, and this reason where a status has several.
    pub(crate) fn of_status(status: u16, reason: Option<&str>) -> Self {
        let reason = reason.unwrap_or(match status {
            400 => "invalid",
            401 => "authError",
            403 | 429 => "rateLimitExceeded",
            404 => "notFound",
            409 => "duplicate",
            410 => "deleted",
            412 => "conditionNotMet",
            _ => "backendError",
        });
        match reason {
            "timeRangeEmpty" => Self::time_range_empty(),
            "authError" => Self::auth_error(),
            "rateLimitExceeded" => Self::new(status, "usageLimits", reason, "Rate Limit Exceeded"),
            "userRateLimitExceeded" => Self::new(status, "usageLimits", reason, "User Rate Limit Exceeded"),
            "quotaExceeded" => Self::new(status, "usageLimits", reason, "Calendar usage limits exceeded."),
            "dailyLimitExceeded" => Self::new(status, "usageLimits", reason, "Daily Limit Exceeded"),
            "accessNotConfigured" => Self::new(
                status,
                "usageLimits",
                reason,
                "Access Not Configured. Google Calendar API has not been used in this project before or it is disabled.",
            ),
            "forbiddenForNonOrganizer" => Self::non_organizer(),
            "forbiddenForServiceAccounts" => Self::service_account(),
            "insufficientPermissions" => Self::insufficient_scope(),
            "requiredAccessLevel" => Self::writer_access_needed(),
            "forbidden" => Self::forbidden(),
            "notFound" => Self::not_found(),
            "duplicate" => Self::duplicate(),
            "conflict" => Self::new(status, "global", reason, "Conflict"),
            "deleted" => Self::deleted(),
            "fullSyncRequired" => Self::full_sync_required(),
            "conditionNotMet" => Self::condition_not_met(),
            "backendError" => Self::new(status, "global", reason, "Backend Error"),
            other => Self::new(status, "global", other, other),
        }
        .with_status(status)
    }

    fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Other words than Google's usual ones, and a `Retry-After`.
    pub(crate) fn with_words(mut self, domain: Option<&str>, message: Option<&str>, retry_after: Option<u64>) -> Self {
        if let Some(domain) = domain {
            self.domain = domain.into();
        }
        if let Some(message) = message {
            self.message = message.into();
        }
        self.retry_after_seconds = retry_after;
        self
    }

    pub(crate) fn reply(&self) -> Response<Bytes> {
        // A missing scope is told in the newer shape: `errors[]` has other words, and `details[]` the exact reason.
        let lacks_scope = &*self.reason == "insufficientPermissions";
        let said = if lacks_scope { "Insufficient Permission" } else { &*self.message };
        let mut item = Map::new();
        item.insert("domain".into(), json!(self.domain));
        item.insert("reason".into(), json!(self.reason));
        item.insert("message".into(), json!(said));
        if let Some((location_type, location)) = self.location {
            item.insert("locationType".into(), json!(location_type));
            item.insert("location".into(), json!(location));
        }
        let mut error = json!({ "errors": [item], "code": self.status, "message": self.message });
        if lacks_scope {
            error["status"] = json!("PERMISSION_DENIED");
            error["details"] = json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "domain": "googleapis.com",
                "metadata": { "service": "calendar-json.googleapis.com" },
            }]);
        }
        let mut response = json_reply(self.status, &json!({ "error": error }));
        if self.status == 401 {
            let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
            set_header(&mut response, WWW_AUTHENTICATE, challenge);
        }
        if lacks_scope {
            let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\"";
            set_header(&mut response, WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after_seconds {
            set_header(&mut response, RETRY_AFTER, &seconds.to_string());
        }
        response
    }
}
