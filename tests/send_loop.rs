//! The send loop against a scripted transport, on a paused clock: what is sent again, when, and what is told at the end.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Map, Value, json};
use surecal::clock::Clock;
use surecal::google::transport::{FaultKind, TransportFault};
use surecal::google::{
    BoxFuture, Calendar, Credentials, Delete, HttpReply, HttpRequest, Insert, InsertParams, Patch, Scope, SendUpdates,
    Sender, SenderConfig, StaticToken, Token, Transport, json,
};
use surecal::model::{CalendarError, Code, Outcome};
use surecal::policy::{Backoff, Deadline, Limits};

const ID: &str = "event0";
const SECOND: Duration = Duration::from_secs(1);

/// What the scripted server does with the next request.
#[derive(Clone)]
enum Step {
    Reply(u16, Value),
    RetryAfter(u16, u64),
    Raw(u16, &'static str),
    Fault(TransportFault),
    /// Answers 200 with the event after this long.
    Slow(Duration),
    Hang,
}

use Step::{Fault, Hang, Raw, RetryAfter, Slow};

struct Sent {
    at_ms: u64,
    method: Method,
    path: String,
    if_match: Option<String>,
    token: Token,
    timeout: Duration,
}

/// A transport that plays its steps and then says 200 with the event.
struct Script {
    clock: Clock,
    steps: Mutex<VecDeque<Step>>,
    sent: Mutex<Vec<Sent>>,
    in_flight: AtomicU32,
    most_in_flight: AtomicU32,
}

impl Transport for Script {
    fn exchange(
        &self,
        request: HttpRequest,
        token: &Token,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        let if_match = request.headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap().to_owned());
        self.sent.lock().unwrap().push(Sent {
            at_ms: self.clock.wall_ms(),
            method: request.method,
            path: request.path_and_query,
            if_match,
            token: token.clone(),
            timeout,
        });
        let step = self.steps.lock().unwrap().pop_front().unwrap_or(Step::Reply(200, event()));
        Box::pin(async move {
            let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
            let result = tokio::time::timeout(timeout, play(step)).await;
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            result.unwrap_or(Err(TransportFault::unknown(FaultKind::Timeout)))
        })
    }
}

async fn play(step: Step) -> Result<HttpReply, TransportFault> {
    let reply = |status, headers: &HeaderMap, body: String| Ok(HttpReply::new(status, headers, Bytes::from(body)));
    let none = HeaderMap::new();
    match step {
        Step::Reply(status, body) => reply(status, &none, body.to_string()),
        RetryAfter(status, seconds) => {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from(seconds))]);
            reply(status, &headers, refusal("rateLimitExceeded").to_string())
        }
        Raw(status, body) => reply(status, &none, body.to_owned()),
        Fault(fault) => Err(fault),
        Slow(delay) => {
            tokio::time::sleep(delay).await;
            reply(200, &none, event().to_string())
        }
        Hang => std::future::pending().await,
    }
}

fn event() -> Value {
    json!({ "id": ID, "etag": "\"1\"", "status": "confirmed", "summary": "s" })
}

fn refusal(reason: &str) -> Value {
    json!({ "error": { "errors": [{ "domain": "d", "reason": reason, "message": "ada@example.com is busy" }], "code": 1 } })
}

fn status(status: u16, reason: &str) -> Step {
    Step::Reply(status, refusal(reason))
}

/// A calendar over a script, and a call on it.
struct Bench {
    calendar: Calendar,
    script: Arc<Script>,
    clock: Clock,
}

impl Bench {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::limited(steps, Limits { per_user_per_minute: 100_000, per_project_per_minute: 1_000_000 })
    }

    fn limited(steps: impl IntoIterator<Item = Step>, limits: Limits) -> Self {
        let clock = Clock::paused(0);
        let script = Arc::new(Script {
            clock: clock.clone(),
            steps: Mutex::new(steps.into_iter().collect()),
            sent: Mutex::default(),
            in_flight: AtomicU32::new(0),
            most_in_flight: AtomicU32::new(0),
        });
        let transport: Arc<dyn Transport> = Arc::<Script>::clone(&script);
        let config = SenderConfig { limits, jitter: || 1.0, ..SenderConfig::new(transport, clock.clone()) };
        Self { calendar: Calendar::new(Arc::new(Sender::new(config))), script, clock }
    }

    fn scope(&self) -> Scope {
        self.scope_with(Arc::new(StaticToken(token("first"))))
    }

    fn scope_with(&self, credentials: Arc<dyn Credentials>) -> Scope {
        let deadline = Deadline::starts(self.clock.now(), 10 * SECOND);
        let backoff = Backoff::default();
        Scope::new("ada", "createEvent", credentials, deadline, 4 * SECOND, backoff.max_retries)
    }

    async fn get(&self, scope: &Scope) -> Result<bool, CalendarError> {
        Ok(self.calendar.get(scope, "c", ID, None).await?.is_some())
    }

    async fn insert(&self, scope: &Scope) -> Result<Insert, CalendarError> {
        self.calendar.insert(scope, "c", ID, json(&body()).unwrap().into(), params(), None).await
    }

    fn sent(&self) -> usize {
        self.script.sent.lock().unwrap().len()
    }

    fn sent_at(&self) -> Vec<u64> {
        self.script.sent.lock().unwrap().iter().map(|sent| sent.at_ms).collect()
    }
}

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

