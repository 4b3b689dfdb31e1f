//! Decisions as values: no IO and no randomness; time is passed in.
//!
//! Five questions, five answers: what does this reply mean ([`classify`]), how long to wait ([`backoff`]), is there
//! time ([`deadline`]), can the fleet bear another try ([`budget`]), is it our turn ([`throttle`]).

pub mod allotment;
pub mod backoff;
pub mod budget;
pub mod classify;
pub mod deadline;
pub mod lanes;
pub mod latency;
pub mod parked;
pub mod signal;
pub mod throttle;

pub use backoff::Backoff;
pub use budget::RetryBudget;
pub use classify::{Fate, FaultKind, Kind, Seen, TransportFault, Verdict, classify};
pub use deadline::Deadline;
pub use latency::Latency;
pub use signal::Signal;
pub use throttle::{Limits, Throttle};
