//! Idempotency keys of HTTP requests, with whatever stands in their headers, and answers as handlers gave them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use surecal::service::to_text;
use surecal::store::{Answer, Asked, Begun, Change, IdempotencyClaims, MemoryStore};

use super::service::{clock, paused};
use super::{first_line, text};

const LEASE: Duration = Duration::from_secs(30);
const LEFT: Duration = Duration::from_secs(2);

static NONCE: AtomicU64 = AtomicU64::new(0);

/// The input is two requests (scope, route, key and fingerprint, a line each) and the first one's answer, as JSON. The
/// first runs, and is given its own answer again, byte for byte. The other hears of it only if scope, route and key are the
/// same, and gets it only if the fingerprint is, too.
pub fn claim(data: &[u8]) {
    let Some(mut rest) = text(data) else { return };
    let mut line = || {
        let (line, more) = first_line(rest);
        rest = more;
        line
    };
    let [first, second] = [(); 2].map(|()| [(); 4].map(|()| line()));
    let Ok(answer) = serde_json::from_str::<Answer>(rest) else { return };
    paused().block_on(async {
        let store = Arc::new(MemoryStore::new(clock()));
        let nonce = || NONCE.fetch_add(1, Ordering::Relaxed).into();
        let claims = IdempotencyClaims::new(store, clock(), nonce);
        is_its_own(&claims, first, second, answer).await;
    });
}

fn asked(request: [&str; 4]) -> Asked<'_> {
    let [scope, route, key, fingerprint] = request;
    Asked { scope, route, key, fingerprint }
}

async fn is_its_own(claims: &IdempotencyClaims, first: [&str; 4], second: [&str; 4], answer: Answer) {
    let Ok(Begun::Run(held)) = claims.begin(asked(first), LEASE, LEFT).await else { panic!("a new key does not run") };
    let told = claims.begin(asked(second), LEASE, LEFT).await;
    match (first[..3] == second[..3], first[3] == second[3]) {
        (true, true) => assert!(matches!(told, Ok(Begun::Running { .. })), "two run under one key"),
        (true, false) => assert!(matches!(told, Ok(Begun::Mismatch)), "another request was taken for the first"),
        (false, _) => assert!(matches!(told, Ok(Begun::Run(_))), "another key waits for the first"),
    }
    assert_eq!(held.finish(answer.clone(), Duration::from_mins(1), LEFT).await, Change::Applied);
    let Ok(Begun::Done(again)) = claims.begin(asked(first), LEASE, LEFT).await else { panic!("an answer was lost") };
    assert_eq!(to_text(&again), to_text(&answer));
    let told = claims.begin(asked(second), LEASE, LEFT).await;
    assert_eq!(matches!(told, Ok(Begun::Done(_))), first == second, "an answer was given to another request");
}
