//! The runs with all guards in place: which faults meet.

use crate::create::{self, Create};
use crate::enroll::{self, Enroll};
use crate::explore::{Limits, Report, explore};
use crate::faults::Faults;

/// A model to walk through.
#[derive(Clone, Copy, Debug)]
pub enum Scenario {
    /// Of a create.
    Create(Create),
    /// Of an enrollment in one event.
    Enroll(Enroll<1>),
    /// Of an enrollment in two.
    EnrollTwo(Enroll<2>),
}

impl Scenario {
    /// Walks through all of it.
    #[must_use]
    pub fn explore(self) -> Report {
        match self {
            Self::Create(model) => explore(model, Limits::NONE),
            Self::Enroll(model) => explore(model, Limits::NONE),
            Self::EnrollTwo(model) => explore(model, Limits::NONE),
        }
    }
}

const fn create(faults: Faults) -> Scenario {
    Scenario::Create(Create { guards: create::Guards::ALL, faults, one_skips: false, memory: false })
}

const fn one_skips(faults: Faults) -> Scenario {
    Scenario::Create(Create { guards: create::Guards::ALL, faults, one_skips: true, memory: false })
}

const fn memory(faults: Faults) -> Scenario {
    Scenario::Create(Create { guards: create::Guards::ALL, faults, one_skips: false, memory: true })
}

const fn enroll(faults: Faults) -> Scenario {
    Scenario::Enroll(Enroll { guards: enroll::Guards::ALL, faults, present_before: true })
}

const fn enroll_two(faults: Faults) -> Scenario {
    Scenario::EnrollTwo(Enroll { guards: enroll::Guards::ALL, faults, present_before: false })
}

const NONE: Faults = Faults::NONE;

/// The short run: seconds.
pub const SHORT: [(&str, Scenario); 16] = [
    ("create, a bad network, one skips the verification", one_skips(Faults { late: 1, lost: 1, dropped: 1, ..NONE })),
    ("create, an owner who edits, deletes and replaces", create(Faults { owner: 2, late: 1, repeated: 1, ..NONE })),
    ("create, garbled twice, a crash, an owner", one_skips(Faults { owner: 1, garbled: 2, crashes: 1, ..NONE })),
    ("create, a crash, a slow process, a late write", create(Faults { crashes: 1, slow: 1, late: 1, ..NONE })),
    ("create, a late put, a slow process, a late write", create(Faults { late_puts: 1, slow: 1, late: 1, ..NONE })),
    ("create, two memory stores, old reads", memory(Faults { late: 1, garbled: 1, stale: 1, ..NONE })),
    ("create, two writes that arrive twice at once, a late one", create(Faults { resent: 2, late: 1, ..NONE })),
    ("create, two late writes, one dropped", create(Faults { late: 2, dropped: 1, ..NONE })),
    ("enroll, a bad network", enroll(Faults { late: 1, lost: 1, dropped: 1, ..NONE })),
    ("enroll, an owner, late and repeated writes", enroll(Faults { owner: 2, late: 1, repeated: 1, ..NONE })),
    ("enroll, an owner, a dropped write, a crash", enroll(Faults { owner: 1, dropped: 1, crashes: 1, ..NONE })),
    ("enroll, two crashes, a slow process, a late write", enroll(Faults { crashes: 2, slow: 1, late: 1, ..NONE })),
    ("enroll, two late puts, a slow process", enroll(Faults { late_puts: 2, slow: 1, ..NONE })),
    ("enroll, old reads, a lost reply, a late put", enroll(Faults { stale: 2, lost: 1, late_puts: 1, ..NONE })),
    ("enroll, an old read, a crash, a slow process", enroll(Faults { stale: 1, crashes: 1, slow: 1, ..NONE })),
    ("enroll in two events, a late write", enroll_two(Faults { late: 1, ..NONE })),
];

/// What the long run has besides: minutes, and about a GB of memory.
pub const LONG: [(&str, Scenario); 9] = [
    ("create, two late writes, a late put, a crash", create(Faults { late: 2, late_puts: 1, crashes: 1, ..NONE })),
    (
        "create, everything of the network",
        one_skips(Faults { late: 1, lost: 1, dropped: 1, repeated: 1, garbled: 1, stale: 1, ..NONE }),
    ),
    (
        "create, an owner, a crash, a slow process, a late write",
        create(Faults { owner: 1, crashes: 1, slow: 1, late: 1, garbled: 1, ..NONE }),
    ),
    ("create, two late puts, a slow process, a crash", create(Faults { late_puts: 2, slow: 1, crashes: 1, ..NONE })),
    (
        "enroll, a late write and put, a crash, a slow process",
        enroll(Faults { late: 1, late_puts: 1, crashes: 1, slow: 1, ..NONE }),
    ),
    ("enroll, two late writes, one dropped, a slow process", enroll(Faults { late: 2, dropped: 1, slow: 1, ..NONE })),
    (
        "enroll, everything of the network, a crash, a slow process",
        enroll(Faults { stale: 1, lost: 1, late: 1, crashes: 1, slow: 1, ..NONE }),
    ),
    ("enroll in two events, a dropped write, a crash", enroll_two(Faults { dropped: 1, crashes: 1, ..NONE })),
    ("enroll in two events, a late put, a slow process", enroll_two(Faults { late_puts: 1, slow: 1, ..NONE })),
];
