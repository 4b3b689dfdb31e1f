//! Several processes on one file or server: this test binary starts itself.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use surecal::clock::Clock;
use surecal::store::{
    Begun, Change, Expected, IdempotencyClaims, Keep, Put, RedisStore, SqliteStore, Store, Synchronous, Version,
    Written,
};

use crate::claims::{LEFT, answer, asked};
use crate::redis_server::RedisServer;
use crate::temporary::Directory;

const ROLE: &str = "SURECAL_TEST_ROLE";
const TTL: Duration = Duration::from_hours(1);

/// Another process. It is killed (-9) when this is dropped.
struct Other {
    process: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl Other {
    fn start(role: &Value) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::another_process_is_started_like_this", "--nocapture"])
            .env(ROLE, role.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        let hears = process.stdin.take().unwrap();
        Self { process, says, hears }
    }

    /// The next thing it says; the test harness's own lines are skipped.
    fn said(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "the other process is gone");
            if let Some(said) = line.split("said: ").nth(1) {
                return said.trim().to_owned();
            }
        }
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.hears, "{word}").unwrap();
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn say(word: &str) {
    std::io::stdout().write_all(format!("said: {word}\n").as_bytes()).unwrap();
}

fn hear() {
    let mut line = String::new();
    assert!(std::io::stdin().read_line(&mut line).unwrap() > 0, "the test is gone");
}

fn sqlite(path: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path, Synchronous::Normal, Clock::system()).unwrap())
}

fn store_of(role: &Value) -> Arc<dyn Store> {
    match role["redis"].as_str() {
        Some(url) => Arc::new(RedisStore::new(url, "app:").unwrap()),
        None => sqlite(&PathBuf::from(role["sqlite"].as_str().unwrap())),
    }
}

fn claims_on(store: Arc<dyn Store>) -> IdempotencyClaims {
    IdempotencyClaims::new(store, Clock::system(), rand::random::<u128>)
}

/// What a started process does; in the test run itself, nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_is_started_like_this() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let role: Value = serde_json::from_str(&role).unwrap();
    let store = store_of(&role);
    say("ready");
    hear();
    match role["does"].as_str().unwrap() {
        "count" => {
            for _ in 0..role["times"].as_u64().unwrap() {
                count_up(&*store).await;
            }
            say("done");
            hear();
        }
        "count for ever" => loop {
            let count = count_up(&*store).await;
            say(&count.to_string());
        },
        "requests" => {
            let runs = requests(&claims_on(store), role["first"].as_u64().unwrap()).await;
            say(&runs.to_string());
            hear();
        }
        "hold a claim" => {
            let lease = Duration::from_millis(role["leaseMs"].as_u64().unwrap());
            let begun = claims_on(store).begin(asked("k"), lease, LEFT).await.unwrap();
            say(crate::claims::name(&begun));
            std::future::pending::<()>().await;
        }
        other => panic!("{other}: no such role"),
    }
}

async fn count_up(store: &dyn Store) -> u64 {
    loop {
        let there = store.get("counter").await.unwrap();
        let count: u64 = there.as_ref().map_or(0, |record| record.value.parse().unwrap()) + 1;
        let put = Put {
            key: "counter".to_owned(),
            value: count.to_string(),
            expected: there.map_or(Expected::Absent, |record| Expected::Version(record.version)),
            version: Version::from_bits(rand::random()),
            keep: Keep::Open,
        };
        if store.put(put).await.unwrap() == Written::Applied {
            return count;
        }
    }
}

/// 250 requests at once, five with each of 50 keys; how many were run.
async fn requests(claims: &IdempotencyClaims, first: u64) -> u32 {
    let tasks: Vec<_> = (0..250)
        .map(|number| {
            let (claims, key) = (claims.clone(), format!("k{}", (first + number) % 50));
            tokio::spawn(async move {
                loop {
                    match claims.begin(asked(&key), Duration::from_secs(30), Duration::from_secs(20)).await.unwrap() {
                        Begun::Run(held) => {
                            tokio::time::sleep(Duration::from_millis(5)).await;
                            assert_eq!(held.finish(answer(&key), TTL, LEFT).await, Change::Applied);
                            return 1;
                        }
                        Begun::Running { .. } => tokio::time::sleep(Duration::from_millis(10)).await,
                        Begun::Done(answer) => {
                            assert_eq!(answer.body, key);
                            return 0;
                        }
                        Begun::Mismatch => panic!("it is the same request"),
                    }
                }
            })
        })
        .collect();
    let mut runs = 0;
    for task in tasks {
        runs += task.await.unwrap();
    }
    runs
}

