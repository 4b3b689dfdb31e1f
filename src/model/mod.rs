//! Nouns, pure: no IO, no clock, no randomness.

pub mod attendee;
pub mod claim;
pub mod error;
mod fields;
pub mod ids;
pub mod instant;
pub mod outcome;
mod recurrence;
pub mod warning;

pub use claim::{Claim, Claims};
pub use error::{CalendarError, Code};
pub use outcome::Outcome;
pub use warning::Warning;
