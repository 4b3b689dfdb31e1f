//! Transactions as a program drives them, step by step.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use support::{EVA, Google, Tx, class, names, now, pass, shared_store, writes};
use surecal::google::BoxFuture;
use surecal::model::{Code, Outcome};
use surecal::service::Cancel;
use surecal::service::host::{Host, HostFault, Question};
use surecal_emulator::{Fault, Rule, When};

/// A success that was never read back excuses no difference: only a verified one's is its owner's edit.
#[tokio::test(start_paused = true)]
async fn a_transactions_event_that_was_not_read_back_is_not_replayed_as_one_that_was() {
    // Its own entry says so, and where that is not written, the transaction's.
    for own_entry_is_written in [true, false] {
        let google = Google::new().with([Rule::nth("events.insert", 1, Fault::Corrupt { fields: None })]);
        let store = shared_store();
        let [process, other] = [(); 2].map(|()| google.process_on(&json!({}), Some(&store)));
        let tx = Tx::begin(&process, &json!({})).await;
        let unread = json!({ "idempotencyKey": "one-class", "skipVerification": true });
        let made = tx.create(&class(), &unread).await.unwrap();
        assert_eq!(made["verified"], false);
        if !own_entry_is_written {
            process.line.hold(1, |put| writes(put, "succeeded") && put.value.contains(r#""operation":"createEvent""#));
        }
        tx.commit().await.unwrap();
        let error = other.create(&class(), &json!({ "idempotencyKey": "one-class" })).await.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::VerificationFailed, Outcome::Applied), "{error:?}");
        assert_eq!(google.only_live()["id"], made["eventId"]);
    }
}

/// One that was read back is told as verified again, and what its owner has changed since is left.
#[tokio::test(start_paused = true)]
async fn each_event_of_a_transaction_is_verified_or_not_by_itself() {
    let google = Google::new();
    let store = shared_store();
    let [process, other] = [(); 2].map(|()| google.process_on(&json!({}), Some(&store)));
    let tx = Tx::begin(&process, &json!({})).await;
    let read = json!({ "idempotencyKey": "read" });
    let made = tx.create(&class(), &read).await.unwrap();
    tx.create(&class(), &json!({ "idempotencyKey": "unread", "skipVerification": true })).await.unwrap();
    tx.commit().await.unwrap();
    google.owner_edits(made["eventId"].as_str().unwrap(), &json!({ "summary": "Geometry" }), false);
    let again = other.create(&class(), &read).await.unwrap();
    assert_eq!((&again["verified"], &again["warnings"][0]["code"]), (&json!(true), &json!("EDITED")), "{again}");
}

/// A program whose undo functions take so long.
struct Program {
    takes: Duration,
    done: Mutex<Vec<u32>>,
}

impl Program {
    fn on(google: &mut Google, takes: Duration) -> Arc<Self> {
        let program = Arc::new(Self { takes, done: Mutex::default() });
        google.host = Some(Arc::clone(&program) as Arc<dyn Host>);
        program
    }

    fn done(&self) -> Vec<u32> {
        self.done.lock().unwrap().clone()
    }
}

