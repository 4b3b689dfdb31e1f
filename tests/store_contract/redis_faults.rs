//! A Redis server that stops, comes back, or does not answer.

use std::sync::Arc;
use std::time::Duration;

use surecal::clock::Clock;
use surecal::model::Code;
use surecal::store::{Begun, Change, IdempotencyClaims, Journal, Keep, RedisStore, Resumed, State, Store, Version};
use tokio::time::{Instant, sleep};

use crate::claims::{answer, asked, name};
use crate::home::put;
use crate::redis_server::RedisServer;

const LEASE: Duration = Duration::from_secs(3);
const TTL: Duration = Duration::from_hours(1);
const SHORT: Duration = Duration::from_millis(1500);
const LONG: Duration = Duration::from_secs(10);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(3);

fn store(server: &RedisServer) -> Arc<dyn Store> {
    Arc::new(RedisStore::new(&server.url(), "app:").unwrap())
}

fn claims(server: &RedisServer) -> IdempotencyClaims {
    IdempotencyClaims::new(store(server), Clock::system(), rand::random::<u128>)
}

fn journal(server: &RedisServer) -> Journal {
    Journal::new(store(server), Clock::system(), LEASE, rand::random::<u128>)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_timed_out_is_told_as_a_fault_and_its_nonce_tells_later_that_it_was_applied() {
    let Some(server) = RedisServer::start() else { return };
    let store = store(&server);
    store.put(put("a", "1", None, 1, Keep::Open)).await.unwrap();
    server.pause();
    let began = Instant::now();
    let fault = store.put(put("a", "2", Some(1), 2, Keep::Open)).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(4), "{fault}");
    server.resume();
    while store.get("a").await.unwrap().unwrap().version != Version::from_bits(2) {
        assert!(began.elapsed() < LONG, "a paused server does what it was sent");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_told_soon_and_the_same_store_works_when_it_is_back() {
    let Some(mut server) = RedisServer::start() else { return };
    let store = store(&server);
    store.put(put("a", "1", None, 1, Keep::Open)).await.unwrap();
    server.stop();
    for _ in 0..3 {
        let began = Instant::now();
        let fault = store.get("a").await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(4), "{fault}: {:?}", began.elapsed());
    }
    server.restart();
    let began = Instant::now();
    while store.put(put("a", "1", None, 1, Keep::Open)).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(store.get("a").await.unwrap().unwrap().value, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_made_before_its_server_runs_works_once_it_does() {
    let Some(mut server) = RedisServer::start() else { return };
    server.stop();
    let store = store(&server);
    assert!(store.get("a").await.is_err());
    server.restart();
    let began = Instant::now();
    while store.get("a").await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_dead_without_a_word_is_given_up_for_a_new_one() {
    let Some(server) = RedisServer::start() else { return };
    let store = store(&server);
    store.put(put("a", "1", None, 1, Keep::Open)).await.unwrap();
    server.pause();
    for _ in 0..4 {
        let began = Instant::now();
        store.get("a").await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
    server.resume();
    let began = Instant::now();
    while store.get("a").await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_used_and_neither_it_nor_the_address_is_ever_told() {
    let Some(server) = RedisServer::start_with(Some("s3cret")) else { return };
    let right = store(&server);
    right.put(put("a", "1", None, 1, Keep::Open)).await.unwrap();
    let wrong = RedisStore::new(&server.url().replace("s3cret", "wr0ng"), "app:").unwrap();
    let fault = wrong.get("a").await.unwrap_err().to_string();
    assert!(!fault.contains("wr0ng") && !fault.contains("127.0.0.1"), "{fault}");
    for url in ["redis://:s3cret@", "http://:s3cret@127.0.0.1", "127.0.0.1:6379", ""] {
        let error = RedisStore::new(url, "").err().unwrap_or_else(|| panic!("{url} was taken"));
        assert_eq!(error.code, Code::Configuration);
        assert!(!error.message.contains("s3cret"), "{}", error.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_prefixes_on_one_server_are_two_stores() {
    let Some(server) = RedisServer::start() else { return };
    let [one, other] = ["one:", "other:"].map(|prefix| RedisStore::new(&server.url(), prefix).unwrap());
    one.put(put("a", "1", None, 1, Keep::Open)).await.unwrap();
    assert!(other.get("a").await.unwrap().is_none());
    assert!(other.open("").await.unwrap().is_empty());
    assert_eq!(one.open("").await.unwrap()[0].0, "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_put_timed_out_is_never_run_and_holds_its_key_for_a_lease_at_most() {
    let Some(server) = RedisServer::start() else { return };
    let [one, other] = [claims(&server), claims(&server)];
    drop(one.begin(asked("first"), LEASE, LONG).await.unwrap());
    server.pause();
    let began = Instant::now();
    let error = one.begin(asked("k"), LEASE, SHORT).await.err().expect("nothing may run");
    assert_eq!(error.code, Code::StoreUnavailable);
    assert!(began.elapsed() < SHORT + SLACK, "{:?}", began.elapsed());
    server.resume();
    let resumed = Instant::now();
    loop {
        match other.begin(asked("k"), LEASE, LONG).await.unwrap() {
            Begun::Run(_) => break,
            Begun::Running { .. } => assert!(resumed.elapsed() < LEASE + SLACK),
            other => panic!("{}", name(&other)),
        }
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finish_that_timed_out_is_told_as_unknown_and_no_handler_runs_twice_within_the_lease() {
    let Some(server) = RedisServer::start() else { return };
    let [one, other] = [claims(&server), claims(&server)];
    let Begun::Run(held) = one.begin(asked("k"), LONG, LONG).await.unwrap() else { panic!("nobody else is there") };
    server.pause();
    let began = Instant::now();
    assert_eq!(held.finish(answer("made"), TTL, SHORT).await, Change::Unknown);
    assert!(began.elapsed() < SHORT + SLACK, "{:?}", began.elapsed());
    drop(held);
    server.resume();
    loop {
        match other.begin(asked("k"), LONG, LONG).await.unwrap() {
            Begun::Done(answer) => break assert_eq!(answer.body, "made"),
            Begun::Running { .. } => assert!(began.elapsed() < LONG, "a paused server does what it was sent"),
            other => panic!("{}", name(&other)),
        }
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_outlives_a_pause_of_the_server_that_swallowed_its_renewals() {
    let Some(server) = RedisServer::start() else { return };
    let [one, other] = [claims(&server), claims(&server)];
    let lease = Duration::from_secs(6);
    let Begun::Run(held) = one.begin(asked("k"), lease, LONG).await.unwrap() else { panic!("nobody else is there") };
    sleep(Duration::from_millis(1500)).await;
    // One renewal comes due in here, and none of its tries is answered; all of them land afterwards.
    server.pause();
    sleep(Duration::from_millis(3500)).await;
    server.resume();
    assert_eq!(name(&other.begin(asked("k"), lease, LONG).await.unwrap()), "running");
    assert_eq!(held.finish(answer("made"), TTL, LONG).await, Change::Applied);
    assert_eq!(name(&other.begin(asked("k"), lease, LONG).await.unwrap()), "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_whose_put_timed_out_is_unknown_until_the_journal_says_which() {
    let Some(server) = RedisServer::start() else { return };
    let [owner, other] = [journal(&server), journal(&server)];
    let held = owner.begin(crate::journal::entry(&owner), LONG).await.unwrap();
    server.pause();
    let success = State::Succeeded { verified: true };
    let began = Instant::now();
    assert_eq!(held.change(SHORT, |entry| entry.state = success).await, Change::Unknown);
    assert!(began.elapsed() < SHORT + SLACK);
    assert!(!held.alive(), "nothing more is sent on a lease in doubt");
    server.resume();
    loop {
        match other.resume(held.name(), LONG).await.unwrap() {
            Resumed::Decided(kept) => break assert_eq!(kept, Some(surecal::store::Disposal::Kept)),
            Resumed::Busy => assert!(began.elapsed() < LONG, "a paused server does what it was sent"),
            Resumed::Held(_) => panic!("a success that landed late was taken over"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}
