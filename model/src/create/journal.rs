//! The journal: what an attempt's entry says, and who takes it over.

use super::Steps;
use super::state::{At, Driver, Entry, State};
use crate::lease::{self, Lease, Leased, Me, ResultGuards, Told};

impl State {
    pub(super) fn put_entry(&mut self, attempt: usize, entry: Entry) {
        self.attempts[attempt].lease.entry_moves();
        self.attempts[attempt].entry = entry;
    }
}

impl Leased for State {
    fn lease(&self, attempt: usize) -> Lease {
        self.attempts[attempt].lease
    }

    fn lease_mut(&mut self, attempt: usize) -> &mut Lease {
        &mut self.attempts[attempt].lease
    }

    fn is_open(&self, attempt: usize) -> bool {
        matches!(self.attempts[attempt].entry, Entry::Running | Entry::Failed)
    }

    fn rests(&self, me: Me) -> bool {
        self.attempts[me.who].drivers[me.driver].rests()
    }

    fn stop(&mut self, me: Me) {
        self.go(me, At::Over);
    }

    fn entry_fails(&mut self, attempt: usize) {
        self.put_entry(attempt, Entry::Failed);
    }

    fn taker_begins(&mut self, attempt: usize) {
        self.forget_nonce(attempt, 1);
        let one = &mut self.attempts[attempt];
        one.drivers[1] = Driver { at: At::Reconcile, generation: one.generation, ..Driver::default() };
    }
}

/// What happens to an entry by itself, and who takes it over.
pub(super) fn steps(state: &State, attempt: usize, steps: &mut Steps<'_>) {
    let one = &state.attempts[attempt];
    (steps.who, steps.taker) = (u8::try_from(attempt).ok(), false);
    result_arrives(state, attempt, steps);
    if one.intent_put {
        steps.with(state, "the late put of the intent arrives", |next| {
            let one = &mut next.attempts[attempt];
            one.intent_put = false;
            // It expects no entry.
            if one.entry == Entry::None || one.forgotten {
                one.forgotten = false;
                one.generation = 0;
                one.lease.out = true;
                next.put_entry(attempt, Entry::Running);
            }
        });
    }
    lease::steps(state, attempt, steps, steps.model.guards.known_puts);
}

/// The put of a success that is under way is applied or refused.
fn result_arrives(state: &State, attempt: usize, steps: &mut Steps<'_>) {
    let one = &state.attempts[attempt];
    let my = one.drivers[0];
    let guards = steps.model.guards;
    let result = ResultGuards { cas: guards.result_cas, unknown_told: guards.unknown_told };
    lease::result_arrives(state, attempt, steps, result, |next, awaited| {
        // Who crashed or left has read it before as well.
        let verified = !one.skips || my.verified;
        next.put_entry(attempt, Entry::Succeeded { verified });
        next.attempts[attempt].forgotten = !guards.overwrite;
        next.sound[usize::from(one.generation)] |= verified;
        if awaited {
            let me = Me { who: attempt, driver: 0 };
            next.tell(me, if my.verified && !my.sound { Told::Wrong } else { Told::Success });
            next.stop(me);
        }
    });
}
