//! Google in memory, and services that stand for processes: each has a memory store of its own.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file uses a part of it, as a module of its own; a test stops at the first surprise"
)]

mod gate;
mod network;
mod shared_store;
mod tx;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, Value, json};
use surecal::clock::Clock;
use surecal::google::Transport;
use surecal::model::CalendarError;
use surecal::service::host::Host;
use surecal::service::{Cancel, Foundation, Grants, Notice, Pending, Service};
use surecal::store::{MemoryStore, Store};
use surecal_emulator::{Emulator, Fault, NewUser, Options, Rule, When};

pub use gate::{Gate, Hold, names};
pub use network::{InMemory, TOKENS};
pub use shared_store::{LatePuts, StoreLine, writes};
pub use tx::{EVA, Tx};

/// The user of most tests, and the calendar.
pub const USER: &str = "teacher@example.com";

/// One Google, and the notices of all services on it.
pub struct Google {
    pub emulator: Emulator,
    pub notices: Arc<Mutex<Vec<Notice>>>,
    /// Who keeps the users' tokens.
    pub host: Option<Arc<dyn Host>>,
}

impl Google {
    pub fn new() -> Self {
        Self::in_zone("UTC")
    }

    pub fn in_zone(zone: &str) -> Self {
        let emulator = Emulator::new(Options { seed: 7, ..Options::default() });
        let google = Self { emulator, notices: Arc::default(), host: None };
        google.add_user(USER, TOKENS[0], zone);
        google
    }

    pub fn add_user(&self, email: &str, token: &str, zone: &str) {
        let user = NewUser {
            email: email.to_owned(),
            access_token: Some(token.to_owned()),
            refresh_token: None,
            expires_in_seconds: Some(1_000_000_000),
            time_zone: Some(zone.to_owned()),
            scope: None,
            service_account: false,
        };
        self.emulator.add_user(user).unwrap();
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

    pub fn process_on(&self, config: &Value, store: Option<&Arc<MemoryStore>>) -> Process {
        self.process_at(config, store, START_MS)
    }

    /// A process whose machine's clock shows `now_ms`.
    pub fn process_at(&self, config: &Value, store: Option<&Arc<MemoryStore>>, now_ms: u64) -> Process {
        let clock = Clock::paused(now_ms);
        let own = || Arc::new(MemoryStore::new(clock.clone()));
        let line = StoreLine::to(&store.map_or_else(own, Arc::clone));
        let network = Gate::new(InMemory(self.emulator.clone()));
        let notices = Arc::clone(&self.notices);
        let foundation = Foundation {
            transport: Some(Arc::new(network.clone()) as Arc<dyn Transport>),
            store: Some(Arc::new(line.clone()) as Arc<dyn Store>),
            clock,
            listener: Arc::new(move |notice| notices.lock().unwrap().push(notice)),
            host: self.host.clone(),
            endpoint: Some(Arc::new(InMemory(self.emulator.clone()))),
            grants: Grants::default(),
        };
        Process { service: Service::new(&config.to_string(), foundation).unwrap(), network, line }
    }

    /// The owner changes some fields, or (`put`) writes an old copy back with these fields: our marks are wiped.
    pub fn owner_edits(&self, id: &str, fields: &Value, put: bool) {
        let fields: Map<_, _> = fields.as_object().unwrap().clone();
        self.emulator.owner_edit(USER, id, &fields, put).unwrap();
    }

    /// Live events, fences and all.
    pub fn live(&self) -> Vec<Value> {
        self.emulator.live_events(USER)
    }

    /// Events for people to enroll on: their ids.
    pub async fn classes(&self, count: usize) -> Vec<String> {
        let process = self.process();
        let mut ids = Vec::new();
        for index in 0..count {
            let mut event = class();
            event["summary"] = json!(format!("Class {index}"));
            let told = process.create(&event, &json!({ "sendUpdates": "none" })).await.unwrap();
            ids.push(told["eventId"].as_str().unwrap().to_owned());
        }
        ids
    }

    /// The entry of an attendee of a live event.
    pub fn attendee(&self, id: &str, email: &str) -> Option<Value> {
        let event = self.live().into_iter().find(|event| event["id"] == id)?;
        event["attendees"].as_array()?.iter().find(|entry| entry["email"] == email).cloned()
    }

    /// How many of these events have the attendee.
    pub fn places(&self, ids: &[String], email: &str) -> usize {
        ids.iter().filter(|id| self.attendee(id, email).is_some()).count()
    }

    /// The one live event.
    pub fn only_live(&self) -> Value {
        let live = self.live();
        assert_eq!(live.len(), 1, "live events: {live:#?}");
        live[0].clone()
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

/// A store that several processes share.
pub fn shared_store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Clock::paused(START_MS)))
}

/// The claims on an event.
pub fn claims(event: &Value) -> Vec<String> {
    let claims = event["extendedProperties"]["private"]["surecalClaims"].as_str().unwrap_or_default();
    claims.split_whitespace().map(str::to_owned).collect()
}

