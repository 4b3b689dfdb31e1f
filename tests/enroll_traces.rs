//! The traces that broke the simpler protocols of an enrollment, each by its number: two processes over one store, and a
//! network and a store that delay what the test tells them to. Every test counts what Google holds at the end.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use support::{Google, Process, START_MS, Told, names, pass, shared_store};
use surecal::google::HttpRequest;
use surecal::model::{CalendarError, Code, Outcome};
use surecal::store::{Expected, Keep, MemoryStore, Put, Store as _, Version, Written};
use surecal_emulator::{Fault, Rule, When};

const EVA: &str = "eva@example.com";

/// Two processes over one store, an event, and another one on which nobody can be put.
struct Stage {
    google: Google,
    first: Process,
    second: Process,
    store: Arc<MemoryStore>,
    event: String,
    refusing: String,
}

impl Stage {
    async fn new() -> Self {
        let google = Google::new();
        let ids = google.classes(2).await;
        google.fault(Rule::always("events.patch", Fault::forbidden("forbidden")).for_event(&ids[1]));
        let store = shared_store();
        let patient = json!({ "attendees": { "timeoutMs": 30_000 }, "attemptTimeoutMs": 30_000 });
        let first = google.process_on(&patient, Some(&store));
        let second = google.process_on(&json!({}), Some(&store));
        Self { google, first, second, store, event: ids[0].clone(), refusing: ids[1].clone() }
    }

    /// No two states of an event are of one millisecond: those `updated` does not tell apart.
    async fn on_a_slow_network() -> Self {
        let stage = Self::new().await;
        stage.google.emulator.set_latency(Duration::from_millis(40));
        stage
    }

    fn only(&self) -> Vec<String> {
        vec![self.event.clone()]
    }

    /// An enrollment that fails.
    fn both(&self) -> Vec<String> {
        vec![self.event.clone(), self.refusing.clone()]
    }

    fn is_there(&self) -> bool {
        self.google.attendee(&self.event, EVA).is_some()
    }

    /// The reads after the attendee was added.
    fn reads_once_added(&self) -> impl Fn(&HttpRequest) -> bool + Send + Sync + 'static {
        let (shown, event) = (self.google.emulator.clone(), self.event.clone());
        let has_added = move |live: &Value| live["id"] == event.as_str() && live["attendees"].to_string().contains(EVA);
        move |request| request.method == Method::GET && shown.live_events(support::USER).iter().any(&has_added)
    }

    async fn settled(&self) {
        for process in [&self.first, &self.second] {
            assert_eq!(process.settle().await, []);
        }
    }
}

fn long() -> Value {
    json!({ "timeoutMs": 40_000 })
}

fn of(id: &str, method: &Method) -> impl Fn(&HttpRequest) -> bool + Send + Sync + 'static {
    let (id, method) = (id.to_owned(), method.clone());
    move |request| request.method == method && request.path_and_query.contains(&id)
}

fn adds(id: &str) -> impl Fn(&HttpRequest) -> bool + Send + Sync + 'static {
    let patches = of(id, &Method::PATCH);
    move |request| patches(request) && names(request, EVA)
}

/// A PATCH of the guest list without the attendee.
fn expels(id: &str) -> impl Fn(&HttpRequest) -> bool + Send + Sync + 'static {
    let patches = of(id, &Method::PATCH);
    move |request| patches(request) && names(request, "attendees") && !names(request, EVA)
}

/// Whether a put writes an attendee's record with so many claims.
fn claims(put: &Put, count: usize) -> bool {
    let value: Value = serde_json::from_str(&put.value).unwrap_or_default();
    put.key.contains(":attendee:") && value["claims"].as_array().is_some_and(|claims| claims.len() == count)
}

fn refused(told: Told) -> CalendarError {
    told.unwrap_err()
}

/// The second transaction relies on the attendee as well, and fails after the first was told success.
#[tokio::test(start_paused = true)]
async fn trace_9_ownership_taken_then_lost() {
    let stage = Stage::new().await;
    // The first has added, and does not know it yet.
    let reads = stage.first.network.hold(stage.reads_once_added());
    let first = stage.first.spawn_enroll(&stage.only(), EVA, &long());
    reads.caught(1).await;
    assert!(stage.is_there());
    let patches = stage.second.network.hold(of(&stage.refusing, &Method::PATCH));
    let second = stage.second.spawn_enroll(&stage.both(), EVA, &long());
    patches.caught(1).await;
    reads.release().await;
    assert_eq!(first.await.unwrap().unwrap()["events"][0]["alreadyAdded"], false);
    patches.release().await;
    let error = refused(second.await.unwrap());
    assert_eq!((error.outcome, error.rollback.done.as_slice()), (Outcome::Rejected, [].as_slice()), "{error:?}");
    stage.settled().await;
    assert!(stage.is_there(), "the first was told success");
}

