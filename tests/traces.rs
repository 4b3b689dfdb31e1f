//! The traces that broke the simpler protocols of a create, each by its number: two processes, a network and a store that
//! delay what the test tells them to. Every test counts what Google holds at the end.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use http::Method;
use serde_json::{Value, json};
use support::{Google, Process, Told, claims, class, names, pass, shared_store, writes};
use surecal::google::HttpRequest;
use surecal::model::{Code, Outcome};
use surecal::store::Written;
use surecal_emulator::{Fault, Rule, When};

const KEY: &str = "one-class";

fn key() -> Value {
    json!({ "idempotencyKey": KEY })
}

fn is_get(request: &HttpRequest) -> bool {
    request.method == Method::GET
}

/// Reads of an event once two calls claim it.
fn is_get_of_two_claims(google: &Google) -> impl Fn(&HttpRequest) -> bool + Send + Sync + use<> {
    let emulator = google.emulator.clone();
    move |request| is_get(request) && claims(&emulator.live_events(support::USER)[0]).len() == 2
}

fn adopts(request: &HttpRequest) -> bool {
    request.method == Method::PATCH && names(request, "surecalClaims")
}

fn repairs(request: &HttpRequest) -> bool {
    request.method == Method::PATCH && names(request, "summary")
}

fn garbled(nth: u64) -> Rule {
    Rule::nth("events.insert", nth, Fault::Corrupt { fields: None })
}

fn assert_success<'a>(told: &'a Told, event: &Value) -> &'a Value {
    let answer = told.as_ref().unwrap();
    assert_eq!((&answer["success"], &answer["verified"]), (&json!(true), &json!(true)), "{answer}");
    assert_eq!(answer["eventId"], event["id"]);
    answer
}

async fn nothing_pending(processes: &[&Process]) {
    for process in processes {
        assert!(process.settle().await.is_empty());
    }
}

/// Something on the way repeats the insert, and hands on the 409 that the second copy got: the call must not think that the event
/// is another's, and leave it, when it fails before it has looked.
#[tokio::test(start_paused = true)]
async fn an_insert_that_is_repeated_on_its_way_leaves_nothing_behind() {
    let google = Google::new();
    let process = google.process();
    process.network.send_twice(|request| request.method == Method::POST);
    let looks = process.network.hold(is_get);
    let told = process.create(&class(), &key()).await;
    assert_eq!(told.unwrap_err().outcome, Outcome::Unknown);
    assert_eq!((google.requests("events.insert"), google.live().len()), (2, 1));
    looks.release().await;
    nothing_pending(&[&process]).await;
    assert_eq!(google.live(), [] as [Value; 0]);
}

/// The same of a claim on an event whose own call fails then.
#[tokio::test(start_paused = true)]
async fn a_claim_that_is_repeated_on_its_way_leaves_nothing_behind() {
    let google = Google::new();
    let (first, second) = (google.process(), google.process());
    // The first has inserted, and has not looked.
    let looks = first.network.hold(is_get);
    let failing = first.spawn_create(&class(), &key());
    looks.caught(1).await;
    second.network.send_twice(adopts);
    let second_looks = second.network.hold(is_get_of_two_claims(&google));
    assert!(second.create(&class(), &key()).await.is_err());
    assert_eq!(claims(&google.only_live()).len(), 2);
    failing.await.unwrap().unwrap_err();
    looks.release().await;
    second_looks.release().await;
    nothing_pending(&[&first, &second]).await;
    assert_eq!(google.live(), [] as [Value; 0]);
}

/// The second call of a key, whose reads fail, cleans up after itself and leaves what the first call was promised.
#[tokio::test(start_paused = true)]
async fn trace_1_success_deleted() {
    let google = Google::new();
    let (first, second) = (google.process(), google.process());
    let told = first.create(&class(), &key()).await;
    let promised = claims(&google.only_live());

    let adopting = google.committed("events.patch");
    let after_adoption = second.network.hold(is_get_of_two_claims(&google));
    let error = second.create(&class(), &key()).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::Unknown));
    assert!(google.committed("events.patch") > adopting, "the second call had claimed the event");
    after_adoption.release().await;
    nothing_pending(&[&first, &second]).await;

    let event = google.only_live();
    assert_success(&told, &event);
    assert_eq!(claims(&event), promised, "only the second call's claim was taken out");
}

