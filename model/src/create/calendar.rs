//! Google, the network to it, and the owner of the calendar.

use super::state::{Content, Event, Sent, Slot, State, Write};
use super::{Guards, Steps};
use crate::faults::Faults;
use crate::network::{self, Names, Network, Reply, names};
use crate::steps::{bit, nonce};

impl Network for State {
    type Write = Sent;

    fn faults(&self) -> Faults {
        self.faults
    }

    fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    fn late(&self) -> [Option<Sent>; 2] {
        self.late
    }

    fn late_mut(&mut self) -> &mut [Option<Sent>; 2] {
        &mut self.late
    }
}

impl State {
    /// Something changed what stands at an id: every etag that was read of it is an old one.
    fn etag_moves(&mut self, generation: usize) {
        for driver in self.attempts.iter_mut().flat_map(|attempt| &mut attempt.drivers) {
            if usize::from(driver.generation) == generation {
                driver.fresh = false;
            }
        }
        for sent in self.late.iter_mut().flatten() {
            if usize::from(sent.generation) == generation {
                sent.fresh = false;
            }
        }
    }

    /// A nonce is made anew by each that takes over: what the former wrote or still may write is nobody's.
    pub(super) fn forget_nonce(&mut self, attempt: usize, driver: usize) {
        let old = nonce(attempt, driver);
        for slot in &mut self.slots {
            if let Slot::Event(event) = slot
                && event.touch == old
            {
                event.touch = 0;
            }
        }
        self.late.iter_mut().flatten().filter(|sent| sent.nonce == old).for_each(|sent| sent.nonce = 0);
    }

    /// Whether the write was applied; refused by a 409, 412, 404 or 410 if not.
    fn apply(&mut self, sent: Sent, content: Content, guards: &Guards) -> bool {
        let generation = usize::from(sent.generation);
        let guarded = match sent.write {
            Write::Insert | Write::Fence => false,
            Write::Adopt => guards.if_match_adopt,
            Write::Repair => guards.if_match_repair,
            Write::Delete | Write::Leave => guards.if_match_delete,
        };
        if guarded && !sent.fresh {
            return false;
        }
        let standing = self.at(generation).any(super::Attempt::verified);
        let slot = &mut self.slots[generation];
        match (sent.write, &mut *slot) {
            (Write::Insert, Slot::Absent) => {
                let claims = sent.claims.unwrap_or_default();
                *slot = Slot::Event(Event { content, claims, touch: 0, stamped: true });
            }
            (Write::Fence, Slot::Absent) if guards.fence_stamp => *slot = Slot::Fence,
            // Its content is bare, and its print the request's.
            (Write::Fence, Slot::Absent) => {
                *slot = Slot::Event(Event { content: Content::Garbled, claims: 0, touch: 0, stamped: true });
            }
            (Write::Adopt, Slot::Event(event)) => event.claims = sent.claims.unwrap_or(event.claims),
            (Write::Leave, Slot::Event(event)) => {
                event.claims = sent.claims.unwrap_or(event.claims);
                event.touch = sent.nonce;
            }
            (Write::Repair, Slot::Event(event)) => {
                self.reverted |= event.content == Content::Edited && standing;
                event.content = content;
            }
            (Write::Delete, Slot::Event(_) | Slot::Fence) => *slot = Slot::Tombstone,
            _ => return false,
        }
        if let Slot::Event(event) = self.slots[generation] {
            self.claimed[generation] |= event.claims;
        }
        self.etag_moves(generation);
        true
    }
}

const fn names(write: Write) -> Names {
    match write {
        Write::Insert => names!("insert"),
        Write::Adopt => names!("adopt"),
        Write::Repair => names!("repair"),
        Write::Delete => names!("delete"),
        Write::Leave => names!("leave"),
        Write::Fence => names!("fence"),
    }
}

/// Sends a write with every end it can have; `then` says what the sender does.
pub(super) fn send(state: &State, steps: &mut Steps<'_>, sent: Sent, then: impl Fn(&mut State, Reply)) {
    let names = names(sent.write);
    let guards = steps.model.guards;
    if !{ *state }.apply(sent, Content::Right, &guards) {
        return steps.with(state, names.refused, |next| then(next, Reply::Refused));
    }
    network::send(state, steps, (sent, &names), |next| _ = next.apply(sent, Content::Right, &guards), &then);
    if state.faults.garbled > 0 && matches!(sent.write, Write::Insert | Write::Repair) {
        steps.with(state, names.garbled, |next| {
            next.faults.garbled -= 1;
            next.apply(sent, Content::Garbled, &guards);
            then(next, Reply::Done);
        });
    }
}

/// What happens by itself.
pub(super) fn steps(state: &State, steps: &mut Steps<'_>) {
    (steps.who, steps.taker) = (None, false);
    let guards = steps.model.guards;
    let arrives = |sent: Sent| names(sent.write).arrives;
    network::arrive(state, steps, arrives, |next, sent| _ = next.apply(sent, Content::Right, &guards));
    if state.faults.owner == 0 {
        return;
    }
    for generation in 0..state.slots.len() {
        let Slot::Event(event) = state.slots[generation] else { continue };
        let mut act = |name, slot| {
            steps.with(state, name, |next| {
                next.faults.owner -= 1;
                next.slots[generation] = slot;
                next.deleted[generation] |= slot == Slot::Tombstone;
                next.etag_moves(generation);
            });
        };
        let edited = Event { content: Content::Edited, ..event };
        act("the owner edits the event", Slot::Event(edited));
        act("the owner deletes the event", Slot::Tombstone);
        if event.stamped {
            let wiped = Event { claims: 0, touch: 0, stamped: false, ..event };
            act("the owner's PUT wipes the stamps", Slot::Event(wiped));
        }
    }
}

/// A write without claims or a nonce.
pub(super) const fn plain(write: Write, generation: u8, fresh: bool) -> Sent {
    Sent { write, generation, fresh, claims: None, nonce: 0 }
}

/// An insert with our claim.
pub(super) const fn insert(attempt: usize, generation: u8) -> Sent {
    Sent { claims: Some(bit(attempt)), ..plain(Write::Insert, generation, true) }
}
