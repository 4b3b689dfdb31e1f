//! A request, taken apart.

use bytes::Bytes;
use http::header::{AUTHORIZATION, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderName, Method, Request};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::operation::Operation;
use crate::reply::Refusal;

/// What the body holds.
#[derive(Debug, Clone)]
enum Payload {
    Nothing,
    Object(Map<String, Value>),
    Malformed,
}

/// One call of the API.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// As in the path: may be `primary`.
    pub(crate) calendar_id: Option<String>,
    /// From the path; of an insert, the id in the body.
    pub(crate) event_id: Option<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) authorization: Option<String>,
    /// The raw body, for the token endpoint's form.
    pub(crate) form: Bytes,
    payload: Payload,
}

impl Call {
    /// Nothing, if no operation lives there.
    pub(crate) fn of(request: &Request<Bytes>) -> Option<Self> {
        let uri = request.uri();
        let segments: Vec<String> = uri
            .path()
            .trim_start_matches('/')
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let (operation, below): (_, &[String]) = match segments.as_slice() {
            [token] if token == "token" && request.method() == Method::POST => (Operation::OauthToken, &[]),
            [calendar, v3, calendars, below @ ..]
                if calendar == "calendar" && v3 == "v3" && calendars == "calendars" =>
            {
                if below.iter().any(String::is_empty) {
                    return None;
                }
                (Operation::of_route(request.method(), below)?, below)
            }
            _ => return None,
        };
        let header =
            |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let query = uri.query().unwrap_or_default();
        let payload = match (operation, request.body()) {
            (Operation::OauthToken, _) => Payload::Nothing,
            (_, body) if body.is_empty() => Payload::Nothing,
            (_, body) => serde_json::from_slice(body).map_or(Payload::Malformed, Payload::Object),
        };
        let mut call = Self {
            operation,
            calendar_id: below.first().cloned(),
            event_id: below.get(2).cloned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            if_match: header(IF_MATCH),
            if_none_match: header(IF_NONE_MATCH),
            authorization: header(AUTHORIZATION),
            form: if operation == Operation::OauthToken { request.body().clone() } else { Bytes::new() },
            payload,
        };
        if operation == Operation::EventsInsert
            && let Payload::Object(body) = &call.payload
        {
            call.event_id = body.get("id").and_then(Value::as_str).map(str::to_owned);
        }
        Some(call)
    }

    /// A call made by the emulator itself, for an owner.
    pub(crate) fn of_owner(
        operation: Operation,
        calendar_id: &str,
        event_id: &str,
        body: Option<Map<String, Value>>,
    ) -> Self {
        let parameters = [("conferenceDataVersion", "1"), ("supportsAttachments", "true"), ("sendUpdates", "none")];
        Self {
            operation,
            calendar_id: Some(calendar_id.to_owned()),
            event_id: Some(event_id.to_owned()),
            query: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            if_match: None,
            if_none_match: None,
            authorization: None,
            form: Bytes::new(),
            payload: body.map_or(Payload::Nothing, Payload::Object),
        }
    }

    /// The first value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters(name).next()
    }

    /// Every value of a query parameter.
    pub(crate) fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.parameter(name) == Some("true")
    }

    /// The JSON object in the body; an absent one is empty.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        match &self.payload {
            Payload::Nothing => Ok(Map::new()),
            Payload::Object(body) => Ok(body.clone()),
            Payload::Malformed => Err(Refusal::parse_error()),
        }
    }
}

/// Whether a list of etags (`If-Match`, `If-None-Match`) names this one.
pub(crate) fn names_etag(header: &str, etag: &str) -> bool {
    header.split(',').map(str::trim).any(|given| given == "*" || given == etag)
}
