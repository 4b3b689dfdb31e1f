//! A process is killed at every moment of an enrollment over five events, one after the other: before, in the middle of and
//! after each exchange, and before and after each write to the store. Two others recover at once. Then the client asks again.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use surecal::clock::Clock;
use surecal::model::CalendarError;
use surecal::service::{Cancel, Service};
use surecal::store::{RedisStore, SqliteStore, Store, Synchronous};
use surecal_emulator::{Fault, Rule, Server};

use crate::mortal::{self, End, Fate, MortalNetwork, MortalStore};
use crate::program::{network, service};
use crate::redis_server::RedisServer;
use crate::support::Google;
use crate::temporary::Directory;

const EVA: &str = "eva@example.com";
/// No enrollment here comes to more moments than this.
const MOMENTS_AT_MOST: u32 = 300;
/// Killed processes at once: each is a little work and much waiting.
const AT_ONCE: usize = 6;

/// What the mortal process does; in the test run itself, nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mortal_enrollment_is_started_like_this() {
    let Some(role) = mortal::role() else { return };
    let fate = Fate::of(&role);
    let store = MortalStore { store: home(&role["home"], Clock::system()), fate: fate.clone() };
    let network = MortalNetwork { network: network(role["root"].as_str().unwrap()), fate };
    let service = service(Arc::new(network), Arc::new(store), Clock::system(), &json!({ "recovery": "manual" }));
    let told = enroll(&service, &role["ids"]).await.is_ok_and(|told| told["success"] == true);
    // What is left to the background is part of the process's life too.
    service.drained(Duration::from_secs(5)).await;
    mortal::says(told);
}

async fn enroll(service: &Service, ids: &Value) -> Result<Value, CalendarError> {
    let args = json!({ "userId": "u1", "calendarId": "primary", "options": { "idempotencyKey": "k" } });
    let events: Vec<_> = ids.as_array().unwrap().iter().map(|id| json!({ "eventId": id })).collect();
    let body = json!({ "events": events, "attendee": { "email": EVA } });
    let told = service.enroll(&args.to_string(), &body.to_string(), Cancel::default()).await;
    told.map(|text| serde_json::from_str(&text).unwrap())
}

/// `{ sqlite }` or `{ redis, prefix }`.
fn home(home: &Value, clock: Clock) -> Arc<dyn Store> {
    match home["sqlite"].as_str() {
        Some(path) => Arc::new(SqliteStore::open(Path::new(path), Synchronous::Normal, clock).unwrap()),
        None => Arc::new(RedisStore::new(home["redis"].as_str().unwrap(), home["prefix"].as_str().unwrap()).unwrap()),
    }
}

/// What one run of a test is about.
#[derive(Clone)]
struct Plan {
    name: &'static str,
    redis: Option<String>,
    /// The fourth event refuses for the process that dies, and no more after it.
    refuses: bool,
    /// The attendee is on the first event already.
    before: bool,
}

async fn dies_at(home: &Value, root: &str, ids: &Value, moment: u32) -> End {
    let role = json!({ "home": home, "root": root, "ids": ids, "diesAt": moment });
    End::of("enroll_crash::a_mortal_enrollment_is_started_like_this", &role).await
}

