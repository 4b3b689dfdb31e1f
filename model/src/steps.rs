//! What can happen next to two that work at the same time, gathered; and what they are told apart by.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::explore::{Protocol, Step};

/// What can happen next, gathered.
pub(crate) struct Steps<'a, P: Protocol> {
    /// The model, with its guards.
    pub(crate) model: &'a P,
    /// Which attempt or transaction acts; `None`: the network, the store or the calendar's owner.
    pub(crate) who: Option<u8>,
    /// Whether a process does it that has taken over.
    pub(crate) taker: bool,
    out: &'a mut Vec<Step<P::State>>,
}

impl<'a, P: Protocol<State: Copy>> Steps<'a, P> {
    pub(crate) const fn new(model: &'a P, out: &'a mut Vec<Step<P::State>>) -> Self {
        Self { model, who: None, taker: false, out }
    }

    pub(crate) fn add(&mut self, name: &'static str, next: P::State) {
        self.out.push(Step { who: self.who, taker: self.taker, name, next });
    }

    pub(crate) fn with(&mut self, state: &P::State, name: &'static str, change: impl FnOnce(&mut P::State)) {
        let mut next = *state;
        change(&mut next);
        self.add(name, next);
    }
}

/// The bit of one of the two.
#[must_use]
pub(crate) const fn bit(who: usize) -> u8 {
    1 << who
}

/// The bits of the two, exchanged.
#[must_use]
pub(crate) const fn bits_exchanged(bits: u8) -> u8 {
    (bits & 1) << 1 | (bits & 2) >> 1
}

/// The nonce of one of the two, by which of its drivers. 0 is nobody's.
#[must_use]
pub(crate) const fn nonce(who: usize, driver: usize) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "both are 0 or 1")]
    let nonce = 1 + 2 * who as u8 + driver as u8;
    nonce
}

/// The nonce of the other one's driver.
#[must_use]
pub(crate) const fn nonce_exchanged(nonce: u8) -> u8 {
    if nonce == 0 { 0 } else { (nonce + 1) % 4 + 1 }
}

/// A state of two that could as well be numbered the other way round.
pub(crate) trait Mirrored: Sized {
    /// The same with the two numbers exchanged.
    fn mirrored(&self) -> Self;

    /// Hashes all of it.
    fn feed(&self, hasher: &mut DefaultHasher);

    /// Hashes it so that states that differ only in the two numbers are one.
    fn hash_either<H: Hasher>(&self, hasher: &mut H) {
        let print = |state: &Self| {
            let mut print = DefaultHasher::new();
            state.feed(&mut print);
            print.finish()
        };
        let (one, other) = (print(self), print(&self.mirrored()));
        (one.min(other), one.max(other)).hash(hasher);
    }
}

/// Hashes two whose order does not matter.
pub(crate) fn hash_in_any_order<T: Hash, H: Hasher>([one, other]: &[T; 2], hasher: &mut H) {
    let print = |of: &T| {
        let mut print = DefaultHasher::new();
        of.hash(&mut print);
        print.finish()
    };
    let (one, other) = (print(one), print(other));
    (one.min(other), one.max(other)).hash(hasher);
}
