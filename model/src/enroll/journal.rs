//! The journal: what a transaction's entry says, and who takes it over.

use super::Steps;
use super::state::{At, Driver, Entry, State};
use crate::lease::{self, Lease, Leased, Me, ResultGuards, Told};

impl<const N: usize> State<N> {
    pub(super) fn put_entry(&mut self, transaction: usize, entry: Entry) {
        self.transactions[transaction].lease.entry_moves();
        self.transactions[transaction].entry = entry;
    }
}

impl<const N: usize> Leased for State<N> {
    fn lease(&self, transaction: usize) -> Lease {
        self.transactions[transaction].lease
    }

    fn lease_mut(&mut self, transaction: usize) -> &mut Lease {
        &mut self.transactions[transaction].lease
    }

    fn is_open(&self, transaction: usize) -> bool {
        matches!(self.transactions[transaction].entry, Entry::Running | Entry::Failed | Entry::Succeeded)
    }

    fn rests(&self, me: Me) -> bool {
        self.transactions[me.who].drivers[me.driver].rests()
    }

    fn stop(&mut self, me: Me) {
        self.go(me, At::Over);
    }

    fn entry_fails(&mut self, transaction: usize) {
        let entry = self.transactions[transaction].entry;
        self.put_entry(transaction, if entry == Entry::Running { Entry::Failed } else { entry });
    }

    fn taker_begins(&mut self, transaction: usize) {
        self.forget_nonce(transaction, 1);
        let me = Me { who: transaction, driver: 1 };
        if self.transactions[transaction].entry == Entry::Succeeded {
            *self.me(me) = Driver { at: At::Keep, ..Driver::default() };
        } else {
            self.begin_undo(me);
        }
    }
}

/// What happens to an entry by itself, and who takes it over.
pub(super) fn steps<const N: usize>(state: &State<N>, transaction: usize, steps: &mut Steps<'_, N>) {
    (steps.who, steps.taker) = (u8::try_from(transaction).ok(), false);
    let guards = steps.model.guards;
    let result = ResultGuards { cas: guards.result_cas, unknown_told: guards.unknown_told };
    lease::result_arrives(state, transaction, steps, result, |next, awaited| {
        next.put_entry(transaction, Entry::Succeeded);
        if awaited {
            let me = Me { who: transaction, driver: 0 };
            next.tell(me, Told::Success);
            *next.me(me) = Driver { at: At::Keep, ..Driver::default() };
        }
    });
    lease::steps(state, transaction, steps, guards.known_puts);
}
