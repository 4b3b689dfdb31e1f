//! A scripted fault: which calls, which of them, what happens.

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::operation::Operation;

/// Narrows a rule to some calls. Everything given must be equal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// The calendar; `primary` is matched by the user's address too.
    pub calendar_id: Option<String>,
    /// The event; of an insert, the id the client chose.
    pub event_id: Option<String>,
    /// Whose token the request carries (token endpoint: whose grant).
    pub user: Option<String>,
}

/// A scripted fault. Of several rules that strike one call, the oldest wins; all of them count it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// A name such as `events.insert`, or `events.*`, or `*`.
    pub operation: String,
    /// Narrows it further.
    #[serde(rename = "match", default)]
    pub matching: Match,
    /// The nth matching call since the rule was added, from 1.
    pub nth: Option<u64>,
    /// Every nth matching call.
    pub every: Option<u64>,
    /// Each matching call with this probability (0 to 1), from the emulator's seed.
    pub probability: Option<f64>,
    /// How often at most. With `nth`: that many calls in a row, 1 when absent. Else without a bound when absent.
    pub times: Option<u64>,
    /// What happens.
    pub fault: Fault,
}

impl Rule {
    /// Every call of an operation.
    #[must_use]
    pub fn always(operation: &str, fault: Fault) -> Self {
        let operation = operation.to_owned();
        Self { operation, matching: Match::default(), nth: None, every: None, probability: None, times: None, fault }
    }

    /// The nth call from now, from 1.
    #[must_use]
    pub fn nth(operation: &str, nth: u64, fault: Fault) -> Self {
        Self { nth: Some(nth), ..Self::always(operation, fault) }
    }

    /// The next call.
    #[must_use]
    pub fn next(operation: &str, fault: Fault) -> Self {
        Self::nth(operation, 1, fault)
    }

    /// The same rule, at most so often.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// The same rule for one event alone.
    #[must_use]
    pub fn for_event(mut self, event_id: &str) -> Self {
        self.matching.event_id = Some(event_id.to_owned());
        self
    }

    /// What is wrong with it.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !Operation::is_pattern(&self.operation) {
            return Err(format!("operation: no operation is called {}", self.operation));
        }
        if self.nth == Some(0) || self.every == Some(0) {
            return Err("nth and every count from 1".to_owned());
        }
        if [self.nth.is_some(), self.every.is_some(), self.probability.is_some()].iter().filter(|&&given| given).count()
            > 1
        {
            return Err("only one of nth, every and probability may be given".to_owned());
        }
        if self.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err("probability lies between 0 and 1".to_owned());
        }
        Ok(())
    }
}
