//! Google in memory, and services that stand for processes: each has a memory store of its own.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use surecal::clock::Clock;
use surecal::google::{BoxFuture, HttpReply, HttpRequest, Token, TokenEndpoint, Transport};
use surecal::model::CalendarError;
use surecal::policy::{FaultKind, TransportFault};
use surecal::service::host::Host;
use surecal::service::{Cancel, Foundation, Grants, Notice, Pending, Service};
use surecal::store::Store;
use surecal_emulator::{Emulator, NewUser, Options, Rule, Verdict};

/// When every test begins, as a service sees it: Unix ms.
pub const NOW_MS: i64 = 1_800_000_000_000;

/// The user of most tests, and the calendar.
pub const USER: &str = "teacher@example.com";

/// Carries requests into an emulator, without sockets, so that tokio's clock can stand still.
pub struct InMemory(pub Emulator);

impl Transport for InMemory {
    fn exchange(
        &self,
        request: HttpRequest,
        token: &Token,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        let mut http = http::Request::builder()
            .method(request.method)
            .uri(format!("http://google.test{}", request.path_and_query))
            .header("authorization", token.bearer());
        for (name, value) in &request.headers {
            http = http.header(name, value);
        }
        let http = http.body(request.body).unwrap();
        let emulator = self.0.clone();
        let exchange = async move {
            let verdict = emulator.deliver(&http).await;
            play(verdict).await
        };
        Box::pin(async move {
            tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(TransportFault::unknown(FaultKind::Timeout)))
        })
    }
}

impl TokenEndpoint for InMemory {
    fn post(&self, form: Bytes, timeout: Duration) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        let http = http::Request::post("http://google.test/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .unwrap();
        let emulator = self.0.clone();
        let exchange = async move { play(emulator.deliver(&http).await).await };
        Box::pin(async move {
            tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(TransportFault::unknown(FaultKind::Timeout)))
        })
    }
}

async fn play(mut verdict: Verdict) -> Result<HttpReply, TransportFault> {
    loop {
        let response = match verdict {
            Verdict::Delay { by, then } => {
                tokio::time::sleep(by).await;
                verdict = *then;
                continue;
            }
            Verdict::Respond(response) => response,
            Verdict::Drip { response, chunk, every } => {
                let pieces = response.body().len().div_ceil(chunk.max(1));
                tokio::time::sleep(every * u32::try_from(pieces).unwrap()).await;
                response
            }
            Verdict::Truncate { .. } => return Err(TransportFault::unknown(FaultKind::Cut)),
            Verdict::Reset => return Err(TransportFault::unknown(FaultKind::Reset)),
            Verdict::RefuseStream => return Err(TransportFault::not_sent(FaultKind::TurnedAway)),
            Verdict::Hang => return std::future::pending().await,
        };
        let (head, body) = response.into_parts();
        return Ok(HttpReply::new(head.status.as_u16(), &head.headers, body));
    }
}

/// The access tokens of all tests.
pub const TOKENS: &[&str] = &["ya29.teacher", "ya29.other", "ya29.unknown"];

/// One Google, and the notices of all services on it.
pub struct Google {
    pub emulator: Emulator,
    pub notices: Arc<Mutex<Vec<Notice>>>,
    pub host: Option<Arc<dyn Host>>,
}

impl Google {
    pub fn new() -> Self {
        Self::in_zone("UTC")
    }

    pub fn in_zone(zone: &str) -> Self {
        let emulator = Emulator::new(Options { seed: 7, ..Options::default() });
        emulator
            .add_user(NewUser {
                email: USER.to_owned(),
                access_token: Some(TOKENS[0].to_owned()),
                refresh_token: None,
                expires_in_seconds: Some(1_000_000_000),
                time_zone: Some(zone.to_owned()),
                scope: None,
                service_account: false,
            })
            .unwrap();
        Self { emulator, notices: Arc::default(), host: None }
    }

    pub fn with(self, rules: impl IntoIterator<Item = Rule>) -> Self {
        for rule in rules {
            self.fault(rule);
        }
        self
    }

    pub fn fault(&self, rule: Rule) {
        self.emulator.fault(rule).unwrap();
    }

    /// A process of its own: its memory store dies with it.
    pub fn process(&self) -> Process {
        self.process_with(&json!({}))
    }

