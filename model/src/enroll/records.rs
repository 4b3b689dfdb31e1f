//! The store's records, and its late writes of them.

use super::state::{LatePut, Record, State};
use super::{Guards, Steps};

impl Record {
    pub(super) const fn is_needed(self) -> bool {
        self.claims != 0 || self.removing != 0
    }

    /// A claim leaves; what was noted for claims goes with the last one.
    pub(super) const fn leave(&mut self, bit: u8) {
        self.claims &= !bit;
        if self.claims == 0 {
            self.forget();
        }
    }

    pub(super) const fn forget(&mut self) {
        self.added = 0;
        self.kept = 0;
    }
}

impl<const N: usize> State<N> {
    fn apply_put(&mut self, event: usize, record: Record, guards: &Guards) {
        self.records[event] = Record { exists: true, ..record };
        if !guards.overwrite && !record.is_needed() {
            self.records[event] = Record::default();
        }
        for put in self.late_put.iter_mut().filter(|put| usize::from(put.event) == event) {
            put.fresh = false;
        }
    }
}

/// Puts a record that was read just now; `then` hears whether it is known to be applied.
pub(super) fn put<const N: usize>(
    state: &State<N>,
    steps: &mut Steps<'_, N>,
    (name, late): (&'static str, &'static str),
    event: usize,
    record: Record,
    then: impl Fn(&mut State<N>, bool),
) {
    let mut next = *state;
    next.apply_put(event, record, &steps.model.guards);
    then(&mut next, true);
    steps.add(name, next);
    if state.faults.late_puts > 0 && state.late_put.is_none() {
        let mut next = *state;
        next.faults.late_puts -= 1;
        #[expect(clippy::cast_possible_truncation, reason = "there are few events")]
        let event = event as u8;
        let expects_absent = !state.records[usize::from(event)].exists;
        next.late_put = Some(LatePut { event, record, fresh: true, expects_absent });
        then(&mut next, false);
        steps.add(late, next);
    }
}

/// What happens by itself.
pub(super) fn steps<const N: usize>(state: &State<N>, steps: &mut Steps<'_, N>) {
    (steps.who, steps.taker) = (None, false);
    if let Some(put) = state.late_put {
        let mut next = *state;
        next.late_put = None;
        let event = usize::from(put.event);
        if put.fresh || (put.expects_absent && !state.records[event].exists) {
            next.apply_put(event, put.record, &steps.model.guards);
        }
        steps.add("the late put of the record arrives", next);
    }
}