/// A clean-up's delete that arrives when another call has claimed the event meanwhile, and was told success, meets another
/// `ETag`.
#[tokio::test(start_paused = true)]
async fn trace_1_success_deleted_by_a_late_delete() {
    let google = Google::new();
    let (first, second) = (google.process(), google.process());
    let reads = first.network.hold(is_get);
    let deletes = first.network.hold(|request| request.method == Method::DELETE);
    let call = first.spawn_create(&class(), &key());
    reads.caught(1).await;
    call.await.unwrap().unwrap_err();
    reads.release().await;
    deletes.caught(1).await;
    let told = second.create(&class(), &key()).await;
    deletes.release().await;
    nothing_pending(&[&first, &second]).await;
    let event = google.only_live();
    assert_success(&told, &event);
    assert_eq!(claims(&event).len(), 1, "the first call's claim was taken out");
}

/// What a process that died had stored wrong is not taken for an edit of its owner: the journal decides.
#[tokio::test(start_paused = true)]
async fn trace_2_wrong_content_told_as_success() {
    let google = Google::new().with([garbled(1)]);
    let store = shared_store();
    let (first, second) = (google.process_on(&json!({}), Some(&store)), google.process_on(&json!({}), Some(&store)));
    let reads = first.network.hold(is_get);
    let call = first.spawn_create(&class(), &key());
    reads.caught(1).await;
    first.kill();
    call.abort();
    assert_ne!(google.only_live()["summary"], "Algebra");

    // Long after the first process died: age proves nothing.
    pass(3_600).await;
    let told = second.create(&class(), &json!({ "idempotencyKey": KEY, "timeoutMs": 60_000 })).await;
    let event = google.only_live();
    assert_success(&told, &event);
    assert_eq!(event["summary"], "Algebra");
    nothing_pending(&[&second]).await;
    assert_eq!(google.only_live()["summary"], "Algebra");
}

/// The same when the journal died with its process: what cannot be known is not told as success.
#[tokio::test(start_paused = true)]
async fn trace_2_wrong_content_of_unknown_fate_is_told_as_applied_and_left() {
    let google = Google::new().with([garbled(1)]);
    let (first, second) = (google.process(), google.process());
    let reads = first.network.hold(is_get);
    let call = first.spawn_create(&class(), &key());
    reads.caught(1).await;
    first.kill();
    call.abort();
    let before = claims(&google.only_live());

    pass(3_600).await;
    let error = second.create(&class(), &key()).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::VerificationFailed, Outcome::Applied));
    nothing_pending(&[&second]).await;
    assert_eq!(claims(&google.only_live()), before, "only its own claim is taken off");
}

/// An adoption that arrives after its call has cleaned up meets another `ETag`, even when Google dropped the first attempt
/// to move that on.
#[tokio::test(start_paused = true)]
async fn trace_3_phantom_by_a_late_adoption() {
    for is_dropped in [false, true] {
        let google = Google::new();
        let (first, second) = (google.process(), google.process());
        let first_reads = first.network.hold(is_get);
        let call = first.spawn_create(&class(), &key());
        first_reads.caught(1).await;
        if is_dropped {
            google.fault(Rule::next("events.patch", Fault::Drop));
        }

        let adoptions = second.network.hold(adopts);
        let error = second.create(&class(), &key()).await.unwrap_err();
        assert_ne!(error.outcome, Outcome::NotSent);
        nothing_pending(&[&second]).await;
        assert!(adoptions.count() > 0);
        adoptions.release().await;

        assert_eq!(call.await.unwrap().unwrap_err().outcome, Outcome::Unknown);
        first_reads.release().await;
        nothing_pending(&[&first]).await;
        assert!(google.live().is_empty(), "both were told that they failed: {:#?}", google.live());
    }
}

/// Two that leave one event at the same moment: neither puts the other's claim back, and the one that leaves last deletes it.
#[tokio::test(start_paused = true)]
async fn trace_3_phantom_by_two_that_leave_at_once() {
    let google = Google::new();
    let (first, second) = (google.process(), google.process());
    let first_reads = first.network.hold(is_get);
    let call = first.spawn_create(&class(), &key());
    first_reads.caught(1).await;
    let second_reads = second.network.hold(is_get_of_two_claims(&google));
    second.create(&class(), &key()).await.unwrap_err();
    call.await.unwrap().unwrap_err();
    assert_eq!(claims(&google.only_live()).len(), 2);

    let leaves = [&first, &second].map(|process| process.network.hold(|request| request.method == Method::PATCH));
    first_reads.release().await;
    second_reads.release().await;
    for leave in &leaves {
        leave.caught(1).await;
    }
    leaves[0].release().await;
    nothing_pending(&[&first]).await;
    leaves[1].release().await;
    nothing_pending(&[&second]).await;
    assert!(google.live().is_empty(), "{:#?}", google.live());
}

