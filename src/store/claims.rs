//! Idempotency claims: of the requests with one key, one runs, and the others hear what became of it.
//!
//! Per (scope, route, key): free -> running (leased to a process) -> done (the answer). Every step is a compare-and-set;
//! the version is the fencing token, so a process that was taken for dead can't write any more. A lease is renewed while
//! its handle lives, and lost with the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Quick, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::lane::KeyLanes;
use super::ledger::Ledger;
use super::{Change, Expected, Keep, Record, Store, Version};
use crate::clock::{Clock, millis};
use crate::model::ids::store_key;
use crate::model::{CalendarError, Code, Outcome};

/// Every value stays at least this long, whatever it says of itself: longer than any put can be late.
const KEPT_AT_LEAST: Duration = Duration::from_hours(1);
/// A handler that runs longer than this is taken for lost: its lease is renewed no more.
const RUNS_AT_MOST: Duration = Duration::from_hours(1);
/// How often the generation of all claims is read again.
const GENERATION_READ: Duration = Duration::from_secs(1);
/// Gaps between tries to win a compare-and-set against other processes, at random up to this and doubling.
const FIRST_GAP: Duration = Duration::from_millis(5);
const LAST_GAP: Duration = Duration::from_millis(200);
/// When to ask again about a running request, at most.
const ASK_AGAIN_AT_MOST: Duration = Duration::from_secs(5);

/// An answer as it was given, to be given again byte for byte.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The headers worth repeating, in their order.
    pub headers: serde_json::Map<String, serde_json::Value>,
    /// The body: text, or base64 of bytes that are no UTF-8.
    pub body: String,
    /// `utf8` or `base64`.
    pub encoding: Encoding,
}

/// How a body is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As it is.
    #[default]
    Utf8,
    /// Base64.
    Base64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
enum State {
    /// Nobody's: the handler failed, or the answer was not to be kept.
    Free,
    #[serde(rename_all = "camelCase")]
    Running { print: String, lease_until: u64 },
    #[serde(rename_all = "camelCase")]
    Done { print: String, until: u64, answer: Answer },
}

/// What a request is to do.
pub enum Begun {
    /// Run: the claim is its own.
    Run(Arc<HeldClaim>),
    /// Wait: another one with this key runs.
    Running {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Give this answer.
    Done(Answer),
    /// Refuse: the key belongs to another request.
    Mismatch,
}

/// Who asks for what. None of it reaches the store but as a hash.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Whose key it is: the same key of another user is another key.
    pub scope: &'a str,
    /// Method and route.
    pub route: &'a str,
    /// The client's key.
    pub key: &'a str,
    /// What the request says: another one under the same key is a mistake.
    pub fingerprint: &'a str,
}

/// All claims on one store.
#[derive(Clone)]
pub struct IdempotencyClaims {
    ledger: Ledger,
    lanes: KeyLanes,
    generation: Arc<Quick<Option<(Instant, u64)>>>,
}

