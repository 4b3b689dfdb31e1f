//! All that can differ while two attempts make one event.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::faults::Faults;

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

/// What the caller heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Told {
    #[default]
    Nothing,
    Success,
    /// Success, verified, although what was read was wrong.
    Wrong,
    Failure,
    Unknown,
    /// Something stands there that is not what was asked for.
    Applied,
}

/// A put of the entry that is under way. Its expected version holds while `fresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryPut {
    /// Nothing changed the entry since.
    pub fresh: bool,
    /// Somebody still waits for the reply.
    pub awaited: bool,
}

/// One attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any combination can occur")]
pub struct Attempt {
    /// Its journal entry.
    pub entry: Entry,
    /// The entry's generation.
    pub generation: u8,
    /// Without `overwrite`: the settled entry was deleted.
    pub forgotten: bool,
    /// `skipVerification`.
    pub skips: bool,
    /// Which driver holds the lease.
    pub holder: u8,
    /// The lease has run out.
    pub lease_out: bool,
    /// The owner, and who takes over.
    pub drivers: [Driver; 2],
    /// What the caller heard.
    pub told: Told,
    /// A late copy of the intent's put.
    pub intent_put: bool,
    /// The result's put.
    pub result_put: Option<EntryPut>,
    /// A takeover's put.
    pub takeover_put: Option<EntryPut>,
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

/// The nonce of a driver.
pub(super) const fn nonce(attempt: usize, driver: usize) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "both are 0 or 1")]
    let nonce = 1 + 2 * attempt as u8 + driver as u8;
    nonce
}

/// The bit of an attempt.
pub(super) const fn bit(attempt: usize) -> u8 {
    1 << attempt
}

impl State {
    /// The same with the two attempts' numbers exchanged.
    fn mirrored(&self) -> Self {
        let bits = |bits: u8| (bits & 1) << 1 | (bits & 2) >> 1;
        let touch = |touch: u8| if touch == 0 { 0 } else { (touch + 1) % 4 + 1 };
        let event = |event: &mut Event| {
            event.claims = bits(event.claims);
            event.touch = touch(event.touch);
        };
        let mut mirrored = *self;
        mirrored.attempts.swap(0, 1);
        mirrored.claimed = mirrored.claimed.map(bits);
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
            sent.claims = sent.claims.map(bits);
            sent.nonce = touch(sent.nonce);
        }
        mirrored
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.slots.hash(&mut hasher);
        self.deleted.hash(&mut hasher);
        self.sound.hash(&mut hasher);
        self.claimed.hash(&mut hasher);
        self.reverted.hash(&mut hasher);
        self.attempts.hash(&mut hasher);
        // Which of two late writes was sent first does not matter.
        let print = |sent: &Option<Sent>| {
            let mut hasher = DefaultHasher::new();
            sent.hash(&mut hasher);
            hasher.finish()
        };
        let late = (print(&self.late[0]), print(&self.late[1]));
        (late.0.min(late.1), late.0.max(late.1)).hash(&mut hasher);
        self.faults.hash(&mut hasher);
        hasher.finish()
    }
}

impl Hash for State {
    /// States that differ only in the numbers of the two attempts are one.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let (one, other) = (self.digest(), self.mirrored().digest());
        (one.min(other), one.max(other)).hash(hasher);
    }
}
