//! Nouns, pure: no IO, no clock, no randomness.

pub mod error;
pub mod outcome;

pub use error::{CalendarError, Code};
pub use outcome::Outcome;
