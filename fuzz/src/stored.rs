//! What a store may hold under our names: records of another version, cut ones, somebody else's.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use surecal::google::BoxFuture;
use surecal::store::{Put, Record, Store, StoreFault, Version, Written};

use super::service::{OneAnswer, paused, serve, settled};
use super::{assert_error_is_silent, assert_silent, text};

/// Whatever is asked for, this stands there.
struct Always(String);

impl Always {
    fn record(&self) -> Record {
        Record { value: self.0.clone(), version: Version::from_bits(1) }
    }
}

impl Store for Always {
    fn get<'a>(&'a self, _key: &'a str) -> BoxFuture<'a, Result<Option<Record>, StoreFault>> {
        Box::pin(ready(Ok(Some(self.record()))))
    }

    fn put(&self, _put: Put) -> BoxFuture<'_, Result<Written, StoreFault>> {
        Box::pin(ready(Ok(Written::Applied)))
    }

    fn delete<'a>(&'a self, _key: &'a str, _expected: Version) -> BoxFuture<'a, Result<Written, StoreFault>> {
        Box::pin(ready(Ok(Written::Applied)))
    }

    fn open<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Record)>, StoreFault>> {
        Box::pin(ready(Ok(vec![(format!("{prefix}one"), self.record())])))
    }
}

/// What each method is called with: its name, its arguments, its data.
const CALLS: [[&str; 3]; 4] = [
    [
        "createEvent",
        r#"{"userId":"u1","auth":{"accessToken":"ya29.a"},"options":{"idempotencyKey":"key","timeoutMs":2000}}"#,
        r#"{"summary":"Algebra","start":{"date":"2027-03-01"},"end":{"date":"2027-03-02"}}"#,
    ],
    [
        "enroll",
        r#"{"userId":"u1","auth":{"accessToken":"ya29.a"},"options":{"idempotencyKey":"key","timeoutMs":2000}}"#,
        r#"{"events":[{"eventId":"someevent"}],"attendee":{"email":"ann@school.example"}}"#,
    ],
    [
        "removeAttendeeFromEvent",
        r#"{"userId":"u1","eventId":"someevent","auth":{"accessToken":"ya29.a"},"options":{"timeoutMs":2000}}"#,
        r#"{"email":"ann@school.example"}"#,
    ],
    ["idempotency", r#"{"scope":"u1","route":"POST /classes","key":"k","fingerprint":"f"}"#, ""],
];

/// The input is the value. Nothing panics or hangs, and no error and no list of open work repeats it.
pub fn stored(data: &[u8]) {
    let Some(text) = text(data) else { return };
    paused().block_on(async {
        let google = OneAnswer::new(404, None, r#"{"error":{"errors":[{"reason":"notFound"}],"code":404}}"#);
        let (service, clock) = serve(&google, Some(Arc::new(Always(text.to_owned()))));
        let began = clock.now();
        for [method, args, more] in CALLS {
            if let Some(Err(error)) = settled(&service, method, args, more).await {
                assert_error_is_silent(&error);
            }
        }
        for listed in [service.pending().await, service.recover().await] {
            match listed {
                Ok(_) => {}
                Err(error) => assert_error_is_silent(&error),
            }
        }
        assert_silent(&surecal::service::to_text(&service.metrics()));
        assert!(clock.now() - began < Duration::from_mins(5), "a record made a call hang");
    });
}
