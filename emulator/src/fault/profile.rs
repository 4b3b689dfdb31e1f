//! Seeded faults: each exchange fails with some probability, in a way drawn from those its operation knows.

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use super::plan::Facts;
use super::{Fault, When};
use crate::operation::Operation;

/// How often what goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Same seed and same order of requests: same faults.
    pub seed: u64,
    /// Probability for each exchange, 0 to 1.
    pub rate: f64,
    /// Patterns of the operations concerned; all when absent.
    pub operations: Option<Vec<String>>,
    /// Kinds to draw from: those of a rule, and `status429`, `status403`, `status500`, `status503` (`status` is all
    /// four). When absent, all but `redirect`, `bigBody`, `latency`, `refusedStream`, `invalidGrant` and `rotate`.
    pub kinds: Option<Vec<String>>,
}

/// The kinds drawn from unless a profile names its own.
const USUAL: [&str; 15] = [
    "reset",
    "hang",
    "status429",
    "status403",
    "status500",
    "status503",
    "truncate",
    "html",
    "drip",
    "drop",
    "corrupt",
    "delayedVisibility",
    "stale",
    "precondition",
    "late",
];

/// The kinds to be named.
const UNUSUAL: [&str; 4] = ["latency", "refusedStream", "invalidGrant", "rotate"];

impl Profile {
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.rate) {
            return Err("rate lies between 0 and 1".to_owned());
        }
        if let Some(bad) = self.operations.iter().flatten().find(|pattern| !Operation::is_pattern(pattern)) {
            return Err(format!("operations: no operation is called {bad}"));
        }
        let known =
            |kind: &&String| *kind == "status" || USUAL.contains(&kind.as_str()) || UNUSUAL.contains(&kind.as_str());
        match self.kinds.iter().flatten().find(|kind| !known(kind)) {
            Some(bad) => Err(format!("kinds: no kind is called {bad}")),
            None => Ok(()),
        }
    }

    /// The fault this call meets, if any.
    pub(crate) fn draw(&self, facts: &Facts<'_>, rng: &mut StdRng) -> Option<Fault> {
        let operation = facts.operation;
        if self.operations.as_ref().is_some_and(|patterns| !patterns.iter().any(|pattern| operation.matches(pattern))) {
            return None;
        }
        if !rng.random_bool(self.rate) {
            return None;
        }
        let wanted = |kind: &str| match &self.kinds {
            None => USUAL.contains(&kind),
            Some(kinds) => kinds.iter().any(|name| name == kind || (name == "status" && kind.starts_with("status"))),
        };
        let kinds: Vec<&str> =
            USUAL.iter().chain(&UNUSUAL).copied().filter(|kind| wanted(kind) && applies(kind, facts)).collect();
        let kind = kinds.get(rng.random_range(0..kinds.len().max(1)))?;
        Some(make(kind, operation, rng))
    }
}

fn applies(kind: &str, facts: &Facts<'_>) -> bool {
    use Operation::{EventsDelete, EventsInsert, EventsPatch, EventsUpdate, OauthToken};
    let operation = facts.operation;
    let event_write = matches!(operation, EventsInsert | EventsPatch | EventsUpdate | EventsDelete);
    match kind {
        "drop" | "late" => event_write,
        "corrupt" => matches!(operation, EventsInsert | EventsPatch | EventsUpdate),
        "delayedVisibility" => operation == EventsInsert,
        "stale" => matches!(operation, EventsPatch | EventsUpdate | EventsDelete),
        "precondition" => facts.conditional && event_write,
        "invalidGrant" | "rotate" => operation == OauthToken,
        "status403" => operation != OauthToken,
        // A reply without a body cannot be cut.
        "truncate" | "drip" => operation != EventsDelete,
        _ => true,
    }
}

fn make(kind: &str, operation: Operation, rng: &mut StdRng) -> Fault {
    let when = if operation.is_write() && rng.random_bool(0.5) { When::After } else { When::Before };
    match kind {
        "reset" => Fault::Reset { when },
        "hang" => Fault::Hang { when },
        "status429" => Fault::Status {
            when: When::Before,
            status: 429,
            reason: None,
            retry_after_seconds: rng.random_bool(0.5).then_some(1),
            domain: None,
            message: None,
        },
        "status403" => {
            Fault::forbidden(if rng.random_bool(0.5) { "rateLimitExceeded" } else { "userRateLimitExceeded" })
        }
        "status500" => Fault::status_when(500, when),
        "truncate" => Fault::Truncate { when: When::After, keep_bytes: None },
        "html" => Fault::Html { when },
        "drip" => Fault::drip(20, 64),
        "drop" => Fault::Drop,
        "corrupt" => Fault::Corrupt { fields: None },
        "delayedVisibility" => Fault::DelayedVisibility { ms: rng.random_range(200..1500) },
        "stale" => Fault::Stale { ms: rng.random_range(200..1500) },
        "precondition" => Fault::Precondition,
        "late" => Fault::Late { after_ms: Some(rng.random_range(300..3000)) },
        "latency" => Fault::Latency { ms: rng.random_range(100..2000) },
        "refusedStream" => Fault::RefusedStream,
        "invalidGrant" => Fault::InvalidGrant,
        "rotate" => Fault::Rotate,
        _ => Fault::status_when(503, when),
    }
}
