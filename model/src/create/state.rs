//! All that can differ while two attempts make one event.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::faults::Faults;
use crate::lease::Lease;
use crate::steps::{Mirrored, bits_exchanged, hash_in_any_order, nonce_exchanged};

/// How many attempts there are.
pub(super) const ATTEMPTS: usize = 2;
/// How many generations of the id.
pub(super) const GENERATIONS: usize = 2;

/// What an event says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Content {
    /// What was asked for.
    #[default]
    Right,
    /// Something else: Google stored it so.
    Garbled,
    /// Something else: its owner edited it.
    Edited,
}

/// An event as Google holds it. Its etag is not a number: who read it knows whether it is still the same (`fresh`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Event {
    /// What it says.
    pub content: Content,
    /// `surecalClaims`: one bit for each attempt.
    pub claims: u8,
    /// Whose nonce `surecalTouch` holds; 0: nobody's who is still at work.
    pub touch: u8,
    /// Its stamps are there; a PUT of its owner wipes them.
    pub stamped: bool,
}

/// What stands at the id of one generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Slot {
    #[default]
    Absent,
    Event(Event),
    Fence,
    Tombstone,
}

/// Where a driver stands: the step that it takes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum At {
    #[default]
    Idle,
    Insert,
    /// Without `next_id`: the entry learns of the generation after its insert.
    LateAdvance,
    Look,
    /// The journal is asked about the others' claims on an event that we claim.
    VerifyFates,
    /// The same on one that we do not claim yet.
    AdoptFates,
    Adopt,
    Repair,
    LiftFence,
    Tombstone,
    Commit,
    Committing,
    GiveUp,
    Reconcile,
    Fence,
    DeleteFence,
    Delete,
    Leave,
    Close,
    Over,
}

/// A process that works on an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any combination can occur")]
pub struct Driver {
    /// The next step.
    pub at: At,
    /// The generation it is about.
    pub generation: u8,
    /// What was read of the event.
    pub seen: Event,
    /// Nothing changed the event since.
    pub fresh: bool,
    /// An insert or claim of ours may be there, or may still arrive.
    pub exposed: bool,
    /// One was refused, and nothing was seen at this id since.
    pub refused: bool,
    /// The event was put right once.
    pub repaired: bool,
    /// The success that is about to be journalled was read back.
    pub verified: bool,
    /// It was right when it was read, or had been when another succeeded.
    pub sound: bool,
    /// The caller hears that something else stands there.
    pub applied: bool,
}

/// What the journal says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Entry {
    #[default]
    None,
    Running,
    Failed,
    Succeeded {
        /// Read back.
        verified: bool,
    },
    Settled,
}

/// One attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// Its journal entry.
    pub entry: Entry,
    /// The entry's generation.
    pub generation: u8,
    /// Without `overwrite`: the settled entry was deleted.
    pub forgotten: bool,
    /// `skipVerification`.
    pub skips: bool,
    /// Who holds it.
    pub lease: Lease,
    /// The owner, and who takes over.
    pub drivers: [Driver; 2],
    /// A late copy of the intent's put.
    pub intent_put: bool,
}

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    Insert,
    Adopt,
    Repair,
    Delete,
    Leave,
    Fence,
}

/// A write to Google.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    /// What it does.
    pub write: Write,
    /// To which generation's id.
    pub generation: u8,
    /// Its If-Match still holds.
    pub fresh: bool,
    /// The claims it writes.
    pub claims: Option<u8>,
    /// Whose nonce it writes.
    pub nonce: u8,
}

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Google: what stands at each generation's id.
    pub slots: [Slot; GENERATIONS],
    /// The owner deleted it.
    pub deleted: [bool; GENERATIONS],
    /// It was right when an attempt succeeded.
    pub sound: [bool; GENERATIONS],
    /// Whose claims were on it at any time.
    pub claimed: [u8; GENERATIONS],
    /// An edit that was made after a success was written over.
    pub reverted: bool,
    /// The journal, and who works.
    pub attempts: [Attempt; ATTEMPTS],
    /// Writes that nobody waits for any more.
    pub late: [Option<Sent>; 2],
    /// What may still go wrong.
    pub faults: Faults,
}

impl Mirrored for State {
    fn mirrored(&self) -> Self {
        let event = |event: &mut Event| {
            event.claims = bits_exchanged(event.claims);
            event.touch = nonce_exchanged(event.touch);
        };
        let mut mirrored = *self;
        mirrored.attempts.swap(0, 1);
        mirrored.claimed = mirrored.claimed.map(bits_exchanged);
        for slot in &mut mirrored.slots {
            if let Slot::Event(there) = slot {
                event(there);
            }
        }
        mirrored
            .attempts
            .iter_mut()
            .flat_map(|attempt| &mut attempt.drivers)
            .for_each(|driver| event(&mut driver.seen));
        for sent in mirrored.late.iter_mut().flatten() {
            sent.claims = sent.claims.map(bits_exchanged);
            sent.nonce = nonce_exchanged(sent.nonce);
        }
        mirrored
    }

    fn feed(&self, hasher: &mut DefaultHasher) {
        self.slots.hash(hasher);
        self.deleted.hash(hasher);
        self.sound.hash(hasher);
        self.claimed.hash(hasher);
        self.reverted.hash(hasher);
        self.attempts.hash(hasher);
        hash_in_any_order(&self.late, hasher);
        self.faults.hash(hasher);
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.hash_either(hasher);
    }
}