impl IdempotencyClaims {
    /// Claims on `store`; `random` gives 128 random bits.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock, random: fn() -> u128) -> Self {
        Self { ledger: Ledger::new(store, clock, random), lanes: KeyLanes::default(), generation: Arc::default() }
    }

    /// Claims a key for a request, or tells what became of the one that has it. Settles within `left`.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`: nothing is known, and nothing may run.
    pub async fn begin(&self, asked: Asked<'_>, lease: Duration, left: Duration) -> Result<Begun, CalendarError> {
        timeout(left, self.try_begin(asked, lease, left)).await.unwrap_or_else(|_| Err(unavailable()))
    }

    async fn try_begin(&self, asked: Asked<'_>, lease: Duration, left: Duration) -> Result<Begun, CalendarError> {
        let ends = self.ledger.clock.now() + left;
        let left = || ends.saturating_duration_since(self.ledger.clock.now());
        let generation = self.generation(left()).await?;
        let name = store_key("claim", &[&generation.to_string(), asked.scope, asked.route, asked.key]);
        let print = store_key("print", &[asked.fingerprint]);
        let _lane = self.lanes.enter(&name).await;
        let mut gap = FIRST_GAP;
        loop {
            let there = self.ledger.get(&name, left()).await.map_err(|_| unavailable())?;
            let expected = match self.judge(there, &print) {
                Judged::Taken(begun) => return Ok(begun),
                Judged::Free(expected) => expected,
            };
            let lease_until = self.ledger.clock.wall_ms().saturating_add(millis(lease));
            let state = State::Running { print: print.clone(), lease_until };
            let keep = keep(lease);
            match self.ledger.put(&name, text(&state)?, expected, keep, left()).await {
                (Change::Applied, version) => {
                    return Ok(Begun::Run(HeldClaim::keep(self.clone(), name, print, lease, version)));
                }
                // Should it land later, it holds the key for a lease and no longer: nobody runs on it.
                (Change::Unknown, _) => return Err(unavailable()),
                (Change::Refused, _) => {
                    sleep(gap.mul_f64(rand::random())).await;
                    gap = (gap * 2).min(LAST_GAP);
                }
            }
        }
    }

    fn judge(&self, there: Option<Record>, print: &str) -> Judged {
        let Some(record) = there else { return Judged::Free(Expected::Absent) };
        let now = self.ledger.clock.wall_ms();
        let free = Judged::Free(Expected::Version(record.version));
        match serde_json::from_str(&record.value) {
            Ok(State::Running { lease_until, .. }) if lease_until <= now => free,
            Ok(State::Done { until, .. }) if until <= now => free,
            Ok(State::Running { print: other, .. } | State::Done { print: other, .. }) if other != print => {
                Judged::Taken(Begun::Mismatch)
            }
            Ok(State::Running { lease_until, .. }) => {
                let retry_after = Duration::from_millis(lease_until - now).min(ASK_AGAIN_AT_MOST);
                Judged::Taken(Begun::Running { retry_after })
            }
            Ok(State::Done { answer, .. }) => Judged::Taken(Begun::Done(answer)),
            Ok(State::Free) | Err(_) => free,
        }
    }

    /// Forgets every claim and answer: all names change. Nothing is deleted, so no late put can bring one back.
    pub async fn clear(&self, left: Duration) -> Result<(), CalendarError> {
        let name = generation_key();
        let ends = self.ledger.clock.now() + left;
        let left = || ends.saturating_duration_since(self.ledger.clock.now());
        let _lane = self.lanes.enter(&name).await;
        loop {
            let there = self.ledger.get(&name, left()).await.map_err(|_| unavailable())?;
            let next = generation_of(there.as_ref()) + 1;
            let expected = there.map_or(Expected::Absent, |record| Expected::Version(record.version));
            match self.ledger.put(&name, next.to_string(), expected, Keep::Open, left()).await {
                (Change::Applied, _) => {
                    self.remember(next);
                    return Ok(());
                }
                (Change::Unknown, _) => return Err(unavailable()),
                (Change::Refused, _) if left().is_zero() => return Err(unavailable()),
                (Change::Refused, _) => sleep(LAST_GAP.mul_f64(rand::random())).await,
            }
        }
    }

    /// The generation of all claims, at most a second old: what another process clears is cleared here soon after.
    async fn generation(&self, left: Duration) -> Result<u64, CalendarError> {
        let known = *self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, generation)) = known
            && self.ledger.clock.now() - read < GENERATION_READ
        {
            return Ok(generation);
        }
        let there = self.ledger.get(&generation_key(), left).await.map_err(|_| unavailable())?;
        let generation = generation_of(there.as_ref());
        self.remember(generation);
        Ok(generation)
    }

    fn remember(&self, generation: u64) {
        let mut known = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        // A read that was under way while this process cleared must not bring the old one back.
        let newest = known.map_or(generation, |(_, known)| known.max(generation));
        *known = Some((self.ledger.clock.now(), newest));
    }
}

enum Judged {
    Free(Expected),
    Taken(Begun),
}

fn generation_key() -> String {
    store_key("claims", &[])
}

fn generation_of(record: Option<&Record>) -> u64 {
    record.and_then(|record| record.value.parse().ok()).unwrap_or(0)
}

