//! A user with a calendar in New York, and short ways to ask.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Map, Value, json};
use surecal_emulator::{Credentials, Emulator, Fault, NewCalendar, NewUser, Options, Rule, Verdict};

pub(crate) const OWNER: &str = "owner@school.test";
pub(crate) const CALENDAR: &str = "class@group.calendar.google.com";

pub(crate) struct Stage {
    pub(crate) google: Emulator,
    pub(crate) owner: Credentials,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) head: http::HeaderMap,
}

impl Reply {
    fn of(response: &Response<Bytes>) -> Self {
        Self {
            status: response.status().as_u16(),
            body: serde_json::from_slice(response.body()).unwrap_or(Value::Null),
            head: response.headers().clone(),
        }
    }

    pub(crate) fn reason(&self) -> &str {
        self.body["error"]["errors"][0]["reason"].as_str().unwrap_or_default()
    }

    pub(crate) fn etag(&self) -> String {
        self.body["etag"].as_str().unwrap().to_owned()
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let google = Emulator::new(Options::default());
        let owner = google.add_user(NewUser { email: OWNER.into(), ..NewUser::default() }).unwrap();
        let calendar = NewCalendar {
            id: Some(CALENDAR.into()),
            time_zone: Some("America/New_York".into()),
            owner: OWNER.into(),
            ..NewCalendar::default()
        };
        google.add_calendar(calendar).unwrap();
        Self { google, owner }
    }

    pub(crate) fn request(&self, method: Method, tail: &str, etag: Option<&str>, body: &Value) -> Request<Bytes> {
        let path = format!("/calendar/v3/calendars/{CALENDAR}/events{tail}");
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.owner.access_token));
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        request.body(body).unwrap()
    }

    pub(crate) fn verdict(&self, method: Method, tail: &str, etag: Option<&str>, body: &Value) -> Verdict {
        self.google.exchange(self.request(method, tail, etag, body))
    }

    pub(crate) fn send(&self, method: Method, tail: &str, etag: Option<&str>, body: &Value) -> Reply {
        Reply::of(self.verdict(method, tail, etag, body).response().unwrap())
    }

    pub(crate) fn any(&self, request: Request<Bytes>) -> Reply {
        Reply::of(self.google.exchange(request).response().unwrap())
    }

    pub(crate) fn insert(&self, body: &Value) -> Reply {
        self.send(Method::POST, "", None, body)
    }

    pub(crate) fn get(&self, id: &str) -> Reply {
        self.send(Method::GET, &format!("/{id}"), None, &Value::Null)
    }

    pub(crate) fn list(&self, query: &str) -> Reply {
        self.send(Method::GET, &format!("?{query}"), None, &Value::Null)
    }

    pub(crate) fn patch(&self, id: &str, etag: Option<&str>, body: &Value) -> Reply {
        self.send(Method::PATCH, &format!("/{id}"), etag, body)
    }

    pub(crate) fn put(&self, id: &str, etag: Option<&str>, body: &Value) -> Reply {
        self.send(Method::PUT, &format!("/{id}"), etag, body)
    }

    pub(crate) fn delete(&self, id: &str, etag: Option<&str>) -> Reply {
        self.send(Method::DELETE, &format!("/{id}"), etag, &Value::Null)
    }

    pub(crate) fn fault(&self, operation: &str, fault: Fault) {
        self.google.fault(Rule::next(operation, fault)).unwrap();
    }

    pub(crate) fn token(&self, form: &str) -> Reply {
        let request = Request::builder().method(Method::POST).uri("/token").body(Bytes::from(form.to_owned())).unwrap();
        self.any(request)
    }
}

/// A class of one hour, and what the test adds.
pub(crate) fn class(extra: Value) -> Value {
    let mut event = json!({
        "summary": "Algebra",
        "start": { "dateTime": "2027-07-01T14:00:00Z" },
        "end": { "dateTime": "2027-07-01T15:00:00Z" },
    });
    if let (Value::Object(event), Value::Object(extra)) = (&mut event, extra) {
        event.extend(extra);
    }
    event
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