impl Host for Program {
    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Option<String>, HostFault>> {
        Box::pin(async move {
            let Question::UndoStep { number: Some(number), .. } = question else { return Err(HostFault) };
            tokio::time::sleep(self.takes).await;
            self.done.lock().unwrap().push(number);
            Ok(Some(r#""done""#.to_owned()))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_does_not_end_is_told_as_failed_and_nobody_says_that_it_goes_on() {
    let mut google = Google::new();
    let program = Program::on(&mut google, Duration::from_hours(1));
    let ids = google.classes(1).await;
    let process = google.process();
    let tx = Tx::begin(&process, &json!({ "timeoutMs": 4_000 })).await;
    let began = now();
    tx.step().await;
    tx.add(&ids[0]).await.unwrap();
    let back = tx.roll_back().await;
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(
        (&back["rolledBack"], &back["rollbackFailed"], &back["rollbackPending"]),
        (&json!(ids), &json!(["step 1"]), &json!([])),
        "{back}"
    );
    assert_eq!(back["outcome"], "unknown");
    let message = back["message"].as_str().unwrap();
    assert!(!message.contains("background") && message.contains("rollbackFailed"), "{message}");
    assert!(process.settle().await.is_empty());
    assert_eq!((google.places(&ids, EVA), program.done().len()), (0, 0));
}

/// The undo of what Google holds is repeated in the background; the function can only be called now.
#[tokio::test(start_paused = true)]
async fn functions_are_called_though_the_undo_of_later_steps_took_all_the_time() {
    let mut google = Google::new();
    let program = Program::on(&mut google, Duration::from_millis(100));
    let ids = google.classes(1).await;
    let process = google.process();
    let tx = Tx::begin(&process, &json!({ "timeoutMs": 4_000 })).await;
    let began = now();
    tx.step().await;
    tx.step().await;
    tx.add(&ids[0]).await.unwrap();
    let removals = process.network.hold(|request| request.method == http::Method::PATCH && !names(request, EVA));
    let back = tx.roll_back().await;
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(program.done(), [1, 0], "newest first");
    assert_eq!(
        (&back["rolledBack"], &back["rollbackFailed"], &back["rollbackPending"]),
        (&json!([]), &json!([]), &json!(ids)),
        "{back}"
    );
    assert!(back["message"].as_str().unwrap().contains("background"), "{back}");
    removals.release().await;
    assert!(process.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 0);
}

fn skipping() -> Value {
    json!({ "attendees": { "timeoutMs": 1_000, "onTimeout": "skip" }, "attemptTimeoutMs": 1_000 })
}

/// As an enrollment does: the late add is settled either way, and a second record tells it.
#[tokio::test(start_paused = true)]
async fn a_step_whose_attendee_takes_too_long_is_skipped_named_logged_and_settled_later() {
    for lands in [true, false] {
        let google = Google::new();
        let ids = google.classes(3).await;
        let store = shared_store();
        let [process, other] = [(); 2].map(|()| google.process_on(&skipping(), Some(&store)));
        let when = if lands { When::After } else { When::Before };
        google.fault(Rule::nth("events.patch", 1, Fault::Hang { when }).for_event(&ids[1]));
        let key = json!({ "idempotencyKey": "one-transaction" });
        let tx = Tx::begin(&process, &key).await;
        assert_eq!(tx.add(&ids[0]).await.unwrap()["verified"], true);
        let late = tx.add(&ids[1]).await.unwrap();
        assert_eq!(
            (&late["success"], &late["skipped"], &late["alreadyAdded"], &late["verified"], &late["eventId"]),
            (&json!(true), &json!(true), &json!(false), &json!(false), &json!(ids[1])),
            "{late}"
        );
        assert_eq!((&late["warnings"][0]["code"], late.get("attendeeCount")), (&json!("SKIPPED"), None), "{late}");
        assert_eq!(tx.add(&ids[2]).await.unwrap()["verified"], true);
        assert_eq!(tx.commit().await.unwrap()["skipped"], json!([ids[1]]));
        assert!(process.settle().await.is_empty());
        assert_eq!(google.places(&ids, EVA), if lands { 3 } else { 2 });
        let settled = google.settled();
        assert_eq!((settled.len(), &settled[0]["eventId"]), (1, &json!(ids[1])), "{settled:?}");
        assert_eq!(settled[0]["settled"], if lands { "kept" } else { "deleted" });
        let again = other.begin_until(&key, Cancel::default()).await.unwrap();
        assert_eq!((&again["replayed"], &again["skipped"]), (&json!(true), &json!([ids[1]])));
        let notices = google.notices.lock().unwrap();
        let logged: Vec<_> = notices.iter().map(|notice| serde_json::to_string(notice).unwrap()).collect();
        assert!(logged.iter().any(|line| line.contains("timed out") && line.contains(&ids[1])), "{logged:?}");
        assert!(logged.iter().all(|line| !line.contains(EVA)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_skipped_is_undone_with_all_the_rest() {
    let google = Google::new();
    let ids = google.classes(2).await;
    let process = google.process_with(&skipping());
    google.fault(Rule::nth("events.patch", 1, Fault::Hang { when: When::After }).for_event(&ids[1]));
    let tx = Tx::begin(&process, &json!({})).await;
    tx.add(&ids[0]).await.unwrap();
    assert_eq!(tx.add(&ids[1]).await.unwrap()["skipped"], true);
    assert_eq!(google.places(&ids, EVA), 2);
    let back = tx.roll_back().await;
    assert_eq!(back["outcome"], "rejected", "{back}");
    assert!(process.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 0);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_whose_own_time_is_over_skips_nothing() {
    let google = Google::new();
    let ids = google.classes(1).await;
    let process = google.process_with(&json!({ "attendees": { "timeoutMs": 20_000, "onTimeout": "skip" } }));
    let patches = process.network.hold(|request| request.method == http::Method::PATCH);
    let tx = Tx::begin(&process, &json!({ "timeoutMs": 4_000 })).await;
    assert_eq!(tx.add(&ids[0]).await.unwrap_err().code, Code::Timeout);
    patches.release().await;
    assert_eq!(tx.commit().await.unwrap_err().code, Code::Timeout);
    tx.roll_back().await;
    assert!(process.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 0);
}

/// Its program has caught the error of nothing yet: the step is still under way.
#[tokio::test(start_paused = true)]
async fn a_step_that_fails_while_the_commit_waits_for_it_leaves_only_the_way_back() {
    let google = Google::new();
    let ids = google.classes(2).await;
    let process = google.process();
    let tx = Tx::begin(&process, &json!({})).await;
    tx.add(&ids[0]).await.unwrap();
    let reads = process.network.hold(|request| request.method == http::Method::GET);
    google.fault(Rule::always("events.patch", Fault::forbidden("forbidden")).for_event(&ids[1]));
    let step = tokio::spawn({
        let (tx, id) = (tx.clone(), ids[1].clone());
        async move { tx.add(&id).await }
    });
    reads.caught(1).await;
    let commit = tokio::spawn({
        let tx = tx.clone();
        async move { tx.commit().await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    reads.release().await;
    assert_eq!(step.await.unwrap().unwrap_err().code, Code::PermissionDenied);
    assert_eq!(commit.await.unwrap().unwrap_err().code, Code::PermissionDenied);
    assert_eq!(tx.roll_back().await["rolledBack"], json!([ids[0]]));
    assert!(process.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 0);
}

#[tokio::test(start_paused = true)]
async fn a_transactions_event_tells_how_many_exchanges_it_took() {
    let google = Google::new().with([Rule::nth("events.insert", 1, Fault::status(503))]);
    let process = google.process();
    let tx = Tx::begin(&process, &json!({})).await;
    let made = tx.create(&class(), &json!({})).await.unwrap();
    assert_eq!(made["attempts"], google.emulator.requests().len());
    assert!(google.emulator.requests().len() > 2);
    tx.commit().await.unwrap();
}

/// What Google refused for good left nothing to undo: a fence would be refused as well, each minute anew.
#[tokio::test(start_paused = true)]
async fn an_event_that_was_refused_for_good_is_not_undone_and_not_listed() {
    for (status, reason) in [(403, "requiredAccessLevel"), (404, "notFound"), (400, "invalid")] {
        let refuse = Fault::Status {
            when: When::Before,
            status,
            reason: Some(reason.to_owned()),
            retry_after_seconds: None,
            domain: None,
            message: None,
        };
        let google = Google::new().with([Rule::always("events.insert", refuse)]);
        let process = google.process();
        let tx = Tx::begin(&process, &json!({})).await;
        let error = tx.create(&class(), &json!({})).await.unwrap_err();
        assert_eq!(error.outcome, Outcome::Rejected, "{error:?}");
        let back = tx.roll_back().await;
        assert_eq!((&back["outcome"], &back["rolledBack"]), (&json!("rejected"), &json!([])), "{status}: {back}");
        assert_eq!((&back["rollbackFailed"], &back["rollbackPending"]), (&json!([]), &json!([])), "{status}: {back}");
        assert!(process.service.pending().await.unwrap().is_empty(), "{status}");
        assert_eq!(google.requests("events.insert"), 1, "{status}");
    }
}

fn key() -> Value {
    json!({ "idempotencyKey": "one-transaction" })
}

#[tokio::test(start_paused = true)]
async fn a_transaction_whose_key_is_at_work_elsewhere_waits_and_hears_what_became_of_it() {
    let google = Google::new();
    let store = shared_store();
    let [process, other] = [(); 2].map(|()| google.process_on(&json!({}), Some(&store)));
    let tx = Tx::begin(&process, &key()).await;
    let second = tokio::spawn({
        let other = other.clone();
        async move { other.begin_until(&key(), Cancel::default()).await }
    });
    pass(2).await;
    assert!(!second.is_finished());
    tx.commit().await.unwrap();
    assert_eq!(second.await.unwrap().unwrap()["replayed"], true);
    assert!(process.settle().await.is_empty() && other.settle().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_transaction_whose_key_is_at_work_until_its_deadline_or_abort_says_so_and_begins_nothing() {
    let google = Google::new();
    let store = shared_store();
    let [process, other] = [(); 2].map(|()| google.process_on(&json!({}), Some(&store)));
    let tx = Tx::begin(&process, &json!({ "idempotencyKey": "one-transaction", "timeoutMs": 60_000 })).await;
    let error = other.begin_until(&key(), Cancel::default()).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::IdempotencyInProgress, Outcome::Rejected), "{error:?}");
    let cancel = Cancel::default();
    let waits = tokio::spawn({
        let (other, cancel) = (other.clone(), cancel.clone());
        async move { other.begin_until(&key(), cancel).await }
    });
    pass(1).await;
    let began = now();
    cancel.cancel();
    assert_eq!(waits.await.unwrap().unwrap_err().code, Code::Aborted);
    assert!(began.elapsed() < Duration::from_millis(100));
    tx.commit().await.unwrap();
    assert!(process.settle().await.is_empty() && other.settle().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_process_left_under_a_key_is_undone_before_the_key_begins_anew() {
    let google = Google::new();
    let ids = google.classes(1).await;
    let store = shared_store();
    let [process, other] = [(); 2].map(|()| google.process_on(&json!({ "recovery": "manual" }), Some(&store)));
    let tx = Tx::begin(&process, &key()).await;
    tx.add(&ids[0]).await.unwrap();
    process.kill();
    assert_eq!(google.places(&ids, EVA), 1);
    pass(31).await;
    let tx = Tx::begin(&other, &key()).await;
    assert_eq!(google.places(&ids, EVA), 0);
    tx.add(&ids[0]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(other.settle().await.is_empty());
    assert_eq!(google.places(&ids, EVA), 1);
}
