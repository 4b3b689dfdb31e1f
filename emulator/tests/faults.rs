//! What goes wrong, and what is true afterwards.
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod stage;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use stage::{CALENDAR, Stage, class, object};
use surecal_emulator::{Emulator, Fault, NewUser, Options, Profile, Rule, Verdict, When};
use tokio::time::advance;

fn live(stage: &Stage) -> usize {
    stage.google.live_events(CALENDAR).len()
}

fn insert(stage: &Stage) -> Verdict {
    stage.verdict(
        Method::POST,
        "?sendUpdates=all",
        None,
        &class(json!({ "id": "class001", "attendees": [{ "email": "a@x.test" }] })),
    )
}

#[test]
fn a_fault_before_the_commit_changes_nothing_and_one_after_it_has_changed_everything() {
    let faults = |when| {
        [
            Fault::Reset { when },
            Fault::Hang { when },
            Fault::status_when(500, when),
            Fault::status_when(503, when),
            Fault::Html { when },
            Fault::Truncate { when, keep_bytes: None },
            Fault::Drip { when, every_ms: 10, chunk_bytes: 8 },
            Fault::BigBody { when, bytes: 100_000 },
            Fault::Redirect { when, location: "http://example.test/".into() },
        ]
    };
    for (when, count) in [(When::Before, 0), (When::After, 1)] {
        for fault in faults(when) {
            let stage = Stage::new();
            stage.fault("events.insert", fault.clone());
            let verdict = insert(&stage);
            assert_eq!(live(&stage), count, "{fault:?}");
            assert_eq!(stage.google.mails().len(), count, "{fault:?}");
            let record = stage.google.requests().remove(0);
            assert_eq!(record.committed, count == 1, "{fault:?}");
            assert!(record.fault.unwrap().starts_with(fault.kind()));
            let shape_is_right = match fault {
                Fault::Reset { .. } => matches!(verdict, Verdict::Reset),
                Fault::Hang { .. } => matches!(verdict, Verdict::Hang),
                Fault::Truncate { .. } => {
                    matches!(&verdict, Verdict::Truncate { response, keep } if *keep < response.body().len())
                }
                Fault::Drip { .. } => matches!(verdict, Verdict::Drip { chunk: 8, .. }),
                Fault::BigBody { .. } => verdict.response().unwrap().body().len() == 100_000,
                _ => matches!(verdict, Verdict::Respond(_)),
            };
            assert!(shape_is_right, "{fault:?} gave {verdict:?}");
            assert!(
                matches!(insert(&stage), Verdict::Respond(response) if response.status() == if count == 1 { 409 } else { 200 })
            );
        }
    }
}

#[test]
fn error_statuses_carry_googles_bodies() {
    let stage = Stage::new();
    let status = |status, reason: Option<&str>, retry_after_seconds| Fault::Status {
        when: When::Before,
        status,
        reason: reason.map(str::to_owned),
        retry_after_seconds,
        domain: None,
        message: None,
    };
    for (fault, domain, reason, message) in [
        (status(429, None, Some(7)), "usageLimits", "rateLimitExceeded", "Rate Limit Exceeded"),
        (status(403, None, None), "usageLimits", "rateLimitExceeded", "Rate Limit Exceeded"),
        (
            status(403, Some("userRateLimitExceeded"), None),
            "usageLimits",
            "userRateLimitExceeded",
            "User Rate Limit Exceeded",
        ),
        (status(403, Some("quotaExceeded"), None), "usageLimits", "quotaExceeded", "Calendar usage limits exceeded."),
        (status(409, Some("conflict"), None), "global", "conflict", "Conflict"),
        (status(500, None, None), "global", "backendError", "Backend Error"),
        (status(503, None, None), "global", "backendError", "Backend Error"),
    ] {
        stage.fault("events.list", fault);
        let reply = stage.list("");
        let error = &reply.body["error"]["errors"][0];
        assert_eq!(
            (&error["domain"], &error["reason"], &error["message"]),
            (&json!(domain), &json!(reason), &json!(message))
        );
        assert_eq!(reply.body["error"]["code"], reply.status);
        assert_eq!(reply.head.contains_key("retry-after"), reply.status == 429);
    }
}

