//! Changing, deleting, checking and reading events that are there.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use support::{Google, Process, Told, USER, class, lost_exchanges, now, pass};
use surecal::model::{CalendarError, Code, Outcome};
use surecal_emulator::{Fault, Rule, When};

/// An event of ours, and the process that made it.
async fn with_event(google: &Google) -> (Process, String) {
    let process = google.process();
    let told = process.create(&class(), &json!({ "idempotencyKey": "k" })).await.unwrap();
    (process, told["eventId"].as_str().unwrap().to_owned())
}

fn rename() -> Value {
    json!({ "summary": "Geometry" })
}

fn assert_updated(told: &Told, name: &str) {
    let answer = told.as_ref().unwrap_or_else(|error: &CalendarError| panic!("{name}: {error:?}"));
    assert_eq!((&answer["success"], &answer["verified"]), (&json!(true), &json!(true)), "{name}: {answer}");
    assert_eq!(answer["event"]["summary"], "Geometry", "{name}");
}

#[tokio::test(start_paused = true)]
async fn an_update_sends_only_what_changed_and_keeps_our_marks() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    let marks = google.only_live()["extendedProperties"].clone();
    let mut changes = class();
    changes["summary"] = json!("Geometry");
    let requests = google.emulator.requests().len();
    assert_updated(&process.update(&id, &changes, &json!({})).await, "update");
    assert_eq!(google.emulator.requests().len() - requests, 3, "read, patch, read back");
    assert_eq!(process.network.bodies(&Method::PATCH), [rename()]);
    let event = google.only_live();
    assert_eq!((&event["summary"], &event["extendedProperties"]), (&json!("Geometry"), &marks));
    assert_eq!(event["attendees"], json!([{ "email": "Ada@example.com", "responseStatus": "needsAction" }]));

    let again = process.create(&class(), &json!({ "idempotencyKey": "k" })).await.unwrap();
    assert_eq!((&again["replayed"], &again["warnings"][0]["code"]), (&json!(true), &json!("EDITED")));
}

