//! Guests added to an event and taken off it, by many at once.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use support::{Google, Hold, Process, Told, USER, class, lost_exchanges, now, pass};
use surecal::model::{Code, Outcome};
use surecal::service::Cancel;
use surecal_emulator::{Fault, Profile, Rule, When};

const EVENT: &str = "class01";

/// Three who were there before, one with fields that nobody knows.
fn there_before() -> Value {
    json!([
        { "email": "Ada@example.com", "responseStatus": "accepted", "comment": "I come", "additionalGuests": 2 },
        { "email": "bob@example.com", "responseStatus": "declined", "optional": true },
        { "email": "carl@example.com", "displayName": "Carl", "responseStatus": "tentative" },
    ])
}

fn with_class(google: &Google) {
    let mut event = class();
    event["id"] = json!(EVENT);
    event["attendees"] = there_before();
    google.emulator.put_event(USER, event.as_object().unwrap().clone()).unwrap();
}

fn school() -> (Google, Process) {
    let google = Google::new();
    with_class(&google);
    let process = google.process();
    (google, process)
}

fn guests(google: &Google) -> Vec<Value> {
    google.only_live()["attendees"].as_array().cloned().unwrap_or_default()
}

fn addresses(google: &Google) -> Vec<String> {
    guests(google).iter().map(|guest| guest["email"].as_str().unwrap().to_owned()).collect()
}

/// Adds these at once, each with its own call.
fn adding(process: &Process, emails: &[String], options: &Value) -> Vec<tokio::task::JoinHandle<Told>> {
    let add = |email: &String| {
        let (process, email, options) = (process.clone(), json!(email), options.clone());
        tokio::spawn(async move { process.add(EVENT, &email, &options).await })
    };
    emails.iter().map(add).collect()
}

fn students(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("student{number}@example.com")).collect()
}

