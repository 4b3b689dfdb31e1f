//! A transaction over one attendee's places on events: `src/operation/transaction`, its records in
//! `src/store/attendee_record.rs`, its entry in `src/store/journal.rs`.

mod calendar;
mod drive;
mod guards;
mod journal;
mod records;
mod state;
mod undo;

pub use guards::Guards;
pub use state::State;

use self::state::{Driver, Entry, TRANSACTIONS, Transaction, View};
use crate::explore::{Goal, Promise, Protocol, Step};
use crate::faults::Faults;
use crate::lease::Told;
use crate::steps::bit;

/// Two transactions that enroll one attendee in the same `N` events, each by an owner and by whoever takes over.
#[derive(Clone, Copy, Debug)]
pub struct Enroll<const N: usize> {
    /// What is done so that no promise breaks.
    pub guards: Guards,
    /// What may go wrong.
    pub faults: Faults,
    /// Whether a start is explored too where the attendee is on the events already.
    pub present_before: bool,
}

type Steps<'a, const N: usize> = crate::steps::Steps<'a, Enroll<N>>;

impl<const N: usize> State<N> {
    fn closed(&self) -> bool {
        self.transactions.iter().all(Transaction::closed)
    }

    fn count(&self, wanted: impl Fn(&Transaction) -> bool) -> usize {
        self.transactions.iter().filter(|transaction| wanted(transaction)).count()
    }
}

impl Transaction {
    fn closed(&self) -> bool {
        matches!(self.entry, Entry::None | Entry::Settled { .. }) && self.drivers.into_iter().all(Driver::rests)
    }

    const fn succeeded(&self) -> bool {
        matches!(self.entry, Entry::Succeeded | Entry::Settled { succeeded: true })
    }
}

impl<const N: usize> Protocol for Enroll<N> {
    type State = State<N>;

    fn starts(&self) -> Vec<State<N>> {
        let event = |present: bool| state::Event { present, ..state::Event::default() };
        let past = |present| if self.faults.stale > 0 { View::of(event(present)) } else { View::default() };
        let start = |present: bool| State {
            events: [event(present); N],
            past: [past(present); N],
            before: [present; N],
            taken_off: [0; N],
            guest_added: [false; N],
            records: [state::Record::default(); N],
            transactions: [Transaction::default(); TRANSACTIONS],
            late: [None; 2],
            late_put: None,
            faults: self.faults,
        };
        if self.present_before { vec![start(false), start(true)] } else { vec![start(false)] }
    }

    fn steps(&self, state: &State<N>, steps: &mut Vec<Step<State<N>>>) {
        let mut steps = Steps::new(self, steps);
        calendar::steps(state, &mut steps);
        records::steps(state, &mut steps);
        for transaction in 0..TRANSACTIONS {
            journal::steps(state, transaction, &mut steps);
            drive::steps(state, transaction, &mut steps);
        }
    }

    fn keeps(&self, promise: Promise, state: &State<N>) -> bool {
        let relied_on = state.transactions.iter().any(|one| one.lease.told == Told::Success || one.succeeded());
        match promise {
            Promise::NoSilentFailure => {
                state.transactions.iter().all(|one| one.lease.told != Told::Failure || !one.succeeded())
            }
            // An event's guest list holds an address once.
            Promise::NoDuplicate => true,
            Promise::NoPhantom => {
                // Who succeeded before the owner took the attendee off is no reason for them to be there again.
                let counts = |event: usize| {
                    (0..TRANSACTIONS)
                        .any(|one| state.transactions[one].succeeded() && state.taken_off[event] & bit(one) == 0)
                };
                let put_there =
                    |event: usize| state.events[event].present && (!state.before[event] || state.taken_off[event] != 0);
                !state.closed() || !(0..N).any(|event| put_there(event) && !counts(event))
            }
            Promise::NoLostUpdate => (0..N).all(|event| !state.guest_added[event] || state.events[event].guest),
            Promise::SuccessIsFinal => {
                let gone = |event: usize| !state.events[event].present && state.taken_off[event] == 0;
                let recorded = |one: &Transaction| {
                    one.lease.told != Told::Success
                        || !matches!(one.entry, Entry::Failed | Entry::Settled { succeeded: false })
                };
                state.transactions.iter().all(recorded) && !(relied_on && (0..N).any(gone))
            }
        }
    }

    fn reaches(&self, goal: Goal, state: &State<N>) -> bool {
        let successes = state.count(|one| one.lease.told == Told::Success);
        match goal {
            Goal::AllSucceed => successes == TRANSACTIONS,
            Goal::AllClosedAfterFailure => {
                state.closed() && state.count(|one| one.entry == Entry::Settled { succeeded: false }) == TRANSACTIONS
            }
            Goal::OneOfEach => {
                state.closed()
                    && successes == 1
                    && state.count(|one| one.entry == Entry::Settled { succeeded: false }) == 1
            }
        }
    }
}
