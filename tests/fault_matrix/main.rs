//! Every operation meets every fault at each of its calls to Google: what it tells agrees with what Google then holds.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod oracle;
mod program;
mod rivals;
mod work;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use support::{Google, now, pass};
use surecal_emulator::{Fault, Rule};

use self::faults::faults;
use self::oracle::{Seen, violations};
use self::work::{Scene, Work};

/// The longest a call may take past its deadline.
const GRACE: Duration = Duration::from_secs(1);
/// What the pairs of faults are drawn from.
const SEED: u64 = 7;
/// Pairs of faults for each operation.
const PAIRS: usize = 100;

/// How often an operation without faults calls Google.
async fn calls_of(work: Work) -> u64 {
    let mut google = Google::new();
    let scene = Scene::set(work, &mut google);
    let before = google.emulator.requests().len();
    assert_eq!(scene.run().await.is_err(), work == Work::TransactionBack);
    (google.emulator.requests().len() - before) as u64
}

/// One run with faults at these calls of the operation, counted from 1.
async fn strike(work: Work, struck: &[(u64, Fault)]) -> (bool, Vec<String>) {
    let mut google = Google::new();
    let scene = Scene::set(work, &mut google);
    let before = google.emulator.requests().len();
    for (call, fault) in struck {
        google.fault(Rule::nth("*", *call, fault.clone()));
    }
    let began = now();
    let told = scene.run().await;
    let took = began.elapsed();
    let at_once = scene.state(&google);
    let mut found = Vec::new();
    if took > work.limit() + GRACE {
        found.push(format!("took {took:?}"));
    }
    let met = google.emulator.requests()[before..].iter().any(|request| request.fault.is_some());
    google.emulator.clear_faults();
    // Whatever is late has arrived, whatever is stale or hidden is to be seen.
    pass(60).await;
    // A user over quota is left in peace for an hour.
    let mut pending = scene.process.settle().await;
    for _ in 0..12 {
        if pending.is_empty() {
            break;
        }
        pending = scene.process.settle().await;
    }
    if !pending.is_empty() {
        found.push(format!("still open: {pending:?}"));
    }
    google.emulator.release();
    pass(60).await;
    let settled = google.settled();
    let seen = Seen { work, told: &told, at_once, state: scene.state(&google), settled: &settled };
    found.extend(violations(&seen));
    found.extend(scene.bystanders(&google));
    (met, found.into_iter().map(|what| format!("{work:?}, {struck:?}: {what}\n    told {told:?}")).collect())
}

async fn one_fault(works: &[Work]) {
    let (mut found, mut runs) = (Vec::new(), 0);
    for &work in works {
        let calls = calls_of(work).await;
        for call in 1..=calls {
            for fault in faults() {
                let (met, more) = strike(work, &[(call, fault.clone())]).await;
                assert!(met, "{work:?}: call {call} did not meet {fault:?}");
                found.extend(more);
                runs += 1;
            }
        }
    }
    assert!(runs >= works.len() * faults().len());
    assert!(found.is_empty(), "{} of {runs} runs:\n{}", found.len(), found.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn whatever_meets_a_create_what_is_told_is_what_google_holds() {
    one_fault(&[Work::Create]).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_meets_a_schedule_what_is_told_is_what_google_holds() {
    one_fault(&[Work::CreateMany]).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_meets_an_update_or_a_delete_what_is_told_is_what_google_holds() {
    one_fault(&[Work::Update, Work::Delete]).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_meets_a_read_what_is_told_is_true_and_nothing_changes() {
    one_fault(&[Work::Verify, Work::Get, Work::List]).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_meets_the_change_of_a_guest_what_is_told_is_what_google_holds() {
    one_fault(&[Work::Add, Work::Remove]).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_meets_an_enrollment_what_is_told_is_what_google_holds() {
    one_fault(&[Work::Enroll]).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_meets_a_transaction_or_its_way_back_what_is_told_is_what_google_and_the_program_hold() {
    one_fault(&[Work::Transaction, Work::TransactionBack]).await;
}

/// Pairs of faults on calls near each other, drawn from a fixed seed: every run of the test is the same.
#[tokio::test(start_paused = true)]
async fn whatever_two_faults_meet_an_operation_what_is_told_is_what_google_holds() {
    let faults = faults();
    let mut rng = StdRng::seed_from_u64(SEED);
    let (mut found, mut met_any) = (Vec::new(), 0);
    for &work in Work::ALL {
        let calls = calls_of(work).await;
        for _ in 0..PAIRS {
            let mut draw = || faults[rng.random_range(0..faults.len())].clone();
            let (first, second) = (draw(), draw());
            let call = rng.random_range(1..=calls);
            let next = call + rng.random_range(1..=4);
            let (met, more) = strike(work, &[(call, first), (next, second)]).await;
            met_any += usize::from(met);
            found.extend(more);
        }
    }
    assert_eq!(met_any, PAIRS * Work::ALL.len());
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}
