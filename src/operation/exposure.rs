//! Whether anything of an attempt can be in the calendar yet, decided once for both sides of a race: the attempt that is
//! about to send, and the caller that leaves.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Outcome;
use crate::store::Held;

const UNTOUCHED: u8 = 0;
const EXPOSED: u8 = 1;
const WITHDRAWN: u8 = 2;

/// See the module.
#[derive(Default)]
pub struct Exposure {
    state: AtomicU8,
    left: AtomicBool,
    begun: Mutex<Vec<Arc<Held>>>,
}

impl Exposure {
    /// Asked before the first write. `false`: the caller was told that nothing was sent, so nothing may be.
    #[must_use]
    pub fn expose(&self) -> bool {
        match self.state.compare_exchange(UNTOUCHED, EXPOSED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(now) => now == EXPOSED,
        }
    }

    /// All that was sent is known not to have been applied: as if nothing had been sent.
    pub fn retract(&self) {
        let _ = self.state.compare_exchange(EXPOSED, UNTOUCHED, Ordering::AcqRel, Ordering::Acquire);
    }

    /// The last caller leaves: what it may be told. After `NotSent` nothing will ever be sent.
    #[must_use]
    pub fn withdraw(&self) -> Outcome {
        match self.state.compare_exchange(UNTOUCHED, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(WITHDRAWN) => Outcome::NotSent,
            Err(_) => Outcome::Unknown,
        }
    }

    /// A caller left and was told that the outcome is not known.
    pub fn leave(&self) {
        self.left.store(true, Ordering::Release);
    }

    /// An attempt was begun: its entry.
    pub fn begun(&self, held: &Arc<Held>) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(held));
    }

    /// Whether an entry is one of these attempts'.
    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|held| held.name() == name)
    }

    /// The entries of attempts that go on although a caller was told that their outcome is not known.
    #[must_use]
    pub fn left_alone(&self) -> Vec<Arc<Held>> {
        if self.left.load(Ordering::Acquire) {
            self.begun.lock().unwrap_or_else(PoisonError::into_inner).clone()
        } else {
            Vec::new()
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
    fn who_leaves_after_a_write_that_was_refused_is_told_that_nothing_was_written() {
        let exposure = Exposure::default();
        assert!(exposure.expose());
        exposure.retract();
        assert_eq!(exposure.withdraw(), Outcome::NotSent);
        exposure.retract();
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