/// An insert that arrives after its call has cleaned up meets the tombstone of a fence.
#[tokio::test(start_paused = true)]
async fn trace_4_phantom_by_a_late_insert() {
    let google = Google::new();
    let process = google.process();
    let inserts = process.network.hold(|request| request.method == Method::POST && names(request, "surecalClaims"));
    let error = process.create(&class(), &key()).await.unwrap_err();
    assert_eq!(error.outcome, Outcome::Unknown);
    nothing_pending(&[&process]).await;
    inserts.release().await;
    assert!(google.live().is_empty());
    assert_eq!(google.settled()[0]["settled"], "deleted");
}

/// One old read that finds nothing does not close an entry either.
#[tokio::test(start_paused = true)]
async fn trace_4_an_event_that_reads_do_not_show_yet_is_not_left_behind() {
    let google = Google::new().with([Rule::next("events.insert", Fault::DelayedVisibility { ms: 15_000 })]);
    let process = google.process();
    let options = json!({ "idempotencyKey": KEY, "timeoutMs": 2_000 });
    process.create(&class(), &options).await.unwrap_err();
    nothing_pending(&[&process]).await;
    pass(60).await;
    assert!(google.live().is_empty());
}

/// A fence whose delete got lost is deleted by whoever meets it: its own clean-up, or the next call, which makes its event
/// under the next generation and never adopts the fence.
#[tokio::test(start_paused = true)]
async fn trace_5_fence_left_behind_or_adopted() {
    let google = Google::new();
    let (first, second) = (google.process(), google.process());
    let inserts = first.network.hold(|request| request.method == Method::POST && names(request, "surecalClaims"));
    let deletes = first.network.hold(|request| request.method == Method::DELETE);
    first.create(&class(), &key()).await.unwrap_err();
    deletes.caught(1).await;
    assert_eq!(google.only_live()["start"]["dateTime"], "1970-01-01T00:00:00Z", "the fence stands");

    let told = second.create(&class(), &key()).await;
    let event = google.only_live();
    assert_success(&told, &event);
    assert_eq!(event["summary"], "Algebra");
    inserts.release().await;
    deletes.release().await;
    nothing_pending(&[&first, &second]).await;
    assert_eq!(google.only_live()["id"], event["id"]);
}

/// The same without another call, and with the fence's own mark wiped by somebody's PUT.
#[tokio::test(start_paused = true)]
async fn trace_5_a_fence_is_known_by_its_date_too() {
    for wiped in [false, true] {
        let google = Google::new();
        let process = google.process();
        let inserts = process.network.hold(|request| request.method == Method::POST && names(request, "surecalClaims"));
        let deletes = process.network.hold(|request| request.method == Method::DELETE);
        process.create(&class(), &key()).await.unwrap_err();
        deletes.caught(1).await;
        let fence = google.only_live();
        if wiped {
            google.owner_edits(fence["id"].as_str().unwrap(), &json!({}), true);
            assert!(google.only_live()["extendedProperties"].is_null());
        }
        deletes.release().await;
        nothing_pending(&[&process]).await;
        inserts.release().await;
        assert!(google.live().is_empty(), "wiped: {wiped}, {:#?}", google.live());
    }
}

/// A call of a key whose event was edited since keeps the edit.
#[tokio::test(start_paused = true)]
async fn trace_6_owners_edit_reverted() {
    let google = Google::new();
    let store = shared_store();
    let (first, second) = (google.process_on(&json!({}), Some(&store)), google.process_on(&json!({}), Some(&store)));
    first.create(&class(), &key()).await.unwrap();
    let id = google.only_live()["id"].as_str().unwrap().to_owned();
    google.owner_edits(&id, &json!({ "summary": "Algebra, room 7" }), false);

    let told = second.create(&class(), &key()).await;
    let event = google.only_live();
    let answer = assert_success(&told, &event);
    assert_eq!((&answer["replayed"], &answer["repaired"]), (&json!(true), &json!(false)));
    assert_eq!(answer["warnings"][0]["code"], "EDITED");
    assert_eq!(event["summary"], "Algebra, room 7");
}

