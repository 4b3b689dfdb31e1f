//! All that can differ while two transactions put one attendee on the same events.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::faults::Faults;
use crate::lease::Lease;
use crate::steps::{Mirrored, bits_exchanged, hash_in_any_order, nonce_exchanged};

/// How many transactions there are.
pub(super) const TRANSACTIONS: usize = 2;

/// One event as Google holds it. Its etag is not a number: who read it knows whether it is still the same (`fresh`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Event {
    /// The attendee is on the list.
    pub present: bool,
    /// Somebody else is, whom the owner added meanwhile.
    pub guest: bool,
    /// Whose nonce `surecalTouch` holds: see [`nonce`]. 0: nobody's who is still at work.
    pub touch: u8,
}

/// States of an event that a read may show: those since some moment. All there have been, where nobody knows of one. Empty
/// once no read can be old any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct View(u32);

impl View {
    pub(super) const fn of(event: Event) -> Self {
        Self(1 << (event.touch as u32 * 4 + event.present as u32 * 2 + event.guest as u32))
    }

    /// Since the later of two moments.
    pub(super) const fn narrowed(self, other: Self) -> Self {
        match (self.0, other.0) {
            (0, _) => other,
            (_, 0) => self,
            (one, other) => Self(one & other),
        }
    }

    /// The event changed since.
    pub(super) const fn widen(&mut self, event: Event) {
        if self.0 != 0 {
            self.0 |= Self::of(event).0;
        }
    }

    pub(super) fn events(self) -> impl Iterator<Item = Event> {
        (0..20).filter(move |bit| self.0 & 1 << bit != 0).map(|bit: u8| Event {
            present: bit & 2 != 0,
            guest: bit & 1 != 0,
            touch: bit / 4,
        })
    }

    /// The same with other nonces.
    pub(super) fn renamed(self, touch: impl Fn(u8) -> u8) -> Self {
        self.events().fold(Self(0), |all, event| Self(all.0 | Self::of(Event { touch: touch(event.touch), ..event }).0))
    }
}

/// The attendee's record in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// There is a value.
    pub exists: bool,
    /// One bit for each transaction that relies on the attendee.
    pub claims: u8,
    /// One bit for each whose PATCH may have added them.
    pub added: u8,
    /// One bit for each that succeeded where somebody may have added them.
    pub kept: u8,
    /// Who takes them off: 1 + transaction, or 0.
    pub removing: u8,
    /// What reads show since the newest state that a transaction told of, or took them off in.
    pub view: View,
}

/// What a driver read of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seen {
    /// As in [`Event`].
    pub present: bool,
    /// As in [`Event`].
    pub guest: bool,
    /// Nothing changed the event since.
    pub fresh: bool,
}

/// Where a driver stands: the step that it takes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum At {
    #[default]
    Idle,
    Claim,
    Read,
    /// Without `claim_first`: the claim after the read.
    LateClaim,
    Adding,
    Patch,
    /// Without `added` before the PATCH: after it.
    LateAdding,
    NeverAdded,
    Commit,
    /// The put of the result is under way.
    Committing,
    /// Without `commit_first`: the records are told before.
    EarlyKeep,
    Keep,
    Fail,
    Leave,
    ExpelRead,
    IsRemoving,
    Expel,
    Removed,
    Settle,
    Over,
}

/// A process that works on a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Driver {
    /// The next step.
    pub at: At,
    /// Which event it is about.
    pub event: u8,
    /// What was read of it.
    pub seen: Seen,
    /// `added` was noted for this event.
    pub noted: bool,
    /// Who had kept the attendee when it was.
    pub kept: u8,
    /// A PATCH of ours may have been applied.
    pub sent: bool,
    /// One was acknowledged.
    pub acknowledged: bool,
    /// What its reads may show.
    pub view: View,
}

/// What the journal says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Entry {
    #[default]
    None,
    Running,
    Failed,
    Succeeded,
    /// Closed.
    Settled {
        /// After a success.
        succeeded: bool,
    },
}

