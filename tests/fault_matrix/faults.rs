//! Every kind of fault, on each side of the commit where it has two.

use serde_json::json;
use surecal_emulator::{Fault, When};

fn throttled(seconds: u64) -> Fault {
    let (when, status, retry_after_seconds) = (When::Before, 429, Some(seconds));
    Fault::Status { when, status, reason: None, retry_after_seconds, domain: None, message: None }
}

/// All of them.
pub(crate) fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    for when in [When::Before, When::After] {
        faults.extend([Fault::Reset { when }, Fault::Hang { when }, Fault::Html { when }]);
        faults.extend([500, 503].map(|status| Fault::status_when(status, when)));
        faults.push(Fault::Truncate { when, keep_bytes: None });
        faults.push(Fault::Redirect { location: "https://elsewhere.test/".to_owned(), when });
    }
    faults.extend([400, 401, 404, 409, 410, 412, 429].map(Fault::status));
    faults.extend(["rateLimitExceeded", "quotaExceeded", "forbidden"].map(Fault::forbidden));
    faults.extend([throttled(1), throttled(60)]);
    faults.extend([
        Fault::drip(1, 64),
        Fault::drip(5_000, 64),
        Fault::Truncate { when: When::After, keep_bytes: Some(0) },
    ]);
    faults.push(Fault::BigBody { bytes: 256 * 1024, when: When::After });
    faults.push(Fault::Drop);
    faults.push(Fault::Corrupt { fields: None });
    for fields in [json!({ "attendees": null }), json!({ "start": { "dateTime": "2027-03-01T09:30:00Z" } })] {
        faults.push(Fault::Corrupt { fields: fields.as_object().cloned() });
    }
    for ms in [900, 8_000, 20_000] {
        faults.extend([Fault::DelayedVisibility { ms }, Fault::Stale { ms }, Fault::Latency { ms }]);
        faults.push(Fault::Late { after_ms: Some(ms) });
    }
    faults.extend([Fault::Late { after_ms: None }, Fault::Precondition, Fault::RefusedStream]);
    faults
}
