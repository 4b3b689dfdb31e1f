//! The protocols of surecal as models, explored state by state.
//!
//! [`create`] is two attempts at one event, [`enroll`] two transactions over one attendee. Each guard of a protocol is a
//! field of its `Guards`: taken out, a promise must break, and the trace says how ([`traces`]). With all in place, none does
//! ([`scenarios`]).

pub mod create;
pub mod enroll;
pub mod explore;
pub mod faults;
mod lease;
mod network;
pub mod scenarios;
mod steps;
pub mod traces;

pub use explore::{Goal, Limits, Promise, Protocol, Report, Step, Trace, explore};
pub use faults::Faults;
