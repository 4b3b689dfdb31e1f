//! Enroll: on every event, or on none.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::time::Duration;

use serde_json::json;
use support::{Google, names, now, pass, shared_store};
use surecal::model::{Code, Outcome};
use surecal::service::Cancel;
use surecal_emulator::{Fault, Rule, When};

const EVA: &str = "eva@example.com";

#[tokio::test(start_paused = true)]
async fn an_enrollment_puts_the_attendee_on_every_event_and_says_where_they_were_before() {
    let google = Google::new();
    let ids = google.classes(5).await;
    let process = google.process();
    process.enroll(&ids[2..3], EVA, &json!({})).await.unwrap();
    let told = process.enroll(&ids, EVA, &json!({})).await.unwrap();
    assert_eq!((&told["success"], &told["verified"], &told["replayed"]), (&json!(true), &json!(true), &json!(false)));
    let already: Vec<_> =
        told["events"].as_array().unwrap().iter().map(|event| event["alreadyAdded"] == true).collect();
    assert_eq!(already, [false, false, true, false, false]);
    assert_eq!(told["events"][0]["attendeeCount"], 2);
    assert_eq!(google.places(&ids, EVA), 5);
    assert!(process.settle().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_five_events_of_which_the_fourth_refuses_none_keeps_the_attendee_but_where_they_were_before() {
    let google = Google::new();
    let ids = google.classes(5).await;
    google.owner_edits(
        &ids[0],
        &json!({ "attendees": [{ "email": "ada@example.com" }, { "email": EVA, "responseStatus": "accepted" }] }),
        false,
    );
    let before = google.attendee(&ids[0], EVA).unwrap();
    assert_eq!(before["responseStatus"], "accepted");
    google.fault(Rule::always("events.patch", Fault::forbidden("forbidden")).for_event(&ids[3]));
    let process = google.process();
    let error = process.enroll(&ids, EVA, &json!({})).await.unwrap_err();
    assert!(error.message.starts_with("Failed to add attendee: "), "{error:?}");
    assert_eq!((error.code, error.outcome), (Code::PermissionDenied, Outcome::Rejected), "{error:?}");
    assert_eq!(error.event_id.as_deref(), Some(ids[3].as_str()));
    assert!(
        !error.rollback.done.contains(&ids[0]) && error.rollback.done.contains(&ids[1]),
        "{:?}",
        error.rollback.done
    );
    assert!(error.rollback.failed.is_empty() && error.rollback.pending.is_empty());
    assert_eq!(google.places(&ids, EVA), 1);
    assert_eq!(google.attendee(&ids[0], EVA).unwrap(), before);
    assert!(process.settle().await.is_empty());
}

fn key() -> serde_json::Value {
    json!({ "idempotencyKey": "one-enrollment" })
}

#[tokio::test(start_paused = true)]
async fn an_enrollment_asked_for_again_with_its_key_answers_the_same_without_a_request() {
    let google = Google::new();
    let ids = google.classes(3).await;
    let store = shared_store();
    let [process, other] = [(); 2].map(|()| google.process_on(&json!({}), Some(&store)));
    let first = process.enroll(&ids, EVA, &key()).await.unwrap();
    let requests = google.emulator.requests().len();
    for process in [&process, &other] {
        let mut again = process.enroll(&ids, EVA, &key()).await.unwrap();
        assert_eq!(again["replayed"], true);
        again["replayed"] = json!(false);
        assert_eq!(again, first);
    }
    assert_eq!(google.emulator.requests().len(), requests);
    let error = process.enroll(&ids[1..], EVA, &key()).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::IdempotencyKeyReused, Outcome::Rejected));
}

