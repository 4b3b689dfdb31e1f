//! A process is killed at every moment of a create, one after the other. Another process recovers from the store. Then the
//! client sends its request again.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use surecal::clock::Clock;
use surecal::service::Service;
use surecal::store::{SqliteStore, Store, Synchronous};
use surecal_emulator::{Emulator, Fault, Rule, Server};

use crate::mortal::{self, End, Fate, MortalNetwork, MortalStore};
use crate::program::{create, create_many, network, service};
use crate::support::{Google, USER, class};
use crate::temporary::Directory;

/// No create here comes to more moments than this.
const MOMENTS_AT_MOST: u32 = 200;

/// What the mortal process does; in the test run itself, nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mortal_process_is_started_like_this() {
    let Some(role) = mortal::role() else { return };
    let text = |name: &str| role[name].as_str().unwrap().to_owned();
    let fate = Fate::of(&role);
    let store = MortalStore { store: sqlite(&PathBuf::from(text("path")), Clock::system()), fate: fate.clone() };
    let network = MortalNetwork { network: network(&text("root")), fate };
    let options = json!({ "recovery": "manual", "leaseMs": role["leaseMs"] });
    let service = service(Arc::new(network), Arc::new(store), Clock::system(), &options);
    let told = ask(&service, &role["events"]).await;
    let told = told.is_ok_and(|told| told["success"] == true);
    mortal::says(told);
}

async fn ask(service: &Service, events: &Value) -> Result<Value, surecal::model::CalendarError> {
    let options = json!({ "idempotencyKey": "k", "timeoutMs": 4000 });
    if events.is_array() {
        create_many(service, events, &options).await
    } else {
        create(service, events, &options).await
    }
}

fn sqlite(path: &Path, clock: Clock) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path, Synchronous::Normal, clock).unwrap())
}

/// A store, a Google, and what is asked of it.
struct Stage {
    emulator: Emulator,
    _server: Server,
    root: String,
    directory: Directory,
    events: Value,
}

impl Stage {
    async fn new(events: &Value, faults: &[Rule]) -> Self {
        let google = Google::new();
        for fault in faults {
            google.fault(fault.clone());
        }
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (server, address) = Server::start(google.emulator.clone(), any_port).await.unwrap();
        let root = format!("http://{address}");
        Self { emulator: google.emulator, _server: server, root, directory: Directory::new(), events: events.clone() }
    }

    fn path(&self) -> PathBuf {
        self.directory.file("surecal.db")
    }

    async fn dies_at(&self, moment: u32, lease_ms: u32) -> End {
        let role = json!({
            "path": self.path(), "root": self.root, "events": self.events, "diesAt": moment, "leaseMs": lease_ms,
        });
        End::of("crash::a_mortal_process_is_started_like_this", &role).await
    }

    /// Whether the journal says that the caller was, or would have been, told success.
    fn success_is_journalled(&self) -> bool {
        let rows: Vec<Value> = {
            let file = rusqlite::Connection::open(self.path()).unwrap();
            let mut query = file.prepare("SELECT value FROM records WHERE key LIKE 'surecal:1:entry:%'").unwrap();
            let texts: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
            texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
        };
        // Of a schedule its own entry decides, which no event belongs to.
        let decides = |row: &&Value| !self.events.is_array() || row["eventId"] == "";
        rows.iter().filter(decides).any(|row| row["state"]["is"] == "succeeded")
    }

    /// Another process, for which the dead one's lease has run out.
    fn later(&self) -> (Service, Arc<dyn Store>) {
        let (clock, hand) = Clock::by_hand(Clock::system().wall_ms());
        hand.advance(Duration::from_mins(2));
        let store = sqlite(&self.path(), clock.clone());
        let other = service(network(&self.root), Arc::clone(&store), clock, &json!({ "recovery": "manual" }));
        (other, store)
    }

    fn live(&self) -> usize {
        self.emulator.live_events(USER).len()
    }
}

