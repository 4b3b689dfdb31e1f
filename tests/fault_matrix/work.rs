//! The operations, each on a calendar of its own, and how much of one Google holds.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{EVA as GUEST, Google, Process, Told, USER, class};

const EVENTS: usize = 3;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Create,
    CreateMany,
    Update,
    Delete,
    Verify,
    Get,
    List,
    Add,
    Remove,
    Enroll,
    /// An attendee, an event, and two steps of the program's own.
    Transaction,
    /// The same; then the program throws.
    TransactionBack,
}

/// How much of the work is in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// As if it had never been asked for.
    Nothing,
    /// All of it, once.
    All,
    /// Anything else.
    Other,
}

impl Work {
    pub(crate) const ALL: &[Self] = &[
        Self::Create,
        Self::CreateMany,
        Self::Update,
        Self::Delete,
        Self::Verify,
        Self::Get,
        Self::List,
        Self::Add,
        Self::Remove,
        Self::Enroll,
        Self::Transaction,
        Self::TransactionBack,
    ];

    /// The time a call is given.
    pub(crate) const fn limit(self) -> Duration {
        match self {
            Self::CreateMany | Self::Enroll => Duration::from_millis(10_000 + 500 * EVENTS as u64),
            _ => Duration::from_secs(10),
        }
    }

    pub(crate) const fn reads(self) -> bool {
        matches!(self, Self::Verify | Self::Get | Self::List)
    }
}

/// An operation about to run.
pub(crate) struct Scene {
    work: Work,
    ids: Vec<String>,
    pub(crate) process: Process,
    program: Arc<Program>,
}

fn lesson(number: usize) -> Value {
    let mut event = class();
    event["summary"] = json!(format!("Lesson {number}"));
    event
}

fn lessons() -> Vec<Value> {
    (0..EVENTS).map(lesson).collect()
}

fn guests_before(work: Work) -> Value {
    let mut guests = vec![
        json!({ "email": "ada@example.com", "responseStatus": "accepted", "comment": "I come" }),
        json!({ "email": "bob@example.com", "responseStatus": "declined", "optional": true }),
    ];
    if work == Work::Remove {
        guests.push(json!({ "email": GUEST, "responseStatus": "needsAction" }));
    }
    Value::from(guests)
}

impl Scene {
    pub(crate) fn set(work: Work, google: &mut Google) -> Self {
        let program = Program::on(google);
        let count = match work {
            Work::Create | Work::CreateMany => 0,
            Work::Enroll => EVENTS,
            _ => 1,
        };
        let ids: Vec<_> = (0..count).map(|number| format!("class0{number}")).collect();
        for id in &ids {
            let mut event = class();
            event["id"] = json!(id);
            event["attendees"] = guests_before(work);
            google.emulator.put_event(USER, event.as_object().unwrap().clone()).unwrap();
        }
        Self { work, ids, process: google.process(), program }
    }

    pub(crate) async fn run(&self) -> Told {
        let (process, ids) = (&self.process, &self.ids);
        let (none, key) = (json!({}), json!({ "idempotencyKey": "k" }));
        match self.work {
            Work::Create => process.create(&lesson(0), &key).await,
            Work::CreateMany => process.create_many(&lessons(), &key).await,
            Work::Update => process.update(&ids[0], &json!({ "summary": "Geometry" }), &none).await,
            Work::Delete => process.delete(&ids[0], &none).await,
            Work::Verify => process.verify(&ids[0], &class()).await,
            Work::Get => process.get(&ids[0]).await,
            Work::List => process.list(&none).await,
            Work::Add => process.add(&ids[0], &json!(GUEST), &none).await,
            Work::Remove => process.remove(&ids[0], &json!(GUEST), &none).await,
            Work::Enroll => process.enroll(ids, GUEST, &none).await,
            Work::Transaction => self.program.transact(process, &ids[0], &lesson(0), false).await,
            Work::TransactionBack => self.program.transact(process, &ids[0], &lesson(0), true).await,
        }
    }

    /// What Google holds of it. A fence on its way out counts as something.
    pub(crate) fn state(&self, google: &Google) -> State {
        let live = google.live();
        match self.work {
            Work::Create => made(&live, &[lesson(0)]),
            Work::CreateMany => made(&live, &lessons()),
            Work::Delete => state_of(!live.is_empty(), live.is_empty()),
            Work::Update => state_of(live[0]["summary"] == class()["summary"], live[0]["summary"] == "Geometry"),
            Work::Verify | Work::Get | Work::List => state_of(false, live.len() == 1),
            Work::Add | Work::Enroll => {
                let places = google.places(&self.ids, GUEST);
                state_of(places == 0, places == self.ids.len())
            }
            Work::Transaction | Work::TransactionBack => {
                let made = made(&self.others(live), &[lesson(0)]);
                let (rows, places) = (self.program.rows(), google.places(&self.ids, GUEST));
                state_of(
                    made == State::Nothing && rows == 0 && places == 0,
                    made == State::All && rows == 2 && places == self.ids.len(),
                )
            }
            Work::Remove => {
                let places = google.places(&self.ids, GUEST);
                state_of(places == 1, places == 0)
            }
        }
    }

    /// The events that were not there before.
    fn others(&self, live: Vec<Value>) -> Vec<Value> {
        let is_known = |event: &Value| self.ids.iter().any(|id| event["id"] == id.as_str());
        live.into_iter().filter(|event| !is_known(event)).collect()
    }

    /// What became of those whom nobody asked to change. A fault that stores something else excuses nothing but itself.
    pub(crate) fn bystanders(&self, google: &Google) -> Vec<String> {
        let corrupted = google.emulator.requests().iter().any(|request| request.fault.as_deref() == Some("corrupt"));
        if corrupted || matches!(self.work, Work::Create | Work::CreateMany | Work::Delete) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let known = google.live().into_iter().filter(|event| self.ids.iter().any(|id| event["id"] == id.as_str()));
        for event in known {
            for guest in guests_before(self.work).as_array().unwrap() {
                let times = event["attendees"].as_array().unwrap().iter().filter(|held| *held == guest).count();
                if times != 1 && guest["email"] != GUEST {
                    found.push(format!("a guest who was there is there {times} times"));
                }
            }
        }
        found
    }
}

const fn state_of(nothing: bool, all: bool) -> State {
    match (nothing, all) {
        (true, _) => State::Nothing,
        (_, true) => State::All,
        _ => State::Other,
    }
}

/// Critical fields, by the fields themselves: not by the comparison that is under test.
fn made(live: &[Value], wanted: &[Value]) -> State {
    let is_it = |held: &Value, want: &Value| {
        let guests = held["attendees"].as_array().map(Vec::len);
        held["summary"] == want["summary"]
            && held["start"]["dateTime"] == want["start"]["dateTime"]
            && held["end"]["dateTime"] == want["end"]["dateTime"]
            && guests == Some(1)
            && held["attendees"][0]["email"].as_str().unwrap().eq_ignore_ascii_case("ada@example.com")
    };
    let once = |want: &Value| live.iter().filter(|held| is_it(held, want)).count() == 1;
    state_of(live.is_empty(), live.len() == wanted.len() && wanted.iter().all(once))
}
