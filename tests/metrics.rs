//! The figures, held against what Google holds.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use support::{Google, Process, class, pass};
use surecal::service::Status;
use surecal_emulator::{Fault, Rule, When};

fn metrics(process: &Process) -> Value {
    serde_json::to_value(process.service.metrics()).unwrap()
}

fn keyed(key: &str) -> Value {
    json!({ "idempotencyKey": key })
}

/// One create under one fault of its insert: what was counted as prevented.
async fn prevented_under(rule: Rule) -> (Google, Value) {
    let google = Google::new().with([rule]);
    let process = google.process();
    let told = process.create(&class(), &json!({})).await.unwrap();
    assert_eq!(told["success"], true);
    assert_eq!(google.live().len(), 1);
    let told = metrics(&process);
    (google, told)
}

#[tokio::test(start_paused = true)]
async fn a_silent_failure_is_counted_once_and_by_how_it_was_mended() {
    let (_, told) = prevented_under(Rule::nth("events.insert", 1, Fault::Corrupt { fields: None })).await;
    assert_eq!((&told["prevented"]["repaired"], &told["prevented"]["restored"]), (&json!(1), &json!(0)));
    assert_eq!(told["success"]["silentFailuresCaught"], json!({ "count": 1, "of": 1, "share": 1.0 }));

    let (google, told) = prevented_under(Rule::nth("events.insert", 1, Fault::Drop)).await;
    assert_eq!((&told["prevented"]["repaired"], &told["prevented"]["restored"]), (&json!(0), &json!(1)));
    assert_eq!(google.requests("events.insert"), 2);

    let (_, told) = prevented_under(Rule::nth("events.get", 1, Fault::Stale { ms: 500 })).await;
    assert_eq!(told["success"]["silentFailuresCaught"]["count"], 0, "an old read is no silent failure");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_stays_wrong_is_counted_as_taken_back_and_its_clean_up_as_a_phantom_prevented() {
    let wrong = Fault::Corrupt { fields: Some(json!({ "summary": "Botany" }).as_object().unwrap().clone()) };
    let google =
        Google::new().with([Rule::always("events.insert", wrong.clone()), Rule::always("events.patch", wrong)]);
    let process = google.process();
    assert_eq!(process.create(&class(), &json!({})).await.unwrap()["cleanup"], "deleted");
    assert!(google.live().is_empty());
    let told = metrics(&process);
    assert_eq!(told["prevented"]["refused"], 1);
    assert_eq!(told["success"]["phantomsPrevented"], json!({ "count": 1, "of": 1, "share": 1.0 }));
    assert_eq!(told["success"]["reliable"], json!({ "count": 0, "of": 1, "share": 0.0 }));
    let failure = &told["recentFailures"][0];
    assert_eq!((&failure["code"], &failure["outcome"]), (&json!("VERIFICATION_FAILED"), &json!("rejected")));
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_a_repeated_key_and_a_shared_attempt_are_each_a_duplicate_prevented() {
    let google = Google::new().with([Rule::nth("events.insert", 1, Fault::Reset { when: When::After })]);
    let process = google.process();
    process.create(&class(), &keyed("a")).await.unwrap();
    assert_eq!(metrics(&process)["prevented"]["lostReplies"], 1);
    process.create(&class(), &keyed("a")).await.unwrap();
    assert_eq!(metrics(&process)["prevented"]["adopted"], 1);
    let key = keyed("b");
    let class = class();
    let (one, two) = tokio::join!(process.create(&class, &key), process.create(&class, &key));
    assert_eq!(one.unwrap()["eventId"], two.unwrap()["eventId"]);
    let told = metrics(&process);
    assert_eq!((&told["shared"], &told["success"]["duplicatesPrevented"]), (&json!(1), &json!(3)));
    assert_eq!(google.live().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn requests_and_their_results_are_those_that_google_saw() {
    let google = Google::new().with([
        Rule::nth("events.insert", 1, Fault::status_when(503, When::Before)),
        Rule::nth("events.insert", 2, Fault::Reset { when: When::After }),
        Rule::nth("events.get", 2, Fault::status_when(500, When::Before)),
    ]);
    let process = google.process();
    for _ in 0..5 {
        process.create(&class(), &json!({})).await.unwrap();
    }
    let told = metrics(&process);
    let (reads, writes) = (google.requests("events.get"), google.requests("events.insert"));
    assert_eq!((&told["google"]["reads"], &told["google"]["writes"]), (&json!(reads), &json!(writes)));
    assert_eq!(told["google"]["status5xx"], 2);
    assert_eq!(told["google"]["faults"], json!({ "reset": 1 }));
    assert_eq!(told["operations"]["createEvent"]["succeeded"], 5);
    assert_eq!(told["success"]["verified"], json!({ "count": 5, "of": 5, "share": 1.0 }));
    assert_eq!(google.live().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn every_event_of_a_schedule_is_counted_that_was_mended_or_taken_back() {
    let google = Google::new().with([Rule::nth("events.insert", 1, Fault::Corrupt { fields: None })]);
    let process = google.process();
    process.create_many(&[class(), class()], &json!({})).await.unwrap();
    assert_eq!(metrics(&process)["prevented"]["repaired"], 1);

    let google = Google::new();
    let process = google.process();
    google.fault(Rule::nth("events.insert", 2, Fault::forbidden("forbidden")));
    process.create_many(&[class(), class()], &json!({})).await.unwrap_err();
    assert!(google.live().is_empty());
    let told = metrics(&process);
    assert_eq!(told["success"]["phantomsPrevented"]["count"], told["success"]["phantomsPrevented"]["of"]);
    assert_eq!(told["prevented"]["removed"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_is_not_read_back_is_not_counted_as_verified() {
    let google = Google::new();
    let process = google.process();
    process.create_many(&[class()], &json!({ "skipVerification": true })).await.unwrap();
    assert_eq!(metrics(&process)["success"]["verified"], json!({ "count": 0, "of": 1, "share": 0.0 }));
}

#[tokio::test(start_paused = true)]
async fn whatever_hangs_at_google_no_call_is_counted_as_hung_and_its_clean_up_is_open_until_it_is_done() {
    let google = Google::new();
    let process = google.process();
    for operation in ["events.insert", "events.get", "events.delete"] {
        google.fault(Rule::always(operation, Fault::Hang { when: When::After }));
    }
    process.create(&class(), &json!({})).await.unwrap_err();
    let told = metrics(&process);
    assert_eq!(told["success"]["hung"], json!({ "count": 0, "of": 1, "share": 0.0 }));
    assert!(told["google"]["faults"]["timeout"].as_u64().unwrap() > 1);
    let open = &told["success"]["phantomsPrevented"];
    assert_eq!((&open["count"], &open["of"]), (&json!(0), &json!(1)));
    google.emulator.clear_faults();
    pass(60).await;
    let told = metrics(&process);
    assert_eq!((&told["openWork"], &told["success"]["phantomsPrevented"]["count"]), (&json!(0), &json!(1)));
    assert!(google.live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn health_tells_the_store_the_seats_and_the_end() {
    let google = Google::new();
    let process = google.process_with(&json!({ "limits": { "maxInFlight": 1 } }));
    let health = process.service.health().await;
    assert_eq!((health.ready, health.status, health.token_endpoint.state), (true, Status::Ok, "unknown"));

    let inserts = process.network.hold(|request| request.method == Method::POST);
    let call = tokio::spawn({
        let process = process.clone();
        async move { process.create(&class(), &json!({})).await }
    });
    inserts.caught(1).await;
    let health = process.service.health().await;
    assert_eq!((health.ready, health.status, health.in_flight.ok), (true, Status::Degraded, false));
    inserts.release().await;
    call.await.unwrap().unwrap();

    process.line.cut(true);
    let health = process.service.health().await;
    assert_eq!((health.ready, health.status, health.store.ok), (false, Status::Down, false));
    process.line.cut(false);
    assert!(process.service.health().await.ready);

    process.service.close(Duration::ZERO).await;
    let health = process.service.health().await;
    assert_eq!((health.ready, health.closed), (false, true));
}

#[tokio::test(start_paused = true)]
async fn health_is_degraded_while_google_fails_and_when_clean_up_is_stuck() {
    let google = Google::new();
    let process = google.process();
    for operation in ["events.insert", "events.get"] {
        google.fault(Rule::always(operation, Fault::Reset { when: When::After }));
    }
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let process = process.clone();
            tokio::spawn(async move { process.create(&class(), &json!({})).await })
        })
        .collect();
    pass(2).await;
    let health = process.service.health().await;
    assert_eq!((health.ready, health.status, health.budget.ok), (true, Status::Degraded, false));
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
    pass(601).await;
    let health = process.service.health().await;
    assert_eq!((health.ready, health.open_work.ok, health.open_work.clean_ups), (true, false, 40));
}

#[tokio::test(start_paused = true)]
async fn an_attendee_who_was_taken_off_again_is_a_phantom_prevented_and_an_enrollment_that_holds_is_verified() {
    let google = Google::new();
    let ids = google.classes(3).await;
    let process = google.process();
    process.enroll(&ids, "eva@example.com", &json!({})).await.unwrap();
    assert_eq!(metrics(&process)["success"]["verified"], json!({ "count": 1, "of": 1, "share": 1.0 }));

    google.fault(Rule::always("events.patch", Fault::forbidden("forbidden")).for_event(&ids[2]));
    let error = process.enroll(&ids, "tom@example.com", &json!({})).await.unwrap_err();
    assert!(!error.rollback.done.is_empty());
    assert_eq!(google.places(&ids, "tom@example.com"), 0);
    let told = metrics(&process);
    assert_eq!(told["prevented"]["removed"], json!(error.rollback.done.len()));
    assert_eq!(told["operations"]["enroll"]["failed"], json!({ "PERMISSION_DENIED": 1 }));
    assert!(!told.to_string().contains("example.com"));
}