/// The first adds and fails; the second came after the add, and was told success meanwhile.
#[tokio::test(start_paused = true)]
async fn trace_9_who_adds_and_fails_takes_nobody_off_who_was_kept_meanwhile() {
    let stage = Stage::new().await;
    let patches = stage.first.network.hold(of(&stage.refusing, &Method::PATCH));
    let first = stage.first.spawn_enroll(&stage.both(), EVA, &long());
    patches.caught(1).await;
    pass(1).await;
    assert!(stage.is_there());
    let told = stage.second.enroll(&stage.only(), EVA, &json!({})).await.unwrap();
    assert_eq!(told["events"][0]["alreadyAdded"], true);
    patches.release().await;
    refused(first.await.unwrap());
    stage.settled().await;
    assert!(stage.is_there(), "the second was told success");
}

/// The same, failing before the first is told.
#[tokio::test(start_paused = true)]
async fn trace_9_ownership_taken_and_given_up_before_the_success() {
    let stage = Stage::new().await;
    let reads = stage.first.network.hold(stage.reads_once_added());
    let first = stage.first.spawn_enroll(&stage.only(), EVA, &long());
    reads.caught(1).await;
    refused(stage.second.enroll(&stage.both(), EVA, &long()).await);
    assert!(stage.is_there());
    reads.release().await;
    first.await.unwrap().unwrap();
    stage.settled().await;
    assert!(stage.is_there());
}

/// An undo whose removal is on its way: who comes then waits for it, and adds anew.
#[tokio::test(start_paused = true)]
async fn trace_10_undo_after_the_check() {
    let stage = Stage::new().await;
    let removals = stage.first.network.hold(expels(&stage.event));
    let first = stage.first.spawn_enroll(&stage.both(), EVA, &long());
    removals.caught(1).await;
    assert!(stage.is_there());
    let second = stage.second.spawn_enroll(&stage.only(), EVA, &long());
    pass(2).await;
    assert!(!second.is_finished());
    removals.release().await;
    let told = second.await.unwrap().unwrap();
    assert_eq!(told["events"][0]["alreadyAdded"], false, "{told}");
    assert_eq!(refused(first.await.unwrap()).rollback.done, stage.only());
    stage.settled().await;
    assert!(stage.is_there(), "the second was told success");
}

/// An undo that does not hear that it is over, and reads once more: the second has come meanwhile.
#[tokio::test(start_paused = true)]
async fn trace_10_undo_that_was_over_without_knowing_it() {
    let stage = Stage::new().await;
    let late = stage.first.line.hold(1_000, |put| claims(put, 0));
    refused(stage.first.enroll(&stage.both(), EVA, &json!({})).await);
    assert!(!stage.is_there() && late.count() > 0);
    let reads = stage.first.network.hold(of(&stage.event, &Method::GET));
    reads.caught(1).await;
    assert!(late.release().await.contains(&Written::Applied));
    stage.second.enroll(&stage.only(), EVA, &long()).await.unwrap();
    reads.release().await;
    stage.settled().await;
    assert!(stage.is_there(), "the second was told success");
}

/// A removal that lands long after the undo was over, by another one.
#[tokio::test(start_paused = true)]
async fn trace_10_a_removal_that_is_late() {
    let stage = Stage::new().await;
    let (is_removal, first_one) = (expels(&stage.event), AtomicBool::new(true));
    let late = stage.first.network.hold(move |request| is_removal(request) && first_one.swap(false, Ordering::AcqRel));
    refused(stage.first.enroll(&stage.both(), EVA, &long()).await);
    assert_eq!((late.count(), stage.first.settle().await, stage.is_there()), (1, vec![], false));
    stage.second.enroll(&stage.only(), EVA, &long()).await.unwrap();
    late.release().await;
    stage.settled().await;
    assert!(stage.is_there(), "the second was told success");
}