/// `false`: the process was not killed, since there is no such moment.
async fn survives(plan: Plan, moment: u32) -> bool {
    let google = Google::new();
    let ids = google.classes(5).await;
    if plan.before {
        let guests = json!([{ "email": "ada@example.com" }, { "email": EVA, "responseStatus": "accepted" }]);
        google.owner_edits(&ids[0], &json!({ "attendees": guests }), false);
    }
    let rests = usize::from(plan.before);
    if plan.refuses {
        google.fault(Rule::always("events.patch", Fault::forbidden("forbidden")).for_event(&ids[3]));
    }
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (_server, address) = Server::start(google.emulator.clone(), any_port).await.unwrap();
    let (root, directory) = (format!("http://{address}"), Directory::new());
    let home_of = match &plan.redis {
        None => json!({ "sqlite": directory.file("surecal.db") }),
        Some(url) => json!({ "redis": url, "prefix": format!("{}{moment}:", plan.name) }),
    };
    let asked = json!(ids);
    let end = dies_at(&home_of, &root, &asked, moment).await;
    let name = format!("{}, moment {moment}, {end:?}", plan.name);
    google.emulator.clear_faults();

    // Two recover at once, for whom the dead one's lease has run out.
    let later = || {
        let (clock, hand) = Clock::by_hand(Clock::system().wall_ms());
        hand.advance(Duration::from_mins(2));
        let store = home(&home_of, clock.clone());
        (service(network(&root), Arc::clone(&store), clock, &json!({ "recovery": "manual" })), store)
    };
    let ((one, store), (other, _)) = (later(), later());
    let (left, left_too) = tokio::join!(one.recover(), other.recover());
    left.and(left_too).unwrap();
    assert!(one.drained(Duration::from_secs(20)).await && other.drained(Duration::from_secs(20)).await, "{name}");
    assert!(one.recover().await.unwrap().is_empty(), "{name}: half-known");
    assert_eq!(store.open("surecal:1:entry:").await.unwrap().len(), 0, "{name}: open in the store");
    assert_eq!(store.open("surecal:1:attendee:").await.unwrap().len(), 0, "{name}: records in the store");
    // What was on its way when the process died has arrived, or does now.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let found = google.places(&ids, EVA);
    assert!(found == rests || found == 5, "{name}: on {found} of five events");
    let told = enroll(&one, &asked).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!((&told["success"], &told["verified"]), (&json!(true), &json!(true)), "{name}: {told}");
    assert_eq!(told["replayed"] == true, found == 5, "{name}: finished or undone, never both");
    if let End::Told(success) = end {
        assert_eq!(success, found == 5, "{name}");
    }
    assert_eq!(google.places(&ids, EVA), 5, "{name}: after the client's retry");
    if plan.before {
        assert_eq!(google.attendee(&ids[0], EVA).unwrap()["responseStatus"], "accepted", "{name}");
    }
    end == End::Killed
}

/// Every moment; how many there were.
async fn at_every_moment(plan: Plan) -> u32 {
    for first in (0..MOMENTS_AT_MOST).step_by(AT_ONCE) {
        let moments: Vec<_> =
            (0..).take(AT_ONCE).map(|next| tokio::spawn(survives(plan.clone(), first + next))).collect();
        // All of them: on a busy machine a call may run out of time, and come to its end before its moment.
        let mut killed = false;
        for moment in moments {
            killed |= moment.await.unwrap();
        }
        if !killed {
            return first;
        }
    }
    panic!("{}: the process never came to its end", plan.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrollment_over_five_events_killed_at_any_moment_is_whole_or_undone_with_sqlite() {
    let plan = Plan { name: "plain", redis: None, refuses: false, before: false };
    // An intent, a result and a note at the end; for each event three writes of its record and three exchanges.
    assert!(at_every_moment(plan).await >= 2 * (3 + 15) + 3 * 15 - 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrollment_over_five_events_killed_at_any_moment_is_whole_or_undone_with_redis() {
    let Some(server) = RedisServer::start() else { return };
    let plan = Plan { name: "redis", redis: Some(server.url()), refuses: false, before: true };
    assert!(at_every_moment(plan).await >= 2 * (3 + 15) + 3 * 12 - 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrollment_killed_at_any_moment_of_its_undo_leaves_nobody_who_was_not_there_with_sqlite() {
    let plan = Plan { name: "refused", redis: None, refuses: true, before: true };
    assert!(at_every_moment(plan).await >= 80);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrollment_killed_at_any_moment_of_its_undo_leaves_nobody_who_was_not_there_with_redis() {
    let Some(server) = RedisServer::start() else { return };
    let plan = Plan { name: "refused", redis: Some(server.url()), refuses: true, before: true };
    assert!(at_every_moment(plan).await >= 80);
}
