//! The idempotency of requests as the facade asks for it, in JSON text.

use std::sync::Arc;

use serde_json::{Value, json};
use surecal::clock::Clock;
use surecal::model::Code;
use surecal::service::Service;
use surecal::store::{MemoryStore, Store};

use crate::program::{network, service};

fn one() -> Service {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Clock::system()));
    service(network("http://127.0.0.1:1"), store, Clock::system(), &json!({}))
}

fn claim(key: &str) -> Value {
    json!({ "scope": "u1", "route": "POST /classes", "key": key, "fingerprint": "f", "leaseMs": 30000, "ttlMs": 60000 })
}

async fn begin(service: &Service, claim: &Value) -> Value {
    serde_json::from_str(&service.claim_begin(&claim.to_string()).await.unwrap()).unwrap()
}

fn id(begun: &Value) -> u32 {
    assert_eq!(begun["state"], "run", "{begun}");
    u32::try_from(begun["id"].as_u64().unwrap()).unwrap()
}

#[tokio::test]
async fn a_request_runs_once_and_its_answer_is_told_again_as_it_was_given() {
    let service = one();
    let answer = json!({
        "status": 201,
        "headers": { "content-type": "image/png", "link": ["<a>", "<b>"] },
        "body": "iVBORw0KGgo=",
        "encoding": "base64",
    });
    let run = id(&begin(&service, &claim("k")).await);
    let running = begin(&service, &claim("k")).await;
    assert_eq!(running["state"], "running");
    assert!((1..=5000).contains(&running["retryAfterMs"].as_u64().unwrap()), "{running}");
    let other =
        begin(&service, &json!({ "scope": "u1", "route": "POST /classes", "key": "k", "fingerprint": "g" })).await;
    assert_eq!(other, json!({ "state": "mismatch" }));
    assert_eq!(service.claim_finish(run, &answer.to_string()).await.unwrap(), "applied");
    let mut told = begin(&service, &claim("k")).await;
    assert_eq!(told.as_object_mut().unwrap().remove("state").unwrap(), "done");
    assert_eq!(told, answer);
}

#[tokio::test]
async fn a_released_key_runs_again_and_a_claim_is_settled_once() {
    let service = one();
    let first = id(&begin(&service, &claim("k")).await);
    service.claim_release(first).await;
    service.claim_release(first).await;
    let second = id(&begin(&service, &claim("k")).await);
    let answer = json!({ "status": 204, "headers": {}, "body": "", "encoding": "utf8", "ttlMs": 1000 }).to_string();
    assert_eq!(service.claim_finish(first, &answer).await.unwrap_err().code, Code::ValidationFailed);
    assert_eq!(service.claim_finish(second, &answer).await.unwrap(), "applied");
    assert_eq!(service.claim_finish(second, &answer).await.unwrap_err().code, Code::ValidationFailed);
    service.clear_idempotency().await.unwrap();
    id(&begin(&service, &claim("k")).await);
}

#[tokio::test]
async fn what_is_no_claim_or_no_answer_is_refused_and_not_repeated() {
    let service = one();
    for wrong in [
        json!({}),
        json!({ "scope": "", "route": "r", "key": "k" }),
        json!({ "scope": "u1", "route": "r", "key": 7 }),
        json!({ "scope": "u1", "route": "r", "key": "secret".repeat(1000) }),
        json!({ "scope": "u1", "route": "r", "key": "k", "leaseMs": -1 }),
        json!({ "scope": "u1", "route": "r", "key": "k", "secret": 1 }),
    ] {
        let error = service.claim_begin(&wrong.to_string()).await.unwrap_err();
        assert_eq!(error.code, Code::ValidationFailed, "{wrong}");
        assert!(!error.message.contains("secretsecret"), "{}", error.message);
    }
    let run = id(&begin(&service, &claim("k")).await);
    for wrong in [
        json!({}),
        json!({ "status": 70000, "headers": {}, "body": "", "encoding": "utf8" }),
        json!({ "status": 200, "headers": {}, "body": "secret", "encoding": "latin1" }),
        json!({ "status": 200, "headers": {}, "body": "secret", "encoding": "utf8", "ttlMs": -1 }),
    ] {
        let error = service.claim_finish(run, &wrong.to_string()).await.unwrap_err();
        assert_eq!(error.code, Code::ValidationFailed, "{wrong}");
        assert!(!error.message.contains("secret"), "{}", error.message);
    }
    let good = json!({ "status": 200, "headers": {}, "body": "", "encoding": "utf8" }).to_string();
    assert_eq!(service.claim_finish(run, &good).await.unwrap(), "applied", "the claim was not lost by any of them");
}

#[tokio::test]
async fn the_configuration_names_a_store_or_is_told_what_is_wrong_with_it() {
    use surecal::service::{Foundation, Grants};
    let make = |store: &Value| {
        let foundation = Foundation {
            transport: Some(network("http://127.0.0.1:1")),
            store: None,
            clock: Clock::system(),
            listener: Arc::new(|_| {}),
            host: None,
            endpoint: None,
            grants: Grants::default(),
        };
        Service::new(&json!({ "store": store }).to_string(), foundation).map(drop)
    };
    let directory = crate::temporary::Directory::new();
    let path = directory.file("surecal.db");
    for right in [
        json!("memory"),
        json!(null),
        json!({ "sqlite": path }),
        json!({ "sqlite": path, "synchronous": "full" }),
        json!({ "redis": "redis://127.0.0.1:1" }),
        json!({ "redis": "rediss://user:s3cret@redis.example.com:6380/2", "prefix": "app:" }),
        json!({ "custom": true }),
    ] {
        assert!(make(&right).is_ok(), "{right}");
    }
    for wrong in [
        json!("disk"),
        json!(7),
        json!({}),
        json!({ "sqlite": "" }),
        json!({ "sqlite": ":memory:" }),
        json!({ "sqlite": "/no/s3cret/directory/surecal.db" }),
        json!({ "sqlite": path, "synchronous": "off" }),
        json!({ "sqlite": path, "redis": "redis://127.0.0.1:1" }),
        json!({ "sqlite": path, "prefix": "app:" }),
        json!({ "redis": "http://:s3cret@127.0.0.1" }),
        json!({ "redis": 7 }),
        json!({ "custom": false }),
    ] {
        let error = make(&wrong).err().unwrap_or_else(|| panic!("{wrong} was taken"));
        assert_eq!(error.code, Code::Configuration, "{wrong}");
        assert!(error.message.contains("store") && !error.message.contains("s3cret"), "{}", error.message);
    }
}
