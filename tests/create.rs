//! Create, told by what Google holds afterwards.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Google, Told, class, lost_exchanges, now};
use surecal::model::{Code, Outcome};
use surecal::service::Cancel;
use surecal_emulator::{Fault, Rule, When};

fn assert_one_live_and_verified(google: &Google, told: &Told, name: &str) {
    let answer = told.as_ref().unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(answer["success"], true, "{name}: {answer}");
    assert_eq!(answer["verified"], true, "{name}");
    let live = google.live();
    assert_eq!(live.len(), 1, "{name}: live events");
    assert_eq!(live[0]["id"], answer["eventId"], "{name}");
    assert_eq!(live[0]["summary"], "Algebra", "{name}");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_inserted_once_and_read_back_once() {
    let google = Google::new();
    let told = google.process().create(&class(), &json!({})).await;
    assert_one_live_and_verified(&google, &told, "plain");
    assert_eq!((google.requests("events.insert"), google.requests("events.get")), (1, 1), "the common path is short");
    assert_eq!(told.unwrap()["attempts"], 2);
}

fn lost_or_slow_exchanges(when: When) -> Vec<Fault> {
    let mut faults = lost_exchanges(when);
    faults.push(Fault::Drip { when, every_ms: 1000, chunk_bytes: 16 });
    faults
}

fn faults_that_refuse() -> Vec<Fault> {
    let limited = |retry_after_seconds| Fault::Status {
        when: When::Before,
        status: 429,
        reason: None,
        retry_after_seconds,
        domain: None,
        message: None,
    };
    vec![
        limited(None),
        limited(Some(2)),
        Fault::forbidden("rateLimitExceeded"),
        Fault::forbidden("userRateLimitExceeded"),
        Fault::RefusedStream,
    ]
}

fn faults_of_a_store_that_lies() -> Vec<Fault> {
    vec![
        Fault::Drop,
        Fault::Corrupt { fields: None },
        Fault::DelayedVisibility { ms: 1_500 },
        Fault::Stale { ms: 1_500 },
        Fault::Late { after_ms: Some(2_000) },
        Fault::Late { after_ms: Some(5_000) },
    ]
}

#[tokio::test(start_paused = true)]
async fn any_one_fault_at_any_call_of_a_create_ends_in_success_and_exactly_one_event() {
    let faults: Vec<_> = lost_or_slow_exchanges(When::Before)
        .into_iter()
        .chain(lost_or_slow_exchanges(When::After))
        .chain(faults_that_refuse())
        .chain(faults_of_a_store_that_lies())
        .collect();
    for fault in faults {
        for (operation, nth) in [("events.insert", 1), ("events.insert", 2), ("events.get", 1), ("events.get", 2)] {
            let name = format!("{fault:?} at {operation} {nth}");
            let google = Google::new().with([Rule::nth(operation, nth, fault.clone())]);
            let process = google.process();
            let began = now();
            let told = process.create(&class(), &json!({})).await;
            assert!(began.elapsed() <= Duration::from_secs(10), "{name}: {:?}", began.elapsed());
            assert_one_live_and_verified(&google, &told, &name);
            assert!(process.settle().await.is_empty(), "{name}");
            google.emulator.release();
            tokio::time::sleep(Duration::from_mins(1)).await;
            assert_one_live_and_verified(&google, &told, &format!("{name}, a minute later"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_garbles_every_write_resolves_as_verification_failed_and_leaves_nothing() {
    let google = Google::new();
    for operation in ["events.insert", "events.patch"] {
        google.fault(Rule::always(operation, Fault::Corrupt { fields: None }));
    }
    let told = google.process().create(&class(), &json!({})).await.unwrap();
    assert_eq!((&told["success"], &told["verified"]), (&json!(false), &json!(false)));
    assert_eq!(told["errorCode"], "VERIFICATION_FAILED");
    assert!(told["error"].as_str().unwrap().contains("verification failed"), "{told}");
    assert_eq!(told["verificationDetails"]["mismatches"][0]["field"], "summary");
    assert_eq!(told["cleanup"], "deleted");
    assert!(google.live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_write_dropped_every_time_resolves_as_verification_failed_and_leaves_nothing_that_could_come_late() {
    let google = Google::new();
    google.fault(Rule::nth("events.insert", 1, Fault::Drop).times(6));
    let process = google.process();
    let told = process.create(&class(), &json!({ "timeoutMs": 30000 })).await.unwrap();
    assert_eq!(told["success"], false);
    assert_eq!(told["verificationDetails"]["error"], "Event not found after creation");
    assert!(process.settle().await.is_empty());
    assert!(google.live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn when_everything_hangs_the_call_is_rejected_in_time_and_told_as_unknown() {
    let google = Google::new().with([Rule::always("events.*", Fault::Hang { when: When::Before })]);
    let process = google.process();
    let began = now();
    let error = process.create(&class(), &json!({})).await.unwrap_err();
    assert!(began.elapsed() <= Duration::from_secs(11));
    assert!(error.message.contains("timed out after 10000ms"), "{error}");
    assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::Unknown));
    assert_eq!(process.service.pending().await.unwrap().len(), 1);
    google.emulator.clear_faults();
    assert!(process.settle().await.is_empty());
    assert!(google.live().is_empty());
    assert_eq!(google.settled()[0]["settled"], "deleted");
}

#[tokio::test(start_paused = true)]
async fn an_insert_that_lands_after_its_call_was_told_unknown_is_taken_away_again() {
    let google = Google::new().with([
        Rule::nth("events.insert", 1, Fault::Late { after_ms: Some(60_000) }),
        Rule::always("events.get", Fault::Hang { when: When::Before }),
    ]);
    let process = google.process();
    let error = process.create(&class(), &json!({ "idempotencyKey": "k" })).await.unwrap_err();
    assert_eq!(error.outcome, Outcome::Unknown);
    google.emulator.clear_faults();
    assert!(process.settle().await.is_empty());
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert!(google.live().is_empty(), "the tombstone of the fence turned the late insert away");
}

#[tokio::test(start_paused = true)]
async fn a_retry_with_the_same_key_in_another_process_keeps_the_event_that_the_first_calls_clean_up_would_remove() {
    let google = Google::new().with([
        Rule::nth("events.insert", 1, Fault::Late { after_ms: Some(9_000) }),
        Rule::always("events.get", Fault::Hang { when: When::Before }),
    ]);
    let (first, second) = (google.process(), google.process());
    let options = json!({ "idempotencyKey": "k" });
    let error = first.create(&class(), &options).await.unwrap_err();
    assert_eq!(error.outcome, Outcome::Unknown);
    google.emulator.clear_faults();
    let told = second.create(&class(), &options).await;
    assert_one_live_and_verified(&google, &told, "retry");
    first.settle().await;
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_one_live_and_verified(&google, &told, "after the first call's clean-up");
}

#[tokio::test(start_paused = true)]
async fn twenty_calls_with_one_key_in_two_processes_make_one_event_and_twenty_successes() {
    let google = Google::new();
    let (first, second) = (google.process(), google.process());
    let options = json!({ "idempotencyKey": "double-click" });
    let calls = (0..20).map(|index| {
        let process = if index % 2 == 0 { first.clone() } else { second.clone() };
        let options = options.clone();
        tokio::spawn(async move { process.create(&class(), &options).await })
    });
    let mut ids = std::collections::BTreeSet::new();
    for call in calls.collect::<Vec<_>>() {
        let told = call.await.unwrap().unwrap();
        assert_eq!(told["success"], true);
        ids.insert(told["eventId"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(google.live().len(), 1);
    assert_eq!(google.committed("events.insert"), 1);
}

#[tokio::test(start_paused = true)]
async fn one_key_with_other_data_is_refused_and_changes_nothing() {
    let google = Google::new();
    let process = google.process();
    let options = json!({ "idempotencyKey": "k" });
    process.create(&class(), &options).await.unwrap();
    let mut other = class();
    other["summary"] = json!("Geometry");
    let error = process.create(&other, &options).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::IdempotencyKeyReused, Outcome::Rejected));
    assert_eq!(google.live()[0]["summary"], "Algebra");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_event_is_made_again_under_the_next_generation_or_refused_as_told() {
    let google = Google::new();
    let process = google.process();
    let first = process.create(&class(), &json!({ "idempotencyKey": "k" })).await.unwrap();
    let id = first["eventId"].as_str().unwrap();
    google.emulator.owner_delete(support::USER, id).unwrap();
    let error = process.create(&class(), &json!({ "idempotencyKey": "k", "onDeleted": "reject" })).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Conflict, Outcome::Rejected));
    assert!(google.live().is_empty());
    let again = process.create(&class(), &json!({ "idempotencyKey": "k" })).await;
    assert_one_live_and_verified(&google, &again, "recreated");
    assert_ne!(again.unwrap()["eventId"], id);
}

#[tokio::test(start_paused = true)]
async fn a_dead_token_is_told_as_such_and_nothing_is_made() {
    let google = Google::new();
    let process = google.process();
    google.emulator.expire_tokens(Some(support::USER), None);
    let error = process.create(&class(), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.requires_reauth), (Code::GoogleAuthRequired, true));
    assert_ne!(error.outcome, Outcome::Unknown);
    assert!(process.service.pending().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_abort_before_the_first_write_sends_nothing_and_one_after_it_is_cleaned_up() {
    let google = Google::new();
    let process = google.process();
    let cancel = Cancel::default();
    cancel.cancel();
    let error = process.create_until(&class(), &json!({}), cancel).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Aborted, Outcome::NotSent));
    assert_eq!(google.requests("events.insert"), 0);

    google.fault(Rule::nth("events.insert", 1, Fault::Latency { ms: 500 }));
    let cancel = Cancel::default();
    let call = tokio::spawn({
        let (process, cancel) = (process.clone(), cancel.clone());
        async move { process.create_until(&class(), &json!({}), cancel).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = now();
    cancel.cancel();
    let error = call.await.unwrap().unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(10));
    assert_eq!((error.code, error.outcome), (Code::Aborted, Outcome::Unknown));
    assert!(process.settle().await.is_empty());
    assert!(google.live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_a_shared_attempt_does_not_take_it_from_the_others() {
    let google = Google::new().with([Rule::nth("events.insert", 1, Fault::Latency { ms: 500 })]);
    let process = google.process();
    let options = json!({ "idempotencyKey": "k" });
    let cancel = Cancel::default();
    let leaves = tokio::spawn({
        let (process, options, cancel) = (process.clone(), options.clone(), cancel.clone());
        async move { process.create_until(&class(), &options, cancel).await }
    });
    let stays = tokio::spawn({
        let (process, options) = (process.clone(), options.clone());
        async move { process.create(&class(), &options).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    cancel.cancel();
    assert_eq!(leaves.await.unwrap().unwrap_err().outcome, Outcome::Unknown);
    assert_one_live_and_verified(&google, &stays.await.unwrap(), "who stays");
    assert_eq!(google.requests("events.insert"), 1);
}

#[tokio::test(start_paused = true)]
async fn times_in_any_notation_on_a_calendar_in_any_zone_are_verified() {
    let google = Google::in_zone("America/New_York");
    let process = google.process_with(&json!({ "timeZone": "Europe/Berlin" }));
    let timed = |start: Value, end: Value| json!({ "summary": "Algebra", "start": start, "end": end });
    let events = [
        timed(json!({ "dateTime": "2027-03-01T10:00:00Z" }), json!({ "dateTime": "2027-03-01T11:00:00Z" })),
        timed(
            json!({ "dateTime": "2027-03-01T10:00:00", "timeZone": "Asia/Tokyo" }),
            json!({ "dateTime": "2027-03-01T11:00:00", "timeZone": "Asia/Tokyo" }),
        ),
        timed(json!({ "dateTime": "2027-03-01T10:00:00" }), json!({ "dateTime": "2027-03-01T11:00:00" })),
        timed(json!({ "date": "2027-03-01" }), json!({ "date": "2027-03-02" })),
        timed(json!({ "dateTime": "2027-03-01T10:00:00.123Z" }), json!({ "dateTime": "2027-03-01T11:00:00.9Z" })),
        json!({
            "summary": "Algebra",
            "start": { "dateTime": "2027-03-01T10:00:00+01:00", "timeZone": "Europe/Berlin" },
            "end": { "dateTime": "2027-03-01T11:00:00+01:00", "timeZone": "Europe/Berlin" },
            "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=10"],
        }),
    ];
    for (index, event) in events.iter().enumerate() {
        let told = process.create(event, &json!({})).await.unwrap();
        assert_eq!((&told["verified"], &told["repaired"]), (&json!(true), &json!(false)), "{event}");
        assert_eq!(google.live().len(), index + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leave_taking_that_google_acknowledged_and_dropped_does_not_leave_the_event_to_nobody() {
    // The first call reads only when the second has adopted: its read is lost once.
    let google = Google::new().with([
        Rule::nth("events.insert", 1, Fault::Corrupt { fields: None }),
        Rule::nth("events.get", 1, Fault::Reset { when: When::Before }),
    ]);
    let process = google.process();
    let calls = ["recreate", "reject"].map(|on_deleted| {
        let process = process.clone();
        let options = json!({ "idempotencyKey": "k", "onDeleted": on_deleted });
        tokio::spawn(async move { process.create(&class(), &options).await })
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    google.fault(Rule::always("events.get", Fault::Hang { when: When::Before }));
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().outcome, Outcome::Unknown);
    }
    google.emulator.clear_faults();
    google.fault(Rule::nth("events.patch", 1, Fault::Drop));
    assert!(process.settle().await.is_empty());
    assert!(google.live().is_empty(), "both were told that it failed");
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_events_were_deleted_more_often_than_there_are_retries_makes_its_event_again() {
    let google = Google::new();
    let key = json!({ "idempotencyKey": "k", "maxRetries": 0 });
    for _ in 0..8 {
        // A process of its own each time: nobody remembers the generation, every tombstone is met again.
        google.process().create(&class(), &key).await.unwrap();
        let id = google.only_live()["id"].as_str().unwrap().to_owned();
        google.emulator.owner_delete(support::USER, &id).unwrap();
    }
    let told = google.process().create(&class(), &key).await;
    assert_one_live_and_verified(&google, &told, "ninth");
}

#[tokio::test(start_paused = true)]
async fn a_repair_or_an_adoption_whose_answers_are_always_lost_does_not_hammer_google() {
    for other_call in [true, false] {
        let google = Google::new();
        if other_call {
            let skip = json!({ "idempotencyKey": "k", "skipVerification": true });
            google.process().create(&class(), &skip).await.unwrap();
        } else {
            google.fault(Rule::next("events.insert", Fault::Corrupt { fields: None }));
        }
        google.fault(Rule::always("events.patch", Fault::status(503)));
        let process = google.process();
        let error = process.create(&class(), &json!({ "idempotencyKey": "k" })).await.unwrap_err();
        assert_ne!(error.outcome, Outcome::NotSent);
        assert!(google.requests("events.patch") <= 20, "{}", google.requests("events.patch"));
        assert!(google.emulator.requests().len() < 50);
    }
}

#[tokio::test(start_paused = true)]
async fn mail_goes_out_for_the_event_and_never_for_our_bookkeeping() {
    let google = Google::new();
    let (first, second) = (google.process(), google.process());
    let key = json!({ "idempotencyKey": "k" });
    first.create(&class(), &key).await.unwrap();
    let mails = google.emulator.mails().len();
    second.create(&class(), &key).await.unwrap();
    assert_eq!(google.emulator.mails().len(), mails, "an adoption mails nobody");

    let google = Google::new().with([Rule::always("events.insert", Fault::Late { after_ms: None })]);
    let process = google.process();
    process.create(&class(), &json!({ "timeoutMs": 2_000 })).await.unwrap_err();
    google.emulator.clear_faults();
    assert!(process.settle().await.is_empty());
    assert!(google.emulator.mails().is_empty(), "neither does a fence: {:?}", google.emulator.mails());
    let quiet = google.emulator.requests();
    let quiet = quiet.iter().filter(|request| request.method != "GET" && request.fault.is_none());
    assert!(quiet.clone().count() >= 2);
    assert!(quiet.clone().all(|request| request.query.contains("sendUpdates=none")), "{:?}", quiet.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn guests_who_were_invited_to_what_is_removed_again_are_told_and_others_are_not() {
    for (send_updates, expected) in [("all", "sendUpdates=externalOnly"), ("none", "sendUpdates=none")] {
        let google = Google::new();
        google.fault(Rule::always("events.insert", Fault::Corrupt { fields: None }));
        google.fault(Rule::always("events.patch", Fault::Corrupt { fields: None }));
        let told = google.process().create(&class(), &json!({ "sendUpdates": send_updates })).await.unwrap();
        assert_eq!(told["cleanup"], "deleted");
        let requests = google.emulator.requests();
        let removal = requests.iter().find(|request| request.operation == Some("events.delete")).unwrap();
        assert!(removal.query.contains(expected), "{}", removal.query);
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_insert_of_unknown_fate_the_calendar_is_read_before_another_insert() {
    for when in [When::Before, When::After] {
        for fault in lost_or_slow_exchanges(when) {
            let google = Google::new().with([Rule::nth("events.insert", 1, fault.clone()).times(2)]);
            let process = google.process();
            process.create(&class(), &json!({})).await.unwrap();
            let sent = process.network.sent();
            assert!(!sent.windows(2).any(|pair| pair == ["POST", "POST"]), "{fault:?}: {sent:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_read_after_a_repair_is_waited_out() {
    let google = Google::new().with([
        Rule::next("events.insert", Fault::Corrupt { fields: None }),
        Rule::next("events.patch", Fault::Stale { ms: 1_500 }),
    ]);
    let told = google.process().create(&class(), &json!({})).await;
    assert_one_live_and_verified(&google, &told, "repaired");
    assert_eq!(told.unwrap()["repaired"], true);
    assert_eq!(google.requests("events.patch"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_claims_that_google_would_cut_is_not_written() {
    let google = Google::new();
    let key = json!({ "idempotencyKey": "k" });
    google.process().create(&class(), &key).await.unwrap();
    let before = google.only_live();
    let many: Vec<_> = (0..69).map(|claim| format!("claim{claim:07}")).collect();
    let marks = json!({ "extendedProperties": { "private": { "surecalClaims": many.join(" ") } } });
    google.owner_edits(before["id"].as_str().unwrap(), &marks, false);
    let error = google.process().create(&class(), &key).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Conflict, Outcome::Applied));
    assert_eq!(support::claims(&google.only_live()), many, "nobody's claim was dropped");
}

#[tokio::test(start_paused = true)]
async fn a_create_that_google_refuses_for_good_leaves_nothing_open() {
    for refusal in refusals_for_good() {
        let google = Google::new().with([Rule::always("events.insert", refusal.clone())]);
        let process = google.process();
        for options in [json!({}), json!({ "idempotencyKey": "k" })] {
            let error = process.create(&class(), &options).await.unwrap_err();
            assert_eq!((error.outcome, error.retryable), (Outcome::Rejected, false), "{refusal:?}: {error:?}");
            assert!(process.service.pending().await.unwrap().is_empty(), "{refusal:?}");
        }
        let error = process.create_many(&[class(), class()], &json!({})).await.unwrap_err();
        assert_eq!(error.outcome, Outcome::Rejected, "{refusal:?}");
        assert!(process.service.pending().await.unwrap().is_empty(), "{refusal:?}");
    }
}

/// A calendar that this user may read only, one that is no more, and a body that Google does not take.
fn refusals_for_good() -> Vec<Fault> {
    vec![
        Fault::forbidden("requiredAccessLevel"),
        Fault::status_when(404, When::Before),
        Fault::status_when(400, When::Before),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_a_refused_fence_leaves_open_ends_when_no_late_insert_can_come_any_more() {
    for refusal in refusals_for_good() {
        let google = Google::new().with([
            Rule::nth("events.insert", 1, Fault::status_when(503, When::Before)),
            Rule::always("events.insert", refusal.clone()),
        ]);
        let process = google.process();
        let error = process.create(&class(), &json!({})).await.unwrap_err();
        assert_eq!((error.outcome, error.retryable), (Outcome::Unknown, false), "{refusal:?}: {error:?}");
        tokio::time::sleep(Duration::from_mins(50)).await;
        let pending = process.service.pending().await.unwrap();
        assert_eq!(pending.len(), 1, "{refusal:?}: the lost insert may still come");
        let rounds = pending[0].rounds;
        assert!(rounds < 25, "{refusal:?}: {rounds} rounds");
        tokio::time::sleep(Duration::from_mins(30)).await;
        assert!(process.service.pending().await.unwrap().is_empty(), "{refusal:?}");
        assert_eq!(google.settled().len(), 1, "{refusal:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_there_in_a_calendar_that_the_user_has_lost_stays_listed_and_goes_when_it_is_back() {
    let google = Google::new().with([
        Rule::nth("events.insert", 2, Fault::status_when(404, When::Before)).times(1_000),
        Rule::always("events.get", Fault::status_when(404, When::Before)),
    ]);
    let process = google.process();
    let error = process.create(&class(), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::NotFound, Outcome::Unknown));
    tokio::time::sleep(Duration::from_hours(3)).await;
    assert_eq!(process.service.pending().await.unwrap().len(), 1, "the event may be there for others");
    google.emulator.clear_faults();
    assert!(process.settle().await.is_empty());
    assert!(google.live().is_empty());
}
