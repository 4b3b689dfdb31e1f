//! The journal: leases, takeovers, crashes, and puts that are under way.

use super::Steps;
use super::drive::Me;
use super::state::{At, Driver, Entry, EntryPut, State, Told};

impl State {
    /// The entry's version is another one: puts that expect the old one are refused.
    pub(super) fn entry_moves(&mut self, attempt: usize) {
        let one = &mut self.attempts[attempt];
        one.result_put.iter_mut().for_each(|put| put.fresh = false);
        one.takeover_put.iter_mut().for_each(|put| put.fresh = false);
    }

    pub(super) fn put_entry(&mut self, attempt: usize, entry: Entry) {
        self.entry_moves(attempt);
        self.attempts[attempt].entry = entry;
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
                one.lease_out = true;
                next.put_entry(attempt, Entry::Running);
            }
        });
    }
    if let Some(put) = one.takeover_put {
        steps.with(state, "the late put of the takeover arrives", |next| {
            next.attempts[attempt].takeover_put = None;
            if put.fresh {
                next.put_entry(attempt, Entry::Failed);
            }
        });
    }
    let holder = usize::from(one.holder);
    let is_open = matches!(one.entry, Entry::Running | Entry::Failed);
    if is_open && !one.lease_out {
        let idle = one.drivers[holder].rests();
        if idle || state.faults.slow > 0 {
            steps.taker = holder == 1;
            steps.with(state, "its lease runs out", |next| {
                next.attempts[attempt].lease_out = true;
                next.faults.slow -= u8::from(!idle);
            });
        }
    }
    if is_open && one.lease_out && one.drivers[1].rests() {
        take_over(state, attempt, steps);
    }
    for driver in 0..2 {
        if state.faults.crashes > 0 && !one.drivers[driver].rests() {
            steps.taker = driver == 1;
            steps.with(state, "crash", |next| {
                next.faults.crashes -= 1;
                next.go(Me { attempt, driver }, At::Over);
                let crashed = &mut next.attempts[attempt];
                if driver == 0 {
                    crashed.result_put.iter_mut().for_each(|put| put.awaited = false);
                }
                crashed.lease_out |= holder == driver;
            });
        }
    }
}

fn take_over(state: &State, attempt: usize, steps: &mut Steps<'_>) {
    steps.taker = true;
    let begin = |next: &mut State| {
        next.forget_nonce(attempt, 1);
        let one = &mut next.attempts[attempt];
        one.holder = 1;
        one.lease_out = false;
        one.drivers[1] = Driver { at: At::Reconcile, generation: one.generation, ..Driver::default() };
    };
    steps.with(state, "take_over", |next| {
        next.put_entry(attempt, Entry::Failed);
        begin(next);
    });
    if state.faults.late_puts > 0 && state.attempts[attempt].takeover_put.is_none() {
        let known = steps.guards.known_puts;
        steps.with(state, "take_over, the put's fate unknown", |next| {
            next.faults.late_puts -= 1;
            next.attempts[attempt].takeover_put = Some(EntryPut { fresh: true, awaited: false });
            if !known {
                begin(next);
            }
        });
    }
}

/// The put of a success that is under way is applied or refused.
fn result_arrives(state: &State, attempt: usize, steps: &mut Steps<'_>) {
    let one = &state.attempts[attempt];
    let Some(put) = one.result_put else { return };
    let me = Me { attempt, driver: 0 };
    let my = one.drivers[0];
    let applied = put.fresh || !steps.guards.result_cas;
    let overwrite = steps.guards.overwrite;
    steps.with(
        state,
        if applied { "commit: the result is in the journal" } else { "commit: the result is refused" },
        |next| {
            next.attempts[attempt].result_put = None;
            // Who crashed or left has read it before as well.
            let verified = !one.skips || my.verified;
            if applied {
                next.put_entry(attempt, Entry::Succeeded { verified });
                next.attempts[attempt].forgotten = !overwrite;
                next.sound[usize::from(one.generation)] |= verified;
            }
            if put.awaited {
                let success = if my.verified && !my.sound { Told::Wrong } else { Told::Success };
                next.tell(me, if applied { success } else { Told::Unknown });
                next.go(me, At::Over);
            }
        },
    );
    if put.awaited && state.faults.late_puts > 0 {
        let told = if steps.guards.unknown_told { Told::Unknown } else { Told::Failure };
        steps.with(state, "commit: the store does not answer in time", |next| {
            next.faults.late_puts -= 1;
            next.attempts[attempt].result_put = Some(EntryPut { awaited: false, ..put });
            next.tell(me, told);
            next.go(me, At::Over);
        });
    }
}