    pub fn process_with(&self, config: &Value) -> Process {
        self.process_on(config, None)
    }

    pub fn process_on(&self, config: &Value, store: Option<Arc<dyn Store>>) -> Process {
        let notices = Arc::clone(&self.notices);
        let foundation = Foundation {
            transport: Some(Arc::new(InMemory(self.emulator.clone()))),
            store,
            clock: Clock::paused(u64::try_from(NOW_MS).unwrap()),
            listener: Arc::new(move |notice| notices.lock().unwrap().push(notice)),
            host: self.host.clone(),
            endpoint: Some(Arc::new(InMemory(self.emulator.clone()))),
            grants: Grants::default(),
        };
        Process { service: Service::new(&config.to_string(), foundation).unwrap() }
    }

    /// Live events, fences and all.
    pub fn live(&self) -> Vec<Value> {
        self.emulator.live_events(USER)
    }

    /// How often an operation reached Google.
    pub fn requests(&self, operation: &str) -> usize {
        self.emulator.requests().iter().filter(|request| request.operation == Some(operation)).count()
    }

    /// How often an operation changed a calendar.
    pub fn committed(&self, operation: &str) -> usize {
        self.emulator
            .requests()
            .iter()
            .filter(|request| request.operation == Some(operation) && request.committed)
            .count()
    }

    pub fn settled(&self) -> Vec<Value> {
        let notices = self.notices.lock().unwrap();
        notices
            .iter()
            .map(|notice| serde_json::to_value(notice).unwrap())
            .filter(|notice| notice["type"] == "settled")
            .collect()
    }
}

/// A service, called as JS calls it.
#[derive(Clone)]
pub struct Process {
    pub service: Service,
}

/// A class: the event of most tests.
pub fn class() -> Value {
    json!({
        "summary": "Algebra",
        "start": { "dateTime": "2027-03-01T10:00:00Z" },
        "end": { "dateTime": "2027-03-01T11:00:00Z" },
        "attendees": [{ "email": "Ada@example.com" }],
    })
}

fn args(options: &Value) -> String {
    json!({ "userId": "u1", "calendarId": "primary", "auth": { "accessToken": TOKENS[0] }, "options": options })
        .to_string()
}

fn args_for(id: &str, options: &Value) -> String {
    json!({
        "userId": "u1", "calendarId": "primary", "auth": { "accessToken": TOKENS[0] }, "eventId": id, "options": options
    })
    .to_string()
}

pub type Told = Result<Value, CalendarError>;

fn parsed(result: Result<String, CalendarError>) -> Told {
    result.map(|text| serde_json::from_str(&text).unwrap())
}

impl Process {
    pub async fn create(&self, event: &Value, options: &Value) -> Told {
        self.create_until(event, options, Cancel::default()).await
    }

    pub async fn create_until(&self, event: &Value, options: &Value, cancel: Cancel) -> Told {
        parsed(self.service.create_event(&args(options), &event.to_string(), cancel).await)
    }

    pub async fn create_many(&self, events: &[Value], options: &Value) -> Told {
        let events = Value::from(events.to_vec()).to_string();
        parsed(self.service.create_events(&args(options), &events, Cancel::default()).await)
    }

    pub async fn verify(&self, id: &str, expected: &Value) -> Told {
        parsed(self.service.verify_event(&args_for(id, &json!({})), &expected.to_string(), Cancel::default()).await)
    }

    pub async fn get(&self, id: &str) -> Told {
        parsed(self.service.get_event(&args_for(id, &json!({})), Cancel::default()).await)
    }

    pub async fn update(&self, id: &str, changes: &Value, options: &Value) -> Told {
        parsed(self.service.update_event(&args_for(id, options), &changes.to_string(), Cancel::default()).await)
    }

    pub async fn delete(&self, id: &str, options: &Value) -> Told {
        parsed(self.service.delete_event(&args_for(id, options), Cancel::default()).await)
    }

    /// Waits (in paused time) until no clean-up is open.
    pub async fn settle(&self) -> Vec<Pending> {
        self.service.drained(Duration::from_secs(600)).await;
        self.service.pending().await
    }
}

/// A body's bytes, for requests that go around the service.
pub fn body(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}