#[tokio::test(start_paused = true)]
async fn of_two_enrollments_with_one_key_at_once_one_works_and_both_hear_the_same() {
    let google = Google::new();
    let ids = google.classes(3).await;
    let store = shared_store();
    let [process, other] = [(); 2].map(|()| google.process_on(&json!({}), Some(&store)));
    let options = key();
    let (one, two) = tokio::join!(process.enroll(&ids, EVA, &options), other.enroll(&ids, EVA, &options));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one["events"], two["events"]);
    assert!(one["replayed"] != two["replayed"]);
    assert_eq!(google.committed("events.patch"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_key_is_at_work_elsewhere_until_its_deadline_says_so() {
    let google = Google::new();
    let ids = google.classes(1).await;
    let store = shared_store();
    let [process, other] = [(); 2].map(|()| google.process_on(&json!({}), Some(&store)));
    let patches = process.network.hold(|request| request.method == http::Method::PATCH);
    let first = process.spawn_enroll(&ids, EVA, &json!({ "idempotencyKey": "one-enrollment", "timeoutMs": 20_000 }));
    patches.caught(1).await;
    let error =
        other.enroll(&ids, EVA, &json!({ "idempotencyKey": "one-enrollment", "timeoutMs": 2_000 })).await.unwrap_err();
    assert_eq!(error.code, Code::IdempotencyInProgress, "{error:?}");
    patches.release().await;
    first.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failed_enrollment_may_be_tried_again_with_its_key() {
    let google = Google::new();
    let ids = google.classes(2).await;
    google.fault(Rule::always("events.patch", Fault::forbidden("forbidden")).for_event(&ids[1]));
    let process = google.process();
    process.enroll(&ids, EVA, &key()).await.unwrap_err();
    assert_eq!(google.places(&ids, EVA), 0);
    google.emulator.clear_faults();
    let told = process.enroll(&ids, EVA, &key()).await.unwrap();
    assert_eq!(told["replayed"], false);
    assert_eq!(google.places(&ids, EVA), 2);
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_cannot_be_done_now_is_told_listed_repeated_and_done_when_google_is_back() {
    for fault in [Fault::forbidden("forbidden"), Fault::status(503)] {
        let google = Google::new();
        let ids = google.classes(3).await;
        google.fault(Rule::always("events.patch", Fault::forbidden("forbidden")).for_event(&ids[2]));
        // Adds of the first two pass, and nothing after them does.
        for id in &ids[..2] {
            google.fault(Rule::nth("events.patch", 2, fault.clone()).times(u64::MAX).for_event(id));
        }
        let process = google.process();
        let error = process.enroll(&ids, EVA, &json!({})).await.unwrap_err();
        assert_eq!(error.outcome, Outcome::Unknown, "{error:?}");
        let mut left = [error.rollback.failed, error.rollback.pending].concat();
        left.sort();
        let mut expected = ids[..2].to_vec();
        expected.sort();
        assert_eq!(left, expected);
        assert_eq!(google.places(&ids, EVA), 2);
        pass(120).await;
        let pending = process.service.pending().await.unwrap();
        assert_eq!(pending.len(), 1);
        let mut listed = pending[0].event_ids.clone();
        listed.sort();
        assert_eq!(listed, expected);
        assert!(pending[0].rounds > 0 && pending[0].last_error.is_some(), "{:?}", pending[0]);
        assert!(!serde_json::to_string(&pending).unwrap().contains(EVA));
        google.emulator.clear_faults();
        assert!(process.settle().await.is_empty());
        assert_eq!(google.places(&ids, EVA), 0);
        let settled = google.settled();
        assert!(settled.iter().all(|notice| notice["settled"] == "deleted"), "{settled:?}");
        assert_eq!(settled.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_takes_too_long_is_skipped_named_logged_and_settled_later() {
    for lands in [true, false] {
        let google = Google::new();
        let ids = google.classes(3).await;
        let config = json!({ "attendees": { "timeoutMs": 1_000, "onTimeout": "skip" }, "attemptTimeoutMs": 1_000 });
        let process = google.process_with(&config);
        let when = if lands { When::After } else { When::Before };
        google.fault(Rule::nth("events.patch", 1, Fault::Hang { when }).for_event(&ids[1]));
        let told = process.enroll(&ids, EVA, &json!({})).await.unwrap();
        assert_eq!(told["skipped"], json!([ids[1]]));
        assert_eq!(told["warnings"][0]["code"], "SKIPPED");
        assert!(process.settle().await.is_empty());
        assert_eq!(google.places(&ids, EVA), if lands { 3 } else { 2 });
        let settled = google.settled();
        assert_eq!((settled.len(), &settled[0]["eventId"]), (1, &json!(ids[1])));
        assert_eq!(settled[0]["settled"], if lands { "kept" } else { "deleted" });
        let notices = google.notices.lock().unwrap();
        let logged: Vec<_> = notices.iter().map(|notice| serde_json::to_string(notice).unwrap()).collect();
        assert!(logged.iter().any(|line| line.contains("timed out") && line.contains(&ids[1])), "{logged:?}");
        assert!(logged.iter().all(|line| !line.contains(EVA)));
    }
}

/// Whether they are there is told when the other call is over: until then they may be about to go.
#[tokio::test(start_paused = true)]
async fn an_event_from_which_another_call_takes_the_attendee_off_all_the_time_is_skipped_like_a_late_one() {
    let google = Google::new();
    let ids = google.classes(3).await;
    let store = shared_store();
    let skip = json!({ "attendees": { "timeoutMs": 1_000, "onTimeout": "skip" } });
    let process = google.process_on(&skip, Some(&store));
    let patient = json!({ "attendees": { "timeoutMs": 60_000 }, "timeoutMs": 60_000, "attemptTimeoutMs": 60_000 });
    let other = google.process_on(&patient, Some(&store));
    other.enroll(&ids[1..2], EVA, &json!({})).await.unwrap();
    let removals = other.network.hold(|request| request.method == http::Method::PATCH);
    let removal = tokio::spawn({
        let (other, id) = (other.clone(), ids[1].clone());
        async move { other.remove(&id, &json!(EVA), &json!({})).await }
    });
    removals.caught(1).await;
    let told = process.enroll(&ids, EVA, &json!({})).await.unwrap();
    assert_eq!(told["skipped"], json!([ids[1]]), "{told}");
    pass(20).await;
    assert_eq!(google.settled(), Vec::<serde_json::Value>::new());
    assert_eq!(google.places(&ids, EVA), 3, "not taken off yet");
    removals.release().await;
    removal.await.unwrap().unwrap();
    assert!(process.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 2);
    let settled = google.settled();
    assert_eq!((settled.len(), &settled[0]["eventId"]), (1, &json!(ids[1])), "{settled:?}");
    assert_eq!(settled[0]["settled"], "deleted");
}

#[tokio::test(start_paused = true)]
async fn every_call_settles_within_its_deadline_whatever_hangs() {
    let google = Google::new();
    let ids = google.classes(5).await;
    let process = google.process();
    let all = process.network.hold(|_| true);
    let began = now();
    let error = process.enroll(&ids, EVA, &json!({})).await.unwrap_err();
    assert!(began.elapsed() <= Duration::from_millis(13_500), "{:?}", began.elapsed());
    assert_eq!(error.outcome, Outcome::NotSent, "{error:?}");
    all.release().await;
    assert!(process.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 0);
}

#[tokio::test(start_paused = true)]
async fn an_aborted_enrollment_leaves_nobody_behind() {
    let google = Google::new();
    let ids = google.classes(4).await;
    let process = google.process();
    let id = ids[3].clone();
    let patches = process.network.hold(move |request| {
        request.method == http::Method::PATCH && request.path_and_query.contains(&id) && names(request, EVA)
    });
    let cancel = Cancel::default();
    let call = tokio::spawn({
        let (process, ids, cancel) = (process.clone(), ids.clone(), cancel.clone());
        async move { process.enroll_until(&ids, EVA, &json!({}), cancel).await }
    });
    patches.caught(1).await;
    pass(1).await;
    cancel.cancel();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Aborted, Outcome::Unknown));
    patches.release().await;
    assert!(process.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 0);
    assert_eq!(google.settled().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn who_was_taken_off_for_good_is_not_left_behind_by_a_later_failure() {
    let google = Google::new();
    let ids = google.classes(2).await;
    google.fault(Rule::always("events.patch", Fault::forbidden("forbidden")).for_event(&ids[1]));
    let process = google.process();
    process.enroll(&ids[..1], EVA, &json!({})).await.unwrap();
    process.remove(&ids[0], &json!(EVA), &json!({})).await.unwrap();
    assert_eq!(google.places(&ids, EVA), 0);
    process.enroll(&ids, EVA, &json!({})).await.unwrap_err();
    assert!(process.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 0);
}

/// While a third transaction keeps the record alive: the success of a first one protects nobody whom the owner has taken
/// off and a second one has put there again.
#[tokio::test(start_paused = true)]
async fn whom_the_owner_took_off_by_hand_a_failed_enrollment_does_not_leave_behind() {
    let google = Google::new();
    let ids = google.classes(3).await;
    google.fault(Rule::always("events.patch", Fault::forbidden("forbidden")).for_event(&ids[1]));
    let store = shared_store();
    let patient = json!({ "attendees": { "timeoutMs": 30_000 }, "attemptTimeoutMs": 30_000 });
    let [first, second] = [(); 2].map(|()| google.process_on(&patient, Some(&store)));
    // The second has its claim, and has read nothing yet.
    let id = ids[0].clone();
    let reads = second.network.hold(move |request| request.path_and_query.contains(&id));
    let failing = second.spawn_enroll(&ids[..2], EVA, &json!({ "timeoutMs": 60_000 }));
    reads.caught(1).await;
    first.enroll(&ids[..1], EVA, &json!({})).await.unwrap();
    google.owner_edits(&ids[0], &json!({ "attendees": [{ "email": "ada@example.com" }] }), false);
    reads.release().await;
    failing.await.unwrap().unwrap_err();
    assert!(second.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 0);
}
