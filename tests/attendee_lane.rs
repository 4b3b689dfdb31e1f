//! The lane of an event's guests, as a transaction uses it: parties that are asked, undos, several lanes at once.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use support::{Gate, Google, InMemory, START_MS, TOKENS, USER, class, names, now, pass};
use surecal::clock::Clock;
use surecal::google::{BoxFuture, Calendar, SendUpdates, Sender, SenderConfig, StaticToken, Token, Transport};
use surecal::model::{CalendarError, Code, Outcome};
use surecal::operation::attendees::{AttendeeChange, ChangeRequest, Changed, LaneKey, Lanes, Party, Proceed, Verb};
use surecal::operation::{Context, Target};
use surecal::policy::Deadline;
use surecal::store::{Journal, MemoryStore};
use surecal_emulator::{Fault, Rule};

const EVENT: &str = "class01";

/// A process's lanes, on a network that the test can disturb.
#[derive(Clone)]
struct School {
    lanes: Lanes,
    network: Gate,
    clock: Clock,
}

fn school(google: &Google) -> School {
    let clock = Clock::paused(START_MS);
    let network = Gate::new(InMemory(google.emulator.clone()));
    let transport = Arc::new(network.clone()) as Arc<dyn Transport>;
    let sender = Sender::new(SenderConfig::new(transport, clock.clone()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let journal = Journal::new(store, clock.clone(), Duration::from_secs(30), rand_bits);
    let cx =
        Context { calendar: Calendar::new(Arc::new(sender)), journal, clock: clock.clone(), prevented: Arc::default() };
    School { lanes: Lanes::new(cx), network, clock }
}

/// Marks that differ are all that is needed of chance here.
fn rand_bits() -> u128 {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    (NEXT.fetch_add(1, Ordering::Relaxed) as u128) << 64 | NEXT.fetch_add(1, Ordering::Relaxed) as u128
}

fn with_class(guests: &Value) -> Google {
    let google = Google::new();
    let mut event = class();
    event["id"] = json!(EVENT);
    event["attendees"] = guests.clone();
    google.emulator.put_event(USER, event.as_object().unwrap().clone()).unwrap();
    google
}

impl School {
    fn request(&self, email: &str, verb: Verb, party: Arc<dyn Party>, timeout: Duration) -> ChangeRequest {
        ChangeRequest {
            operation: "enroll",
            lane: LaneKey {
                target: Target { user: "u1".to_owned(), calendar: "primary".to_owned() },
                event_id: EVENT.to_owned(),
                identity: "one".to_owned(),
                send_updates: SendUpdates::All,
            },
            change: AttendeeChange::new(email, verb),
            credentials: Arc::new(StaticToken(Token::new(TOKENS[0]).unwrap())),
            deadline: Deadline::starts(self.clock.now(), timeout),
            attempt_timeout: Duration::from_secs(2),
            max_retries: 5,
            quota_user: None,
            verify: true,
            newest: None,
            party,
            exposure: Arc::default(),
        }
    }

    async fn change(&self, email: &str, verb: Verb) -> Result<Changed, CalendarError> {
        self.change_for(email, verb, Told::new(write, Duration::ZERO)).await
    }

    async fn change_for(&self, email: &str, verb: Verb, party: Arc<dyn Party>) -> Result<Changed, CalendarError> {
        self.lanes.change(self.request(email, verb, party, Duration::from_secs(20))).await
    }
}

/// A party that says what the test wants, and remembers what it was asked.
struct Told {
    alive: AtomicBool,
    answer: fn() -> Result<Proceed, CalendarError>,
    after: Duration,
    asked: Mutex<Vec<bool>>,
}

impl Told {
    fn new(answer: fn() -> Result<Proceed, CalendarError>, after: Duration) -> Arc<Self> {
        Arc::new(Self { alive: AtomicBool::new(true), answer, after, asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<bool> {
        self.asked.lock().unwrap().clone()
    }
}

impl Party for Told {
    fn alive(&self) -> bool {
        self.alive.load(Ordering::Acquire)
    }

    fn before_write(&self, present: bool) -> BoxFuture<'_, Result<Proceed, CalendarError>> {
        self.asked.lock().unwrap().push(present);
        Box::pin(async {
            tokio::time::sleep(self.after).await;
            (self.answer)()
        })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of the answers a party can give")]
fn write() -> Result<Proceed, CalendarError> {
    Ok(Proceed::Write)
}

fn guests(google: &Google) -> Vec<String> {
    let event = google.only_live();
    let guests = event["attendees"].as_array().cloned().unwrap_or_default();
    guests.iter().map(|guest| guest["email"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_party_is_asked_between_the_read_and_each_write_that_changes_its_attendee() {
    let google = with_class(&json!([]));
    let school = school(&google);
    let party = Told::new(write, Duration::ZERO);
    google.fault(Rule::next("events.patch", Fault::Precondition));
    school.change_for("a@example.com", Verb::Add, party.clone()).await.unwrap();
    assert_eq!(party.asked(), [false, false], "once for each write");
    let again = school.change_for("a@example.com", Verb::Add, party.clone()).await.unwrap();
    assert!(again.already);
    assert_eq!(party.asked().len(), 2, "nothing was to be written");
    school.change_for("a@example.com", Verb::Remove, party.clone()).await.unwrap();
    assert_eq!(party.asked(), [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_party_that_refuses_or_leaves_it_takes_only_itself_out_of_the_batch() {
    let google = with_class(&json!([]));
    let school = school(&google);
    let refuses = Told::new(
        || Err(CalendarError::new(Code::StoreUnavailable, Outcome::NotSent, "the record is not there")),
        Duration::ZERO,
    );
    let leaves = Told::new(|| Ok(Proceed::Leave), Duration::ZERO);
    let (stopped, left, added) = tokio::join!(
        school.change_for("refuses@example.com", Verb::Add, refuses),
        school.change_for("leaves@example.com", Verb::Add, leaves),
        school.change("added@example.com", Verb::Add),
    );
    let error = stopped.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::StoreUnavailable, Outcome::NotSent));
    let left = left.unwrap();
    assert_eq!((left.left, left.present), (true, false));
    assert!(added.unwrap().verified);
    assert_eq!(guests(&google), ["added@example.com"]);
    assert_eq!(school.network.sent(), ["GET", "PATCH", "GET"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_party_holds_up_nobody_and_gets_its_turn() {
    let google = with_class(&json!([]));
    let school = school(&google);
    let begun = now();
    let slow = tokio::spawn({
        let school = school.clone();
        async move {
            let party = Told::new(write, Duration::from_secs(1));
            school.change_for("slow@example.com", Verb::Add, party).await
        }
    });
    let quick = school.change("quick@example.com", Verb::Add).await.unwrap();
    assert!(quick.verified && now() - begun < Duration::from_secs(1));
    assert!(slow.await.unwrap().unwrap().verified);
    assert_eq!(guests(&google), ["quick@example.com", "slow@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_for_a_party_that_is_not_alive_and_the_others_go_on() {
    let google = with_class(&json!([]));
    let school = school(&google);
    let reads = school.network.hold(|request| request.method == Method::GET);
    let dead = Told::new(write, Duration::ZERO);
    let lost = tokio::spawn({
        let (school, dead) = (school.clone(), dead.clone());
        async move { school.change_for("dead@example.com", Verb::Add, dead).await }
    });
    let lives = tokio::spawn({
        let school = school.clone();
        async move { school.change("lives@example.com", Verb::Add).await }
    });
    reads.caught(1).await;
    dead.alive.store(false, Ordering::Release);
    reads.release().await;
    assert_eq!(lost.await.unwrap().unwrap_err().outcome, Outcome::NotSent);
    lives.await.unwrap().unwrap();
    assert_eq!(guests(&google), ["lives@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn an_expel_takes_off_who_is_there_and_shows_it() {
    let google = with_class(&json!([{ "email": "a@example.com" }, { "email": "b@example.com" }]));
    let school = school(&google);
    let gone = school.change("A@example.com", Verb::Expel).await.unwrap();
    assert_eq!((gone.already, gone.present, gone.verified), (false, false, true));
    assert_eq!(guests(&google), ["b@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn an_expel_of_one_who_is_absent_makes_a_late_add_meet_412() {
    let google = with_class(&json!([]));
    let (adds, undoes) = (school(&google), school(&google));
    let late = adds.network.hold(|request| request.method == Method::PATCH && names(request, "late@example.com"));
    let add = tokio::spawn({
        let adds = adds.clone();
        async move {
            let party = Told::new(write, Duration::ZERO);
            adds.lanes.change(adds.request("late@example.com", Verb::Add, party, Duration::from_secs(1))).await
        }
    });
    late.caught(1).await;
    assert_eq!(add.await.unwrap().unwrap_err().outcome, Outcome::Unknown);
    let etag = google.only_live()["etag"].clone();
    assert!(undoes.change("late@example.com", Verb::Expel).await.unwrap().verified);
    assert_ne!(google.only_live()["etag"], etag);
    late.release().await;
    assert_eq!(guests(&google), [""; 0]);
    assert!(google.emulator.mails().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_expel_believes_no_acknowledgement_only_what_it_reads() {
    for there in [json!([]), json!([{ "email": "a@example.com" }])] {
        let google = with_class(&there);
        let school = school(&google);
        google.fault(Rule::nth("events.patch", 1, Fault::Drop).times(2));
        school.change("a@example.com", Verb::Expel).await.unwrap();
        assert_eq!(google.committed("events.patch"), 1, "two were acknowledged and dropped");
        assert_eq!(guests(&google), [""; 0]);
    }
}

/// Google acknowledged and dropped what somebody was told of, or its clock went back: the event will never be so new.
#[tokio::test(start_paused = true)]
async fn an_event_that_stays_older_than_is_known_is_proven_by_a_write_and_then_believed() {
    let google = with_class(&json!([{ "email": "a@example.com" }]));
    let school = school(&google);
    let party = Told::new(write, Duration::ZERO);
    for (verb, writes) in [(Verb::Add, 1), (Verb::Remove, 2)] {
        let before = google.committed("events.patch");
        let begun = now();
        let mut request = school.request("a@example.com", verb, party.clone(), Duration::from_secs(20));
        request.newest = Some("2999-01-01T00:00:00.000Z".to_owned());
        let changed = school.lanes.change(request).await.unwrap();
        assert!(now() - begun < Duration::from_secs(5), "it is waited for once: {:?}", now() - begun);
        assert_eq!((changed.already, changed.verified), (verb == Verb::Add, true));
        assert_eq!(google.committed("events.patch") - before, writes, "one proves, one takes off");
    }
    assert_eq!(guests(&google), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_old_read_is_found_out_by_a_write_that_changes_nothing() {
    let google = with_class(&json!([]));
    let (adds, removes) = (school(&google), school(&google));
    // Two states of one millisecond cannot be told apart.
    pass(1).await;
    let added = adds.change("a@example.com", Verb::Add).await.unwrap();
    google.fault(Rule::next("events.get", Fault::Stale { ms: 60_000 }));
    let mut request =
        removes.request("a@example.com", Verb::Remove, Told::new(write, Duration::ZERO), Duration::from_secs(20));
    request.newest = added.updated;
    let error = removes.lanes.change(request).await.unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::NotSent), "nothing of the change was sent");
    assert!(google.requests("events.patch") > 1, "Google was asked");
    assert_eq!(google.committed("events.patch"), 1);
    assert_eq!(guests(&google), ["a@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn adding_and_removing_one_address_at_once_happens_in_the_order_of_the_calls() {
    let google = with_class(&json!([{ "email": "a@example.com" }]));
    let school = school(&google);
    let (removed, added) =
        tokio::join!(school.change("a@example.com", Verb::Remove), school.change("A@example.com", Verb::Add));
    assert!(!removed.unwrap().already);
    assert!(!added.unwrap().already);
    assert_eq!(guests(&google), ["A@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn two_who_add_one_address_add_it_once() {
    let google = with_class(&json!([]));
    let school = school(&google);
    let (one, two) = tokio::join!(school.change("a@example.com", Verb::Add), school.change("A@Example.com", Verb::Add));
    assert_eq!((one.unwrap().already, two.unwrap().already), (false, true));
    assert_eq!((guests(&google).len(), google.emulator.mails().len()), (1, 1));
}