/// A call that had claimed the event before the other one succeeded asks the journal before it repairs.
#[tokio::test(start_paused = true)]
async fn trace_6_an_edit_made_while_another_call_has_its_claim_on_the_event_is_kept() {
    let google = Google::new();
    let store = shared_store();
    let (first, second) = (google.process_on(&json!({}), Some(&store)), google.process_on(&json!({}), Some(&store)));
    let first_reads = first.network.hold(is_get);
    let call = first.spawn_create(&class(), &key());
    first_reads.caught(1).await;
    // The second call claims the event while the first is at work, and reads it only when it was edited.
    let second_reads = second.network.hold(is_get_of_two_claims(&google));
    let late = second.spawn_create(&class(), &key());
    second_reads.caught(1).await;
    first_reads.release().await;
    assert_success(&call.await.unwrap(), &google.only_live());
    let id = google.only_live()["id"].as_str().unwrap().to_owned();
    google.owner_edits(&id, &json!({ "summary": "Algebra, room 7" }), false);
    second_reads.release().await;

    let event = google.only_live();
    assert_success(&late.await.unwrap(), &event);
    assert_eq!(event["summary"], "Algebra, room 7");
    pass(60).await;
    assert_eq!(google.only_live()["summary"], "Algebra, room 7");
}

/// While another call's result is on its way to the journal, a difference is nobody's to repair.
#[tokio::test(start_paused = true)]
async fn trace_6_an_edit_made_while_the_other_calls_success_is_being_written_is_kept() {
    let google = Google::new();
    let store = shared_store();
    let (first, second) = (google.process_on(&json!({}), Some(&store)), google.process_on(&json!({}), Some(&store)));
    let result = first.line.hold(1, |put| writes(put, "succeeded"));
    let call = first.spawn_create(&class(), &key());
    result.caught(1).await;
    let id = google.only_live()["id"].as_str().unwrap().to_owned();
    google.owner_edits(&id, &json!({ "summary": "Algebra, room 7" }), false);

    let told = second.create(&class(), &key()).await;
    let event = google.only_live();
    assert_success(&told, &event);
    assert_success(&call.await.unwrap(), &event);
    assert_eq!(event["summary"], "Algebra, room 7");
}

/// A repair that arrives late meets another `ETag`.
#[tokio::test(start_paused = true)]
async fn trace_6_a_late_repair_writes_over_nobodys_edit() {
    let google = Google::new().with([garbled(1)]);
    let process = google.process();
    let late = process.network.hold(repairs);
    let call = process.spawn_create(&class(), &json!({ "idempotencyKey": KEY, "timeoutMs": 60_000 }));
    late.caught(1).await;
    let id = google.only_live()["id"].as_str().unwrap().to_owned();
    google.owner_edits(&id, &json!({ "summary": "Algebra", "location": "Room 7" }), false);
    assert_success(&call.await.unwrap(), &google.only_live());
    google.owner_edits(&id, &json!({ "summary": "Geometry" }), false);
    late.release().await;
    assert_eq!(google.only_live()["summary"], "Geometry");
}

/// The success of a slow owner arrives in the store after another process has taken the entry over: it is refused there,
/// the owner has told neither success nor failure, and nothing is left.
#[tokio::test(start_paused = true)]
async fn trace_7_told_success_recorded_failure() {
    let google = Google::new();
    let store = shared_store();
    let config = json!({ "leaseMs": 5_000, "recovery": "manual" });
    let (owner, taker) = (google.process_on(&config, Some(&store)), google.process_on(&config, Some(&store)));
    let results = owner.line.hold(usize::MAX, |put| writes(put, "succeeded"));
    let error = owner.create(&class(), &key()).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::StoreUnavailable, Outcome::Unknown));
    assert!(results.count() > 0);
    owner.kill();
    pass(6).await;

    taker.create(&class(), &json!({ "idempotencyKey": "another class" })).await.unwrap();
    taker.service.recover().await.unwrap();
    nothing_pending(&[&taker]).await;
    let written = results.release().await;
    assert!(written.iter().all(|written| *written == Written::Refused), "{written:?}");
    assert_eq!(google.live().len(), 1, "the other class alone: {:#?}", google.live());
}

/// The reverse: the success arrived, so the event stands, and the owner is told so afterwards.
#[tokio::test(start_paused = true)]
async fn trace_7_told_unknown_recorded_success() {
    let google = Google::new();
    let process = google.process();
    let results = process.line.hold(usize::MAX, |put| writes(put, "succeeded"));
    let error = process.create(&class(), &key()).await.unwrap_err();
    assert_eq!(error.outcome, Outcome::Unknown);
    assert_eq!(process.service.pending().await.unwrap().len(), 1);
    assert_eq!(results.release().await[0], Written::Applied);
    nothing_pending(&[&process]).await;
    assert_success(&process.create(&class(), &key()).await, &google.only_live());
    assert_eq!(google.settled()[0]["settled"], "kept");
}