fn start_all(roles: impl Iterator<Item = Value>) -> Vec<Other> {
    let mut others: Vec<_> = roles.map(|role| Other::start(&role)).collect();
    for other in &mut others {
        assert_eq!(other.said(), "ready");
    }
    for other in &mut others {
        other.tell("go");
    }
    others
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_on_one_file_count_exactly() {
    let directory = Directory::new();
    let path = directory.file("surecal.db");
    let role = json!({ "does": "count", "times": 250, "sqlite": path });
    for other in &mut start_all((0..4).map(|_| role.clone())) {
        assert_eq!(other.said(), "done");
    }
    assert_eq!(sqlite(&path).get("counter").await.unwrap().unwrap().value, "1000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_writers_are_killed_in_mid_use_is_whole_and_has_every_acknowledged_write() {
    let directory = Directory::new();
    let path = directory.file("surecal.db");
    let store = sqlite(&path);
    for round in 0..5u64 {
        let mut others = start_all((0..3).map(|_| json!({ "does": "count for ever", "sqlite": path })));
        let mut acknowledged = 0;
        for other in &mut others {
            for _ in 0..20 + 7 * round {
                acknowledged = acknowledged.max(other.said().parse::<u64>().unwrap());
            }
        }
        others.iter_mut().for_each(Other::kill);
        let count: u64 = store.get("counter").await.unwrap().unwrap().value.parse().unwrap();
        assert!(count >= acknowledged, "round {round}: {count} of {acknowledged}");
        assert_eq!(count_up(&*store).await, count + 1, "and it can be written");
    }
    let whole: String =
        Connection::open(&path).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
}

fn a_thousand_requests(place: &Value) -> u32 {
    let role = |first: u32| {
        let mut role = json!({ "does": "requests", "first": first });
        role.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        role
    };
    start_all((0..4).map(|number| role(number * 13))).iter_mut().map(|other| other.said().parse::<u32>().unwrap()).sum()
}

#[test]
fn a_thousand_requests_with_fifty_keys_over_four_processes_on_one_file_run_fifty_handlers() {
    let directory = Directory::new();
    assert_eq!(a_thousand_requests(&json!({ "sqlite": directory.file("surecal.db") })), 50);
}

#[test]
fn a_thousand_requests_with_fifty_keys_over_four_processes_on_one_redis_run_fifty_handlers() {
    if let Some(server) = RedisServer::start() {
        assert_eq!(a_thousand_requests(&json!({ "redis": server.url() })), 50);
    }
}

async fn the_key_of_a_killed_process(place: &Value, store: Arc<dyn Store>) {
    let lease = Duration::from_secs(2);
    let mut role = json!({ "does": "hold a claim", "leaseMs": 2000 });
    role.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
    let mut owner = start_all(std::iter::once(role)).remove(0);
    assert_eq!(owner.said(), "run");
    let claims = claims_on(store);
    let is = async || crate::claims::name(&claims.begin(asked("k"), lease, LEFT).await.unwrap());
    // Longer than the lease: the owner lives and renews.
    for _ in 0..5 {
        tokio::time::sleep(lease / 4).await;
        assert_eq!(is().await, "running");
    }
    owner.kill();
    let killed = tokio::time::Instant::now();
    assert_eq!(is().await, "running", "a process that is gone still has its lease");
    while is().await == "running" {
        assert!(killed.elapsed() < lease + Duration::from_secs(4), "the key is not free again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The last renewal was at most a third of the lease before the kill.
    assert!(killed.elapsed() > lease / 2, "the key was free before its lease was over");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_process_that_was_killed_is_free_after_its_lease_and_not_before_on_one_file() {
    let directory = Directory::new();
    let path = directory.file("surecal.db");
    the_key_of_a_killed_process(&json!({ "sqlite": path }), sqlite(&path)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_process_that_was_killed_is_free_after_its_lease_and_not_before_on_one_redis() {
    if let Some(server) = RedisServer::start() {
        let store = Arc::new(RedisStore::new(&server.url(), "app:").unwrap());
        the_key_of_a_killed_process(&json!({ "redis": server.url() }), store).await;
    }
}
