//! A create whose exchange hangs: it is over soon, and what is late is never answered with a second write at once.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::time::Duration;

use serde_json::json;
use support::{Google, Process, class, now};
use surecal_emulator::{Fault, Rule, When};

/// So many creates make known how long an answer takes.
const LEARNT: usize = 32;
/// The most that a create with a hanging exchange may take, here where answers take no time.
const SOON: Duration = Duration::from_millis(1500);

async fn learn(process: &Process) {
    for _ in 0..LEARNT {
        process.create(&class(), &json!({})).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_hangs_costs_a_create_little_once_the_usual_time_is_known() {
    for operation in ["events.insert", "events.get"] {
        for when in [When::Before, When::After] {
            let google = Google::new();
            let process = google.process();
            learn(&process).await;
            google.fault(Rule::next(operation, Fault::Hang { when }));
            let begun = now();
            let told = process.create(&class(), &json!({})).await.unwrap();
            let took = now() - begun;
            assert!(took < SOON, "{operation} {when:?}: {took:?}");
            assert_eq!(told["verified"], true, "{operation} {when:?}");
            assert_eq!(google.live().len(), LEARNT + 1, "{operation} {when:?}");
            assert_eq!(google.committed("events.insert"), LEARNT + 1, "{operation} {when:?}: one insert was applied");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_insert_that_is_late_is_looked_for_while_it_is_open_and_not_written_again_if_it_is_there() {
    let google = Google::new();
    let process = google.process();
    learn(&process).await;
    let inserts = google.requests("events.insert");
    google.fault(Rule::next("events.insert", Fault::Hang { when: When::After }));
    let told = process.create(&class(), &json!({})).await.unwrap();
    assert_eq!(google.requests("events.insert"), inserts + 1, "no second write");
    assert_eq!(google.requests("events.get"), LEARNT + 2, "one read on the side, and the read back");
    assert_eq!(told["attempts"], 3, "the read on the side is counted");
}

#[tokio::test(start_paused = true)]
async fn without_faults_nothing_more_is_called() {
    let google = Google::new();
    let process = google.process();
    for _ in 0..200 {
        process.create(&class(), &json!({})).await.unwrap();
    }
    assert_eq!((google.requests("events.insert"), google.requests("events.get")), (200, 200));
}