/// An attendee who is still there but about to go is nobody's "already added": the event is not even read.
#[tokio::test(start_paused = true)]
async fn trace_11_already_added_on_a_person_about_to_go() {
    let stage = Stage::new().await;
    let removals = stage.first.network.hold(expels(&stage.event));
    let first = stage.first.spawn_enroll(&stage.both(), EVA, &long());
    removals.caught(1).await;
    let error = refused(stage.second.enroll(&stage.only(), EVA, &json!({ "timeoutMs": 2_000 })).await);
    assert_eq!((error.code, error.outcome, error.retryable), (Code::Conflict, Outcome::NotSent, true), "{error:?}");
    assert!(stage.second.network.sent().is_empty(), "nothing was read or written: {:?}", stage.second.network.sent());
    removals.release().await;
    refused(first.await.unwrap());
    stage.settled().await;
    assert!(!stage.is_there());
}

/// The second claims before the first's PATCH, finds nobody and gives up; the first then adds and fails.
#[tokio::test(start_paused = true)]
async fn trace_12_claimed_before_it_was_added() {
    let stage = Stage::new().await;
    let first_adds = stage.first.network.hold(adds(&stage.event));
    let second_adds = stage.second.network.hold(adds(&stage.event));
    let first = stage.first.spawn_enroll(&stage.both(), EVA, &long());
    first_adds.caught(1).await;
    let second = stage.second.spawn_enroll(&stage.only(), EVA, &json!({ "timeoutMs": 1_500 }));
    second_adds.caught(1).await;
    let error = refused(second.await.unwrap());
    assert!(!stage.is_there());
    assert!(error.rollback.done.is_empty(), "{error:?}");
    first_adds.release().await;
    assert_eq!(refused(first.await.unwrap()).outcome, Outcome::Rejected);
    second_adds.release().await;
    stage.settled().await;
    assert!(!stage.is_there());
}

/// An add that lands after the undo found nobody meets another `ETag`.
#[tokio::test(start_paused = true)]
async fn trace_13_late_add() {
    let stage = Stage::new().await;
    let late = stage.first.network.hold(adds(&stage.event));
    let first = stage.first.spawn_enroll(&stage.only(), EVA, &json!({ "timeoutMs": 3_000 }));
    late.caught(1).await;
    let error = refused(first.await.unwrap());
    assert_eq!(error.code, Code::Timeout, "{error:?}");
    assert_eq!(stage.first.settle().await, []);
    let patched = stage.google.committed("events.patch");
    late.release().await;
    assert_eq!(stage.google.committed("events.patch"), patched, "the late add was refused");
    stage.settled().await;
    assert!(!stage.is_there());
}

/// An owner who is slow but lives, and two who take over at once.
#[tokio::test(start_paused = true)]
async fn trace_14_both_recoverers_at_once_and_a_slow_but_living_owner() {
    let google = Google::new();
    let ids = google.classes(3).await;
    let store = shared_store();
    let owner = google.process_on(&json!({}), Some(&store));
    let late = owner.network.hold(adds(&ids[2]));
    let call = owner.spawn_enroll(&ids, EVA, &json!({ "timeoutMs": 60_000, "attemptTimeoutMs": 60_000 }));
    late.caught(1).await;
    // Its renewals do not reach the store.
    owner.line.cut(true);
    pass(1).await;
    assert_eq!(google.places(&ids, EVA), 2);
    let later = START_MS + 120_000;
    let config = json!({ "recovery": "manual" });
    let others = [(); 2].map(|()| google.process_at(&config, Some(&store), later));
    for other in &others {
        // A call of the user brings the tokens.
        other.get(&ids[0]).await.unwrap();
    }
    let (one, two) = tokio::join!(others[0].service.recover(), others[1].service.recover());
    one.and(two).unwrap();
    for other in &others {
        assert_eq!(other.settle().await, []);
    }
    assert_eq!(google.places(&ids, EVA), 0);
    owner.line.cut(false);
    late.release().await;
    let error = refused(call.await.unwrap());
    assert_eq!(error.outcome, Outcome::Unknown, "{error:?}");
    assert_eq!(owner.settle().await, []);
    assert_eq!(google.places(&ids, EVA), 0, "the owner sent nothing more");
}

/// What reads of the event show for so long is as old as the last write but one.
fn old_reads(stage: &Stage, ms: u64) {
    stage.google.fault(Rule::next("events.get", Fault::Stale { ms }).for_event(&stage.event));
}