fn keep(at_least: Duration) -> Keep {
    Keep::For(at_least.max(KEPT_AT_LEAST))
}

fn text(state: &State) -> Result<String, CalendarError> {
    serde_json::to_string(state)
        .map_err(|_| CalendarError::internal(Outcome::NotSent, "a claim could not be written as JSON"))
}

fn unavailable() -> CalendarError {
    CalendarError::new(
        Code::StoreUnavailable,
        Outcome::NotSent,
        "The store of idempotency keys did not answer. The request was not run; send it again when the store is back.",
    )
}

/// A key that this process runs a request for. Its lease is renewed until it is finished, released or dropped.
pub struct HeldClaim {
    claims: IdempotencyClaims,
    name: String,
    print: String,
    token: Mutex<Token>,
    /// Finished, released, or another process's.
    over: AtomicBool,
}

/// The fencing token.
struct Token {
    known: Version,
    /// Puts of ours that nobody confirmed: one of them may be what is there.
    in_doubt: Vec<Version>,
}

impl HeldClaim {
    fn keep(claims: IdempotencyClaims, name: String, print: String, lease: Duration, version: Version) -> Arc<Self> {
        let gives_up = claims.ledger.clock.now() + RUNS_AT_MOST;
        let token = Mutex::new(Token { known: version, in_doubt: Vec::new() });
        let held = Arc::new(Self { claims, name, print, token, over: AtomicBool::new(false) });
        let weak = Arc::downgrade(&held);
        tokio::spawn(async move {
            loop {
                sleep(lease / 3).await;
                let Some(held) = weak.upgrade() else { return };
                let ledger = &held.claims.ledger;
                if held.over.load(Ordering::Acquire) || ledger.clock.now() >= gives_up {
                    return;
                }
                let lease_until = ledger.clock.wall_ms().saturating_add(millis(lease));
                let state = State::Running { print: held.print.clone(), lease_until };
                if held.put(&state, keep(lease), lease / 3, false).await == Change::Refused {
                    held.over.store(true, Ordering::Release);
                    return;
                }
            }
        });
        held
    }

    /// Stores the answer, for `ttl` (an hour at least in the store; told as free again after `ttl`). `Refused`: another
    /// process took the key, and this answer is not kept.
    pub async fn finish(&self, answer: Answer, ttl: Duration, left: Duration) -> Change {
        let until = self.claims.ledger.clock.wall_ms().saturating_add(millis(ttl));
        self.put(&State::Done { print: self.print.clone(), until, answer }, keep(ttl), left, true).await
    }

    /// The handler failed, or its answer is not to be kept: the key is free again at once.
    pub async fn release(&self, left: Duration) -> Change {
        self.put(&State::Free, keep(Duration::ZERO), left, true).await
    }

    /// One compare-and-set on the fencing token. A refusal by a put of our own that was in doubt is none.
    async fn put(&self, state: &State, keep: Keep, left: Duration, last: bool) -> Change {
        let ledger = &self.claims.ledger;
        let ends = ledger.clock.now() + left;
        let left = || ends.saturating_duration_since(ledger.clock.now());
        let Ok(mut token) = timeout(left(), self.token.lock()).await else { return Change::Unknown };
        if self.over.load(Ordering::Acquire) {
            return Change::Refused;
        }
        let Ok(value) = text(state) else { return Change::Unknown };
        loop {
            let expected = Expected::Version(token.known.clone());
            let (change, version) = ledger.put(&self.name, value.clone(), expected, keep, left()).await;
            match change {
                Change::Applied => {
                    *token = Token { known: version, in_doubt: Vec::new() };
                    self.over.store(last, Ordering::Release);
                    return change;
                }
                Change::Unknown => {
                    token.in_doubt.push(version);
                    return change;
                }
                Change::Refused => {
                    let Ok(there) = ledger.get(&self.name, left()).await else { return Change::Unknown };
                    let ours = there.map(|record| record.version).filter(|there| token.in_doubt.contains(there));
                    let Some(ours) = ours else { return Change::Refused };
                    token.in_doubt.retain(|version| *version != ours);
                    token.known = ours;
                }
            }
        }
    }
}
