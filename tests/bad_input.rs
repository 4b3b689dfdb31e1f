//! Wrong input: refused at once, by the name of what is wrong, with nothing sent and no value repeated.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use serde_json::{Value, json};
use support::{Google, TOKENS, class};
use surecal::clock::Clock;
use surecal::model::{CalendarError, Code, Outcome};
use surecal::service::{Cancel, Foundation, Service};

/// What no message may ever repeat.
const CANARY: &str = "canary-7f3a@example.com";

/// What a key takes.
#[derive(Clone, Copy)]
enum Takes {
    Text,
    Flag,
    /// Milliseconds from here to a day.
    Millis(f64),
    Whole(u32, u32),
    Number(f64, f64),
    Word,
    Function,
    Object,
}

use Takes::{Flag, Function, Millis, Number, Object, Text, Whole, Word};

impl Takes {
    /// Values it does not take.
    fn wrong(self) -> Vec<Value> {
        let mut wrong = vec![json!([CANARY]), json!([])];
        let others = [
            (matches!(self, Text), json!(CANARY)),
            (matches!(self, Flag), json!(true)),
            (matches!(self, Millis(_) | Whole(..) | Number(..)), json!(1_000)),
            (matches!(self, Object), json!({ "is": CANARY })),
        ];
        for (is_taken, value) in others {
            if !is_taken {
                wrong.push(value);
            }
        }
        match self {
            Text => wrong.push(json!("[function]")),
            Millis(least) => {
                wrong.extend([json!(-1), json!(least - 0.5), json!(86_400_001), json!(1e300), json!("10")]);
            }
            Whole(least, most) => wrong.extend([
                json!(-1),
                json!(i64::from(least) - 1),
                json!(i64::from(most) + 1),
                json!(f64::from(least) + 0.5),
                json!(1e300),
                json!("1"),
            ]),
            Number(least, most) => wrong.extend([json!(-1), json!(least - 0.5), json!(most + 0.5), json!("2")]),
            Word => wrong.extend([json!(""), json!(CANARY)]),
            Function => wrong.push(json!(CANARY)),
            Flag => wrong.extend([json!("true"), json!(0), json!(CANARY)]),
            Object => wrong.extend([json!(CANARY), json!(7)]),
        }
        wrong
    }
}

/// A value at a path such as `retry.maxRetries`.
fn at(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |value, key| json!({ key: value }))
}

fn assert_refused(error: &CalendarError, code: Code, field: &str, name: &str) {
    assert_eq!((error.code, error.outcome), (code, Outcome::NotSent), "{name}: {error:?}");
    assert_eq!(error.field.as_deref(), Some(field), "{name}: {error:?}");
    assert!(error.message.contains(field), "{name}: {error}");
    for told in [format!("{error}"), format!("{error:?}"), serde_json::to_string(error).unwrap()] {
        assert!(!told.contains("canary"), "{name}: {told}");
    }
}

const CONFIG: &[(&str, Takes)] = &[
    ("rootUrl", Text),
    ("tokenUrl", Text),
    ("clientId", Text),
    ("clientSecret", Text),
    ("redirectUri", Text),
    ("resolveCalendar", Function),
    ("resolveCalendarForEvent", Function),
    ("onOperation", Function),
    ("tokenStore", Object),
    ("tokenStore.load", Function),
    ("tokenStore.save", Function),
    ("logger", Object),
    ("logger.debug", Function),
    ("logger.info", Function),
    ("logger.warn", Function),
    ("logger.error", Function),
    ("tokens", Object),
    ("tokens.minValidityMs", Millis(0.0)),
    ("tokens.throwOnFailure", Flag),
    ("timeoutMs", Millis(1.0)),
    ("attemptTimeoutMs", Millis(1.0)),
    ("connectTimeoutMs", Millis(1.0)),
    ("timeZone", Text),
    ("attendees", Object),
    ("attendees.timeoutMs", Millis(1.0)),
    ("attendees.onTimeout", Word),
    ("retry", Object),
    ("retry.maxRetries", Whole(0, 100)),
    ("retry.baseDelayMs", Millis(1.0)),
    ("retry.backoffMultiplier", Number(1.0, 10.0)),
    ("retry.maxDelayMs", Millis(1.0)),
    ("undo", Object),
    ("undo.handler", Function),
    ("verification", Object),
    ("verification.enabled", Flag),
    ("verification.windowMs", Millis(0.0)),
    ("verification.repair", Flag),
    ("store", Word),
    ("store.sqlite", Text),
    ("store.redis", Text),
    ("store.custom", Flag),
    ("idempotency", Object),
    ("idempotency.enabled", Flag),
    ("idempotency.ttlMs", Millis(0.0)),
    ("leaseMs", Millis(1_000.0)),
    ("recovery", Word),
    ("limits", Object),
    ("limits.perUserPerMinute", Whole(1, 1_000_000)),
    ("limits.perProjectPerMinute", Whole(1, 10_000_000)),
    ("limits.maxInFlight", Whole(1, 100_000)),
    ("unknownOptions", Word),
];