#[tokio::test(start_paused = true)]
async fn an_add_leaves_everybody_else_as_they_were_and_takes_three_calls() {
    let (google, process) = school();
    let told = process.add(EVENT, &json!("Dora@example.com"), &json!({})).await.unwrap();
    assert_eq!(
        told,
        json!({
            "success": true, "alreadyAdded": false, "attendeeCount": 4, "verified": true, "eventId": EVENT,
            "attempts": 3, "warnings": [],
        })
    );
    assert_eq!(process.network.sent(), ["GET", "PATCH", "GET"]);
    assert_eq!(guests(&google)[..3], there_before().as_array().unwrap()[..]);
    assert_eq!(guests(&google)[3], json!({ "email": "Dora@example.com", "responseStatus": "needsAction" }));
    let mails: Vec<_> = google.emulator.mails().iter().map(|mail| mail.to.clone()).collect();
    assert_eq!(mails, ["Dora@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_on_the_list_in_any_case_of_letters_is_not_added_again() {
    let (google, process) = school();
    let told = process.add(EVENT, &json!("ADA@Example.com"), &json!({})).await.unwrap();
    assert_eq!((&told["alreadyAdded"], &told["verified"]), (&json!(true), &json!(true)));
    assert_eq!((process.network.sent().len(), google.requests("events.patch")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_name_and_optional_go_along_and_nobody_is_mailed_if_asked() {
    let (google, process) = school();
    let guest = json!({ "email": "dora@example.com", "displayName": "Dora", "optional": true });
    process.add(EVENT, &guest, &json!({ "sendUpdates": "none" })).await.unwrap();
    let added = &guests(&google)[3];
    assert_eq!((&added["displayName"], &added["optional"]), (&json!("Dora"), &json!(true)));
    assert!(google.emulator.mails().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_remove_takes_one_off_and_who_is_not_there_was_removed_already() {
    let (google, process) = school();
    let told = process.remove(EVENT, &json!("BOB@example.com"), &json!({})).await.unwrap();
    assert_eq!((&told["alreadyRemoved"], &told["attendeeCount"]), (&json!(false), &json!(2)));
    assert_eq!(addresses(&google), ["Ada@example.com", "carl@example.com"]);
    let again = process.remove(EVENT, &json!("bob@example.com"), &json!({})).await.unwrap();
    assert_eq!((&again["success"], &again["alreadyRemoved"]), (&json!(true), &json!(true)));
    assert_eq!(google.requests("events.patch"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_google_wrote_into_an_entry_goes_back_byte_for_byte() {
    let (_, process) = school();
    process.add(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap();
    let sent = process.network.bodies(&Method::PATCH);
    assert_eq!(sent[0]["attendees"].as_array().unwrap()[..3], there_before().as_array().unwrap()[..]);
    assert_eq!(sent[0].as_object().unwrap().len(), 1, "no other field is named");
}

#[tokio::test(start_paused = true)]
async fn two_hundred_who_join_at_once_take_a_handful_of_calls() {
    let (google, process) = school();
    google.emulator.set_latency(Duration::from_millis(50));
    for told in adding(&process, &students(200), &json!({})) {
        let told = told.await.unwrap().unwrap();
        assert_eq!((&told["alreadyAdded"], &told["verified"]), (&json!(false), &json!(true)));
    }
    assert_eq!(addresses(&google).len(), 203);
    assert!(process.network.sent().len() <= 6, "{} calls", process.network.sent().len());
}

#[tokio::test(start_paused = true)]
async fn five_hundred_adds_from_four_processes_through_faults_lose_nobody_and_no_edit() {
    let google = Google::new();
    with_class(&google);
    google.emulator.set_latency(Duration::from_millis(50));
    let students = students(500);
    let options = json!({ "timeoutMs": 60_000, "attemptTimeoutMs": 2_000 });
    let processes: Vec<_> = (0..4).map(|_| google.process()).collect();
    let first_writes: Vec<_> =
        processes.iter().map(|process| process.network.hold(|request| request.method == Method::PATCH)).collect();
    let calls: Vec<_> = students
        .chunks(125)
        .zip(&processes)
        .flat_map(|(students, process)| adding(process, students, &options))
        .collect();
    let edits = Cell::new(0);
    let edit = || {
        if edits.get() > 0 {
            assert_eq!(google.only_live()["description"], format!("edit {}", edits.get()), "put back by a write");
        }
        edits.set(edits.get() + 1);
        google.owner_edits(EVENT, &json!({ "description": format!("edit {}", edits.get()) }), false);
    };
    let editor = async {
        // Between the first read and the first write of all processes, and then all the time and through faults.
        for first in &first_writes {
            first.caught(1).await;
        }
        edit();
        futures_util::future::join_all(first_writes.iter().map(Hold::release)).await;
        google.emulator.profile(Some(profile(7, 1.0 / 3.0))).unwrap();
        loop {
            edit();
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    };
    let all = async {
        for told in calls {
            let told = told.await.unwrap().unwrap();
            assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(true)));
        }
    };
    tokio::select! { () = all => {}, () = editor => {} }
    google.emulator.clear_faults();
    pass(30).await;

    let added = addresses(&google);
    assert_eq!(added.len(), 503, "each once");
    assert_eq!(added.iter().collect::<BTreeSet<_>>().len(), 503);
    assert!(students.iter().all(|student| added.contains(student)));
    assert_eq!(guests(&google)[..3], there_before().as_array().unwrap()[..]);
    assert!(edits.get() > 1);
    assert_eq!(google.only_live()["description"], format!("edit {}", edits.get()));
    let calls = google.emulator.requests().len();
    assert!(calls * 10 <= 500 * 3, "{calls} calls");
}

fn profile(seed: u64, rate: f64) -> Profile {
    Profile { seed, rate, operations: Some(vec!["events.*".to_owned()]), kinds: None }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_of_an_add_is_read_and_nobody_is_invited_twice() {
    for when in [When::Before, When::After] {
        for fault in lost_exchanges(when) {
            let name = format!("{fault:?}");
            let (google, process) = school();
            google.fault(Rule::next("events.patch", fault));
            let told = process.add(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap();
            assert_eq!((&told["alreadyAdded"], &told["verified"]), (&json!(false), &json!(true)), "{name}");
            assert_eq!(google.committed("events.patch"), 1, "{name}");
            assert_eq!(google.emulator.mails().len(), 1, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_add_that_google_acknowledged_and_dropped_is_made_again() {
    for times in [1, 3] {
        let (google, process) = school();
        google.fault(Rule::nth("events.patch", 1, Fault::Drop).times(times));
        let told = process.add(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap();
        assert_eq!(told["verified"], json!(true));
        assert_eq!(addresses(&google).len(), 4);
    }
    let (google, process) = school();
    google.fault(Rule::always("events.patch", Fault::Drop));
    let error = process.add(EVENT, &json!("dora@example.com"), &json!({ "timeoutMs": 60_000 })).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::VerificationFailed, Outcome::Unknown));
}

#[tokio::test(start_paused = true)]
async fn an_old_read_is_not_taken_for_a_dropped_add_nor_for_a_removal() {
    let (google, process) = school();
    google.fault(Rule::next("events.patch", Fault::Stale { ms: 1_500 }));
    process.add(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap();
    assert_eq!((google.committed("events.patch"), google.emulator.mails().len()), (1, 1));
    google.fault(Rule::next("events.patch", Fault::Stale { ms: 1_500 }));
    process.remove(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap();
    assert_eq!((google.committed("events.patch"), addresses(&google).len()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_read_older_than_one_before_does_not_show_that_a_lost_removal_was_made() {
    let (google, process) = school();
    pass(1).await;
    google.owner_edits(EVENT, &json!({ "attendees": [{ "email": "dora@example.com" }] }), false);
    google.fault(Rule::next("events.patch", Fault::Reset { when: When::Before }));
    google.fault(Rule::nth("events.get", 2, Fault::Stale { ms: 1_000 }));
    let told = process.remove(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap();
    assert_eq!((&told["alreadyRemoved"], &told["verified"]), (&json!(false), &json!(true)));
    assert!(addresses(&google).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_412_for_no_reason_is_read_and_written_again() {
    for times in [1, 3] {
        let (google, process) = school();
        google.fault(Rule::nth("events.patch", 1, Fault::Precondition).times(times));
        process.add(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap();
        assert_eq!((google.committed("events.patch"), addresses(&google).len()), (1, 4));
    }
    let (google, process) = school();
    google.fault(Rule::always("events.patch", Fault::Precondition));
    let error = process.add(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::NotSent), "{error:?}");
    assert!(google.requests("events.patch") < 30);
    assert!(process.settle().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_edit_between_read_and_write_is_kept() {
    let (google, process) = school();
    let patches = process.network.hold(|request| request.method == Method::PATCH);
    let call = adding(&process, &["dora@example.com".to_owned()], &json!({})).remove(0);
    patches.caught(1).await;
    let edited = json!({ "attendees": [{ "email": "eve@example.com", "responseStatus": "accepted" }] });
    google.owner_edits(EVENT, &edited, false);
    patches.release().await;
    call.await.unwrap().unwrap();
    assert_eq!(addresses(&google), ["eve@example.com", "dora@example.com"]);
    assert_eq!(guests(&google)[0]["responseStatus"], "accepted");
}

#[tokio::test(start_paused = true)]
async fn a_guest_list_that_google_hides_is_not_written() {
    let google = Google::new();
    let mut event = class();
    event["id"] = json!(EVENT);
    event["attendeesOmitted"] = json!(true);
    google.emulator.put_event(USER, event.as_object().unwrap().clone()).unwrap();
    let error = google.process().add(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::AttendeesHidden, Outcome::Rejected));
    assert_eq!(google.requests("events.patch"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_guests_copy_of_an_event_is_refused() {
    let google = Google::new();
    let mut event = class();
    event["id"] = json!(EVENT);
    event["organizer"] = json!({ "email": "other@example.com" });
    google.emulator.put_event(USER, event.as_object().unwrap().clone()).unwrap();
    for told in [
        google.process().add(EVENT, &json!("dora@example.com"), &json!({})).await,
        google.process().remove(EVENT, &json!("Ada@example.com"), &json!({})).await,
    ] {
        let error = told.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::Conflict, Outcome::Rejected));
    }
    assert_eq!(google.requests("events.patch"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_gone_or_never_was_is_not_found() {
    let (google, process) = school();
    let error = process.add("nothere", &json!("dora@example.com"), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::NotFound, Outcome::Rejected));
    google.emulator.owner_delete(USER, EVENT).unwrap();
    let error = process.add(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::NotFound, Outcome::Rejected));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_address_is_refused_before_anything_is_sent() {
    let (_, process) = school();
    for wrong in
        [json!(""), json!("ada"), json!("a@b.c, d@e.f"), json!("a@b.c\r\nBcc: d@e.f"), json!({ "name": "Ada" })]
    {
        let error = process.add(EVENT, &wrong, &json!({})).await.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::ValidationFailed, Outcome::NotSent));
    }
    assert!(process.network.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_address_that_google_refuses_does_not_keep_the_others_out() {
    let (google, process) = school();
    google.emulator.set_latency(Duration::from_millis(50));
    let mut behaviour = google.emulator.behaviour();
    behaviour.refused_guests = vec!["student13@example.com".to_owned()];
    google.emulator.set_behaviour(behaviour);
    let mut refused = Vec::new();
    for (number, told) in adding(&process, &students(40), &json!({})).into_iter().enumerate() {
        match told.await.unwrap() {
            Ok(told) => assert_eq!(told["verified"], json!(true)),
            Err(error) => refused.push((number, error.code, error.outcome)),
        }
    }
    assert_eq!(refused, [(13, Code::ValidationFailed, Outcome::Rejected)]);
    assert_eq!(addresses(&google).len(), 42);
}

#[tokio::test(start_paused = true)]
async fn a_full_guest_list_takes_as_many_as_fit_and_tells_the_rest() {
    let (google, process) = school();
    let mut behaviour = google.emulator.behaviour();
    behaviour.guest_limit = Some(10);
    google.emulator.set_behaviour(behaviour);
    let mut in_it = 0;
    for told in adding(&process, &students(20), &json!({ "timeoutMs": 60_000 })) {
        match told.await.unwrap() {
            Ok(_) => in_it += 1,
            Err(error) => assert_eq!((error.code, error.outcome), (Code::ValidationFailed, Outcome::Rejected)),
        }
    }
    assert_eq!((in_it, addresses(&google).len()), (7, 10));
}

#[tokio::test(start_paused = true)]
async fn each_caller_has_their_own_deadline_and_nobody_waits_for_the_slowest() {
    let (google, process) = school();
    let reads = process.network.hold(|request| request.method == Method::GET);
    let short = adding(&process, &["short@example.com".to_owned()], &json!({ "timeoutMs": 300 })).remove(0);
    let long = adding(&process, &["long@example.com".to_owned()], &json!({ "timeoutMs": 20_000 })).remove(0);
    let begun = now();
    let error = short.await.unwrap().unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::NotSent));
    assert!(error.message.contains("timed out after 300ms"), "{}", error.message);
    assert!(now() - begun < Duration::from_millis(1_300));
    reads.release().await;
    assert_eq!(long.await.unwrap().unwrap()["verified"], json!(true));
    assert_eq!(addresses(&google)[3..], ["long@example.com"], "who had left was taken out");
}

#[tokio::test(start_paused = true)]
async fn one_who_comes_later_is_not_held_up_by_another_callers_hanging_read() {
    let (google, process) = school();
    google.fault(Rule::next("events.get", Fault::Hang { when: When::Before }));
    let options = json!({ "timeoutMs": 60_000, "attemptTimeoutMs": 60_000 });
    let patient = adding(&process, &["patient@example.com".to_owned()], &options).remove(0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = now();
    process.add(EVENT, &json!("dora@example.com"), &json!({})).await.unwrap();
    assert!(now() - begun < Duration::from_secs(3), "{:?}", now() - begun);
    patient.await.unwrap().unwrap();
    assert_eq!(addresses(&google).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn one_who_comes_later_is_not_held_up_by_another_callers_hanging_write() {
    for (when, retries, writes) in [(When::Before, 5, 1), (When::Before, 0, 1), (When::After, 5, 2)] {
        let (google, process) = school();
        google.fault(Rule::next("events.patch", Fault::Hang { when }));
        let options = json!({ "timeoutMs": 60_000, "attemptTimeoutMs": 60_000, "maxRetries": retries });
        let patient = adding(&process, &["patient@example.com".to_owned()], &options).remove(0);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begun = now();
        let options = json!({ "attemptTimeoutMs": 1_000 });
        let told = process.add(EVENT, &json!("dora@example.com"), &options).await.unwrap();
        assert_eq!((&told["alreadyAdded"], &told["verified"]), (&json!(false), &json!(true)), "{when:?}");
        assert!(now() - begun < Duration::from_secs(3), "{when:?}: {:?}", now() - begun);
        let told = patient.await.unwrap().unwrap();
        assert_eq!((&told["alreadyAdded"], &told["verified"]), (&json!(false), &json!(true)), "{when:?}");
        assert_eq!((google.committed("events.patch"), addresses(&google).len()), (writes, 5), "{when:?}");
        assert_eq!(google.emulator.mails().len(), 2, "{when:?}: nobody is invited twice");
    }
}

/// A write that waits since Google said "slower" does not hang: whoever comes is to hear it as well.
#[tokio::test(start_paused = true)]
async fn one_who_comes_later_does_not_cut_short_the_wait_that_google_asked_for() {
    let (google, process) = school();
    google.fault(Rule::next(
        "events.patch",
        Fault::Status {
            when: When::Before,
            status: 429,
            reason: None,
            retry_after_seconds: Some(4),
            domain: None,
            message: None,
        },
    ));
    let options = json!({ "timeoutMs": 60_000, "attemptTimeoutMs": 60_000 });
    let patient = adding(&process, &["patient@example.com".to_owned()], &options).remove(0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let hurried = adding(&process, &["dora@example.com".to_owned()], &json!({ "attemptTimeoutMs": 1_000 })).remove(0);
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    assert_eq!(google.requests("events.patch"), 1);
    patient.await.unwrap().unwrap();
    hurried.await.unwrap().unwrap();
    assert_eq!(addresses(&google).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_abort_before_the_write_takes_only_this_change_out() {
    let (google, process) = school();
    let reads = process.network.hold(|request| request.method == Method::GET);
    let cancel = Cancel::default();
    let aborted = tokio::spawn({
        let (process, cancel) = (process.clone(), cancel.clone());
        async move { process.add_until(EVENT, &json!("gone@example.com"), &json!({}), cancel).await }
    });
    let stays = adding(&process, &["stays@example.com".to_owned()], &json!({})).remove(0);
    reads.caught(1).await;
    cancel.cancel();
    let error = aborted.await.unwrap().unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Aborted, Outcome::NotSent));
    reads.release().await;
    stays.await.unwrap().unwrap();
    assert_eq!(addresses(&google)[3..], ["stays@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn an_abort_after_the_write_is_told_unknown_and_taken_back_later() {
    for lands in [true, false] {
        let (google, process) = school();
        let patches = process.network.hold(|request| request.method == Method::PATCH);
        let cancel = Cancel::default();
        let aborted = tokio::spawn({
            let (process, cancel) = (process.clone(), cancel.clone());
            async move { process.add_until(EVENT, &json!("dora@example.com"), &json!({}), cancel).await }
        });
        patches.caught(1).await;
        cancel.cancel();
        let error = aborted.await.unwrap().unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::Aborted, Outcome::Unknown));
        if !lands {
            google.owner_edits(EVENT, &json!({ "description": "moved on" }), false);
        }
        patches.release().await;
        assert!(process.settle().await.is_empty());
        assert_eq!(google.settled().len(), 1);
        assert_eq!(google.settled()[0]["settled"], "deleted");
        assert_eq!(addresses(&google).len(), 3, "a failed add leaves nobody behind");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_hangs_past_the_deadline_is_told_unknown_and_cannot_land_after_it_was_settled() {
    let (google, process) = school();
    google.fault(Rule::next("events.patch", Fault::Late { after_ms: None }));
    google.fault(Rule::nth("events.patch", 2, Fault::Late { after_ms: None }).times(20));
    let told = process.add(EVENT, &json!("dora@example.com"), &json!({ "timeoutMs": 1_000 })).await;
    let error = told.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::Unknown), "{error:?}");
    google.emulator.clear_faults();
    process.settle().await;
    assert_eq!(google.settled()[0]["settled"], "deleted");
    google.emulator.release();
    assert_eq!(addresses(&google).len(), 3, "the late write met 412");
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_was_told_unknown_is_finished_whether_its_write_landed_or_not() {
    for lands in [true, false] {
        let (google, process) = school();
        let patches = process.network.hold(|request| request.method == Method::PATCH);
        let options = json!({ "timeoutMs": 1_000, "attemptTimeoutMs": 1_000 });
        let told = process.remove(EVENT, &json!("bob@example.com"), &options).await;
        let error = told.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::Unknown), "{error:?}");
        if !lands {
            google.owner_edits(EVENT, &json!({ "description": "moved on" }), false);
        }
        patches.release().await;
        assert!(process.settle().await.is_empty());
        assert_eq!(google.settled().len(), 1);
        assert_eq!(google.settled()[0]["settled"], "deleted");
        assert_eq!(addresses(&google), ["Ada@example.com", "carl@example.com"]);
    }
}

#[tokio::test(start_paused = true)]
async fn one_users_token_never_carries_anothers_change() {
    let (google, process) = school();
    google.add_user("other@example.com", support::TOKENS[1], "UTC");
    let args = |user: &str, token: &str| {
        json!({ "userId": user, "calendarId": "primary", "auth": { "accessToken": token }, "eventId": EVENT, "options": {} })
            .to_string()
    };
    let guest = json!({ "email": "dora@example.com" }).to_string();
    let (mine, theirs) = (args("u1", support::TOKENS[0]), args("u1", support::TOKENS[1]));
    let (one, two) = tokio::join!(
        process.service.add_attendee(&mine, &guest, Cancel::default()),
        process.service.add_attendee(&theirs, &guest, Cancel::default()),
    );
    assert!(one.is_ok());
    assert_eq!(two.unwrap_err().code, Code::NotFound, "the event is not in the other's calendar");
    assert_eq!(addresses(&google).len(), 4);
}

/// A copy of the calendar that does not know of the event yet answers 404: that says nothing of who is on its list.
#[tokio::test(start_paused = true)]
async fn an_add_to_an_event_that_reads_do_not_show_for_a_while_is_verified_or_taken_back_when_they_do() {
    for (ms, lands) in [(900, true), (8_000, false)] {
        let (google, process) = school();
        google.fault(Rule::next("events.patch", Fault::DelayedVisibility { ms }));
        let told = process.add(EVENT, &json!("dora@example.com"), &json!({})).await;
        match &told {
            Ok(answer) => assert_eq!((lands, &answer["verified"]), (true, &json!(true))),
            Err(error) => assert_eq!((lands, error.code, error.outcome), (false, Code::NotFound, Outcome::Unknown)),
        }
        assert!(process.settle().await.is_empty());
        assert_eq!(addresses(&google).len(), if lands { 4 } else { 3 });
        let settled: Vec<_> = google.settled().iter().map(|notice| notice["settled"].clone()).collect();
        assert_eq!(settled, if lands { vec![] } else { vec![json!("deleted")] });
    }
}

/// What is gone for good is believed in the end, so that nothing stays open for ever.
#[tokio::test(start_paused = true)]
async fn an_add_to_an_event_that_is_gone_without_a_trace_is_closed_after_a_minute() {
    let (google, process) = school();
    let reads = process.network.hold(|request| request.method == Method::GET);
    let call = tokio::spawn({
        let process = process.clone();
        async move { process.add(EVENT, &json!("dora@example.com"), &json!({})).await }
    });
    reads.caught(1).await;
    google.fault(Rule::next("events.patch", Fault::Reset { when: When::After }));
    reads.release().await;
    while google.requests("events.patch") == 0 {
        pass(0).await;
        tokio::task::yield_now().await;
    }
    google.emulator.purge_event(USER, EVENT);
    assert_eq!(call.await.unwrap().unwrap_err().outcome, Outcome::Unknown);
    pass(30).await;
    assert_eq!(process.service.pending().await.unwrap().len(), 1);
    assert!(process.settle().await.is_empty());
}
