//! A class's whole schedule: all of it, or nothing, told by what Google holds afterwards.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use support::{Google, LatePuts, Process, class, names, now, pass, shared_store, writes};
use surecal::google::HttpRequest;
use surecal::model::ids::event_id;
use surecal::model::{Code, Outcome};
use surecal::service::Cancel;
use surecal::store::Written;
use surecal_emulator::{Fault, Rule, When};

const KEY: &str = "schedule";
const LESSONS: usize = 5;

fn key() -> Value {
    json!({ "idempotencyKey": KEY })
}

fn schedule() -> Vec<Value> {
    (0..LESSONS)
        .map(|lesson| {
            let mut event = class();
            event["summary"] = json!(format!("Lesson {lesson}"));
            event["start"]["dateTime"] = json!(format!("2027-03-0{}T10:00:00Z", lesson + 1));
            event["end"]["dateTime"] = json!(format!("2027-03-0{}T11:00:00Z", lesson + 1));
            event
        })
        .collect()
}

fn id_of(lesson: usize) -> String {
    event_id("createEvent", "u1", "primary", &format!("{KEY}:{lesson}"), 0)
}

fn summaries(google: &Google) -> BTreeSet<String> {
    google.live().iter().map(|event| event["summary"].as_str().unwrap_or("(fence)").to_owned()).collect()
}

fn all_lessons() -> BTreeSet<String> {
    (0..LESSONS).map(|lesson| format!("Lesson {lesson}")).collect()
}

/// Every request that carries this lesson's content.
fn carries(lesson: usize) -> impl Fn(&HttpRequest) -> bool {
    move |request| names(request, &format!("Lesson {lesson}"))
}

async fn nothing_left(google: &Google, process: &Process, name: &str) {
    assert!(process.settle().await.is_empty(), "{name}");
    assert!(google.live().is_empty(), "{name}: {:?}", summaries(google));
}

#[tokio::test(start_paused = true)]
async fn a_schedule_is_made_with_one_insert_and_one_read_for_each_event() {
    let google = Google::new();
    let told = google.process().create_many(&schedule(), &key()).await.unwrap();
    assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(true)));
    assert_eq!((&told["rolledBack"], &told["rollbackPending"]), (&json!([]), &json!([])));
    for (lesson, event) in told["events"].as_array().unwrap().iter().enumerate() {
        assert_eq!(event["event"]["summary"], format!("Lesson {lesson}"), "in the order they were given");
        assert_eq!(event["eventId"], id_of(lesson));
    }
    assert_eq!(summaries(&google), all_lessons());
    assert_eq!((google.requests("events.insert"), google.requests("events.get")), (LESSONS, LESSONS));
}

