//! Idempotency claims on each store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use surecal::store::{Answer, Asked, Begun, Change, Encoding, HeldClaim, IdempotencyClaims};

use crate::home::{Home, LEASE};

pub const LEFT: Duration = Duration::from_secs(5);
const TTL: Duration = Duration::from_hours(2);

pub fn asked(key: &str) -> Asked<'_> {
    Asked { scope: "u1", route: "POST /classes", key, fingerprint: "algebra" }
}

pub fn answer(body: &str) -> Answer {
    Answer { status: 201, headers: serde_json::Map::new(), body: body.to_owned(), encoding: Encoding::Utf8 }
}

pub async fn begin(claims: &IdempotencyClaims, asked: Asked<'_>) -> Begun {
    claims.begin(asked, LEASE, LEFT).await.unwrap()
}

pub fn name(begun: &Begun) -> &'static str {
    match begun {
        Begun::Run(_) => "run",
        Begun::Running { .. } => "running",
        Begun::Done(_) => "done",
        Begun::Mismatch => "mismatch",
    }
}

pub async fn run(claims: &IdempotencyClaims, asked: Asked<'_>) -> Arc<HeldClaim> {
    match begin(claims, asked).await {
        Begun::Run(held) => held,
        other => panic!("expected to run, got {}", name(&other)),
    }
}

