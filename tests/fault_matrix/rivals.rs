//! Two processes on one store change the same guest lists at once, through faults: what each was told holds at the end.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use surecal::model::Outcome;
use surecal_emulator::{Fault, Rule};

use crate::faults::faults;
use crate::support::{Google, Process, Told, USER, class, pass, shared_store};

const EVA: &str = "eva@example.com";
const FAY: &str = "fay@example.com";
const BOB: &str = "bob@example.com";
const EVENTS: [&str; 3] = ["class00", "class01", "class02"];
/// What the faults are drawn from.
const SEED: u64 = 11;
/// Runs of each pair of rivals.
const RUNS: usize = 100;

/// What one of two does.
#[derive(Debug, Clone, Copy)]
struct Deed {
    adds: bool,
    guest: &'static str,
    events: &'static [&'static str],
}

impl Deed {
    const fn enroll(guest: &'static str, events: &'static [&'static str]) -> Self {
        Self { adds: true, guest, events }
    }

    const fn remove(guest: &'static str, events: &'static [&'static str]) -> Self {
        Self { adds: false, guest, events }
    }

    async fn of(self, process: &Process) -> Told {
        let (guest, none) = (json!(self.guest), json!({}));
        match (self.adds, self.events) {
            (true, [id]) => process.add(id, &guest, &none).await,
            (false, [id]) => process.remove(id, &guest, &none).await,
            (_, ids) => {
                let ids: Vec<_> = ids.iter().map(|&id| id.to_owned()).collect();
                process.enroll(&ids, self.guest, &none).await
            }
        }
    }
}

const RIVALS: [[Deed; 2]; 7] = [
    [Deed::enroll(EVA, &EVENTS), Deed::enroll(EVA, &["class00"])],
    [Deed::enroll(EVA, &["class00", "class01"]), Deed::enroll(EVA, &["class01", "class02"])],
    [Deed::enroll(EVA, &["class00"]), Deed::enroll(EVA, &["class00"])],
    [Deed::enroll(EVA, &["class00"]), Deed::enroll(FAY, &["class00"])],
    [Deed::enroll(EVA, &["class00"]), Deed::remove(BOB, &["class00"])],
    [Deed::enroll(EVA, &EVENTS), Deed::enroll(FAY, &["class01"])],
    [Deed::enroll(EVA, &EVENTS), Deed::remove(BOB, &["class02"])],
];

fn calendar() -> Google {
    let google = Google::new();
    for id in EVENTS {
        let mut event = class();
        event["id"] = json!(id);
        event["attendees"] = json!([
            { "email": "ada@example.com", "responseStatus": "accepted", "comment": "I come" },
            { "email": BOB, "responseStatus": "declined" },
        ]);
        google.emulator.put_event(USER, event.as_object().unwrap().clone()).unwrap();
    }
    google
}

/// Whether a guest must be there (or not), by all that was told; nothing when it may be either.
fn promised(guest: &str, id: &str, deeds: &[(Deed, Told)], settled: &[Value]) -> Option<bool> {
    let was_there = guest == BOB;
    let mut concerned = deeds.iter().filter(|(deed, _)| deed.guest == guest && deed.events.contains(&id)).peekable();
    if concerned.peek().is_none() {
        return Some(was_there);
    }
    let mut unknown = false;
    for (deed, told) in concerned {
        match told {
            Ok(answer) => {
                assert_eq!((&answer["success"], &answer["verified"]), (&json!(true), &json!(true)), "{answer}");
                return Some(deed.adds);
            }
            Err(error) => unknown |= error.outcome == Outcome::Unknown,
        }
    }
    if !unknown {
        return Some(was_there);
    }
    // A removal goes on until the guest is off; an add until the guest is off, or is known to have been added.
    let kept = settled.iter().any(|notice| notice["eventId"] == id && notice["settled"] == "kept");
    (!kept).then_some(false)
}

/// Not what nobody can see through: a guest list that Google wipes after one was told of it.
const fn is_expected(fault: &Fault) -> bool {
    !matches!(fault, Fault::Corrupt { .. })
}

/// How many seeds: one, or as many as `RIVALS_SEEDS` says.
fn seeds() -> impl Iterator<Item = u64> {
    let seeds = std::env::var("RIVALS_SEEDS").map_or(1, |seeds| seeds.parse().unwrap());
    (SEED..).take(seeds)
}

async fn run(rng: &mut StdRng, rivals: [Deed; 2]) -> Vec<String> {
    let (google, store) = (calendar(), shared_store());
    let faults: Vec<_> = faults().into_iter().filter(is_expected).collect();
    let processes = [(); 2].map(|()| google.process_on(&json!({}), Some(&store)));
    let struck: Vec<_> = (0..rng.random_range(1..=3))
        .map(|_| (rng.random_range(1..=14), faults[rng.random_range(0..faults.len())].clone()))
        .collect();
    for (call, fault) in &struck {
        google.fault(Rule::nth("*", *call, fault.clone()));
    }
    let later = Duration::from_millis(rng.random_range(0..400));
    google.emulator.set_latency(Duration::from_millis(40));
    let second = async {
        tokio::time::sleep(later).await;
        rivals[1].of(&processes[1]).await
    };
    let (first, second) = tokio::join!(rivals[0].of(&processes[0]), second);
    google.emulator.clear_faults();
    pass(60).await;
    let mut found = Vec::new();
    for _ in 0..13 {
        for process in &processes {
            process.settle().await;
        }
    }
    google.emulator.release();
    pass(60).await;
    for process in &processes {
        let pending = process.settle().await;
        if !pending.is_empty() {
            found.push(format!("still open: {pending:?}"));
        }
    }
    let deeds = [(rivals[0], first), (rivals[1], second)];
    let settled = google.settled();
    for id in EVENTS {
        for guest in ["ada@example.com", BOB, EVA, FAY] {
            let is_there = google.attendee(id, guest).is_some();
            let must = if guest.starts_with("ada") { Some(true) } else { promised(guest, id, &deeds, &settled) };
            if must.is_some_and(|must| must != is_there) {
                found.push(format!("{guest} at {id}: {is_there}; promised: {must:?}; told {deeds:?}; {settled:?}"));
            }
        }
    }
    found.into_iter().map(|what| format!("{struck:?} {later:?}: {what}")).collect()
}

#[tokio::test(start_paused = true)]
async fn whatever_meets_two_who_change_a_guest_list_at_once_both_are_told_the_truth() {
    let mut found = Vec::new();
    for seed in seeds() {
        let mut rng = StdRng::seed_from_u64(seed);
        for rivals in RIVALS {
            for _ in 0..RUNS {
                found.extend(run(&mut rng, rivals).await);
            }
        }
    }
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}