/// `false`: the process was not killed, since there is no such moment.
async fn survives(name: &str, events: &Value, faults: &[Rule], moment: u32) -> bool {
    let stage = Stage::new(events, faults).await;
    let end = stage.dies_at(moment, 30_000).await;
    let name = format!("{name}, moment {moment}, {end:?}");
    let stands = stage.success_is_journalled();
    let all = events.as_array().map_or(1, Vec::len);
    if end == End::Told(true) {
        assert!(stands, "{name}: told success and not journalled");
    }
    // Two recover at once.
    let ((one, store), (other, _)) = (stage.later(), stage.later());
    let (left, left_too) = tokio::join!(one.recover(), other.recover());
    left.and(left_too).unwrap();
    assert!(one.drained(Duration::from_secs(20)).await && other.drained(Duration::from_secs(20)).await, "{name}");
    assert!(one.recover().await.unwrap().is_empty(), "{name}: half-known");
    assert!(store.open("surecal:1:entry:").await.unwrap().is_empty(), "{name}: open in the store");
    // What was on its way when the process died arrives now, if ever.
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.emulator.release();
    stage.emulator.settle_due();
    assert_eq!(stage.live(), if stands { all } else { 0 }, "{name}: live after recovery");
    stage.emulator.clear_faults();
    let told = ask(&one, events).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(true)), "{name}: {told}");
    assert_eq!(stage.live(), all, "{name}: live after the client's retry");
    end == End::Killed
}

/// Every moment, four at a time; how many there were.
async fn at_every_moment(name: &str, events: Value, faults: Vec<Rule>) -> u32 {
    for first in (0..MOMENTS_AT_MOST).step_by(4) {
        let moments: Vec<_> = (first..first + 4)
            .map(|moment| {
                let (name, events, faults) = (name.to_owned(), events.clone(), faults.clone());
                tokio::spawn(async move { survives(&name, &events, &faults, moment).await })
            })
            .collect();
        let mut all_killed = true;
        for moment in moments {
            all_killed &= moment.await.unwrap();
        }
        if !all_killed {
            return first;
        }
    }
    panic!("{name}: the process never came to its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_killed_at_any_moment_leaves_its_event_if_success_was_journalled_and_else_nothing() {
    // Three puts of two moments, and two exchanges of three.
    assert!(at_every_moment("plain", class(), Vec::new()).await >= 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_repairs_what_google_garbled_and_is_killed_at_any_moment_leaves_no_half_known_event() {
    let garbled = Rule::nth("events.insert", 1, Fault::Corrupt { fields: None });
    assert!(at_every_moment("repaired", class(), vec![garbled]).await >= 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_fails_and_is_killed_at_any_moment_of_its_clean_up_leaves_nothing() {
    let garbles =
        ["events.insert", "events.patch"].map(|operation| Rule::always(operation, Fault::Corrupt { fields: None }));
    assert!(at_every_moment("cleaned up", class(), garbles.to_vec()).await >= 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_that_lands_after_its_process_was_killed_and_recovery_is_over_leaves_nothing() {
    let late = Rule::nth("events.insert", 1, Fault::Late { after_ms: None });
    // Two puts of two moments, then the insert: before it, and in the middle of it.
    for moment in 4..6 {
        assert!(survives("late", &class(), std::slice::from_ref(&late), moment).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_killed_at_any_moment_is_there_whole_or_not_at_all() {
    let events: Vec<_> = (1..=3)
        .map(|day| {
            let mut event = class();
            event["start"] = json!({ "dateTime": format!("2027-03-0{day}T10:00:00Z") });
            event["end"] = json!({ "dateTime": format!("2027-03-0{day}T11:00:00Z") });
            event
        })
        .collect();
    assert!(at_every_moment("schedule", Value::from(events), Vec::new()).await >= 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_nobody_calls_finishes_by_itself_what_a_crashed_process_left_and_then_lets_go() {
    let stage = Stage::new(&class(), &[]).await;
    // In the middle of the insert.
    assert_eq!(stage.dies_at(5, 2_000).await, End::Killed);
    assert_eq!(stage.live(), 1);
    let store = sqlite(&stage.path(), Clock::system());
    let watches = Arc::downgrade(&store);
    let options = json!({ "leaseMs": 30_000, "store": { "sqlite": stage.path() } });
    let service = service(network(&stage.root), store, Clock::system(), &options);
    service.watch_for_left_overs();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(stage.live(), 1, "the dead process's lease still runs");
    // Well before the next look that is due anyway: the lease's end is not slept through.
    let began = tokio::time::Instant::now();
    while stage.live() > 0 || !service.pending().await.unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "nobody cleaned up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(service.drained(Duration::from_secs(5)).await);
    drop(service);
    while watches.upgrade().is_some() {
        assert!(began.elapsed() < Duration::from_secs(20), "a dropped service still watches");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
