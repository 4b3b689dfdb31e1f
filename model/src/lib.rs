//! The protocols of surecal as models, explored state by state.
//!
//! [`enroll`] is a transaction over one attendee, [`create`] an attempt at one event. Each guard of a protocol is a field
//! of its `Guards`: taken out, a promise must break, and the trace says how.

pub mod create;
pub mod enroll;
pub mod explore;
pub mod faults;

pub use explore::{Goal, Limits, Promise, Protocol, Report, Step, Trace, explore};
pub use faults::Faults;
