//! Nothing that belongs to a user or a secret is ever printed: canaries are put everywhere, everything is made to fail,
//! and every error and every notice is searched.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use serde_json::{Value, json};
use support::{Google, Process, TOKENS, Told, claims, pass, shared_store};
use surecal::service::Cancel;
use surecal_emulator::{Fault, NewCalendar, Rule, When};

/// Part of every secret here, in any case of letters.
const CANARY: &str = "canary";
const CALENDAR: &str = "canary-calendar@group.calendar.google.com";

fn secret_event() -> Value {
    json!({
        "summary": "canary summary",
        "description": "canary description",
        "location": "canary street 7",
        "start": { "dateTime": "2027-03-01T10:00:00Z" },
        "end": { "dateTime": "2027-03-01T11:00:00Z" },
        "attendees": [{ "email": "canary.guest@example.com", "displayName": "Canary Guest" }],
        "extendedProperties": { "private": { "note": "canary note" } },
    })
}

fn faults() -> Vec<Fault> {
    let status = |status, reason: Option<&str>| Fault::Status {
        when: When::Before,
        status,
        reason: reason.map(str::to_owned),
        retry_after_seconds: None,
        domain: Some("canary".to_owned()),
        message: Some("No access of canary.guest@example.com to canary-calendar with ya29.canary".to_owned()),
    };
    let mut faults = vec![
        Fault::Corrupt { fields: None },
        Fault::Drop,
        Fault::Precondition,
        Fault::RefusedStream,
        Fault::Redirect { location: "https://canary.example.com/".to_owned(), when: When::Before },
        Fault::Truncate { when: When::After, keep_bytes: Some(150) },
        Fault::DelayedVisibility { ms: 60_000 },
        status(403, Some("canary.guest@example.com")),
        status(403, Some("insufficientPermissions")),
        status(403, Some("quotaExceeded")),
    ];
    faults.extend([400, 401, 403, 404, 409, 410, 412, 429, 500, 503, 599].map(|code| status(code, None)));
    for when in [When::Before, When::After] {
        faults.extend([Fault::Reset { when }, Fault::Hang { when }, Fault::Html { when }]);
    }
    faults
}

/// What was printed so far, and where it came from.
#[derive(Default)]
struct Printed(Vec<(String, String)>);

impl Printed {
    fn hears(&mut self, from: &str, told: Result<(), surecal::model::CalendarError>) {
        if let Err(error) = told {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let json = serde_json::to_string(&error).unwrap();
            self.0.push((from.to_owned(), format!("{error}\n{error:?}\n{error:#?}\n{json}\n{source:?}")));
        }
    }

    fn hears_notices(&mut self, from: &str, google: &Google) {
        for notice in &*google.notices.lock().unwrap() {
            let json = serde_json::to_string(notice).unwrap();
            self.0.push((from.to_owned(), format!("{notice:?}\n{json}")));
        }
    }

    fn assert_clean(&self) {
        for (from, text) in &self.0 {
            assert!(!text.to_lowercase().contains(CANARY), "{from}: {text}");
        }
    }
}

fn plain(told: Told) -> Result<(), surecal::model::CalendarError> {
    told.map(drop)
}

fn google() -> Google {
    let google = Google::new();
    google.add_user("canary.teacher@example.com", TOKENS[3], "UTC");
    let calendar = NewCalendar {
        id: Some(CALENDAR.to_owned()),
        owner: "canary.teacher@example.com".to_owned(),
        ..NewCalendar::default()
    };
    google.emulator.add_calendar(calendar).unwrap();
    google
}

fn args(id: Option<&str>, options: &Value) -> String {
    let mut args = json!({
        "userId": "u1", "calendarId": CALENDAR, "auth": { "accessToken": TOKENS[3] }, "options": options,
    });
    if let Some(id) = id {
        args["eventId"] = json!(id);
    }
    args.to_string()
}

