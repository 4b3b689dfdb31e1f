//! Nouns, pure: no IO, no clock, no randomness.

mod agree;
pub mod attendee;
mod canonical;
pub mod claim;
pub mod compare;
pub mod error;
pub mod event;
mod fields;
pub mod guests;
pub mod ids;
pub mod instant;
pub mod outcome;
mod path;
mod recurrence;
pub mod repair;
pub mod stamp;
pub mod validate;
pub mod warning;

pub use claim::{Claim, Claims};
pub use compare::{Comparison, Difference, Unverifiable};
pub use error::{CalendarError, Code, Rollback};
pub use event::{EventChanges, EventData, Expected};
pub use outcome::Outcome;
pub use stamp::Stamp;
pub use warning::Warning;
