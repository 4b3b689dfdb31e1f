//! The journal between processes: intents, leases, take-overs, and a store whose puts are late, lost or cut off.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Google, Process, START_MS, class, now, pass, shared_store, writes};
use surecal::clock::Clock;
use surecal::model::{Claim, Code, Outcome};
use surecal::store::{Change, Disposal, Entry, Failing, Journal, MemoryStore, Resumed, State, Store, Written};
use surecal_emulator::{Fault, Rule, When};

fn key(name: &str) -> Value {
    json!({ "idempotencyKey": name })
}

/// Two processes with one store; only `recover()` takes over.
fn pair(google: &Google, lease_ms: u64) -> (Process, Process) {
    let store = shared_store();
    let config = json!({ "leaseMs": lease_ms, "recovery": "manual" });
    (google.process_on(&config, Some(&store)), google.process_on(&config, Some(&store)))
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_an_error_and_nothing_is_sent() {
    let google = Google::new();
    let process = google.process();
    process.line.cut(true);
    for options in [key("k"), json!({})] {
        let began = now();
        let error = process.create(&class(), &options).await.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::StoreUnavailable, Outcome::NotSent));
        assert!(began.elapsed() <= Duration::from_secs(11));
    }
    assert_eq!(google.emulator.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_the_intent_is_known_to_be_written() {
    let google = Google::new();
    let process = google.process();
    let intents = process.line.hold(usize::MAX, |put| writes(put, "running"));
    let call = process.spawn_create(&class(), &key("k"));
    pass(5).await;
    assert!(intents.count() > 1, "it was asked again");
    assert!(process.network.sent().is_empty());
    let written = intents.release().await;
    assert_eq!(written.iter().filter(|written| **written == Written::Applied).count(), 1, "one nonce, applied once");
    assert_eq!(call.await.unwrap().unwrap()["success"], true);
    google.only_live();
}

#[tokio::test(start_paused = true)]
async fn a_put_whose_answer_is_lost_is_known_again_by_its_nonce() {
    for put in 1..=3 {
        let google = Google::new();
        let process = google.process();
        process.line.lose_answers(put);
        let told = process.create(&class(), &key("k")).await.unwrap();
        assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(true)), "{put} answers lost");
        google.only_live();
        assert!(process.settle().await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_living_owner_keeps_its_lease_however_long_it_takes() {
    let google = Google::new();
    let (owner, other) = pair(&google, 1_000);
    other.create(&class(), &key("other")).await.unwrap();
    let inserts = owner.network.hold(|request| request.method == http::Method::POST);
    let call = owner.spawn_create(&class(), &json!({ "idempotencyKey": "k", "timeoutMs": 60_000 }));
    inserts.caught(1).await;
    for _ in 0..20 {
        pass(1).await;
        assert!(other.service.recover().await.unwrap().is_empty());
    }
    inserts.release().await;
    assert_eq!(call.await.unwrap().unwrap()["success"], true);
    assert_eq!(google.live().len(), 2);
    assert_eq!(google.committed("events.delete"), 0);
}

/// Leaves an event whose process died before it could verify it.
async fn crash(google: &Google, process: &Process, name: &str) {
    let before = google.live().len();
    let reads = process.network.hold(|request| request.method == http::Method::GET);
    let call = process.spawn_create(&class(), &key(name));
    reads.caught(1).await;
    process.kill();
    call.abort();
    assert_eq!(google.live().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_left_is_listed_until_a_call_of_its_user_brings_credentials() {
    let google = Google::new();
    let (dies, lives) = pair(&google, 2_000);
    crash(&google, &dies, "k").await;
    assert!(lives.service.pending().await.unwrap().is_empty(), "its lease still runs: it may be alive");
    pass(3).await;
    let pending = lives.service.recover().await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!((pending[0].operation.as_str(), pending[0].user_id.as_str()), ("createEvent", "u1"));
    assert_eq!(google.live().len(), 1, "nobody has the user's credentials");

    lives.get("nosuchevent").await.unwrap_err();
    lives.service.recover().await.unwrap();
    assert!(lives.settle().await.is_empty());
    assert!(google.live().is_empty());
    assert_eq!(google.settled()[0]["settled"], "deleted");
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_left_is_worked_off_unasked_when_its_lease_has_run_out() {
    let google = Google::new();
    let store = shared_store();
    let config = json!({ "leaseMs": 2_000 });
    let (dies, lives) = (google.process_on(&config, Some(&store)), google.process_on(&config, Some(&store)));
    lives.create(&class(), &key("mine")).await.unwrap();
    crash(&google, &dies, "k").await;
    pass(10).await;
    assert_eq!(google.live().len(), 1, "the living process's own event");
    assert!(lives.service.pending().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn credentials_that_come_after_the_look_are_used_without_another_one_being_asked_for() {
    let google = Google::new();
    let store = shared_store();
    let config = json!({ "leaseMs": 60_000 });
    let (dies, lives) = (google.process_on(&config, Some(&store)), google.process_on(&config, Some(&store)));
    crash(&google, &dies, "k").await;
    pass(120).await;
    lives.get("nosuchevent").await.unwrap_err();
    pass(5).await;
    assert!(google.live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_two_that_recover_at_once_one_does_the_work() {
    let google = Google::new();
    let store = shared_store();
    let config = json!({ "leaseMs": 2_000, "recovery": "manual" });
    let process = || google.process_on(&config, Some(&store));
    let (dies, one, two) = (process(), process(), process());
    crash(&google, &dies, "k").await;
    one.get("nosuchevent").await.unwrap_err();
    two.get("nosuchevent").await.unwrap_err();
    pass(3).await;
    let (first, other) = tokio::join!(one.service.recover(), two.service.recover());
    first.and(other).unwrap();
    assert!(one.settle().await.is_empty() && two.settle().await.is_empty());
    assert!(google.live().is_empty());
    assert_eq!(google.requests("events.delete"), 1);
    assert_eq!(google.settled().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_lost_its_lease_to_nobody_cleans_up_by_itself_when_the_store_is_back() {
    let google = Google::new();
    let process = google.process_with(&json!({ "leaseMs": 1_000, "recovery": "manual" }));
    let reads = process.network.hold(|request| request.method == http::Method::GET);
    let call = process.spawn_create(&class(), &key("k"));
    reads.caught(1).await;
    process.line.cut(true);
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.outcome, Outcome::Unknown);
    reads.release().await;
    pass(30).await;
    google.only_live();
    process.line.cut(false);
    assert!(process.settle().await.is_empty());
    assert!(google.live().is_empty());
    assert_eq!(google.settled()[0]["settled"], "deleted");
}

/// A success that is told is never turned into clean-up, whoever looks, and whenever.
#[tokio::test(start_paused = true)]
async fn a_success_once_journalled_is_final() {
    let google = Google::new();
    let (first, second) = pair(&google, 1_000);
    first.create(&class(), &key("k")).await.unwrap();
    first.kill();
    pass(3_600).await;
    second.create(&class(), &key("other")).await.unwrap();
    assert!(second.service.recover().await.unwrap().is_empty());
    assert_eq!((google.live().len(), google.committed("events.delete")), (2, 0));
}

/// The success put times out; the call may not say "failed", for the put lands.
#[tokio::test(start_paused = true)]
async fn trace_15_unknown_told_as_failed() {
    let google = Google::new();
    let process = google.process();
    let results = process.line.hold(usize::MAX, |put| writes(put, "succeeded"));
    let error = process.create(&class(), &key("k")).await.unwrap_err();
    assert_eq!(error.outcome, Outcome::Unknown);
    google.only_live();
    results.release().await;
    assert!(process.settle().await.is_empty());
    google.only_live();
    assert_eq!(google.settled()[0]["settled"], "kept");
}

/// The same when the put never lands: settled by the journal too, once the lease has run out.
#[tokio::test(start_paused = true)]
async fn trace_15_a_success_that_is_never_written_is_taken_back() {
    let google = Google::new();
    let process = google.process();
    let _lost = process.line.hold(usize::MAX, |put| writes(put, "succeeded"));
    let error = process.create(&class(), &key("k")).await.unwrap_err();
    assert_eq!(error.outcome, Outcome::Unknown);
    assert!(process.settle().await.is_empty());
    assert!(google.live().is_empty());
    assert_eq!(google.settled()[0]["settled"], "deleted");
}

/// The taker's clock is ahead and its take-over is late; the owner succeeds meanwhile. The taker deletes nothing, neither while
/// it waits to hear of its put nor once it waits no more.
#[tokio::test(start_paused = true)]
async fn trace_16_a_taker_starts_before_it_knows() {
    for seconds in [1, 120] {
        let google = Google::new();
        let store = shared_store();
        let config = json!({ "recovery": "manual", "attemptTimeoutMs": 200_000 });
        let owner = google.process_on(&config, Some(&store));
        let taker = google.process_at(&config, Some(&store), START_MS + 120_000);
        taker.get("nosuchevent").await.unwrap_err();
        let reads = owner.network.hold(|request| request.method == http::Method::GET);
        let call = owner.spawn_create(&class(), &json!({ "idempotencyKey": "k", "timeoutMs": 200_000 }));
        reads.caught(1).await;

        let taking = taker.line.hold(usize::MAX, |put| writes(put, "failed"));
        let recovering = tokio::spawn({
            let taker = taker.clone();
            async move { taker.service.recover().await.unwrap() }
        });
        pass(seconds).await;
        assert!(taking.count() > 0);
        assert_eq!(google.committed("events.delete"), 0);
        reads.release().await;
        assert_eq!(call.await.unwrap().unwrap()["success"], true);
        let written = taking.release().await;
        assert!(written.iter().all(|written| *written == Written::Refused));
        recovering.await.unwrap();
        taker.settle().await;
        assert_eq!(google.committed("events.delete"), 0);
        google.only_live();
    }
}

/// The intent's put is late and was repeated; after the success it lands: what is settled is still there to refuse it.
#[tokio::test(start_paused = true)]
async fn trace_17_settled_entry_deleted_from_the_store() {
    let google = Google::new();
    let (first, second) = pair(&google, 2_000);
    let intents = first.line.hold(1, |put| writes(put, "running"));
    first.create(&class(), &key("k")).await.unwrap();
    assert_eq!(intents.count(), 1);
    pass(1_800).await;
    assert_eq!(intents.release().await, [Written::Refused]);
    pass(60).await;
    second.get("nosuchevent").await.unwrap_err();
    assert!(second.service.recover().await.unwrap().is_empty());
    google.only_live();
}

#[tokio::test(start_paused = true)]
async fn a_clean_up_that_could_not_be_recorded_as_done_is_done_again_and_harms_nothing() {
    let google = Google::new();
    let process = google.process();
    let settled = process.line.hold(usize::MAX, |put| writes(put, "settled"));
    google.fault(Rule::nth("events.get", 1, Fault::Hang { when: When::Before }).times(3));
    process.create(&class(), &key("k")).await.unwrap_err();
    pass(60).await;
    assert!(settled.count() > 0);
    assert_eq!(process.service.pending().await.unwrap().len(), 1);
    settled.release().await;
    assert!(process.settle().await.is_empty());
    assert!(google.live().is_empty());
    let told = process.create(&class(), &key("k")).await.unwrap();
    assert_eq!(told["success"], true);
    pass(600).await;
    google.only_live();
}

fn random() -> u128 {
    rand::random()
}

fn journal_on(store: &Arc<MemoryStore>, now_ms: u64) -> Journal {
    let store: Arc<dyn Store> = Arc::clone(store) as Arc<dyn Store>;
    Journal::new(store, Clock::paused(now_ms), Duration::from_secs(10), random)
}

fn entry(bits: u64, group: Option<String>) -> Entry {
    Entry {
        operation: "createEvent".into(),
        user: "u1".into(),
        calendar: "primary".into(),
        event_id: if group.is_none() && bits == 0 { String::new() } else { format!("event{bits}") },
        generation: 0,
        claim: Claim::from_bits(bits),
        print: "p".into(),
        state: State::Running,
        group,
        guests: false,
        keyless: false,
        unseen: false,
        lease_until: 0,
        since: 0,
        plan: None,
    }
}

const LEFT: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn an_entry_is_taken_over_after_its_lease_and_never_before_and_its_owner_is_fenced_off() {
    let store = Arc::new(MemoryStore::new(Clock::paused(0)));
    let owner = journal_on(&store, 0);
    let held = owner.begin(entry(1, None), LEFT).await.unwrap();
    let early = journal_on(&store, 9_000).resume(held.name(), LEFT).await.unwrap();
    assert!(matches!(early, Resumed::Busy));
    let taken = journal_on(&store, 11_000).resume(held.name(), LEFT).await.unwrap();
    let Resumed::Held(taken) = taken else { panic!("its lease has run out") };
    assert_eq!(taken.entry().await.state, State::Failed);
    assert_eq!(held.change(LEFT, |entry| entry.state = State::Succeeded { verified: true }).await, Change::Refused);
    assert!(!held.alive(), "who was refused sends nothing more");
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_is_not_taken_over() {
    for state in [State::Succeeded { verified: true }, State::Settled { disposal: Disposal::Kept }] {
        let store = Arc::new(MemoryStore::new(Clock::paused(0)));
        let held = journal_on(&store, 0).begin(entry(1, None), LEFT).await.unwrap();
        assert_eq!(held.change(LEFT, |entry| entry.state = state).await, Change::Applied);
        let resumed = journal_on(&store, 60_000).resume(held.name(), LEFT).await.unwrap();
        assert!(matches!(resumed, Resumed::Decided(Some(Disposal::Kept))));
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_of_a_schedule_fails_only_after_the_schedule_did_and_stands_if_it_succeeded() {
    let store = Arc::new(MemoryStore::new(Clock::paused(0)));
    let owner = journal_on(&store, 0);
    let group = owner.begin(entry(0, None), LEFT).await.unwrap();
    let member = owner.begin(entry(1, Some(group.name().to_owned())), LEFT).await.unwrap();
    assert_eq!(member.fail(LEFT).await, Failing::Undecided, "its schedule may still succeed");
    assert_eq!(member.entry().await.state, State::Running);
    assert_eq!(group.change(LEFT, |entry| entry.state = State::Succeeded { verified: true }).await, Change::Applied);
    let later = journal_on(&store, 60_000);
    assert!(matches!(later.resume(member.name(), LEFT).await.unwrap(), Resumed::Decided(Some(Disposal::Kept))));
    assert!(later.open(LEFT).await.unwrap().is_empty(), "and is recorded so");
}

#[tokio::test(start_paused = true)]
async fn a_schedule_whose_owner_is_gone_fails_with_its_first_event_and_cannot_succeed_any_more() {
    let store = Arc::new(MemoryStore::new(Clock::paused(0)));
    let owner = journal_on(&store, 0);
    let group = owner.begin(entry(0, None), LEFT).await.unwrap();
    let member = owner.begin(entry(1, Some(group.name().to_owned())), LEFT).await.unwrap();
    let later = journal_on(&store, 60_000);
    assert!(matches!(later.resume(member.name(), LEFT).await.unwrap(), Resumed::Held(_)));
    assert_eq!(group.change(LEFT, |entry| entry.state = State::Succeeded { verified: true }).await, Change::Refused);
}

#[tokio::test(start_paused = true)]
async fn an_open_entry_never_expires_and_a_decided_one_outlasts_every_late_put() {
    let store = Arc::new(MemoryStore::new(Clock::paused(0)));
    let journal = journal_on(&store, 0);
    let (open, done) =
        (journal.begin(entry(1, None), LEFT).await.unwrap(), journal.begin(entry(2, None), LEFT).await.unwrap());
    done.change(LEFT, |entry| entry.state = State::Succeeded { verified: true }).await;
    let name = open.name().to_owned();
    drop(open);
    pass(24 * 3_600).await;
    assert!(store.get(done.name()).await.unwrap().is_some());
    pass(30 * 24 * 3_600).await;
    assert!(store.get(done.name()).await.unwrap().is_none());
    assert!(store.get(&name).await.unwrap().is_some());
}