async fn every_method(process: &Process, from: &str, printed: &mut Printed) {
    let service = &process.service;
    let (event, key) = (secret_event().to_string(), json!({ "idempotencyKey": "canary key", "timeoutMs": 5_000 }));
    let cancel = Cancel::default;
    printed.hears(from, service.create_event(&args(None, &key), &event, cancel()).await.map(drop));
    let many = json!([secret_event(), secret_event()]).to_string();
    printed.hears(from, service.create_events(&args(None, &key), &many, cancel()).await.map(drop));
    let id = "canaryevent";
    let short = json!({ "timeoutMs": 5_000 });
    let guest = json!({ "email": "canary.student@example.com", "displayName": "Canary" }).to_string();
    let there = json!({ "email": "canary.guest@example.com" }).to_string();
    let change = json!({ "summary": "canary again", "attendees": [{ "email": "canary@x.example" }] }).to_string();
    let body = json!({
        "events": [{ "eventId": "someevent" }],
        "attendee": { "email": "canary.pupil@example.com", "displayName": "Canary" },
    });
    for result in [
        service.enroll(&args(None, &key), &body.to_string(), cancel()).await,
        service.add_attendee(&args(Some("someevent"), &short), &guest, cancel()).await,
        service.remove_attendee(&args(Some("someevent"), &short), &there, cancel()).await,
        service.update_event(&args(Some("someevent"), &short), &change, cancel()).await,
        service.delete_event(&args(Some("someevent"), &short), cancel()).await,
        service.get_event(&args(Some("someevent"), &short), cancel()).await,
        service.verify_event(&args(Some("someevent"), &short), &event, cancel()).await,
        service.list_page(&args(None, &short), cancel()).await,
    ] {
        printed.hears(from, result.map(drop));
    }
    // An event's id is the caller's own, and named in the error: `canaryevent` would be found. Not in the message.
    let error = service.get_event(&args(Some(id), &short), cancel()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(id), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn no_failure_of_google_or_the_network_prints_a_token_an_address_or_a_text() {
    let mut printed = Printed::default();
    for fault in faults() {
        for operation in ["events.insert", "events.get", "events.*"] {
            let from = format!("{fault:?} at {operation}");
            let google = google();
            let mut event = secret_event();
            event["id"] = json!("someevent");
            google.emulator.put_event(CALENDAR, event.as_object().unwrap().clone()).unwrap();
            google.fault(Rule::always(operation, fault.clone()));
            let process = google.process();
            every_method(&process, &from, &mut printed).await;
            google.emulator.clear_faults();
            pass(300).await;
            printed.hears_notices(&from, &google);
            let metrics = serde_json::to_string(&process.service.metrics()).unwrap();
            assert!(!metrics.contains(CANARY), "{from}: {metrics}");
        }
    }
    assert!(printed.0.len() > 200, "{}", printed.0.len());
    printed.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn no_failure_of_ours_prints_one_either() {
    let mut printed = Printed::default();
    let google = google();
    let process = google.process();
    let service = &process.service;
    let (event, cancel) = (secret_event(), Cancel::default);
    // A wrong field beside the secret ones, for every field.
    for field in ["summary", "start", "end", "attendees", "recurrence", "extendedProperties", "conferenceData"] {
        let mut wrong = event.clone();
        wrong[field] = json!([["canary"]]);
        printed
            .hears(field, service.create_event(&args(None, &json!({})), &wrong.to_string(), cancel()).await.map(drop));
        printed.hears(
            field,
            service.create_event(&args(None, &json!({})), &format!("{wrong}canary"), cancel()).await.map(drop),
        );
    }
    // A key used for other data; an event replaced behind our back; claims that are too many; a store that is down.
    let key = json!({ "idempotencyKey": "canary key" });
    service.create_event(&args(None, &key), &event.to_string(), cancel()).await.unwrap();
    let mut other = event.clone();
    other["summary"] = json!("other canary");
    printed.hears("reused", service.create_event(&args(None, &key), &other.to_string(), cancel()).await.map(drop));
    let id = google.emulator.live_events(CALENDAR)[0]["id"].as_str().unwrap().to_owned();
    let fields = json!({ "summary": "canary replaced" }).as_object().unwrap().clone();
    google.emulator.owner_edit(CALENDAR, &id, &fields, true).unwrap();
    let stranger = google.process();
    printed.hears(
        "replaced",
        stranger.service.create_event(&args(None, &key), &event.to_string(), cancel()).await.map(drop),
    );
    google.emulator.owner_delete(CALENDAR, &id).unwrap();
    let reject = json!({ "idempotencyKey": "canary key", "onDeleted": "reject" });
    printed.hears(
        "deleted",
        stranger.service.create_event(&args(None, &reject), &event.to_string(), cancel()).await.map(drop),
    );
    process.line.cut(true);
    printed.hears("store", service.create_event(&args(None, &json!({})), &event.to_string(), cancel()).await.map(drop));
    let unknown = json!({ "userId": "u1", "auth": { "accessToken": "ya29.unknown" } }).to_string();
    printed.hears("token", stranger.service.create_event(&unknown, &event.to_string(), cancel()).await.map(drop));
    process.service.close(std::time::Duration::ZERO).await;
    printed.hears("closed", plain(process.create(&event, &json!({})).await));
    printed.hears_notices("ours", &google);
    assert!(printed.0.len() >= 20, "{}", printed.0.len());
    printed.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_the_store_keeps_names_no_token_no_guest_and_no_text() {
    let google = google();
    let store = shared_store();
    let process = google.process_on(&json!({}), Some(&store));
    let key = json!({ "idempotencyKey": "canary key" });
    let told = process.service.create_event(&args(None, &key), &secret_event().to_string(), Cancel::default()).await;
    told.unwrap();
    let written = process.line.written();
    assert!(written.len() >= 3, "intent, entry, result");
    for (name, value) in written {
        assert!(!name.contains(CANARY), "{name}");
        let value = value.replace(CALENDAR, "(the calendar's id, which entries need)");
        assert!(!value.contains(CANARY), "{value}");
    }
    assert_eq!(claims(&google.emulator.live_events(CALENDAR)[0]).len(), 1);
}
