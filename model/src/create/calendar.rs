//! Google, the network to it, and the owner of the calendar.

use super::state::{Content, Event, Sent, Slot, State, Write, bit, nonce};
use super::{Guards, Steps};

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

/// The names of one write's ends.
struct Names {
    done: &'static str,
    refused: &'static str,
    lost: &'static str,
    late: &'static str,
    dropped: &'static str,
    repeated: &'static str,
    resent: &'static str,
    garbled: &'static str,
    arrives: &'static str,
}

macro_rules! names {
    ($name:literal) => {
        Names {
            done: $name,
            refused: concat!($name, ", refused"),
            lost: concat!($name, ", its reply lost"),
            late: concat!($name, ", on its way while nobody waits"),
            dropped: concat!($name, ", acknowledged and not stored"),
            repeated: concat!($name, ", a copy still on its way"),
            resent: concat!($name, ", twice at once, the second copy answered"),
            garbled: concat!($name, ", stored with other content"),
            arrives: concat!("the late ", $name, " arrives"),
        }
    };
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

/// What a sender learns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Done,
    Refused,
    Unknown,
}

/// Sends a write with every end it can have; `then` says what the sender does.
pub(super) fn send(state: &State, steps: &mut Steps<'_>, sent: Sent, then: impl Fn(&mut State, Reply)) {
    let names = names(sent.write);
    let guards = steps.guards;
    let mut end = |name, reply, change: &dyn Fn(&mut State)| {
        steps.with(state, name, |next| {
            change(next);
            then(next, reply);
        });
    };
    if !{ *state }.apply(sent, Content::Right, &guards) {
        return end(names.refused, Reply::Refused, &|_| {});
    }
    let apply = |next: &mut State, content| _ = next.apply(sent, content, &guards);
    end(names.done, Reply::Done, &|next| apply(next, Content::Right));
    if state.faults.lost > 0 {
        end(names.lost, Reply::Unknown, &|next| {
            next.faults.lost -= 1;
            apply(next, Content::Right);
        });
    }
    if state.faults.resent > 0 {
        end(names.resent, Reply::Refused, &|next| {
            next.faults.resent -= 1;
            apply(next, Content::Right);
        });
    }
    if state.faults.dropped > 0 {
        end(names.dropped, Reply::Done, &|next| next.faults.dropped -= 1);
    }
    if state.faults.garbled > 0 && matches!(sent.write, Write::Insert | Write::Repair) {
        end(names.garbled, Reply::Done, &|next| {
            next.faults.garbled -= 1;
            apply(next, Content::Garbled);
        });
    }
    if let Some(slot) = state.late.iter().position(Option::is_none) {
        if state.faults.late > 0 {
            end(names.late, Reply::Unknown, &|next| {
                next.faults.late -= 1;
                next.late[slot] = Some(sent);
            });
        }
        if state.faults.repeated > 0 {
            end(names.repeated, Reply::Done, &|next| {
                next.faults.repeated -= 1;
                next.late[slot] = Some(sent);
                apply(next, Content::Right);
            });
        }
    }
}

/// What happens by itself.
pub(super) fn steps(state: &State, steps: &mut Steps<'_>) {
    (steps.who, steps.taker) = (None, false);
    let guards = steps.guards;
    for slot in 0..state.late.len() {
        let Some(sent) = state.late[slot] else { continue };
        let names = names(sent.write);
        steps.with(state, names.arrives, |next| {
            next.late[slot] = None;
            next.apply(sent, Content::Right, &guards);
        });
    }
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
