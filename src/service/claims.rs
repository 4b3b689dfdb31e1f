//! The idempotency of HTTP requests, as the Express middleware uses it: begin, then finish or release.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use serde::{Deserialize, Serialize};

use super::Service;
use super::reader::Reader;
use crate::model::{CalendarError, Code, Outcome};
use crate::store::{Answer, Asked, Begun, Change, HeldClaim, IdempotencyClaims};

/// What the store may take to say whether a request may run: a client waits for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same for an answer to be stored: it is worth more, for its request was run.
const PATIENCE_AFTER: Duration = Duration::from_secs(5);
/// The longest key, scope and route, in bytes.
const TEXT_AT_MOST: usize = 4 * 1024;
/// The largest answer that is kept, in bytes of its JSON text.
const ANSWER_AT_MOST: usize = 16 * 1024 * 1024;

/// The claims of a service, and the requests at work under them.
pub(super) struct Desk {
    claims: IdempotencyClaims,
    at_work: DashMap<u32, Arc<HeldClaim>>,
    next: std::sync::atomic::AtomicU32,
}

impl Desk {
    pub(super) fn new(claims: IdempotencyClaims) -> Self {
        Self { claims, at_work: DashMap::new(), next: std::sync::atomic::AtomicU32::new(1) }
    }

    fn keep(&self, held: Arc<HeldClaim>) -> u32 {
        loop {
            let id = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if id != 0 && !self.at_work.contains_key(&id) {
                self.at_work.insert(id, held);
                return id;
            }
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Told {
    Run {
        id: u32,
    },
    #[serde(rename_all = "camelCase")]
    Running {
        retry_after_ms: u64,
    },
    Done(Answer),
    Mismatch,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finish {
    #[serde(flatten)]
    answer: Answer,
    ttl_ms: Option<f64>,
}

impl Service {
    /// Begins a request: `{ scope, route, key, fingerprint, leaseMs?, ttlMs?, timeoutMs? }` -> `{ state: 'run', id }`,
    /// `{ state: 'running', retryAfterMs }`, `{ state: 'done', status, headers, body, encoding }` or
    /// `{ state: 'mismatch' }`.
    ///
    /// # Errors
    /// `VALIDATION_FAILED`; `STORE_UNAVAILABLE`: nothing is known, and nothing may run.
    pub async fn claim_begin(&self, text: &str) -> Result<String, CalendarError> {
        let config = self.config();
        let mut top = Reader::arguments(text)?;
        let [scope, route, key] = ["scope", "route", "key"].map(|name| bounded(&mut top, name));
        let (scope, route, key) = (scope?, route?, key?);
        let fingerprint = top.string("fingerprint")?.unwrap_or_default();
        let lease = top.millis("leaseMs", 1000.0)?.unwrap_or(config.lease);
        top.millis("ttlMs", 0.0)?;
        let left = top.millis("timeoutMs", 1.0)?.unwrap_or(PATIENCE.min(config.timeout));
        top.finish()?;
        let desk = &self.shared.desk;
        let asked = Asked { scope: &scope, route: &route, key: &key, fingerprint: &fingerprint };
        let told = match desk.claims.begin(asked, lease, left).await? {
            Begun::Run(held) => Told::Run { id: desk.keep(held) },
            Begun::Running { retry_after } => {
                self.shared.metrics.request_repeated(false);
                Told::Running { retry_after_ms: crate::clock::millis(retry_after) }
            }
            Begun::Done(answer) => {
                self.shared.metrics.request_repeated(true);
                Told::Done(answer)
            }
            Begun::Mismatch => Told::Mismatch,
        };
        Ok(super::to_text(&told))
    }

    /// Stores a request's answer: `{ status, headers, body, encoding, ttlMs? }` -> `applied`, `refused` (another process
    /// took the key; the answer is not kept) or `unknown`.
    ///
    /// # Errors
    /// `VALIDATION_FAILED`: the answer is too large or no answer; the claim still runs, and can be released.
    pub async fn claim_finish(&self, id: u32, text: &str) -> Result<&'static str, CalendarError> {
        if text.len() > ANSWER_AT_MOST {
            return Err(CalendarError::validation("answer", "must be at most 16 MiB of JSON text"));
        }
        let finish: Finish = serde_json::from_str(text).map_err(|_| {
            CalendarError::validation("answer", "must have status, headers, body and encoding ('utf8' or 'base64')")
        })?;
        let ttl = match finish.ttl_ms.map(|ms| Duration::try_from_secs_f64(ms / 1000.0)) {
            None => self.config().idempotency_ttl,
            Some(Ok(ttl)) => ttl,
            Some(Err(_)) => return Err(CalendarError::validation("ttlMs", "must be a number of milliseconds from 0")),
        };
        // Whatever comes of it, the handle goes: a lease that nobody finishes must run out.
        let held = self.taken(id)?;
        Ok(match held.finish(finish.answer, ttl, PATIENCE_AFTER).await {
            Change::Applied => "applied",
            Change::Refused => "refused",
            Change::Unknown => "unknown",
        })
    }

    /// Gives a request's key back: its handler failed, or its answer is not to be kept. An id that is not at work is
    /// fine.
    pub async fn claim_release(&self, id: u32) {
        if let Ok(held) = self.taken(id) {
            held.release(PATIENCE_AFTER).await;
        }
    }

    /// Forgets every stored answer and running request, in all processes within a second.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`: it may or may not be done; call again.
    pub async fn clear_idempotency(&self) -> Result<(), CalendarError> {
        self.shared.desk.claims.clear(PATIENCE_AFTER).await
    }

    fn taken(&self, id: u32) -> Result<Arc<HeldClaim>, CalendarError> {
        self.shared.desk.at_work.remove(&id).map(|(_, held)| held).ok_or_else(|| {
            let message = "No request with this claim is at work here: it was finished or released before.";
            CalendarError::new(Code::ValidationFailed, Outcome::NotSent, message)
        })
    }
}

fn bounded(top: &mut Reader, name: &str) -> Result<String, CalendarError> {
    let text = top.string(name)?.filter(|text| (1..=TEXT_AT_MOST).contains(&text.len()));
    text.ok_or_else(|| top.fault(name, "must be text of 1 to 4096 bytes"))
}