/// The second reads as if nobody had been added, does not hear that its write was refused, and fails: it must not take off whom
/// it seems to have added.
#[tokio::test(start_paused = true)]
async fn an_old_read_of_another_process_undoes_no_success() {
    let stage = Stage::on_a_slow_network().await;
    stage.first.enroll(&stage.only(), EVA, &json!({})).await.unwrap();
    old_reads(&stage, 20_000);
    stage.google.fault(Rule::next("events.patch", Fault::Hang { when: When::After }).for_event(&stage.event));
    let error = refused(stage.second.enroll(&stage.only(), EVA, &json!({ "timeoutMs": 8_000 })).await);
    assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::NotSent), "{error:?}");
    stage.settled().await;
    assert!(stage.is_there(), "the first was told success");
}

/// The second reads as if whom the first has taken off were there still.
#[tokio::test(start_paused = true)]
async fn an_old_read_tells_nobody_already_added_of_one_who_was_taken_off() {
    let stage = Stage::on_a_slow_network().await;
    assert_eq!(refused(stage.first.enroll(&stage.both(), EVA, &json!({})).await).rollback.done, stage.only());
    old_reads(&stage, 4_000);
    let told = stage.second.enroll(&stage.only(), EVA, &long()).await.unwrap();
    assert_eq!(told["events"][0]["alreadyAdded"], false, "{told}");
    stage.settled().await;
    assert!(stage.is_there());
}

/// The other way round, with one who is to be taken off for good.
#[tokio::test(start_paused = true)]
async fn an_old_read_tells_nobody_already_removed_of_one_who_was_added() {
    let stage = Stage::on_a_slow_network().await;
    stage.first.add(&stage.event, &json!(EVA), &json!({})).await.unwrap();
    old_reads(&stage, 4_000);
    let told = stage.second.remove(&stage.event, &json!(EVA), &long()).await.unwrap();
    assert_eq!(told["alreadyRemoved"], false, "{told}");
    stage.settled().await;
    assert!(!stage.is_there());
}

/// A process that dies after its success leaves to whoever finishes for it how new the event was.
#[tokio::test(start_paused = true)]
async fn an_old_read_undoes_no_success_whose_process_has_died_since() {
    let stage = Stage::on_a_slow_network().await;
    let keeps = stage.first.line.hold(1_000, |put| put.key.contains(":attendee:") && put.value.contains("newest"));
    stage.first.enroll(&stage.only(), EVA, &json!({})).await.unwrap();
    assert!(keeps.count() > 0);
    stage.first.kill();
    pass(45).await;
    stage.second.get(&stage.event).await.unwrap();
    stage.second.service.recover().await.unwrap();
    assert_eq!(stage.second.settle().await, []);
    old_reads(&stage, 20_000);
    refused(stage.second.enroll(&stage.only(), EVA, &json!({ "timeoutMs": 8_000 })).await);
    assert_eq!(stage.second.settle().await, []);
    assert!(stage.is_there(), "the first was told success");
}

/// What an earlier version has stored says nothing of how new the event was.
#[tokio::test(start_paused = true)]
async fn records_and_entries_of_an_earlier_version_are_read() {
    let stage = Stage::new().await;
    let keeps = stage.first.line.hold(1_000, |put| put.key.contains(":attendee:") && put.value.contains("newest"));
    stage.first.enroll(&stage.only(), EVA, &json!({})).await.unwrap();
    assert!(keeps.count() > 0, "its success is in the journal, and not yet in the record");
    stage.first.kill();
    let keys: BTreeSet<_> = stage.first.line.written().into_iter().map(|(key, _)| key).collect();
    for key in keys {
        let now = stage.store.get(&key).await.unwrap().unwrap();
        let mut value: Value = serde_json::from_str(&now.value).unwrap();
        let steps = value["plan"]["steps"].as_array_mut().into_iter().flatten();
        let forgot = steps.filter_map(|step| step["act"].as_object_mut()?.remove("updated")).count();
        assert_eq!(forgot, usize::from(key.contains(":entry:")), "{key}");
        let (expected, keep) = (Expected::Version(now.version), Keep::Open);
        stage
            .store
            .put(Put { key, value: value.to_string(), version: Version::from_bits(1), expected, keep })
            .await
            .unwrap();
    }
    pass(45).await;
    stage.second.get(&stage.event).await.unwrap();
    stage.second.service.recover().await.unwrap();
    let told = stage.second.enroll(&stage.only(), EVA, &json!({})).await.unwrap();
    assert_eq!(told["events"][0]["alreadyAdded"], true);
    assert_eq!(stage.second.settle().await, []);
    assert!(stage.is_there());
}