fn body() -> Map<String, Value> {
    let Value::Object(map) = event() else { unreachable!() };
    map
}

const fn params() -> InsertParams {
    InsertParams { conference_data_version: 1, send_updates: SendUpdates::All, supports_attachments: false }
}

fn told(error: &CalendarError) -> (Code, Outcome) {
    (error.code, error.outcome)
}

// --- What is sent again ---

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_with_growing_waits_whatever_went_wrong() {
    let lost = TransportFault::unknown(FaultKind::Reset);
    let bench = Bench::new([status(503, "backendError"), Fault(lost), Raw(200, "<html>"), RetryAfter(429, 0)]);
    assert!(bench.get(&bench.scope()).await.unwrap());
    assert_eq!(bench.sent_at(), [0, 200, 600, 1_400, 3_000]);
}

#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_fate_is_sent_once_and_told_as_unknown() {
    for (step, code) in [
        (status(500, "backendError"), Code::ServerError),
        (status(503, "backendError"), Code::ServerError),
        (status(408, "x"), Code::Timeout),
        (Raw(302, ""), Code::NetworkError),
        (Fault(TransportFault::unknown(FaultKind::Reset)), Code::NetworkError),
        (Fault(TransportFault::unknown(FaultKind::Cut)), Code::NetworkError),
        (Raw(200, "<html>ok</html>"), Code::NetworkError),
        (Raw(200, r#"{"id":"somebody_else"}"#), Code::NetworkError),
        (Raw(200, r#"{"id":"event0","#), Code::NetworkError),
        (Raw(200, "[]"), Code::NetworkError),
        (Raw(200, ""), Code::NetworkError),
        (Hang, Code::Timeout),
    ] {
        let bench = Bench::new([step]);
        let error = bench.insert(&bench.scope()).await.unwrap_err();
        assert_eq!(told(&error), (code, Outcome::Unknown), "{error:?}");
        assert_eq!((bench.sent(), error.attempts), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_not_applied_is_sent_again() {
    let refused = Fault(TransportFault::not_sent(FaultKind::Connect));
    let turned_away = Fault(TransportFault::not_sent(FaultKind::TurnedAway));
    let limited = [status(403, "userRateLimitExceeded"), status(429, "rateLimitExceeded"), status(409, "conflict")];
    let bench = Bench::new([refused, turned_away].into_iter().chain(limited));
    assert!(matches!(bench.insert(&bench.scope()).await.unwrap(), Insert::Created(_)));
    assert_eq!(bench.sent(), 6);
}

#[tokio::test(start_paused = true)]
async fn what_google_refuses_for_good_is_sent_once_and_told_as_rejected() {
    for (step, code) in [
        (status(400, "timeRangeEmpty"), Code::ValidationFailed),
        (status(403, "forbiddenForServiceAccounts"), Code::PermissionDenied),
        (status(403, "insufficientPermissions"), Code::PermissionDenied),
        (status(404, "notFound"), Code::NotFound),
        (status(410, "deleted"), Code::NotFound),
        (status(412, "conditionNotMet"), Code::PreconditionFailed),
    ] {
        let bench = Bench::new([step]);
        let error = bench.insert(&bench.scope()).await.unwrap_err();
        assert_eq!(told(&error), (code, Outcome::Rejected), "{error:?}");
        assert_eq!(bench.sent(), 1);
        assert!(error.status.is_some() && error.reason.is_some() && error.operation == Some("createEvent"));
    }
}

// --- How long ---

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for() {
    let bench = Bench::new([RetryAfter(429, 3), RetryAfter(403, 2)]);
    assert!(bench.get(&bench.scope()).await.unwrap());
    assert_eq!(bench.sent_at(), [0, 3_000, 5_000]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_is_told_at_once() {
    let bench = Bench::new([RetryAfter(429, 60)]);
    let error = bench.insert(&bench.scope()).await.unwrap_err();
    assert_eq!(told(&error), (Code::RateLimited, Outcome::Rejected));
    assert_eq!((bench.clock.wall_ms(), error.status), (0, Some(429)));
}

#[tokio::test(start_paused = true)]
async fn after_the_last_retry_the_trouble_itself_is_told() {
    let bench = Bench::new(vec![status(429, "rateLimitExceeded"); 10]);
    let error = bench.insert(&bench.scope()).await.unwrap_err();
    assert_eq!(told(&error), (Code::RateLimited, Outcome::Rejected));
    assert_eq!((bench.sent(), error.attempts, error.elapsed_ms), (6, 6, 6_200));
    let bench = Bench::new(vec![Fault(TransportFault::not_sent(FaultKind::Connect)); 10]);
    let error = bench.insert(&bench.scope()).await.unwrap_err();
    assert_eq!(told(&error), (Code::NetworkError, Outcome::NotSent));
}

#[tokio::test(start_paused = true)]
async fn when_everything_hangs_a_read_ends_at_its_deadline_with_the_promised_words() {
    let bench = Bench::new(vec![Hang; 10]);
    let error = bench.get(&bench.scope()).await.unwrap_err();
    assert_eq!(told(&error), (Code::Timeout, Outcome::NotSent));
    assert!(error.message.starts_with("createEvent timed out after 10000ms: "), "{error}");
    assert!(bench.clock.wall_ms() <= 10_000);
}

#[tokio::test(start_paused = true)]
async fn one_attempt_gets_its_own_time_and_never_more_than_is_left() {
    let bench = Bench::new([Hang, Hang, Hang]);
    let _ = bench.get(&bench.scope()).await;
    let timeouts: Vec<_> = bench.script.sent.lock().unwrap().iter().map(|sent| sent.timeout).collect();
    assert_eq!(timeouts, [4 * SECOND, 4 * SECOND, Duration::from_millis(1_400)]);
}

#[tokio::test(start_paused = true)]
async fn a_write_cut_off_by_the_deadline_is_told_as_timed_out_and_unknown() {
    let bench = Bench::new([RetryAfter(429, 8), Hang]);
    let error = bench.insert(&bench.scope()).await.unwrap_err();
    assert_eq!(told(&error), (Code::Timeout, Outcome::Unknown));
    assert!(error.message.contains("timed out after 10000ms"), "{error}");
    assert_eq!((bench.clock.wall_ms(), bench.sent()), (10_000, 2));
}

#[tokio::test(start_paused = true)]
async fn an_outage_stops_retries_but_not_first_tries() {
    let bench = Bench::new(vec![status(503, "backendError"); 10_000]);
    for _ in 0..40 {
        let mut scope = bench.scope();
        scope.max_retries = 4;
        let _ = bench.get(&scope).await;
    }
    let before = bench.sent();
    let fast = bench.calendar.sender.backoff();
    bench.calendar.sender.set_backoff(Backoff { base: Duration::ZERO, ..fast });
    for _ in 0..200 {
        let _ = bench.get(&bench.scope()).await;
    }
    let sent = bench.sent() - before;
    assert!((200..320).contains(&sent), "{sent} sent for 200 reads");
    assert!(bench.calendar.sender.tally().snapshot().stops["budget"] > 150);
}

// --- Tokens ---

/// Gives `first`, and after a refusal `second`; counts what it was asked.
#[derive(Default)]
struct Renewing {
    renewals: AtomicU32,
}

impl Credentials for Renewing {
    fn token<'a>(&'a self, refused: Option<&'a Token>) -> BoxFuture<'a, Result<Token, CalendarError>> {
        let renewals = self.renewals.fetch_add(u32::from(refused.is_some()), Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(token(if refused.is_some() || renewals > 0 { "second" } else { "first" }))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_and_the_write_sent_again_without_a_wait() {
    let bench = Bench::new([status(401, "authError")]);
    let scope = bench.scope_with(Arc::new(Renewing::default()));
    assert!(matches!(bench.insert(&scope).await.unwrap(), Insert::Created(_)));
    let tokens: Vec<_> = bench.script.sent.lock().unwrap().iter().map(|sent| sent.token.clone()).collect();
    assert_eq!(tokens, [token("first"), token("second")]);
    assert_eq!(bench.clock.wall_ms(), 0);
}

#[tokio::test(start_paused = true)]
async fn two_fresh_tokens_refused_one_after_the_other_are_not_renewed_again_in_the_same_call() {
    let bench = Bench::new(vec![status(401, "authError"); 10]);
    let credentials = Arc::new(Renewing::default());
    let scope = bench.scope_with(Arc::<Renewing>::clone(&credentials));
    for _ in 0..2 {
        let error = bench.insert(&scope).await.unwrap_err();
        assert_eq!(told(&error), (Code::GoogleAuthFailed, Outcome::Rejected));
        assert_eq!((error.status, error.requires_reauth), (Some(401), false));
    }
    assert_eq!((bench.sent(), credentials.renewals.load(Ordering::SeqCst)), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_renewed_asks_for_a_new_consent() {
    let bench = Bench::new([status(401, "authError")]);
    let error = bench.insert(&bench.scope()).await.unwrap_err();
    assert_eq!(told(&error), (Code::GoogleAuthRequired, Outcome::NotSent));
    assert_eq!((error.requires_reauth, error.status, error.reason.as_deref()), (true, Some(401), Some("authError")));
}

struct Never;

impl Credentials for Never {
    fn token<'a>(&'a self, _: Option<&'a Token>) -> BoxFuture<'a, Result<Token, CalendarError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_never_answer_end_at_the_deadline_with_nothing_sent() {
    let bench = Bench::new([]);
    let error = bench.insert(&bench.scope_with(Arc::new(Never))).await.unwrap_err();
    assert_eq!(told(&error), (Code::GoogleAuthFailed, Outcome::NotSent));
    assert_eq!((bench.clock.wall_ms(), bench.sent()), (10_000, 0));
}

// --- Cancelling, leases ---

#[tokio::test(start_paused = true)]
async fn cancelling_ends_a_wait_and_a_read_at_once() {
    for (step, outcome) in [(RetryAfter(429, 5), Outcome::Rejected), (Hang, Outcome::NotSent)] {
        let bench = Bench::new([step]);
        let scope = bench.scope();
        let cancelling = async {
            tokio::time::sleep(SECOND).await;
            scope.deadline.cancel();
        };
        let (result, ()) = tokio::join!(bench.get(&scope), cancelling);
        assert_eq!(told(&result.unwrap_err()), (Code::Aborted, outcome));
        assert_eq!((bench.clock.wall_ms(), bench.sent()), (1_000, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_under_way_is_waited_for_when_cancelled_and_nothing_follows_it() {
    let bench = Bench::new([Slow(2 * SECOND)]);
    let scope = bench.scope();
    let cancelling = async {
        tokio::time::sleep(SECOND).await;
        scope.deadline.cancel();
    };
    let (result, ()) = tokio::join!(bench.insert(&scope), cancelling);
    assert!(matches!(result.unwrap(), Insert::Created(_)));
    assert_eq!(told(&bench.insert(&scope).await.unwrap_err()), (Code::Aborted, Outcome::NotSent));
    assert_eq!(bench.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_lost_its_lease_sends_nothing_more() {
    let bench = Bench::new([RetryAfter(429, 1)]);
    let held = Arc::new(AtomicBool::new(true));
    let lease = Arc::clone(&held);
    let scope = bench.scope().with_lease(Arc::new(move || lease.load(Ordering::SeqCst)));
    let losing = async {
        tokio::time::sleep(SECOND / 2).await;
        held.store(false, Ordering::SeqCst);
    };
    let (result, ()) = tokio::join!(bench.insert(&scope), losing);
    let error = result.unwrap_err();
    assert_eq!((told(&error), error.reason.as_deref()), ((Code::Conflict, Outcome::Rejected), Some("leaseLost")));
    let error = bench.get(&scope).await.unwrap_err();
    assert_eq!((told(&error), error.reason.as_deref()), ((Code::Conflict, Outcome::NotSent), Some("leaseLost")));
    assert_eq!(bench.sent(), 1);
}

// --- Throttling ---

#[tokio::test(start_paused = true)]
async fn a_user_over_quota_is_refused_here_for_an_hour_but_may_read() {
    let bench = Bench::new([status(403, "quotaExceeded")]);
    let error = bench.insert(&bench.scope()).await.unwrap_err();
    assert_eq!(told(&error), (Code::QuotaExceeded, Outcome::Rejected));
    let error = bench.insert(&bench.scope()).await.unwrap_err();
    assert_eq!((told(&error), bench.sent()), ((Code::QuotaExceeded, Outcome::NotSent), 1));
    assert!(bench.get(&bench.scope()).await.unwrap());
    let mut bob = bench.scope();
    bob.user = "bob".into();
    assert!(bench.insert(&bob).await.is_ok());
    tokio::time::advance(3_600 * SECOND).await;
    assert!(bench.insert(&bench.scope()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_exchanges_are_under_way_at_once_and_the_wait_of_the_others_is_not_their_attempts_time() {
    let bench = Bench::new(vec![Slow(SECOND); 300]);
    let mut scopes: Vec<_> = (0..300).map(|_| bench.scope()).collect();
    scopes.iter_mut().map(|scope| &mut scope.attempt_timeout).for_each(|timeout| *timeout = 3 * SECOND / 2);
    let found = futures_util::future::join_all(scopes.iter().map(|scope| bench.get(scope))).await;
    assert!(found.into_iter().all(|found| found.unwrap()) && scopes.iter().all(|scope| scope.attempts() == 1));
    assert_eq!(bench.script.most_in_flight.load(Ordering::SeqCst), 100);
    assert_eq!((bench.sent(), bench.clock.wall_ms()), (300, 3_000));
}

#[tokio::test(start_paused = true)]
async fn a_read_beside_a_late_write_waits_behind_nobody_and_who_waits_hears_of_it_in_time() {
    let bench = Bench::new(vec![Hang; 100]);
    let mut scope = bench.scope();
    scope.attempt_timeout = 60 * SECOND;
    let hung = futures_util::future::join_all((0..100).map(|_| bench.get(&scope)));
    let besides = async {
        assert!(bench.get(&bench.scope().beside()).await.unwrap());
        let scope = bench.scope();
        let error = bench.get(&scope).await.unwrap_err();
        assert_eq!((told(&error), scope.attempts()), ((Code::Timeout, Outcome::NotSent), 0));
    };
    let (hung, ()) = tokio::join!(hung, besides);
    assert!(hung.into_iter().all(|one| one.is_err()) && bench.sent() == 101);
}

#[tokio::test(start_paused = true)]
async fn four_writes_at_a_time_go_to_one_calendar_and_one_after_a_refusal() {
    let bench = Arc::new(Bench::new(vec![Slow(SECOND / 10); 12]));
    let writes = |count: usize| {
        let bench = Arc::clone(&bench);
        async move {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..count {
                let bench = Arc::clone(&bench);
                tasks.spawn(async move { bench.insert(&bench.scope()).await.unwrap() });
            }
            tasks.join_all().await;
        }
    };
    writes(12).await;
    assert_eq!(bench.script.most_in_flight.swap(0, Ordering::SeqCst), 4);
    bench.script.steps.lock().unwrap().push_back(status(403, "rateLimitExceeded"));
    bench.insert(&bench.scope()).await.unwrap();
    bench.script.most_in_flight.store(0, Ordering::SeqCst);
    bench.script.steps.lock().unwrap().extend(vec![Slow(SECOND / 10); 6]);
    writes(6).await;
    assert_eq!(bench.script.most_in_flight.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn our_own_limit_is_waited_for_and_told_when_its_turn_comes_too_late() {
    let bench = Bench::limited([], Limits { per_user_per_minute: 20, per_project_per_minute: 1_000 });
    for _ in 0..11 {
        assert!(bench.get(&bench.scope()).await.unwrap());
    }
    assert_eq!(bench.sent_at()[10], 6_000);
    let mut scope = bench.scope();
    scope.deadline = Deadline::starts(bench.clock.now(), SECOND);
    let error = bench.insert(&scope).await.unwrap_err();
    assert_eq!((told(&error), error.status), ((Code::RateLimited, Outcome::NotSent), None));
    assert_eq!((bench.sent(), bench.clock.wall_ms()), (11, 6_000));
}

// --- The verbs ---

#[tokio::test(start_paused = true)]
async fn each_verb_tells_google_s_answers_apart() {
    let taken = Bench::new([status(409, "duplicate")]);
    assert_eq!(taken.insert(&taken.scope()).await.unwrap(), Insert::Taken);

    let missing = Bench::new([status(404, "notFound")]);
    assert!(!missing.get(&missing.scope()).await.unwrap());

    for (answer, patch, delete) in [
        (status(412, "conditionNotMet"), Patch::Changed, Delete::Changed),
        (status(404, "notFound"), Patch::Missing, Delete::Missing),
        (status(410, "deleted"), Patch::Missing, Delete::Gone),
    ] {
        let bench = Bench::new([answer.clone(), answer]);
        let scope = bench.scope();
        assert_eq!(bench.calendar.patch(&scope, "c", ID, Some("\"1\""), &body(), params()).await.unwrap(), patch);
        let deleted = bench.calendar.delete(&scope, "c", ID, Some("\"1\""), SendUpdates::None).await.unwrap();
        assert_eq!(deleted, delete);
        assert!(bench.script.sent.lock().unwrap().iter().all(|sent| sent.if_match.as_deref() == Some("\"1\"")));
    }

    let done = Bench::new([Raw(204, "")]);
    let deleted = done.calendar.delete(&done.scope(), "c", ID, None, SendUpdates::None).await.unwrap();
    assert_eq!(deleted, Delete::Done);
}

#[tokio::test(start_paused = true)]
async fn a_fetched_event_keeps_its_bytes_its_etag_and_says_whether_it_is_a_tombstone() {
    let text = r#"{ "id":"event0", "etag":"\"7\"", "status":"cancelled", "z":1, "a":2 }"#;
    let bench = Bench::new([Raw(200, text), Raw(200, r#"{"summary":"masked"}"#)]);
    let scope = bench.scope();
    let fetched = bench.calendar.get(&scope, "c", ID, None).await.unwrap().unwrap();
    assert_eq!((&fetched.raw[..], fetched.etag.as_str(), fetched.cancelled()), (text.as_bytes(), "\"7\"", true));
    assert!(bench.calendar.get(&scope, "c", ID, Some("summary")).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_list_page_is_passed_on_with_its_next_token() {
    let text = r#"{"items":[{"id":"x"}],"nextPageToken":"more"}"#;
    let bench = Bench::new([Raw(200, "[]"), Raw(200, text), Raw(200, r#"{"items":[]}"#)]);
    let scope = bench.scope();
    let page = bench.calendar.list(&scope, "c", &[("pageToken", "a&b")]).await.unwrap();
    assert_eq!((&page.raw[..], page.next_page_token.as_deref()), (text.as_bytes(), Some("more")));
    assert_eq!(bench.calendar.list(&scope, "c", &[]).await.unwrap().next_page_token, None);
}

#[tokio::test(start_paused = true)]
async fn ids_become_one_path_segment_each_and_paths_are_refused_unsent() {
    let bench = Bench::new([Raw(404, "")]);
    let scope = bench.scope();
    let _ = bench.calendar.get(&scope, "ada@x.com", "a/../b?c", Some("id,etag")).await;
    {
        let sent = bench.script.sent.lock().unwrap();
        assert_eq!(sent[0].path, "/calendar/v3/calendars/ada%40x.com/events/a%2F..%2Fb%3Fc?fields=id%2Cetag");
        assert_eq!(sent[0].method, Method::GET);
    }
    let error = bench.calendar.delete(&scope, "..", ID, None, SendUpdates::None).await.unwrap_err();
    assert_eq!((told(&error), bench.sent()), ((Code::ValidationFailed, Outcome::NotSent), 1));
}

#[tokio::test(start_paused = true)]
async fn nothing_that_google_or_the_caller_said_is_in_an_error() {
    for step in [
        Raw(500, "ada@example.com secret"),
        Raw(200, "ada@example.com secret"),
        Raw(403, r#"{"error":{"errors":[{"reason":"ada@example.com secret","message":"secret"}]}}"#),
        status(400, "invalid"),
        status(403, "quotaExceeded"),
        status(401, "authError"),
        status(404, "notFound"),
        Hang,
        Fault(TransportFault::unknown(FaultKind::Cut)),
    ] {
        let bench = Bench::new([step]);
        let mut scope = bench.scope_with(Arc::new(StaticToken(token("secret"))));
        scope.user = "bob@example.com".into();
        let error = bench
            .calendar
            .insert(&scope, "eve@example.com", ID, json(&body()).unwrap().into(), params(), None)
            .await
            .unwrap_err();
        let printed = format!("{error} {error:?} {scope:?} {}", serde_json::to_string(&error).unwrap());
        for private in ["example.com", "secret", ID] {
            assert!(!printed.contains(private), "{printed}");
        }
    }
}