#[tokio::test(start_paused = true)]
async fn one_refused_event_and_none_stays() {
    for lesson in 0..LESSONS {
        let name = format!("lesson {lesson} refused");
        let refused = Fault::forbidden("insufficientPermissions");
        let google = Google::new().with([Rule::always("events.insert", refused).for_event(&id_of(lesson))]);
        let process = google.process();
        let error = process.create_many(&schedule(), &key()).await.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::PermissionDenied, Outcome::Rejected), "{name}");
        assert!(error.rollback.pending.is_empty(), "{name}");
        let made: BTreeSet<_> = error.rollback.done.iter().cloned().collect();
        assert_eq!(made.len(), google.committed("events.insert"), "{name}: what was made is what was removed");
        assert!(!made.contains(&id_of(lesson)), "{name}");
        nothing_left(&google, &process, &name).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_hanging_event_and_none_stays_not_even_when_it_arrives_late() {
    for lesson in 0..LESSONS {
        let name = format!("lesson {lesson} hangs");
        let google = Google::new();
        let process = google.process();
        let hanging = process.network.hold(carries(lesson));
        let began = now();
        let error = process.create_many(&schedule(), &key()).await.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::Rejected), "{name}: {error}");
        assert!(error.message.contains("timed out after 12500ms"), "{name}: {error}");
        assert_eq!(error.rollback.done.len(), LESSONS, "{name}");
        assert!(began.elapsed() <= Duration::from_millis(12_500), "{name}: undone within its time");
        assert!(began.elapsed() >= Duration::from_millis(8_750), "{name}: 30 % of the time is for the undo");
        nothing_left(&google, &process, &name).await;
        hanging.release().await;
        nothing_left(&google, &process, &format!("{name}, later")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_event_that_is_stored_wrong_twice_and_none_stays() {
    for lesson in 0..LESSONS {
        let name = format!("lesson {lesson} garbled");
        let wrong = |operation| Rule::always(operation, Fault::Corrupt { fields: None }).for_event(&id_of(lesson));
        let google = Google::new().with([wrong("events.insert"), wrong("events.patch")]);
        let process = google.process();
        let told = process.create_many(&schedule(), &key()).await.unwrap();
        assert_eq!((&told["success"], &told["errorCode"]), (&json!(false), &json!("VERIFICATION_FAILED")), "{name}");
        assert_eq!((&told["failedIndex"], &told["mismatches"][0]["field"]), (&json!(lesson), &json!("summary")));
        assert!(told["error"].as_str().unwrap().contains("verification failed"));
        assert_eq!((&told["events"], &told["rollbackPending"]), (&json!([]), &json!([])), "{name}");
        nothing_left(&google, &process, &name).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_event_garbled_once_is_repaired_and_all_stay() {
    for nth in 1..=LESSONS {
        let google = Google::new();
        google.fault(Rule::nth("events.insert", u64::try_from(nth).unwrap(), Fault::Corrupt { fields: None }));
        let told = google.process().create_many(&schedule(), &key()).await.unwrap();
        assert_eq!(told["success"], true);
        assert_eq!(summaries(&google), all_lessons());
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_schedule_again_is_replayed_and_makes_nothing() {
    let google = Google::new();
    let store = shared_store();
    let process = || google.process_on(&json!({}), Some(&store));
    process().create_many(&schedule(), &key()).await.unwrap();
    let again = process().create_many(&schedule(), &key()).await.unwrap();
    assert!(again["events"].as_array().unwrap().iter().all(|event| event["replayed"] == true), "{again}");
    assert_eq!(google.committed("events.insert"), LESSONS);
    assert_eq!(google.committed("events.patch"), 0, "where the journal knows of the success, reading is enough");
}

#[tokio::test(start_paused = true)]
async fn after_a_rollback_the_same_key_makes_the_schedule_again() {
    let google = Google::new();
    let refused = Fault::forbidden("insufficientPermissions");
    google.fault(Rule::nth("events.insert", 3, refused));
    let process = google.process();
    process.create_many(&schedule(), &key()).await.unwrap_err();
    assert!(google.live().is_empty());
    let told = process.create_many(&schedule(), &key()).await.unwrap();
    assert_eq!(told["success"], true);
    assert_eq!(summaries(&google), all_lessons());
}

#[tokio::test(start_paused = true)]
async fn two_calls_of_one_schedule_in_two_processes_make_it_once() {
    let google = Google::new();
    let (first, second) = (google.process(), google.process());
    let (lessons, options) = (schedule(), key());
    let (one, two) = tokio::join!(first.create_many(&lessons, &options), second.create_many(&lessons, &options));
    assert_eq!((&one.unwrap()["success"], &two.unwrap()["success"]), (&json!(true), &json!(true)));
    assert_eq!(google.live().len(), LESSONS);
    assert_eq!(google.committed("events.insert"), LESSONS);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_leaves_the_event_that_another_call_was_promised() {
    let google = Google::new();
    let process = google.process();
    let lessons = schedule();
    process.create(&lessons[1], &json!({ "idempotencyKey": format!("{KEY}:1") })).await.unwrap();
    google.fault(Rule::always("events.insert", Fault::forbidden("insufficientPermissions")).for_event(&id_of(4)));
    let error = process.create_many(&lessons, &key()).await.unwrap_err();
    assert!(!error.rollback.done.contains(&id_of(1)));
    assert!(process.settle().await.is_empty());
    assert_eq!(summaries(&google), BTreeSet::from(["Lesson 1".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_removed_in_time_is_told_as_pending_and_removed_later() {
    let google = Google::new();
    google.fault(Rule::always("events.insert", Fault::forbidden("insufficientPermissions")).for_event(&id_of(4)));
    google.fault(Rule::always("events.delete", Fault::Hang { when: When::Before }));
    let process = google.process();
    let began = now();
    let error = process.create_many(&schedule(), &key()).await.unwrap_err();
    assert!(began.elapsed() <= Duration::from_millis(13_500), "{:?}", began.elapsed());
    assert_eq!(error.outcome, Outcome::Unknown);
    let pending: BTreeSet<_> =
        process.service.pending().await.unwrap().into_iter().map(|entry| entry.event_id).collect();
    assert_eq!(error.rollback.pending.iter().cloned().collect::<BTreeSet<_>>(), pending);
    assert_eq!(pending.len(), google.live().len());
    google.emulator.clear_faults();
    nothing_left(&google, &process, "when Google deletes again").await;
    assert_eq!(google.settled().len(), pending.len());
}

#[tokio::test(start_paused = true)]
async fn an_abort_in_the_middle_takes_everything_back() {
    let google = Google::new();
    let process = google.process();
    let hanging = process.network.hold(carries(4));
    let cancel = Cancel::default();
    let call = tokio::spawn({
        let (process, cancel) = (process.clone(), cancel.clone());
        async move { process.create_many_until(&schedule(), &key(), cancel).await }
    });
    hanging.caught(1).await;
    let began = now();
    cancel.cancel();
    let error = call.await.unwrap().unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(10));
    assert_eq!((error.code, error.outcome), (Code::Aborted, Outcome::Unknown));
    assert_eq!(
        process.service.pending().await.unwrap().len(),
        LESSONS,
        "listed at once, while the last write is under way"
    );
    nothing_left(&google, &process, "aborted").await;
    hanging.release().await;
    assert!(google.live().is_empty());
    let told: BTreeSet<_> = google.settled().iter().map(|notice| notice["eventId"].clone().to_string()).collect();
    assert_eq!(told.len(), LESSONS, "whoever left hears of each event");
}

/// A process that dies in the middle: another one takes its events back, and only then may the key make them again.
#[tokio::test(start_paused = true)]
async fn a_crash_in_the_middle_leaves_nothing() {
    for made in 0..=LESSONS {
        let name = format!("{made} made");
        let google = Google::new();
        let store = shared_store();
        let config = json!({ "leaseMs": 2_000 });
        let (dies, lives) = (google.process_on(&config, Some(&store)), google.process_on(&config, Some(&store)));
        if made < LESSONS {
            // Only so many inserts pass; the rest hang.
            google.fault(Rule::nth("events.insert", made as u64 + 1, Fault::Hang { when: When::Before }).times(1_000));
        }
        let reads = dies.network.hold(|request| request.method == Method::GET);
        let call = tokio::spawn({
            let dies = dies.clone();
            async move { dies.create_many(&schedule(), &key()).await }
        });
        pass(2).await;
        drop(reads);
        dies.kill();
        call.abort();
        google.emulator.clear_faults();
        pass(10).await;
        lives.get("nosuchevent").await.unwrap_err();
        pass(60).await;
        nothing_left(&google, &lives, &name).await;
        assert!(lives.service.pending().await.unwrap().is_empty(), "{name}");

        let told = lives.create_many(&schedule(), &key()).await.unwrap();
        assert_eq!(told["success"], true, "{name}");
        assert_eq!(summaries(&google), all_lessons(), "{name}");
    }
}

/// A process that dies when the common result is written, and none of the events' own; another one, and those on their way.
async fn one_dies_after_the_common_result(google: &Google, config: &Value) -> (Process, LatePuts) {
    let store = shared_store();
    let (dies, lives) = (google.process_on(config, Some(&store)), google.process_on(config, Some(&store)));
    let results =
        dies.line.hold(usize::MAX, |put| writes(put, "succeeded") && put.value.contains(r#""group":"surecal"#));
    let call = tokio::spawn({
        let dies = dies.clone();
        async move { dies.create_many(&schedule(), &key()).await }
    });
    results.caught(1).await;
    dies.kill();
    call.abort();
    (lives, results)
}

/// One compare-and-set is the result of all: a crash right after it leaves every event, though their own entries do not
/// say so yet.
#[tokio::test(start_paused = true)]
async fn a_crash_right_after_the_common_result_leaves_everything() {
    let google = Google::new();
    let (lives, results) = one_dies_after_the_common_result(&google, &json!({ "leaseMs": 2_000 })).await;
    pass(10).await;
    lives.get("nosuchevent").await.unwrap_err();
    pass(60).await;
    assert!(lives.service.pending().await.unwrap().is_empty());
    assert_eq!(summaries(&google), all_lessons());
    assert_eq!(google.committed("events.delete"), 0);
    let written = results.release().await;
    assert!(written.iter().all(|written| *written == Written::Refused), "the journal says it already");
}

/// The common result speaks for an event whose own entry does not say so yet: what its owner edited is not repaired.
#[tokio::test(start_paused = true)]
async fn an_event_of_a_schedule_that_succeeded_is_as_safe_as_one_that_succeeded_by_itself() {
    let google = Google::new();
    let (lives, _) = one_dies_after_the_common_result(&google, &json!({ "recovery": "manual" })).await;
    google.owner_edits(&id_of(1), &json!({ "summary": "Lesson 1, room 7" }), false);
    let told = lives.create(&schedule()[1], &json!({ "idempotencyKey": format!("{KEY}:1") })).await.unwrap();
    assert_eq!((&told["replayed"], &told["warnings"][0]["code"]), (&json!(true), &json!("EDITED")), "{told}");
    assert!(summaries(&google).contains("Lesson 1, room 7"));
    assert_eq!(google.committed("events.patch"), 0, "reading is enough");
}

/// Whether the common result was written is not known: the caller is told so, and the journal decides for all of them.
#[tokio::test(start_paused = true)]
async fn a_common_result_of_unknown_fate_is_settled_by_the_journal() {
    for lands in [true, false] {
        let google = Google::new();
        let process = google.process();
        let results =
            process.line.hold(usize::MAX, |put| writes(put, "succeeded") && put.value.contains(r#""group":null"#));
        let error = process.create_many(&schedule(), &key()).await.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::StoreUnavailable, Outcome::Unknown));
        assert_eq!(error.rollback.pending.len(), LESSONS);
        pass(5).await;
        assert_eq!(google.live().len(), LESSONS, "nothing is undone while it may still be a success");
        if lands {
            results.release().await;
        }
        assert!(process.settle().await.is_empty());
        assert_eq!(google.live().len(), if lands { LESSONS } else { 0 });
        let settled = if lands { "kept" } else { "deleted" };
        assert!(google.settled().iter().all(|notice| notice["settled"] == settled), "{:?}", google.settled());
    }
}

#[tokio::test(start_paused = true)]
async fn one_wrong_event_of_a_schedule_is_named_and_nothing_is_sent() {
    let google = Google::new();
    let process = google.process();
    let mut lessons = schedule();
    lessons[2]["end"]["dateTime"] = json!("2027-03-03T09:00:00Z");
    let error = process.create_many(&lessons, &key()).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::ValidationFailed, Outcome::NotSent));
    assert!(error.field.unwrap().starts_with("eventsData[2].end"));
    for wrong in [vec![], vec![class(); 501]] {
        let error = process.create_many(&wrong, &key()).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::ValidationFailed, Some("eventsData")));
    }
    assert_eq!(google.emulator.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_schedule_has_half_a_second_more_for_each_event_and_a_minute_at_most() {
    for (events, seconds) in [(1, 10), (20, 20), (300, 60)] {
        let google = Google::new().with([Rule::always("events.*", Fault::Hang { when: When::Before })]);
        let process = google.process();
        let lessons: Vec<_> = std::iter::repeat_n(class(), events).collect();
        let began = now();
        let error = process.create_many(&lessons, &json!({ "maxRetries": 100 })).await.unwrap_err();
        assert!(error.message.contains(&format!("timed out after {seconds}000ms")), "{error}");
        let took = began.elapsed().as_secs_f64();
        let (least, most) = (f64::from(seconds) * 0.7 - 0.1, f64::from(seconds) + 1.0);
        assert!((least..=most).contains(&took), "{events} events: {took} s");
    }
}