#[tokio::test(start_paused = true)]
async fn what_is_so_already_is_not_written_again() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    let same = json!({
        "summary": "Algebra",
        "start": { "dateTime": "2027-03-01T11:00:00+01:00" },
        "end": { "dateTime": "2027-03-01T12:00:00+01:00" },
        "attendees": [{ "email": "ADA@example.com" }],
    });
    let told = process.update(&id, &same, &json!({})).await.unwrap();
    assert_eq!((&told["success"], &told["unchanged"]), (&json!(true), &json!(true)));
    assert_eq!(google.requests("events.patch"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_edit_between_read_and_write_is_merged_and_not_lost() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    let patches = process.network.hold(|request| request.method == Method::PATCH);
    let call = tokio::spawn({
        let (process, id) = (process.clone(), id.clone());
        async move { process.update(&id, &rename(), &json!({})).await }
    });
    patches.caught(1).await;
    google.owner_edits(&id, &json!({ "location": "Room 7" }), false);
    patches.release().await;
    assert_updated(&call.await.unwrap(), "merged");
    let event = google.only_live();
    assert_eq!((&event["summary"], &event["location"]), (&json!("Geometry"), &json!("Room 7")));
    assert_eq!((google.requests("events.patch"), google.committed("events.patch")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_412_for_no_reason_is_read_and_written_again() {
    for times in [1, 3] {
        let google = Google::new();
        let (process, id) = with_event(&google).await;
        google.fault(Rule::nth("events.patch", 1, Fault::Precondition).times(times));
        assert_updated(&process.update(&id, &rename(), &json!({})).await, "412");
        assert_eq!(google.committed("events.patch"), 1);
    }
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    google.fault(Rule::always("events.patch", Fault::Precondition));
    let error = process.update(&id, &rename(), &json!({})).await.unwrap_err();
    assert!(matches!(error.code, Code::PreconditionFailed | Code::Timeout), "{error:?}");
    assert_ne!(error.outcome, Outcome::Unknown, "nothing was written");
    assert!(google.requests("events.patch") < 30);
}

#[tokio::test(start_paused = true)]
async fn guests_keep_the_answers_they_gave() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    let answered = json!({
        "attendees": [{ "email": "ada@example.com", "responseStatus": "accepted", "comment": "I come", "additionalGuests": 2 }]
    });
    google.owner_edits(&id, &answered, false);
    let changes = json!({ "attendees": [{ "email": "bob@example.com" }, { "email": "Ada@example.com" }] });
    let told = process.update(&id, &changes, &json!({})).await.unwrap();
    assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(true)));
    let guests = google.only_live()["attendees"].as_array().unwrap().clone();
    assert_eq!(guests.len(), 2);
    let ada = guests.iter().find(|guest| guest["email"] == "ada@example.com").unwrap();
    assert_eq!((&ada["responseStatus"], &ada["comment"]), (&json!("accepted"), &json!("I come")));
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_of_an_update_is_read_and_written_once() {
    for when in [When::Before, When::After] {
        for fault in lost_exchanges(when) {
            let name = format!("{fault:?}");
            let google = Google::new();
            let (process, id) = with_event(&google).await;
            google.fault(Rule::next("events.patch", fault));
            assert_updated(&process.update(&id, &rename(), &json!({})).await, &name);
            assert_eq!(google.committed("events.patch"), 1, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn google_is_not_hammered_while_every_write_fails() {
    for fault in [Fault::status(503), Fault::Reset { when: When::Before }] {
        let google = Google::new();
        let (process, id) = with_event(&google).await;
        google.fault(Rule::always("events.patch", fault.clone()));
        google.fault(Rule::always("events.delete", fault));
        let before = google.emulator.requests().len();
        let error = process.update(&id, &rename(), &json!({})).await.unwrap_err();
        assert_eq!(error.outcome, Outcome::Unknown, "{error}");
        assert!(google.requests("events.patch") <= 6);
        let error = process.delete(&id, &json!({})).await.unwrap_err();
        assert_eq!(error.outcome, Outcome::Unknown, "{error}");
        assert!(google.requests("events.delete") <= 6);
        assert!(google.emulator.requests().len() - before < 30);
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_read_after_the_write_is_not_taken_for_the_truth() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    google.fault(Rule::next("events.patch", Fault::Stale { ms: 1_500 }));
    let mut changes = rename();
    changes["description"] = json!("Bring a compass");
    let told = process.update(&id, &changes, &json!({})).await;
    assert_updated(&told, "stale");
    assert_eq!(told.unwrap()["event"]["description"], "Bring a compass");
    assert_eq!(google.requests("events.patch"), 1);
    google.fault(Rule::next("events.patch", Fault::Stale { ms: 1_500 }));
    let told = process.update(&id, &json!({ "description": "and a ruler" }), &json!({})).await.unwrap();
    assert_eq!(told["event"]["description"], "and a ruler", "fields that are not critical are waited for too");
    assert_eq!(told["warnings"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_change_stored_wrong_is_repaired_once_and_else_told() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    google.fault(Rule::next("events.patch", Fault::Corrupt { fields: None }));
    assert_updated(&process.update(&id, &rename(), &json!({})).await, "repaired");
    google.fault(Rule::always("events.patch", Fault::Corrupt { fields: None }));
    let told = process.update(&id, &json!({ "summary": "Calculus" }), &json!({})).await.unwrap();
    assert_eq!((&told["success"], &told["verified"]), (&json!(false), &json!(false)));
    assert_eq!(told["errorCode"], "VERIFICATION_FAILED");
    assert_eq!(told["verificationDetails"]["mismatches"][0]["field"], "summary");
}

#[tokio::test(start_paused = true)]
async fn an_edit_made_after_our_change_is_never_reverted() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    let reads = process.network.hold({
        let emulator = google.emulator.clone();
        move |request| request.method == Method::GET && emulator.live_events(USER)[0]["summary"] == "Geometry"
    });
    let call = tokio::spawn({
        let (process, id) = (process.clone(), id.clone());
        async move { process.update(&id, &rename(), &json!({})).await }
    });
    reads.caught(1).await;
    pass(1).await;
    google.owner_edits(&id, &json!({ "summary": "Calculus" }), false);
    reads.release().await;
    let told = call.await.unwrap().unwrap();
    assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(false)), "{told}");
    assert_eq!(told["warnings"][0]["code"], "EDITED");
    assert_eq!(google.only_live()["summary"], "Calculus");
    assert_eq!(google.committed("events.patch"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_update_of_what_is_not_there_says_so_and_one_that_reads_do_not_show_yet_is_waited_for() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    let error = process.update("nosuchevent", &rename(), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::NotFound, Outcome::Rejected));
    google.emulator.owner_delete(USER, &id).unwrap();
    let error = process.update(&id, &rename(), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::NotFound, Outcome::Rejected));
    assert_eq!(google.requests("events.patch"), 0);

    let google = Google::new().with([Rule::next("events.insert", Fault::DelayedVisibility { ms: 200 })]);
    let process = google.process();
    let told = process.create(&class(), &json!({ "skipVerification": true })).await.unwrap();
    let id = told["eventId"].as_str().unwrap();
    assert_updated(&process.update(id, &rename(), &json!({})).await, "not visible at first");
}

#[tokio::test(start_paused = true)]
async fn an_update_without_verification_is_not_read_back_and_not_called_verified() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    let reads = google.requests("events.get");
    let told = process.update(&id, &rename(), &json!({ "skipVerification": true })).await.unwrap();
    assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(false)));
    assert_eq!(google.requests("events.get") - reads, 1);
}

fn assert_deleted(google: &Google, told: &Told, already: bool, name: &str) {
    let answer = told.as_ref().unwrap_or_else(|error: &CalendarError| panic!("{name}: {error:?}"));
    assert_eq!((&answer["success"], &answer["verified"]), (&json!(true), &json!(true)), "{name}");
    assert_eq!(answer["alreadyDeleted"], already, "{name}");
    assert!(google.live().is_empty(), "{name}");
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_seen_to_be_done_and_one_more_is_a_success_too() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    assert_deleted(&google, &process.delete(&id, &json!({})).await, false, "first");
    assert_deleted(&google, &process.delete(&id, &json!({})).await, true, "again");
    assert_deleted(&google, &process.delete("nosuchevent", &json!({})).await, true, "never there");
    assert_eq!(google.requests("events.delete"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_one_read_does_not_show_is_not_taken_for_deleted() {
    let google = Google::new().with([Rule::next("events.insert", Fault::DelayedVisibility { ms: 200 })]);
    let process = google.process();
    let told = process.create(&class(), &json!({ "skipVerification": true })).await.unwrap();
    let id = told["eventId"].as_str().unwrap();
    assert_deleted(&google, &process.delete(id, &json!({})).await, false, "not visible at first");
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_of_a_delete_is_read_and_the_event_is_gone() {
    for when in [When::Before, When::After] {
        for fault in lost_exchanges(when) {
            let name = format!("{fault:?}");
            let google = Google::new();
            let (process, id) = with_event(&google).await;
            google.fault(Rule::next("events.delete", fault));
            let began = now();
            assert_deleted(&google, &process.delete(&id, &json!({})).await, false, &name);
            assert!(began.elapsed() < Duration::from_secs(10), "{name}");
            assert_eq!(google.committed("events.delete"), 1, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_between_read_and_delete_is_read_before_the_event_goes() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    let deletes = process.network.hold(|request| request.method == Method::DELETE);
    let call = tokio::spawn({
        let (process, id) = (process.clone(), id.clone());
        async move { process.delete(&id, &json!({})).await }
    });
    deletes.caught(1).await;
    google.owner_edits(&id, &json!({ "location": "Room 7" }), false);
    deletes.release().await;
    assert_deleted(&google, &call.await.unwrap(), false, "412");
    assert_eq!(google.requests("events.delete"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_was_acknowledged_and_not_done_is_done_again() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    google.fault(Rule::next("events.delete", Fault::Drop));
    assert_deleted(&google, &process.delete(&id, &json!({})).await, false, "dropped");
}

#[tokio::test(start_paused = true)]
async fn verify_answers_in_the_guides_shapes() {
    let google = Google::in_zone("America/New_York");
    let (process, id) = with_event(&google).await;
    let told = process.verify(&id, &class()).await.unwrap();
    assert_eq!((&told["success"], &told["verified"], &told["eventId"]), (&json!(true), &json!(true), &json!(id)));
    assert_eq!(told["event"]["summary"], "Algebra");
    assert!(told.get("error").is_none() && told.get("mismatches").is_none());

    let expected = json!({ "summary": "Geometry", "start": { "dateTime": "2027-03-01T10:30:00Z" } });
    let told = process.verify(&id, &expected).await.unwrap();
    assert_eq!(
        told,
        json!({
            "success": false, "verified": false, "error": "Event data does not match expected", "eventId": id,
            "mismatches": [
                { "field": "summary", "expected": "Geometry", "actual": "Algebra" },
                { "field": "start.dateTime", "expected": "2027-03-01T10:30:00Z", "actual": "2027-03-01T05:00:00-05:00" },
            ],
        })
    );

    let told = process.verify("nosuchevent", &class()).await.unwrap();
    let absent = json!({
        "success": false, "verified": false, "error": "Event not found after creation", "eventId": "nosuchevent",
    });
    assert_eq!(told, absent);
    google.emulator.owner_delete(USER, &id).unwrap();
    assert_eq!(process.verify(&id, &class()).await.unwrap()["error"], "Event not found after creation");
}

#[tokio::test(start_paused = true)]
async fn verify_gives_an_event_that_is_not_visible_yet_its_time() {
    let google = Google::new().with([Rule::next("events.insert", Fault::DelayedVisibility { ms: 2_000 })]);
    let process = google.process();
    let told = process.create(&class(), &json!({ "skipVerification": true })).await.unwrap();
    let id = told["eventId"].as_str().unwrap();
    assert_eq!(process.verify(id, &class()).await.unwrap()["verified"], true);
}

#[tokio::test(start_paused = true)]
async fn get_passes_the_event_on_as_google_sent_it_and_knows_no_deleted_one() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    let told = process.get(&id).await.unwrap();
    assert_eq!((&told["success"], &told["eventId"]), (&json!(true), &json!(id)));
    assert_eq!(told["event"]["htmlLink"], google.only_live()["htmlLink"]);
    google.emulator.owner_delete(USER, &id).unwrap();
    for id in [id.as_str(), "nosuchevent"] {
        let error = process.get(id).await.unwrap_err();
        assert_eq!((error.code, error.retryable), (Code::NotFound, false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_page_by_page_with_googles_own_parameters() {
    let google = Google::new();
    let process = google.process();
    for _ in 0..5 {
        process.create(&class(), &json!({})).await.unwrap();
    }
    let (mut seen, mut pages, mut query) = (0, 0, json!({ "maxResults": 2, "singleEvents": true }));
    loop {
        let page = process.list(&query).await.unwrap();
        seen += page["items"].as_array().unwrap().len();
        pages += 1;
        match page.get("nextPageToken") {
            Some(token) => query["pageToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!((seen, pages), (5, 3));
}

#[tokio::test(start_paused = true)]
async fn verify_does_not_take_one_slow_read_that_finds_nothing_for_the_truth() {
    let google = Google::new();
    let (process, id) = with_event(&google).await;
    google.fault(Rule::nth("events.get", 1, Fault::Hang { when: When::Before }));
    google.fault(Rule::nth("events.get", 2, Fault::status(404)));
    let told = process.verify(&id, &class()).await.unwrap();
    assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(true)), "{told}");
}