pub async fn one_of_sixty_four_requests_runs_and_all_others_hear_its_answer(home: &Home) {
    let runs = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let claims = home.claims()[number % 2].clone();
            let runs = Arc::clone(&runs);
            tokio::spawn(async move {
                loop {
                    match begin(&claims, asked("k")).await {
                        Begun::Run(held) => {
                            runs.fetch_add(1, Ordering::Relaxed);
                            tokio::time::sleep(Duration::from_millis(20)).await;
                            assert_eq!(held.finish(answer("made"), TTL, LEFT).await, Change::Applied);
                            return "made".to_owned();
                        }
                        Begun::Running { retry_after } => {
                            assert!(retry_after <= Duration::from_secs(5));
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                        Begun::Done(answer) => return answer.body,
                        Begun::Mismatch => panic!("it is the same request"),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "made");
    }
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

pub async fn a_key_is_free_again_after_the_lease_of_a_dead_owner_and_not_before(home: &Home) {
    let [dead, next] = home.claims();
    drop(run(&dead, asked("k")).await);
    home.pass_for_leases(LEASE - Duration::from_secs(1));
    assert_eq!(name(&begin(&next, asked("k")).await), "running");
    home.pass_for_leases(Duration::from_secs(2));
    assert_eq!(name(&begin(&next, asked("k")).await), "run");
}

pub async fn a_late_finish_of_an_owner_taken_for_dead_is_refused(home: &Home) {
    let [slow, next] = home.claims();
    let late = run(&slow, asked("k")).await;
    home.pass_for_leases(LEASE * 2);
    let held = run(&next, asked("k")).await;
    assert_eq!(late.finish(answer("late"), TTL, LEFT).await, Change::Refused);
    assert_eq!(late.release(LEFT).await, Change::Refused);
    assert_eq!(name(&begin(&slow, asked("k")).await), "running");
    assert_eq!(held.finish(answer("made"), TTL, LEFT).await, Change::Applied);
    assert!(matches!(begin(&slow, asked("k")).await, Begun::Done(answer) if answer.body == "made"));
}

pub async fn a_released_key_is_free_at_once(home: &Home) {
    let [one, other] = home.claims();
    for _ in 0..3 {
        assert_eq!(run(&one, asked("k")).await.release(LEFT).await, Change::Applied);
    }
    // Another request may take it as well: nothing came of the first.
    run(&other, Asked { fingerprint: "geometry", ..asked("k") }).await;
}

pub async fn a_claim_is_renewed_while_its_owner_lives(home: &Home) {
    let [one, other] = home.claims();
    let lease = Duration::from_millis(1500);
    let Begun::Run(held) = one.begin(asked("k"), lease, LEFT).await.unwrap() else { panic!("nobody else is there") };
    for _ in 0..3 {
        home.pass_for_leases(lease * 2 / 3);
        tokio::time::sleep(lease / 2).await;
        assert_eq!(name(&begin(&other, asked("k")).await), "running");
    }
    assert_eq!(held.finish(answer("made"), TTL, LEFT).await, Change::Applied);
    tokio::time::sleep(lease / 2).await;
    assert_eq!(name(&begin(&other, asked("k")).await), "done", "what is finished is renewed no more");
}

pub async fn another_request_under_the_same_key_is_a_mismatch_and_another_users_key_is_another_key(home: &Home) {
    let [one, other] = home.claims();
    let held = run(&one, asked("k")).await;
    let geometry = Asked { fingerprint: "geometry", ..asked("k") };
    assert_eq!(name(&begin(&other, geometry).await), "mismatch");
    held.finish(answer("made"), TTL, LEFT).await;
    assert_eq!(name(&begin(&other, geometry).await), "mismatch");
    for elsewhere in [
        Asked { scope: "u2", ..asked("k") },
        Asked { route: "POST /rooms", ..asked("k") },
        asked("K"),
        Asked { scope: "u1POST", route: " /classes", ..asked("k") },
    ] {
        run(&other, elsewhere).await;
    }
}

pub async fn an_answer_is_told_for_its_time_and_kept_in_the_store_for_an_hour_whatever_that_is(home: &Home) {
    let [one, other] = home.claims();
    let minute = Duration::from_mins(1);
    run(&one, asked("k")).await.finish(answer("made"), minute, LEFT).await;
    assert_eq!(name(&begin(&other, asked("k")).await), "done");
    home.pass_for_leases(minute * 2);
    // Still there, so that a late put which expects nothing is refused; but told as free.
    let again = run(&other, asked("k")).await;
    assert_eq!(again.finish(answer("made again"), minute, LEFT).await, Change::Applied);
    assert!(matches!(begin(&one, asked("k")).await, Begun::Done(answer) if answer.body == "made again"));
}

pub async fn clearing_forgets_everything_in_every_process_and_deletes_nothing(home: &Home) {
    let [one, other] = home.claims();
    run(&one, asked("done")).await.finish(answer("made"), TTL, LEFT).await;
    let running = run(&one, asked("running")).await;
    assert_eq!(name(&begin(&other, asked("done")).await), "done");
    one.clear(LEFT).await.unwrap();
    run(&one, asked("done")).await;
    run(&one, asked("running")).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(name(&begin(&other, asked("running")).await), "running", "the new one's, within a second");
    assert_eq!(running.finish(answer("old"), TTL, LEFT).await, Change::Applied, "under its old name");
    assert_eq!(name(&begin(&other, asked("running")).await), "running");
    other.clear(LEFT).await.unwrap();
    run(&other, asked("running")).await;
}

pub async fn no_key_of_the_store_tells_who_asked_for_what(home: &Home) {
    let store = Arc::new(crate::spy::Spy::on(&home.store));
    let spied: Arc<dyn surecal::store::Store> = Arc::<crate::spy::Spy>::clone(&store);
    let claims = IdempotencyClaims::new(spied, home.clock.clone(), rand::random::<u128>);
    let private = Asked {
        scope: "ann@example.com",
        route: "POST /classes/ann",
        key: "ann-1",
        fingerprint: r#"{"summary":"Ann's class"}"#,
    };
    run(&claims, private).await.finish(answer("made"), TTL, LEFT).await;
    claims.clear(LEFT).await.unwrap();
    let keys = store.keys();
    assert!(keys.len() >= 3, "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("surecal:1:") && !key.contains("ann")), "{keys:?}");
    let values = store.values();
    assert!(values.iter().all(|value| !value.contains("ann") && !value.contains("Ann")), "who and what are hashes");
}
