//! Is this process fit for traffic? For readiness probes; it sends nothing to Google.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use super::Service;
use super::tokens::Reached;
use crate::clock::millis;

/// What the store may take; a probe's own patience is often a second.
const PATIENCE: Duration = Duration::from_millis(800);
/// Read to see whether the store answers. Nothing is ever written there.
const PROBE: &str = "health";
/// Clean-up that is open longer than this is stuck, and somebody should look.
const STUCK: Duration = Duration::from_mins(10);

/// How fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Calls are answered; some are slower or fail.
    Degraded,
    /// No call can succeed here.
    Down,
}

/// What `health()` resolves to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Send traffic here: the status is not [`Status::Down`].
    pub ready: bool,
    /// The worst of what follows.
    pub status: Status,
    /// `close()` was called.
    pub closed: bool,
    /// Where claims and journal live.
    pub store: StoreHealth,
    /// Where access tokens are renewed, as the last renewal found it.
    pub token_endpoint: EndpointHealth,
    /// Writes and clean-up that are not settled.
    pub open_work: OpenHealth,
    /// Retries are allowed: no outage of Google's.
    pub budget: BudgetHealth,
    /// Calls at work.
    pub in_flight: InFlight,
}

/// See [`Health`].
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreHealth {
    /// It answered.
    pub ok: bool,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// See [`Health`].
#[derive(Debug, Clone, Serialize)]
pub struct EndpointHealth {
    /// It did not fail just now.
    pub ok: bool,
    /// `up`, `down`, or `unknown` where it was not asked in the last minute.
    pub state: &'static str,
}

/// See [`Health`].
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenHealth {
    /// Nothing is open for more than ten minutes.
    pub ok: bool,
    /// How much is open.
    pub count: usize,
    /// Clean-ups that go on after their call was answered.
    pub clean_ups: usize,
    /// How long the oldest of them is open.
    pub oldest_ms: Option<u64>,
}

/// See [`Health`].
#[derive(Debug, Clone, Serialize)]
pub struct BudgetHealth {
    /// Not more than 60 % of the last 10 s' exchanges failed.
    pub ok: bool,
}

/// See [`Health`].
#[derive(Debug, Clone, Serialize)]
pub struct InFlight {
    /// There is a free seat.
    pub ok: bool,
    /// Calls at work.
    pub count: usize,
    /// `limits.maxInFlight`.
    pub limit: usize,
}

impl Service {
    /// See the module. Answers within a second.
    pub async fn health(&self) -> Health {
        let shared = &self.shared;
        let started = shared.clock.now();
        let store = matches!(timeout(PATIENCE, shared.store.get(PROBE)).await, Ok(Ok(_)));
        let store = StoreHealth { ok: store, elapsed_ms: millis(shared.clock.now() - started) };
        let reached = shared.keyring.tally.reached(shared.clock.now());
        let token_endpoint = EndpointHealth { ok: reached != Reached::Down, state: reached.name() };
        let since = shared.background.oldest().await;
        let oldest_ms = since.map(|since| shared.clock.wall_ms().saturating_sub(since));
        let open_work = OpenHealth {
            ok: oldest_ms.is_none_or(|age| age < millis(STUCK)),
            count: self.open_work(),
            clean_ups: shared.background.count(),
            oldest_ms,
        };
        let budget = BudgetHealth { ok: shared.cx.calendar.sender.may_retry() };
        let (count, limit) = (shared.seats.taken(), self.config().max_in_flight as usize);
        let in_flight = InFlight { ok: count < limit, count, limit };
        let closed = shared.closing.load(Ordering::Acquire);
        let status = if closed || !store.ok {
            Status::Down
        } else if token_endpoint.ok && open_work.ok && budget.ok && in_flight.ok {
            Status::Ok
        } else {
            Status::Degraded
        };
        Health { ready: status != Status::Down, status, closed, store, token_endpoint, open_work, budget, in_flight }
    }
}