/// What a crash leaves of a rush on one event is undone together, not each undo against all others.
#[tokio::test(start_paused = true)]
async fn a_crash_in_the_middle_of_a_rush_is_undone_in_a_few_writes() {
    const STUDENTS: usize = 24;
    let google = Google::new();
    let ids = google.classes(2).await;
    let store = shared_store();
    let config = json!({ "leaseMs": 2_000, "recovery": "manual" });
    let [dies, lives] = [(); 2].map(|()| google.process_on(&config, Some(&store)));
    let students: Vec<_> = (0..STUDENTS).map(|number| format!("student-{number}@example.com")).collect();
    let reads = dies.network.hold(of(&ids[1], &Method::GET));
    let calls: Vec<_> = students.iter().map(|student| dies.spawn_enroll(&ids, student, &long())).collect();
    reads.caught(1).await;
    pass(1).await;
    let places = || students.iter().map(|student| google.places(&ids, student)).sum::<usize>();
    assert_eq!(places(), STUDENTS, "all are on the first event, none on the second");
    dies.kill();
    calls.iter().for_each(tokio::task::JoinHandle::abort);

    pass(3).await;
    lives.get(&ids[0]).await.unwrap();
    let before = google.requests("events.patch");
    lives.service.recover().await.unwrap();
    assert_eq!(lives.settle().await, []);
    assert_eq!(places(), 0);
    let writes = google.requests("events.patch") - before;
    assert!(writes <= 2 * ids.len(), "{writes} writes for two events");
}

/// The same of an owner who waits to repeat a write that Google throttled.
#[tokio::test(start_paused = true)]
async fn trace_14_who_lost_its_lease_repeats_nothing() {
    let stage = Stage::new().await;
    let store = shared_store();
    let config = json!({ "leaseMs": 2_000, "recovery": "manual", "attendees": { "timeoutMs": 60_000 } });
    let [owner, taker] = [(); 2].map(|()| stage.google.process_on(&config, Some(&store)));
    let (when, retry_after_seconds) = (When::Before, Some(20));
    let throttled = Fault::Status { when, status: 429, reason: None, retry_after_seconds, domain: None, message: None };
    stage.google.fault(Rule::next("events.patch", throttled));
    let call = owner.spawn_enroll(&stage.only(), EVA, &json!({ "timeoutMs": 60_000 }));
    pass(1).await;
    owner.line.cut(true);
    pass(5).await;
    taker.get(&stage.event).await.unwrap();
    taker.service.recover().await.unwrap();
    assert_eq!(taker.settle().await, []);
    refused(call.await.unwrap());
    pass(60).await;
    assert_eq!(owner.network.sent(), ["GET", "PATCH"], "nothing after the lease was lost");
    assert!(!stage.is_there());
}

/// The same of a rush that fails all at once, and whose undo is left to the background.
#[tokio::test(start_paused = true)]
async fn a_rush_that_fails_at_once_is_undone_in_a_few_writes() {
    const STUDENTS: usize = 24;
    let google = Google::new();
    let ids = google.classes(2).await;
    let process = google.process();
    google.fault(Rule::always("events.*", Fault::Hang { when: When::Before }).for_event(&ids[1]));
    let students: Vec<_> = (0..STUDENTS).map(|number| format!("student-{number}@example.com")).collect();
    let calls: Vec<_> = students.iter().map(|student| process.spawn_enroll(&ids, student, &json!({}))).collect();
    pass(1).await;
    let places = || students.iter().map(|student| google.places(&ids, student)).sum::<usize>();
    assert_eq!(places(), STUDENTS);
    // From here on nothing is answered, until all have failed and left their undo.
    google.fault(Rule::always("events.*", Fault::Hang { when: When::Before }));
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
    google.emulator.clear_faults();
    let before = google.requests("events.patch");
    assert_eq!(process.settle().await, []);
    assert_eq!(places(), 0);
    let writes = google.requests("events.patch") - before;
    assert!(writes <= 4 * ids.len(), "{writes} writes for two events");
}

