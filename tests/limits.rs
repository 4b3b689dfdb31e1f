//! Limits: rates, parked users, retries, seats, deadlines, and the end of a service.

mod support;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use support::{Google, Process, TOKENS, class, now, pass};
use surecal::model::{Code, Outcome};
use surecal::service::Cancel;
use surecal_emulator::{Fault, Rule, When};

const SECOND: Duration = Duration::from_secs(1);

fn patient() -> Value {
    json!({ "timeoutMs": 3_600_000, "attemptTimeoutMs": 4_000 })
}

fn key(name: &str) -> Value {
    json!({ "idempotencyKey": name })
}

fn hanging() -> Rule {
    Rule::always("events.*", Fault::Hang { when: When::Before })
}

fn too_many(retry_after_seconds: Option<u64>) -> Fault {
    Fault::Status { when: When::Before, status: 429, reason: None, retry_after_seconds, domain: None, message: None }
}

#[tokio::test(start_paused = true)]
async fn no_minute_sees_more_requests_of_one_user_than_the_limit_and_no_other_user_waits() {
    let google = Google::new();
    google.add_user("other@example.com", TOKENS[1], "UTC");
    let process = google.process_with(&json!({ "limits": { "perUserPerMinute": 60 } }));
    let calls: Vec<_> = (0..60).map(|_| process.spawn_create(&class(), &patient())).collect();
    pass(1).await;
    let began = now();
    process.create_as("u2", TOKENS[1], &class(), &json!({})).await.unwrap();
    assert!(began.elapsed() < SECOND, "the other user has a minute of their own");
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap()["success"], true);
    }
    let times: Vec<_> = google
        .emulator
        .requests()
        .iter()
        .filter(|request| request.user.as_deref() == Some(support::USER))
        .map(|request| request.at_ms)
        .collect();
    assert_eq!(times.len(), 120);
    let busiest = times.iter().map(|from| times.iter().filter(|at| (*from..from + 60_000).contains(*at)).count()).max();
    assert!(busiest <= Some(60), "{busiest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_would_come_after_the_deadline_is_not_waited_for() {
    let google = Google::new();
    let process = google.process_with(&json!({ "limits": { "perUserPerMinute": 2 } }));
    process.get("nosuchevent").await.unwrap_err();
    let began = now();
    let error = process.create(&class(), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome, error.retryable), (Code::RateLimited, Outcome::NotSent, true));
    assert!(began.elapsed() < SECOND);
    assert_eq!(google.requests("events.insert"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_user_over_quota_is_parked_for_an_hour_and_google_is_not_asked_meanwhile() {
    let google = Google::new();
    google.add_user("other@example.com", TOKENS[1], "UTC");
    let process = google.process();
    google.fault(Rule::next("events.insert", Fault::forbidden("quotaExceeded")));
    let error = process.create(&class(), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome, error.retryable), (Code::QuotaExceeded, Outcome::Rejected, false));
    for _ in 0..3 {
        let error = process.create(&class(), &json!({})).await.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::QuotaExceeded, Outcome::NotSent));
    }
    assert_eq!(google.requests("events.insert"), 1, "the next writes are not sent");
    assert_eq!(process.get("nosuchevent").await.unwrap_err().code, Code::NotFound, "reads go on");
    process.create_as("u2", TOKENS[1], &class(), &json!({})).await.unwrap();
    pass(3_601).await;
    process.create(&class(), &json!({})).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn retries_stop_in_an_outage_and_a_lone_caller_has_all_of_them() {
    let google = Google::new().with([Rule::always("events.get", Fault::status(503))]);
    let error = google.process().get("x").await.unwrap_err();
    assert_eq!((error.code, google.requests("events.get")), (Code::ServerError, 6));

    let google = Google::new().with([Rule::always("events.get", Fault::status(503))]);
    let process = google.process();
    let calls: Vec<_> = (0..150)
        .map(|_| {
            let process = process.clone();
            tokio::spawn(async move { process.get("x").await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().code, Code::ServerError);
    }
    let asked = google.requests("events.get");
    assert!((150..300).contains(&asked), "first tries are always made, and few retries: {asked}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_the_least_that_is_waited() {
    let google = Google::new().with([Rule::next("events.insert", too_many(Some(3)))]);
    let began = now();
    google.process().create(&class(), &json!({})).await.unwrap();
    assert!((3 * SECOND..8 * SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
    let inserts: Vec<_> =
        google.emulator.requests().iter().filter(|r| r.operation == Some("events.insert")).map(|r| r.at_ms).collect();
    assert!(inserts[1] - inserts[0] >= 3_000);

    let google = Google::new().with([Rule::next("events.insert", too_many(Some(60)))]);
    let began = now();
    let error = google.process().create(&class(), &json!({})).await.unwrap_err();
    assert_eq!((error.code, error.outcome, error.retryable), (Code::RateLimited, Outcome::Rejected, true));
    assert!(began.elapsed() < SECOND, "a wait past the deadline is not begun");
}

#[tokio::test(start_paused = true)]
async fn a_few_writes_at_a_time_go_to_one_calendar() {
    let google = Google::new();
    let process = google.process();
    let inserts = process.network.hold(|request| request.method == Method::POST);
    let calls: Vec<_> = (0..10).map(|_| process.spawn_create(&class(), &json!({}))).collect();
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(inserts.count(), 4);
    inserts.release().await;
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(google.live().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_seat_before_its_deadline_is_told_overloaded_and_sends_nothing() {
    let google = Google::new();
    let process = google.process_with(&json!({ "limits": { "maxInFlight": 2 } }));
    let inserts = process.network.hold(|request| request.method == Method::POST);
    let at_work: Vec<_> = (0..2).map(|_| process.spawn_create(&class(), &patient())).collect();
    inserts.caught(2).await;
    let began = now();
    let error = process.create(&class(), &json!({ "timeoutMs": 2_000 })).await.unwrap_err();
    assert_eq!((error.code, error.outcome, error.retryable), (Code::Overloaded, Outcome::NotSent, true));
    assert_eq!(began.elapsed(), 2 * SECOND);
    assert_eq!(process.service.metrics().in_flight, 2);

    let waits = process.spawn_create(&class(), &json!({}));
    pass(1).await;
    assert_eq!(inserts.count(), 2);
    inserts.release().await;
    assert_eq!(waits.await.unwrap().unwrap()["success"], true);
    for call in at_work {
        call.await.unwrap().unwrap();
    }
    assert_eq!(process.service.metrics().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn seats_taken_away_while_all_are_taken_are_gone_when_their_callers_leave() {
    let google = Google::new();
    let process = google.process_with(&json!({ "limits": { "maxInFlight": 3 } }));
    let inserts = process.network.hold(|request| request.method == Method::POST);
    let calls: Vec<_> = (0..3).map(|_| process.spawn_create(&class(), &patient())).collect();
    inserts.caught(3).await;
    process.service.configure(r#"{"limits":{"maxInFlight":1}}"#).unwrap();
    inserts.release().await;
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let inserts = process.network.hold(|request| request.method == Method::POST);
    let calls: Vec<_> = (0..3).map(|_| process.spawn_create(&class(), &patient())).collect();
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!((inserts.count(), process.service.metrics().in_flight), (1, 1));
    inserts.release().await;
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_service_takes_no_call_and_waits_for_what_is_open() {
    let google = Google::new();
    let process = google.process();
    let inserts = process.network.hold(|request| request.method == Method::POST);
    let call = process.spawn_create(&class(), &json!({}));
    inserts.caught(1).await;
    let closing = tokio::spawn({
        let process = process.clone();
        async move { process.service.close(Duration::from_mins(1)).await }
    });
    pass(1).await;
    for result in [
        process.create(&class(), &json!({})).await,
        process.get("x").await,
        process.list(&json!({})).await,
        process.delete("x", &json!({})).await,
        process.create_many(&[class()], &json!({})).await,
    ] {
        let error = result.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::Closed, Outcome::NotSent));
    }
    assert!(!closing.is_finished());
    inserts.release().await;
    assert!(closing.await.unwrap().is_empty());
    assert_eq!(call.await.unwrap().unwrap()["success"], true);
    google.only_live();
}

#[tokio::test(start_paused = true)]
async fn close_tells_what_it_could_not_wait_for() {
    let google = Google::new().with([hanging()]);
    let process = google.process();
    process.create(&class(), &json!({})).await.unwrap_err();
    let began = now();
    let left = process.service.close(3 * SECOND).await;
    assert_eq!((left.len(), began.elapsed()), (1, 3 * SECOND));
    assert_eq!(left[0].operation, "createEvent");
}

async fn join(process: &Process, timeout_ms: u64) -> (tokio::task::JoinHandle<support::Told>, tokio::time::Instant) {
    let options = json!({ "idempotencyKey": "k", "timeoutMs": timeout_ms, "attemptTimeoutMs": 600_000 });
    let call = process.spawn_create(&class(), &options);
    tokio::task::yield_now().await;
    (call, now())
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_joins_with_more_time_gives_it_to_the_shared_attempt() {
    let google = Google::new().with([Rule::next("events.insert", Fault::status(503))]);
    let process = google.process();
    google.fault(Rule::nth("events.get", 1, Fault::Latency { ms: 8_000 }));
    let (short, _) = join(&process, 5_000).await;
    pass(1).await;
    let (long, _) = join(&process, 30_000).await;
    let error = short.await.unwrap().unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::Unknown));
    assert!(error.message.contains("timed out after 5000ms"), "{error}");
    assert_eq!(long.await.unwrap().unwrap()["success"], true);
    google.only_live();
    let settled = google.settled();
    assert_eq!(settled.len(), 1, "who left is told afterwards");
    assert_eq!(settled[0]["settled"], "kept");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_joins_with_less_time_leaves_at_its_own_deadline_and_takes_nothing_from_the_others() {
    let google = Google::new().with([Rule::next("events.insert", Fault::Latency { ms: 8_000 })]);
    let process = google.process();
    let (long, _) = join(&process, 30_000).await;
    let (short, joined) = join(&process, 2_000).await;
    let error = short.await.unwrap().unwrap_err();
    assert_eq!((error.code, error.outcome), (Code::Timeout, Outcome::Unknown));
    assert_eq!(joined.elapsed(), 2 * SECOND);
    assert_eq!(process.service.pending().await.unwrap().len(), 1, "an attempt whose caller left is listed");
    assert_eq!(long.await.unwrap().unwrap()["success"], true);
    assert_eq!(google.committed("events.insert"), 1);
    assert!(process.service.pending().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_calls_that_ask_for_the_same_share_an_attempt() {
    let google = Google::new();
    let process = google.process();
    let inserts = process.network.hold(|request| request.method == Method::POST);
    let mut other = class();
    other["summary"] = json!("Geometry");
    let calls = [
        process.spawn_create(&class(), &key("k")),
        process.spawn_create(&class(), &key("k")),
        process.spawn_create(&class(), &json!({ "idempotencyKey": "k", "skipVerification": true })),
        process.spawn_create(&other, &key("k")),
        process.spawn_create(&class(), &key("l")),
    ];
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(inserts.count(), 4, "the first two share one");
    inserts.release().await;
    let mut codes = Vec::new();
    for call in calls {
        codes.push(call.await.unwrap().err().map(|error| error.code));
    }
    // Of the two contents of one key either may come first: the other is refused.
    let (same, other, alone) = (&codes[..3], codes[3], codes[4]);
    let refused = Some(Code::IdempotencyKeyReused);
    assert!(same.iter().all(|code| *code == same[0]), "{codes:?}");
    assert!((same[0], other) == (None, refused) || (same[0], other) == (refused, None), "{codes:?}");
    assert_eq!(alone, None);
    assert_eq!(google.live().len(), 2);
}

/// A caller whose call is no longer polled is one who left.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_leaves_its_attempt_and_the_next_call_of_the_key_begins_anew() {
    let google = Google::new();
    let process = google.process();
    let reads = process.network.hold(|request| request.method == Method::GET);
    let call = process.spawn_create(&class(), &key("k"));
    reads.caught(1).await;
    call.abort();
    let _ = call.await;
    reads.release().await;
    let told = process.create(&class(), &key("k")).await.unwrap();
    assert_eq!(told["success"], true);
    assert!(google.requests("events.insert") > 1, "it shares nothing with the attempt that was left");
    assert!(process.settle().await.is_empty());
    google.only_live();
    assert_eq!(google.settled().len(), 1, "what became of that is told");
}

#[tokio::test(start_paused = true)]
async fn time_spent_before_the_call_came_here_counts_towards_its_deadline() {
    let google = Google::new().with([hanging()]);
    let process = google.process();
    let args = json!({
        "userId": "u1", "auth": { "accessToken": TOKENS[0] }, "options": {}, "spentMs": 4_000,
    });
    let began = now();
    let (args, event) = (args.to_string(), class().to_string());
    let error = process.service.create_event(&args, &event, Cancel::default()).await.unwrap_err();
    assert!(error.message.contains("timed out after 10000ms"), "{error}");
    assert!((6 * SECOND..=7 * SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn every_method_settles_within_its_deadline_and_a_second_when_everything_hangs() {
    let google = Google::new().with([hanging()]);
    let process = google.process();
    let options = json!({ "timeoutMs": 3_000 });
    let lessons = vec![class(); 3];
    let change = json!({ "summary": "x" });
    let (event, many) = (class(), json!({ "timeoutMs": 1_500 }));
    let began = now();
    let (a, b, c, d) = tokio::join!(
        process.create(&event, &options),
        process.create_many(&lessons, &many),
        process.update("someevent", &change, &options),
        process.delete("someevent", &options),
    );
    assert!(began.elapsed() <= 4 * SECOND, "{:?}", began.elapsed());
    for (result, outcome) in
        [(a, Outcome::Unknown), (b, Outcome::Unknown), (c, Outcome::NotSent), (d, Outcome::NotSent)]
    {
        let error = result.unwrap_err();
        assert_eq!((error.code, error.outcome), (Code::Timeout, outcome), "{error:?}");
        assert!(error.message.contains("timed out after 3000ms"), "{error}");
    }
}
