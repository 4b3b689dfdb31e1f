//! An attempt at one event: `src/operation/attempt.rs` and its parts, its clean-up in `src/operation/reconcile.rs`, its entry
//! in `src/store/journal.rs`.

mod calendar;
mod drive;
mod guards;
mod journal;
mod reconcile;
mod state;

pub use guards::Guards;
pub use state::State;

use self::state::{ATTEMPTS, Attempt, Driver, Entry, GENERATIONS, Slot};
use crate::explore::{Goal, Promise, Protocol, Step};
use crate::faults::Faults;
use crate::lease::Told;
use crate::steps::bit;

/// Two attempts with one key, each by an owner and by whoever takes over.
#[derive(Clone, Copy, Debug)]
pub struct Create {
    /// What is done so that no promise breaks.
    pub guards: Guards,
    /// What may go wrong.
    pub faults: Faults,
    /// Whether a start is explored too where one of the two skips the verification.
    pub one_skips: bool,
    /// Whether each attempt knows its own entry alone: the memory stores of two processes.
    pub memory: bool,
}

type Steps<'a> = crate::steps::Steps<'a, Create>;

impl Attempt {
    fn closed(&self) -> bool {
        matches!(self.entry, Entry::None | Entry::Settled | Entry::Succeeded { .. })
            && self.drivers.iter().all(Driver::rests)
    }

    const fn succeeded(&self) -> bool {
        matches!(self.entry, Entry::Succeeded { .. })
    }

    /// A success, journalled or told, whose event was read.
    const fn verified(&self) -> bool {
        matches!(self.entry, Entry::Succeeded { verified: true })
            || (matches!(self.lease.told, Told::Success) && !self.skips)
    }
}

impl State {
    fn closed(&self) -> bool {
        self.attempts.iter().all(Attempt::closed)
    }

    fn at(&self, generation: usize) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(move |attempt| usize::from(attempt.generation) == generation)
    }

    fn is_event(&self, generation: usize) -> bool {
        matches!(self.slots[generation], Slot::Event(event) if event.stamped)
    }
}

impl Protocol for Create {
    type State = State;

    fn starts(&self) -> Vec<State> {
        let start = |skips| State {
            slots: [Slot::Absent; GENERATIONS],
            deleted: [false; GENERATIONS],
            sound: [false; GENERATIONS],
            claimed: [0; GENERATIONS],
            reverted: false,
            attempts: [Attempt { skips, ..Attempt::default() }, Attempt::default()],
            late: [None; 2],
            faults: self.faults,
        };
        if self.one_skips { vec![start(false), start(true)] } else { vec![start(false)] }
    }

    fn steps(&self, state: &State, steps: &mut Vec<Step<State>>) {
        let mut steps = Steps::new(self, steps);
        calendar::steps(state, &mut steps);
        for attempt in 0..ATTEMPTS {
            journal::steps(state, attempt, &mut steps);
            drive::steps(state, attempt, &mut steps);
        }
    }

    fn keeps(&self, promise: Promise, state: &State) -> bool {
        match promise {
            Promise::NoSilentFailure => state
                .attempts
                .iter()
                .all(|one| one.lease.told != Told::Wrong && !(one.lease.told == Told::Failure && one.succeeded())),
            Promise::NoDuplicate => (0..GENERATIONS).filter(|generation| state.is_event(*generation)).count() <= 1,
            Promise::NoPhantom => {
                let excused = self.memory && state.attempts.iter().any(|one| one.lease.told == Told::Applied);
                let phantom = |generation: usize| match state.slots[generation] {
                    Slot::Fence => true,
                    Slot::Event(event) => event.stamped && !excused && !state.at(generation).any(Attempt::succeeded),
                    Slot::Absent | Slot::Tombstone => false,
                };
                !state.closed() || !(0..GENERATIONS).any(phantom)
            }
            Promise::NoLostUpdate => !state.reverted,
            Promise::SuccessIsFinal => {
                state.attempts.iter().enumerate().all(|(index, one)| {
                    let generation = usize::from(one.generation);
                    let stands = matches!(state.slots[generation], Slot::Event(_)) || state.deleted[generation];
                    // Google can acknowledge an insert and drop it: what was not read back may never have been there.
                    let was_there = one.verified() || state.claimed[generation] & bit(index) != 0;
                    let told = matches!(one.lease.told, Told::Success | Told::Wrong);
                    let unrecorded = told && matches!(one.entry, Entry::Failed | Entry::Settled);
                    let gone = (told || one.succeeded()) && one.entry != Entry::None && was_there && !stands;
                    !unrecorded && !gone
                })
            }
        }
    }

    fn reaches(&self, goal: Goal, state: &State) -> bool {
        let count = |wanted: fn(&Attempt) -> bool| state.attempts.iter().filter(|one| wanted(one)).count();
        let (successes, settled) =
            (count(|one| one.lease.told == Told::Success), count(|one| one.entry == Entry::Settled));
        match goal {
            Goal::AllSucceed => successes == ATTEMPTS,
            Goal::AllClosedAfterFailure => state.closed() && settled == ATTEMPTS,
            Goal::OneOfEach => state.closed() && successes == 1 && settled == 1,
        }
    }
}