fn service_of(text: &str) -> Result<Service, CalendarError> {
    Service::new(text, Foundation::new(Clock::paused(0)))
}

fn service(config: &Value) -> Result<Service, CalendarError> {
    service_of(&config.to_string())
}

fn refused_config(config: &Value) -> CalendarError {
    service(config).err().unwrap_or_else(|| panic!("taken: {config}"))
}

#[tokio::test(start_paused = true)]
async fn every_setting_refuses_what_is_not_its_own_and_says_which_it_is() {
    for (path, takes) in CONFIG {
        for wrong in takes.wrong() {
            let config = at(path, wrong);
            let error = refused_config(&config);
            assert_refused(&error, Code::Configuration, &format!("config.{path}"), &config.to_string());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_setting_nobody_knows_is_refused_by_its_name_unless_that_is_unusual() {
    for (path, field) in [
        ("timeoutMS", "config.timeoutMS"),
        ("retry.maxRetry", "config.retry.maxRetry"),
        ("verification.window", "config.verification.window"),
        ("limits.perUser", "config.limits.perUser"),
        ("tokenStore.get", "config.tokenStore.get"),
        (CANARY, "config.(a key with unusual characters)"),
        ("a\r\nb", "config.(a key with unusual characters)"),
    ] {
        let config = if path.contains('@') { json!({ path: CANARY }) } else { at(path, json!(CANARY)) };
        assert_refused(&refused_config(&config), Code::Configuration, field, path);
    }
    for text in ["", "[]", "7", "null", "\"x\"", "{", "{\"timeoutMs\":NaN}", "{\"timeoutMs\":1e999}"] {
        assert_refused(&service_of(text).err().unwrap(), Code::Configuration, "config", text);
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_and_secrets_go_to_https_or_to_this_machine_alone() {
    for key in ["rootUrl", "tokenUrl"] {
        for url in [
            "http://canary.example.com",
            "http://127.0.0.1.canary.example",
            "https://canary:pw@example.com",
            "https://example.com/?canary=1",
            "file:///canary",
            "canary",
        ] {
            let error = refused_config(&json!({ key: url }));
            assert_refused(&error, Code::Configuration, &format!("config.{key}"), url);
        }
        assert!(service(&json!({ key: "http://127.0.0.1:9" })).is_ok());
        assert!(service(&json!({ key: "https://example.com" })).is_ok());
    }
    assert_refused(
        &refused_config(&json!({ "timeZone": "Canary/canary" })),
        Code::Configuration,
        "config.timeZone",
        "zone",
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_none_of_the_kinds_there_are_is_refused() {
    for (store, field) in [
        (json!({}), "config.store"),
        (json!({ "custom": false }), "config.store"),
        (json!({ "sqlite": "canary.db", "redis": "redis://canary" }), "config.store"),
        (json!({ "sqlite": ":canary:" }), "config.store.sqlite"),
        (json!({ "sqlite": "canary.db", "synchronous": "canary" }), "config.store.synchronous"),
        (json!({ "sqlite": "canary.db", "prefix": "canary" }), "config.store.prefix"),
        (json!({ "redis": "redis://canary", "prefix": 7 }), "config.store.prefix"),
    ] {
        assert_refused(&refused_config(&json!({ "store": store })), Code::Configuration, field, &store.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_fixed_while_calls_run_cannot_be_configured_later_and_the_rest_can() {
    let service = service(&json!({})).unwrap();
    for key in ["rootUrl", "tokenUrl", "clientId", "clientSecret", "redirectUri", "store", "leaseMs"] {
        let error = service.configure(&json!({ key: CANARY }).to_string()).unwrap_err();
        assert_refused(&error, Code::Configuration, &format!("config.{key}"), key);
    }
    let error = service.configure(r#"{"timeoutMs":5000,"retry":{"maxRetries":-1}}"#).unwrap_err();
    assert_refused(&error, Code::Configuration, "config.retry.maxRetries", "one wrong key");
    service.configure(r#"{"timeoutMs":30000,"verification":{"enabled":false}}"#).unwrap();
}

const OPTIONS: &[(&str, Takes)] = &[
    ("idempotencyKey", Text),
    ("calendarId", Text),
    ("conferenceDataVersion", Whole(0, 1)),
    ("sendUpdates", Word),
    ("sendNotifications", Flag),
    ("skipVerification", Flag),
    ("waitForConsistency", Flag),
    ("supportsAttachments", Flag),
    ("timeoutMs", Millis(1.0)),
    ("attemptTimeoutMs", Millis(1.0)),
    ("maxRetries", Whole(0, 100)),
    ("maxAttendees", Whole(1, u32::MAX)),
    ("onDeleted", Word),
    ("forceRefresh", Flag),
    ("requireFresh", Flag),
];

const AUTH: &[(&str, Takes)] = &[
    ("auth", Object),
    ("auth.accessToken", Text),
    ("auth.refreshToken", Text),
    ("auth.authRef", Whole(1, u32::MAX)),
    ("auth.asks", Flag),
    ("auth.client", Object),
    ("auth.client.id", Text),
    ("auth.client.secret", Text),
    ("auth.serviceAccount", Object),
    ("auth.serviceAccount.clientEmail", Text),
    ("auth.serviceAccount.privateKey", Text),
    ("auth.serviceAccount.privateKeyId", Text),
    ("auth.serviceAccount.subject", Text),
];

/// What the tests below give wrong by hand.
const BY_HAND: &[&str] =
    &["prefix", "synchronous", "userId", "calendarId", "timeZone", "spentMs", "eventId", "query", "options"];

/// What the sources read: every literal key.
fn keys_read(source: &str) -> Vec<&str> {
    const READERS: [&str; 8] = ["string", "bool", "millis", "whole", "number", "word", "function", "object"];
    let mut keys = Vec::new();
    for reader in READERS {
        for (at, call) in source.match_indices(&format!(".{reader}(\"")) {
            keys.extend(source[at + call.len()..].split('"').next());
        }
    }
    keys
}

#[test]
fn no_setting_option_or_argument_is_read_that_these_tests_do_not_give_wrong() {
    let tables = CONFIG.iter().chain(OPTIONS).chain(AUTH).map(|(path, _)| path.rsplit('.').next().unwrap());
    let known: Vec<_> = tables.chain(BY_HAND.iter().copied()).collect();
    let read = [keys_read(include_str!("../src/service/config.rs")), keys_read(include_str!("../src/service/call.rs"))];
    let read = read.concat();
    assert!(read.len() > 50, "the sources are read differently now");
    let missed: Vec<_> = read.iter().filter(|key| !known.contains(*key)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test(start_paused = true)]
async fn every_option_of_every_method_refuses_what_is_not_its_own_and_nothing_is_sent() {
    let google = Google::new();
    let process = google.process();
    for (option, takes) in OPTIONS {
        for wrong in takes.wrong() {
            let options = json!({ *option: wrong });
            let errors = [
                process.create(&class(), &options).await,
                process.create_many(&[class()], &options).await,
                process.update("someevent", &json!({ "summary": "x" }), &options).await,
                process.delete("someevent", &options).await,
                process.add("someevent", &json!("ada@example.com"), &options).await,
                process.remove("someevent", &json!("ada@example.com"), &options).await,
                process.enroll(&["someevent".to_owned()], "ada@example.com", &options).await,
            ];
            for error in errors {
                let error = error.unwrap_err();
                assert_refused(&error, Code::ValidationFailed, &format!("options.{option}"), &options.to_string());
            }
        }
    }
    for (options, field) in [
        (json!({ "idempotencykey": "k" }), "options.idempotencykey"),
        (json!({ CANARY: 1 }), "options.(a key with unusual characters)"),
        (json!({ "idempotencyKey": "" }), "idempotencyKey"),
        (json!({ "idempotencyKey": "canary\r\nX-Evil: 1" }), "idempotencyKey"),
        (json!({ "idempotencyKey": "canary".repeat(100) }), "idempotencyKey"),
        (json!({ "calendarId": "canary/../calendars" }), "calendarId"),
        (json!({ "calendarId": "canary\r\n" }), "calendarId"),
        (json!({ "calendarId": ".." }), "calendarId"),
    ] {
        let error = process.create(&class(), &options).await.unwrap_err();
        assert_refused(&error, Code::ValidationFailed, field, &options.to_string());
    }
    assert_eq!(google.emulator.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_attendee_is_read_strictly() {
    let google = Google::new();
    let process = google.process();
    for (guest, field) in [
        (json!({}), "attendee.email"),
        (json!({ "email": CANARY, "displayName": [CANARY] }), "attendee.displayName"),
        (json!({ "email": CANARY, "displayName": CANARY.repeat(100) }), "attendee.displayName"),
        (json!({ "email": CANARY, "optional": CANARY }), "attendee.optional"),
        (json!({ "email": CANARY, "responseStatus": "accepted" }), "attendee.responseStatus"),
        (json!({ "email": [CANARY] }), "attendee.email"),
        (json!({ "email": format!("{CANARY}, {CANARY}") }), "attendee.email"),
        (json!({ "email": format!("Canary <{CANARY}>") }), "attendee.email"),
        (json!({ "email": format!("{CANARY}\r\nBcc: {CANARY}") }), "attendee.email"),
    ] {
        for told in
            [process.add("someevent", &guest, &json!({})).await, process.remove("someevent", &guest, &json!({})).await]
        {
            assert_refused(&told.unwrap_err(), Code::ValidationFailed, field, &guest.to_string());
        }
    }
    assert_eq!(google.emulator.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_option_is_only_warned_of_where_that_was_asked_for() {
    let google = Google::new();
    let process = google.process_with(&json!({ "unknownOptions": "warn" }));
    let told = process.create(&class(), &json!({ "futureOption": CANARY })).await.unwrap();
    assert_eq!(told["success"], true);
    let notices = serde_json::to_string(&*google.notices.lock().unwrap()).unwrap();
    assert!(notices.contains("futureOption") && !notices.contains("canary"), "{notices}");
}

#[tokio::test(start_paused = true)]
async fn an_id_that_could_leave_its_place_in_the_url_is_refused_and_nothing_is_sent() {
    let google = Google::new();
    let process = google.process();
    for id in [
        "",
        "canary/x",
        "..",
        "canary..x",
        "canary\\x",
        "canary\r\nX-Evil: 1",
        "canary x",
        "canäry",
        &"canary".repeat(200),
    ] {
        let results = [
            process.get(id).await,
            process.delete(id, &json!({})).await,
            process.update(id, &json!({ "summary": "x" }), &json!({})).await,
            process.verify(id, &json!({ "summary": "x" })).await,
        ];
        for result in results {
            assert_refused(&result.unwrap_err(), Code::ValidationFailed, "eventId", id);
        }
    }
    assert_eq!(google.emulator.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn every_argument_refuses_what_is_not_its_own() {
    let google = Google::new();
    let process = google.process();
    let good =
        || json!({ "userId": "u1", "calendarId": "primary", "auth": { "accessToken": TOKENS[0] }, "options": {} });
    for (path, takes) in AUTH {
        for wrong in takes.wrong() {
            let Value::Object(wrong) = at(path, wrong) else { unreachable!() };
            let mut args = good();
            args.as_object_mut().unwrap().extend(wrong);
            let name = args.to_string();
            let error = process.service.create_event(&name, &class().to_string(), Cancel::default()).await.unwrap_err();
            assert_refused(&error, Code::ValidationFailed, path, &name);
        }
    }
    let wrong = [
        ("userId", json!(7), "userId"),
        ("userId", Value::Null, "userId"),
        ("userId", json!(""), "userId"),
        ("userId", json!("canary\u{0}"), "userId"),
        ("calendarId", json!(7), "calendarId"),
        ("timeZone", json!("Canary/canary"), "timeZone"),
        ("auth", json!(CANARY), "auth"),
        ("auth", json!({ "accessToken": "canary\r\nX-Evil: 1" }), "auth.access_token"),
        ("auth", json!({ "access": CANARY }), "auth.access"),
        ("options", json!(CANARY), "options"),
        ("spentMs", json!(-1), "spentMs"),
        ("eventId", json!(7), "eventId"),
        ("query", json!({ "q": { "canary": 1 } }), "query.q"),
        ("canary@x", json!(CANARY), "(a key with unusual characters)"),
    ];
    for (key, value, field) in wrong {
        let mut args = good();
        args[key] = value;
        let error = process.service.create_event(&args.to_string(), &class().to_string(), Cancel::default()).await;
        assert_refused(&error.unwrap_err(), Code::ValidationFailed, field, key);
    }
    let mut args = good();
    args["auth"] = Value::Null;
    let error =
        process.service.create_event(&args.to_string(), &class().to_string(), Cancel::default()).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::GoogleAuthRequired, Outcome::NotSent));
    assert_eq!(google.emulator.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn every_field_of_an_event_refuses_what_is_not_its_own_and_nothing_is_sent() {
    let google = Google::new();
    let process = google.process();
    let wrong = [
        ("summary", json!(7)),
        ("description", json!([CANARY])),
        ("location", json!({})),
        ("colorId", json!(4)),
        ("status", json!(CANARY)),
        ("visibility", json!(CANARY)),
        ("transparency", json!(true)),
        ("id", json!("canary")),
        ("start", Value::Null),
        ("start", json!(CANARY)),
        ("start", json!({})),
        ("start", json!({ "dateTime": CANARY })),
        ("start", json!({ "dateTime": "2027-02-30T10:00:00Z" })),
        ("start", json!({ "dateTime": "2027-03-01T10:00:00", "timeZone": "Canary/canary" })),
        ("start", json!({ "dateTime": "2027-03-01T10:00:00" })),
        ("start", json!({ "dateTime": "2027-03-01T12:00:00Z" })),
        ("start", json!({ "date": "2027-03-01" })),
        ("end", json!({ "date": "20270301" })),
        ("end", json!({ "dateTime": "2027-03-01T24:00:00Z" })),
        ("attendees", json!(CANARY)),
        ("attendees", json!([CANARY])),
        ("attendees", json!([{ "email": "canary" }])),
        ("attendees", json!([{ "email": "canary\r\nBcc: x@example.com" }])),
        ("attendees", json!([{ "email": CANARY }, { "email": CANARY.to_uppercase() }])),
        ("recurrence", json!("RRULE:FREQ=DAILY")),
        ("recurrence", json!(["canary"])),
        ("reminders", json!(CANARY)),
        ("reminders", json!({ "useDefault": "yes" })),
        ("extendedProperties", json!({ "private": { "canary": 7 } })),
        ("extendedProperties", json!({ "private": { "surecalClaims": "canary" } })),
        ("extendedProperties", json!({ "private": { "key": "canary".repeat(200) } })),
        ("conferenceData", json!(CANARY)),
        ("attachments", json!([7])),
        ("guestsCanModify", json!("yes")),
        ("sumary", json!("canary")),
    ];
    for (field, value) in wrong {
        let mut event = class();
        event[field] = value.clone();
        let error = process.create(&event, &json!({})).await.unwrap_err();
        let name = format!("{field}: {value}");
        assert_eq!((error.code, error.outcome), (Code::ValidationFailed, Outcome::NotSent), "{name}: {error:?}");
        let told = error.field.clone().unwrap();
        let order = field == "start" && told.starts_with("eventData.end");
        assert!(told.starts_with(&format!("eventData.{field}")) || order, "{name}: {told}");
        assert!(
            !format!("{error:?} {}", serde_json::to_string(&error).unwrap()).contains("anary"),
            "{name}: {error:?}"
        );
    }
    for text in ["", "[]", "7", "null", "{", "\"canary\"", "{\"summary\":\"\\ud800canary\"}"] {
        let args = json!({ "userId": "u1", "auth": { "accessToken": TOKENS[0] } }).to_string();
        let error = process.service.create_event(&args, text, Cancel::default()).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::ValidationFailed, Some("eventData")), "{text}");
        assert!(!format!("{error:?}").contains("canary"));
    }
    let huge = format!("{{\"description\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let args = json!({ "userId": "u1", "auth": { "accessToken": TOKENS[0] } }).to_string();
    let error = process.service.create_event(&args, &huge, Cancel::default()).await.unwrap_err();
    assert_eq!(error.code, Code::ValidationFailed);
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let error = process.service.create_event(&args, &deep, Cancel::default()).await.unwrap_err();
    assert_eq!(error.code, Code::ValidationFailed);
    assert_eq!(google.emulator.requests().len(), 0);
}