/// One transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// Its journal entry.
    pub entry: Entry,
    /// Who holds it.
    pub lease: Lease,
    /// The owner, and who takes over.
    pub drivers: [Driver; 2],
    /// Who had kept the attendee before an add of the owner's that was acknowledged: two bits for each event.
    pub outdated: u8,
    /// What reads may show since those that it succeeded by, for each event.
    pub views: [View; 2],
}

/// A write to Google that nobody waits for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Late {
    /// What it does.
    pub write: Write,
    /// Which event.
    pub event: u8,
    /// Its If-Match still holds.
    pub fresh: bool,
    /// The guest list it carries.
    pub guest: bool,
    /// Whose nonce it writes.
    pub nonce: u8,
}

/// What a PATCH does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    Add,
    Expel,
    Touch,
}

/// A put of a record that nobody waits for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LatePut {
    /// Which event's.
    pub event: u8,
    /// The value.
    pub record: Record,
    /// Nothing changed the record since.
    pub fresh: bool,
    /// It expects no value.
    pub expects_absent: bool,
}

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State<const N: usize> {
    /// Google.
    pub events: [Event; N],
    /// What every event has been, while a read may still be old.
    pub past: [View; N],
    /// The attendee was there before, on each event.
    pub before: [bool; N],
    /// The owner took them off by hand: one bit for each transaction that had succeeded by then, and [`TAKEN_OFF`].
    pub taken_off: [u8; N],
    /// The owner added somebody else.
    pub guest_added: [bool; N],
    /// The store's records.
    pub records: [Record; N],
    /// The store's journal, and who works.
    pub transactions: [Transaction; TRANSACTIONS],
    /// The network.
    pub late: [Option<Late>; 2],
    /// The store's own late writes.
    pub late_put: Option<LatePut>,
    /// What may still go wrong.
    pub faults: Faults,
}

/// The owner took the attendee off.
pub(super) const TAKEN_OFF: u8 = 4;

impl<const N: usize> Mirrored for State<N> {
    fn mirrored(&self) -> Self {
        let view = |view: &mut View| *view = view.renamed(nonce_exchanged);
        let record = |mut record: Record| {
            view(&mut record.view);
            record.claims = bits_exchanged(record.claims);
            record.added = bits_exchanged(record.added);
            record.kept = bits_exchanged(record.kept);
            record.removing = if record.removing == 0 { 0 } else { 3 - record.removing };
            record
        };
        let mut mirrored = *self;
        mirrored.transactions.swap(0, 1);
        for one in &mut mirrored.transactions {
            one.outdated = (one.outdated & 0b0101) << 1 | (one.outdated & 0b1010) >> 1;
            one.drivers.iter_mut().for_each(|driver| driver.kept = bits_exchanged(driver.kept));
            one.drivers.iter_mut().for_each(|driver| view(&mut driver.view));
            one.views.iter_mut().for_each(view);
        }
        mirrored.past.iter_mut().for_each(view);
        mirrored.taken_off = mirrored.taken_off.map(|taken_off| bits_exchanged(taken_off) | taken_off & TAKEN_OFF);
        mirrored.records = mirrored.records.map(record);
        mirrored.events.iter_mut().for_each(|event| event.touch = nonce_exchanged(event.touch));
        mirrored.late.iter_mut().flatten().for_each(|late| late.nonce = nonce_exchanged(late.nonce));
        mirrored.late_put.iter_mut().for_each(|put| put.record = record(put.record));
        mirrored
    }

    fn feed(&self, hasher: &mut DefaultHasher) {
        self.events.hash(hasher);
        self.past.hash(hasher);
        self.before.hash(hasher);
        self.taken_off.hash(hasher);
        self.guest_added.hash(hasher);
        self.records.hash(hasher);
        self.transactions.hash(hasher);
        hash_in_any_order(&self.late, hasher);
        self.late_put.hash(hasher);
        self.faults.hash(hasher);
    }
}

impl<const N: usize> Hash for State<N> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.hash_either(hasher);
    }
}