#[test]
fn a_dropped_write_is_told_as_made_and_is_not_there() {
    let stage = Stage::new();
    stage.fault("events.insert", Fault::Drop);
    let reply = stage.insert(&class(json!({ "id": "class001" })));
    assert_eq!((reply.status, &reply.body["summary"]), (200, &json!("Algebra")));
    assert_eq!(stage.get("class001").status, 404);
    assert!(!stage.google.requests()[0].committed);

    let etag = stage.insert(&class(json!({ "id": "class001" }))).etag();
    stage.fault("events.patch", Fault::Drop);
    assert_eq!(stage.patch("class001", None, &json!({ "summary": "x" })).body["summary"], "x");
    assert_eq!(stage.get("class001").etag(), etag);
    stage.fault("events.delete", Fault::Drop);
    assert_eq!(stage.delete("class001", None).status, 204);
    assert_eq!(live(&stage), 1);
}

#[test]
fn corrupt_content_is_stored_behind_a_good_reply_and_can_be_repaired_by_its_etag() {
    let stage = Stage::new();
    stage.fault("events.insert", Fault::Corrupt { fields: None });
    let reply = stage.insert(&class(json!({ "id": "class001" })));
    assert_eq!(reply.body["summary"], "Algebra");
    assert_eq!(stage.get("class001").body["summary"], "#arbeglA#");
    let fields = Some(object(json!({ "location": "Nowhere", "description": null })));
    stage.fault("events.patch", Fault::Corrupt { fields });
    let patched = stage.patch("class001", Some(&reply.etag()), &json!({ "summary": "Algebra" }));
    assert_eq!(patched.status, 200);
    assert_eq!(stage.get("class001").body["location"], "Nowhere");
}

#[tokio::test(start_paused = true)]
async fn a_delayed_event_is_seen_by_nobody_but_holds_its_id() {
    let stage = Stage::new();
    stage.fault("events.insert", Fault::DelayedVisibility { ms: 500 });
    assert_eq!(stage.insert(&class(json!({ "id": "class001" }))).status, 200);
    for _ in 0..2 {
        assert_eq!(stage.get("class001").status, 404);
        assert_eq!(stage.list("").body["items"], json!([]));
        assert_eq!(stage.delete("class001", None).status, 404);
        assert_eq!(stage.insert(&class(json!({ "id": "class001" }))).status, 409);
        advance(Duration::from_millis(249)).await;
    }
    advance(Duration::from_millis(2)).await;
    assert_eq!(stage.get("class001").status, 200);
}

#[tokio::test(start_paused = true)]
async fn stale_reads_show_the_state_before_the_write() {
    let stage = Stage::new();
    let etag = stage.insert(&class(json!({ "id": "class001" }))).etag();
    stage.fault("events.patch", Fault::Stale { ms: 500 });
    let new = stage.patch("class001", None, &json!({ "summary": "New" })).etag();
    assert_eq!(stage.get("class001").etag(), etag);
    assert_eq!(stage.list("").body["items"][0]["summary"], "Algebra");
    assert_eq!(stage.patch("class001", Some(&etag), &json!({ "summary": "x" })).status, 412, "writers see the truth");
    advance(Duration::from_millis(500)).await;
    assert_eq!(stage.get("class001").etag(), new);
    stage.fault("events.get", Fault::Stale { ms: 100 });
    assert_eq!(stage.get("class001").etag(), etag);
    advance(Duration::from_millis(100)).await;
    assert_eq!(stage.get("class001").etag(), new);
}