/// The paused clock's time, for measuring how long a call took.
pub fn now() -> tokio::time::Instant {
    Clock::paused(0).now()
}

/// The faults after which nobody knows whether Google has acted.
pub fn lost_exchanges(when: When) -> Vec<Fault> {
    vec![
        Fault::Reset { when },
        Fault::Hang { when },
        Fault::status_when(500, when),
        Fault::status_when(503, when),
        Fault::Html { when },
        Fault::Truncate { when, keep_bytes: None },
    ]
}

/// Lets everything run for so long.
pub async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// A service, called as JS calls it, on a network and a way to its store that the test can disturb.
#[derive(Clone)]
pub struct Process {
    pub service: Service,
    pub network: Gate,
    pub line: StoreLine,
}

/// When the tests' clocks start, in Unix ms.
pub const START_MS: u64 = 1_800_000_000_000;

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

fn guest_text(guest: &Value) -> String {
    if guest.is_string() { json!({ "email": guest }).to_string() } else { guest.to_string() }
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

    /// A create of another user of the application.
    pub async fn create_as(&self, user: &str, token: &str, event: &Value, options: &Value) -> Told {
        let args = json!({
            "userId": user, "calendarId": "primary", "auth": { "accessToken": token }, "options": options
        });
        parsed(self.service.create_event(&args.to_string(), &event.to_string(), Cancel::default()).await)
    }

    pub async fn create_many(&self, events: &[Value], options: &Value) -> Told {
        self.create_many_until(events, options, Cancel::default()).await
    }

    pub async fn create_many_until(&self, events: &[Value], options: &Value, cancel: Cancel) -> Told {
        let events = Value::from(events.to_vec()).to_string();
        parsed(self.service.create_events(&args(options), &events, cancel).await)
    }

    pub async fn verify(&self, id: &str, expected: &Value) -> Told {
        parsed(self.service.verify_event(&args_for(id, &json!({})), &expected.to_string(), Cancel::default()).await)
    }

    pub async fn get(&self, id: &str) -> Told {
        parsed(self.service.get_event(&args_for(id, &json!({})), Cancel::default()).await)
    }

    /// One page of a list; `query` holds Google's own parameters.
    pub async fn list(&self, query: &Value) -> Told {
        let mut args: Value = serde_json::from_str(&args(&json!({}))).unwrap();
        args["query"] = query.clone();
        parsed(self.service.list_page(&args.to_string(), Cancel::default()).await)
    }

    pub async fn update(&self, id: &str, changes: &Value, options: &Value) -> Told {
        parsed(self.service.update_event(&args_for(id, options), &changes.to_string(), Cancel::default()).await)
    }

    pub async fn delete(&self, id: &str, options: &Value) -> Told {
        parsed(self.service.delete_event(&args_for(id, options), Cancel::default()).await)
    }

    /// Enrolls `email` on these events.
    pub async fn enroll(&self, ids: &[String], email: &str, options: &Value) -> Told {
        self.enroll_until(ids, email, options, Cancel::default()).await
    }

    pub async fn enroll_until(&self, ids: &[String], email: &str, options: &Value, cancel: Cancel) -> Told {
        let events: Vec<_> = ids.iter().map(|id| json!({ "eventId": id })).collect();
        let body = json!({ "events": events, "attendee": { "email": email } });
        parsed(self.service.enroll(&args(options), &body.to_string(), cancel).await)
    }

    /// Starts an enrollment that goes on by itself.
    pub fn spawn_enroll(&self, ids: &[String], email: &str, options: &Value) -> tokio::task::JoinHandle<Told> {
        let (process, ids, email, options) = (self.clone(), ids.to_vec(), email.to_owned(), options.clone());
        tokio::spawn(async move { process.enroll(&ids, &email, &options).await })
    }

    /// `guest`: an address, or an object.
    pub async fn add(&self, id: &str, guest: &Value, options: &Value) -> Told {
        self.add_until(id, guest, options, Cancel::default()).await
    }

    pub async fn add_until(&self, id: &str, guest: &Value, options: &Value, cancel: Cancel) -> Told {
        parsed(self.service.add_attendee(&args_for(id, options), &guest_text(guest), cancel).await)
    }

    pub async fn remove(&self, id: &str, guest: &Value, options: &Value) -> Told {
        parsed(self.service.remove_attendee(&args_for(id, options), &guest_text(guest), Cancel::default()).await)
    }

    /// Starts a create that goes on by itself.
    pub fn spawn_create(&self, event: &Value, options: &Value) -> tokio::task::JoinHandle<Told> {
        let (process, event, options) = (self.clone(), event.clone(), options.clone());
        tokio::spawn(async move { process.create(&event, &options).await })
    }

    /// The process dies: whatever it had begun, it neither sends nor writes anything more.
    pub fn kill(&self) {
        self.network.kill();
        self.line.cut(true);
    }

    /// Waits (in paused time) until no clean-up is open.
    pub async fn settle(&self) -> Vec<Pending> {
        self.service.drained(Duration::from_mins(10)).await;
        self.service.pending().await.unwrap()
    }
}