/// A read that is older than the undo of an enrollment, by the one that comes after it.
#[tokio::test(start_paused = true)]
async fn who_was_just_taken_off_is_not_taken_for_there_on_an_old_read() {
    let stage = Stage::new().await;
    // Google's `updated` tells milliseconds: the undo is to be later than the add.
    stage.google.fault(Rule::nth("events.get", 1, Fault::Latency { ms: 500 }).for_event(&stage.refusing));
    refused(stage.second.enroll(&stage.both(), EVA, &long()).await);
    assert!(!stage.is_there());
    stage.google.fault(Rule::nth("events.get", 1, Fault::Stale { ms: 700 }).for_event(&stage.event));
    let told = stage.second.enroll(&stage.only(), EVA, &long()).await.unwrap();
    assert!(stage.is_there(), "{told}");
    assert_eq!(told["events"][0]["alreadyAdded"], false);
    stage.settled().await;
}

/// A claim whose put lands after its transaction had failed and closed.
#[tokio::test(start_paused = true)]
async fn trace_18_late_claim() {
    let stage = Stage::new().await;
    let patches = stage.first.network.hold(of(&stage.refusing, &Method::PATCH));
    let first = stage.first.spawn_enroll(&stage.both(), EVA, &long());
    patches.caught(1).await;
    pass(1).await;
    assert!(stage.is_there());
    let late = stage.second.line.hold(1_000, |put| claims(put, 2));
    let error = refused(stage.second.enroll(&stage.only(), EVA, &long()).await);
    assert_eq!(error.code, Code::StoreUnavailable, "{error:?}");
    assert_eq!(stage.second.settle().await, []);
    assert!(late.count() > 0);
    assert!(late.release().await.iter().all(|written| *written == Written::Refused));
    patches.release().await;
    assert_eq!(refused(first.await.unwrap()).rollback.done, stage.only());
    stage.settled().await;
    assert!(!stage.is_there());
}

/// The same where nobody else had a record of the attendee.
#[tokio::test(start_paused = true)]
async fn trace_18_late_claim_of_the_only_transaction() {
    let stage = Stage::new().await;
    let late = stage.first.line.hold(1_000, |put| claims(put, 1));
    refused(stage.first.enroll(&stage.only(), EVA, &long()).await);
    assert_eq!(stage.first.settle().await, []);
    assert!(late.release().await.iter().all(|written| *written == Written::Refused));
    // Nothing blocks or misleads who comes next.
    refused(stage.second.enroll(&stage.both(), EVA, &long()).await);
    stage.settled().await;
    assert!(!stage.is_there());
}

/// A success whose put is late is told `unknown`, and the journal decides.
#[tokio::test(start_paused = true)]
async fn trace_15_of_an_enrollment_unknown_told_as_failed() {
    let stage = Stage::new().await;
    let late = stage.first.line.hold(1_000, |put| support::writes(put, "succeeded"));
    let told = stage.first.enroll(&stage.only(), EVA, &json!({ "timeoutMs": 3_000 })).await;
    let error = refused(told);
    assert_eq!(error.outcome, Outcome::Unknown, "{error:?}");
    assert_eq!(stage.first.service.pending().await.unwrap().len(), 1);
    late.release().await;
    pass(60).await;
    stage.settled().await;
    assert!(stage.is_there());
    let kept = stage.google.settled();
    assert_eq!((kept.len(), &kept[0]["settled"]), (1, &json!("kept")), "{kept:?}");
}

/// An owner who was taken over before it had claimed, and wakes: its claim would stay for ever, and make the next failed
/// enrollment leave the attendee to it.
#[tokio::test(start_paused = true)]
async fn who_was_taken_over_before_the_claim_claims_nothing_more() {
    let stage = Stage::new().await;
    let store = shared_store();
    let config = json!({ "attendees": { "timeoutMs": 90_000 } });
    let [owner, other] = [(); 2].map(|()| stage.google.process_on(&config, Some(&store)));
    let late = owner.line.hold(1_000, |put| claims(put, 1));
    let waiting = owner.spawn_enroll(&stage.only(), EVA, &json!({ "timeoutMs": 120_000 }));
    pass(1).await;
    assert!(late.count() > 0);
    owner.line.cut(true);
    // Its lease runs out.
    pass(45).await;
    other.get(&stage.event).await.unwrap();
    other.service.recover().await.unwrap();
    assert_eq!(other.settle().await, []);
    assert!(late.release().await.iter().all(|written| *written == Written::Refused));
    owner.line.cut(false);
    refused(waiting.await.unwrap());
    assert_eq!(owner.settle().await, []);
    refused(other.enroll(&stage.both(), EVA, &long()).await);
    assert_eq!(other.settle().await, []);
    assert!(!stage.is_there());
}