/// An owner that cannot renew its lease sends nothing after it: the other process may have closed the entry.
#[tokio::test(start_paused = true)]
async fn trace_7_who_lost_its_lease_sends_nothing_more() {
    let google = Google::new();
    let store = shared_store();
    let config = json!({ "leaseMs": 2_000, "recovery": "manual" });
    let (owner, taker) = (google.process_on(&config, Some(&store)), google.process_on(&config, Some(&store)));
    taker.create(&class(), &json!({ "idempotencyKey": "another class" })).await.unwrap();
    let inserts = owner.network.hold(|request| request.method == Method::POST);
    let call = owner.spawn_create(&class(), &json!({ "idempotencyKey": KEY, "timeoutMs": 30_000 }));
    inserts.caught(1).await;
    owner.line.cut(true);
    pass(3).await;
    taker.service.recover().await.unwrap();
    nothing_pending(&[&taker]).await;
    assert_eq!(google.live().len(), 1, "the id is fenced");

    inserts.release().await;
    let error = call.await.unwrap().unwrap_err();
    // Its insert met the fence's tombstone; but a 409 may be the answer to a second copy, and it may not look any more.
    assert_eq!(error.outcome, Outcome::Unknown);
    pass(60).await;
    assert_eq!(owner.network.sent(), ["POST"], "nothing after the lease was lost");
    assert_eq!(google.live().len(), 1);
}

/// The next generation is inserted only after the journal knows its id: a crash in between is found.
#[tokio::test(start_paused = true)]
async fn trace_8_two_generations_alive() {
    let google = Google::new();
    let store = shared_store();
    let process = || google.process_on(&json!({}), Some(&store));
    let (first, second) = (process(), process());
    first.create(&class(), &key()).await.unwrap();
    let id = google.only_live()["id"].as_str().unwrap().to_owned();
    google.emulator.owner_delete(support::USER, &id).unwrap();

    // The first process inserts the next generation and dies before it hears of it.
    google.fault(Rule::nth("events.insert", 2, Fault::Hang { when: When::After }));
    let call = first.spawn_create(&class(), &key());
    while google.live().is_empty() {
        pass(1).await;
    }
    first.kill();
    call.abort();
    pass(60).await;

    // Another process of the same user works off what is left, before anybody asks for the key again.
    let other = json!({ "idempotencyKey": "another class" });
    second.create(&class(), &other).await.unwrap();
    second.service.recover().await.unwrap();
    nothing_pending(&[&second]).await;
    assert_eq!(google.live().len(), 1, "the phantom of the crashed process is gone: {:#?}", google.live());

    let told = second.create(&class(), &key()).await;
    assert_eq!(told.unwrap()["success"], true);
    assert_eq!(google.live().len(), 2);
    pass(120).await;
    assert_eq!(google.live().len(), 2, "one of each key");
}

/// A success that was never read back is not replayed as one that was.
#[tokio::test(start_paused = true)]
async fn trace_19_replay_of_an_unverified_success() {
    let google = Google::new().with([garbled(1)]);
    let process = google.process();
    let unread = json!({ "idempotencyKey": KEY, "skipVerification": true });
    let told = process.create(&class(), &unread).await.unwrap();
    assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(false)));

    let error = process.create(&class(), &key()).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::VerificationFailed, Outcome::Applied));
    nothing_pending(&[&process]).await;
    assert_eq!(google.only_live()["id"], told["eventId"], "the first call's event is not deleted");
}

/// Whoever wiped our marks off the event did not check what it held: it is compared before it is told as a success.
#[tokio::test(start_paused = true)]
async fn trace_20_stamp_wiped_on_garbled_content() {
    for is_garbled in [true, false] {
        let google = Google::new();
        if is_garbled {
            google.fault(garbled(1));
        }
        let (first, second) = (google.process(), google.process());
        let reads = first.network.hold(is_get);
        let call = first.spawn_create(&class(), &key());
        reads.caught(1).await;
        first.kill();
        call.abort();
        let before = google.only_live();
        google.owner_edits(before["id"].as_str().unwrap(), &json!({}), true);

        let told = second.create(&class(), &key()).await;
        if is_garbled {
            let error = told.unwrap_err();
            assert_eq!((error.code, error.outcome), (Code::Conflict, Outcome::Applied));
        } else {
            let answer = assert_success(&told, &google.only_live()).clone();
            assert_eq!((&answer["replayed"], &answer["warnings"][0]["code"]), (&json!(true), &json!("STAMP_LOST")));
        }
        nothing_pending(&[&second]).await;
        assert_eq!(google.only_live()["summary"], before["summary"], "it is left as it was");
    }
}
