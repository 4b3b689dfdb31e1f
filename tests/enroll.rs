//! Enroll: on every event, or on none.

mod support;

use serde_json::json;
use support::Google;
use surecal::model::{Code, Outcome};
use surecal_emulator::{Fault, Rule};

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
    assert!(!error.rolled_back.contains(&ids[0]) && error.rolled_back.contains(&ids[1]), "{:?}", error.rolled_back);
    assert!(error.rollback_failed.is_empty() && error.rollback_pending.is_empty());
    assert_eq!(google.places(&ids, EVA), 1);
    assert_eq!(google.attendee(&ids[0], EVA).unwrap(), before);
    assert!(process.settle().await.is_empty());
}
