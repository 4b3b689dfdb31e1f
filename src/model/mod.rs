//! Nouns, pure: no IO, no clock, no randomness.

pub mod attendee;
pub mod claim;
pub mod error;
pub mod ids;
pub mod instant;
pub mod outcome;

pub use claim::{Claim, Claims};
pub use error::{CalendarError, Code};
pub use outcome::Outcome;