#[test]
fn a_transient_412_changes_nothing() {
    let stage = Stage::new();
    let etag = stage.insert(&class(json!({ "id": "class001" }))).etag();
    stage.fault("events.*", Fault::Precondition);
    assert_eq!(stage.patch("class001", Some(&etag), &json!({ "summary": "x" })).status, 412);
    assert_eq!(stage.patch("class001", Some(&etag), &json!({ "summary": "x" })).status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_late_write_lands_when_it_is_due_and_is_checked_then() {
    let stage = Stage::new();
    stage.fault("events.insert", Fault::Late { after_ms: Some(3000) });
    assert!(matches!(insert(&stage), Verdict::Hang));
    advance(Duration::from_millis(2999)).await;
    assert_eq!((live(&stage), stage.google.counts().held), (0, 1));
    assert!(!stage.google.requests()[0].committed);
    advance(Duration::from_millis(1)).await;
    assert_eq!((live(&stage), stage.google.counts().held), (1, 0));
    let record = stage.google.requests().remove(0);
    assert_eq!((record.committed, record.status), (true, Some(200)));

    let etag = stage.get("class001").etag();
    stage.fault("events.patch", Fault::Late { after_ms: None });
    assert!(matches!(
        stage.verdict(Method::PATCH, "/class001", Some(&etag), &json!({ "summary": "late" })),
        Verdict::Hang
    ));
    stage.patch("class001", None, &json!({ "summary": "first" }));
    assert_eq!(stage.google.release(), 1);
    assert_eq!(stage.get("class001").body["summary"], "first");
    let refused = stage.google.requests().into_iter().find(|record| record.fault.as_deref() == Some("late")).unwrap();
    assert_eq!((refused.committed, refused.status), (true, Some(200)), "the first late one");
    let second = stage.google.requests().into_iter().rfind(|record| record.fault.as_deref() == Some("late")).unwrap();
    assert_eq!((second.committed, second.status), (false, Some(412)));
}

#[tokio::test(start_paused = true)]
async fn a_late_insert_meets_the_id_that_was_taken_meanwhile() {
    let stage = Stage::new();
    stage.fault("events.insert", Fault::Late { after_ms: Some(100) });
    assert!(matches!(insert(&stage), Verdict::Hang));
    stage.insert(&class(json!({ "id": "class001", "summary": "Fence" })));
    stage.delete("class001", None);
    advance(Duration::from_millis(100)).await;
    stage.google.settle_due();
    assert_eq!(live(&stage), 0);
    assert_eq!(stage.google.requests()[0].status, Some(409));
}

#[tokio::test(start_paused = true)]
async fn latency_delays_replies_and_not_commits() {
    let stage = Stage::new();
    stage.fault("events.insert", Fault::Latency { ms: 700 });
    let verdict = insert(&stage);
    assert_eq!(live(&stage), 1);
    assert!(matches!(&verdict, Verdict::Delay { by, .. } if *by == Duration::from_millis(700)));
    assert_eq!(verdict.response().unwrap().status(), 200);

    stage.google.set_latency(Duration::from_millis(80));
    let start = tokio::time::Instant::now();
    let verdict = stage.google.deliver(stage.request(Method::GET, "/class001", None, &Value::Null)).await;
    assert_eq!(start.elapsed(), Duration::from_millis(40));
    assert!(matches!(verdict, Verdict::Delay { by, .. } if by == Duration::from_millis(40)));
}

#[test]
fn token_faults_keep_grants_alive_and_rotation_kills_the_old_one() {
    let stage = Stage::new();
    let form = |token: &str| {
        let token = token.replace('/', "%2F");
        format!(
            "grant_type=refresh_token&client_id=emulator-client-id&client_secret=emulator-client-secret&refresh_token={token}"
        )
    };
    let old = stage.owner.refresh_token.clone();
    stage.fault("oauth.token", Fault::InvalidGrant);
    assert_eq!(stage.token(&form(&old)).body["error"], "invalid_grant");
    let dead = Fault::Status {
        when: When::Before,
        status: 503,
        reason: Some("invalid_grant".into()),
        retry_after_seconds: None,
        domain: None,
        message: None,
    };
    stage.fault("oauth.token", dead);
    let reply = stage.token(&form(&old));
    assert_eq!((reply.status, &reply.body["error"]), (503, &json!("invalid_grant")));
    stage.fault("oauth.*", Fault::Rotate);
    let rotated = stage.token(&form(&old)).body["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(stage.token(&form(&old)).status, 400);
    assert_eq!(stage.token(&form(&rotated)).status, 200);
    let outcomes: Vec<_> = stage.google.token_requests().into_iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, ["invalidGrant", "status 503 before", "rotated", "invalid_grant", "ok"]);
}

#[test]
fn wrong_rules_are_refused_with_the_reason() {
    let google = Emulator::default();
    assert!(google.fault(Rule::always("events.inserts", Fault::Drop)).is_err());
    assert!(google.fault(Rule::nth("events.insert", 0, Fault::Drop)).is_err());
    let profile = |rate, kind: &str| Profile { seed: 1, rate, operations: None, kinds: Some(vec![kind.into()]) };
    assert!(google.profile(Some(profile(1.5, "reset"))).is_err());
    assert!(google.profile(Some(profile(0.5, "resets"))).is_err());
    assert!(google.profile(Some(profile(0.5, "status"))).is_ok());
    let parsed: Rule =
        serde_json::from_value(json!({ "operation": "*", "every": 2, "fault": { "kind": "truncate" } })).unwrap();
    assert_eq!(parsed.fault, Fault::truncate());
    for bad in [
        json!({ "operation": "*", "fault": { "kind": "truncated" } }),
        json!({ "operation": "*", "fault": { "kind": "reset", "wen": "after" } }),
        json!({ "operation": "*", "nht": 1, "fault": { "kind": "reset" } }),
        json!({ "operation": "*", "match": { "event": "x" }, "fault": { "kind": "reset" } }),
    ] {
        assert!(serde_json::from_value::<Rule>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let run = || {
        let google = Emulator::new(Options { seed: 11, ..Options::default() });
        google.add_user(NewUser { email: "a@x.test".into(), ..NewUser::default() }).unwrap().access_token
    };
    assert_eq!(run(), run());
}

/// Whatever goes wrong, the log and the events tell one story: each committed write is one state of its event.
#[tokio::test(start_paused = true)]
async fn under_seeded_faults_every_committed_write_is_one_state_of_its_event() {
    let stage = Stage::new();
    stage.google.profile(Some(Profile { seed: 5, rate: 0.6, operations: None, kinds: None })).unwrap();
    for step in 0..1500_u32 {
        let id = format!("class{:02}", step * 7 % 40);
        let etag = stage.google.events(CALENDAR).into_iter().find(|event| event["id"] == id);
        let etag = etag.and_then(|event| event["etag"].as_str().map(str::to_owned)).filter(|_| step % 3 == 0);
        let tail = format!("/{id}?sendUpdates=all");
        let guests = json!([{ "email": format!("g{}@x.test", step % 4) }]);
        let (method, tail, body) = match step % 6 {
            0 | 1 => (Method::POST, String::new(), class(json!({ "id": id, "attendees": guests }))),
            2 => (Method::PATCH, tail, json!({ "summary": format!("s{step}"), "attendees": guests })),
            3 => (Method::PUT, tail, class(json!({ "summary": format!("s{step}") }))),
            4 => (Method::GET, tail, Value::Null),
            _ => (Method::DELETE, if step % 4 == 1 { tail } else { "/nothing".to_owned() }, Value::Null),
        };
        let _whatever_comes = stage.verdict(method, &tail, etag.as_deref(), &body);
        advance(Duration::from_millis(20)).await;
    }
    stage.google.release();
    let requests = stage.google.requests();
    assert!(requests.iter().filter(|record| record.fault.is_some()).count() > 500);
    let events = stage.google.events(CALENDAR);
    assert!(events.len() > 30);
    for event in events {
        let id = event["id"].as_str().unwrap();
        let committed =
            requests.iter().filter(|record| record.event_id.as_deref() == Some(id) && record.committed).count();
        assert_eq!(stage.google.history(CALENDAR, id).len(), committed, "{id}");
    }
}
