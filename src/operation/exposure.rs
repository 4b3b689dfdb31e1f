//! Whether anything of an attempt can be in the calendar yet, decided once for both sides of a race: the attempt that is
//! about to send, and the caller that leaves.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::model::Outcome;

const UNTOUCHED: u8 = 0;
const EXPOSED: u8 = 1;
const WITHDRAWN: u8 = 2;

/// See the module.
#[derive(Debug, Default)]
pub struct Exposure(AtomicU8);

impl Exposure {
    /// Asked before the first write. `false`: the caller was told that nothing was sent, so nothing may be.
    #[must_use]
    pub fn expose(&self) -> bool {
        match self.0.compare_exchange(UNTOUCHED, EXPOSED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(now) => now == EXPOSED,
        }
    }

    /// The last caller leaves: what it may be told. After `NotSent` nothing will ever be sent.
    #[must_use]
    pub fn withdraw(&self) -> Outcome {
        match self.0.compare_exchange(UNTOUCHED, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(WITHDRAWN) => Outcome::NotSent,
            Err(_) => Outcome::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_told_that_nothing_was_sent_is_told_the_truth() {
        let exposure = Exposure::default();
        assert_eq!(exposure.withdraw(), Outcome::NotSent);
        assert!(!exposure.expose());
    }

    #[test]
    fn who_leaves_after_the_first_write_is_told_unknown() {
        let exposure = Exposure::default();
        assert!(exposure.expose());
        assert_eq!(exposure.withdraw(), Outcome::Unknown);
        assert!(exposure.expose());
    }
}
