//! Faults: what can go wrong, when it does, and the seeded kind.

mod kind;
mod plan;
mod profile;
mod rule;

pub use kind::{Fault, When};
pub(crate) use plan::{Facts, Plan};
pub use profile::Profile;
pub use rule::{Match, Rule};
