//! The steps of a clean-up.

use super::Steps;
use super::calendar::{plain, send};
use super::state::{At, Driver, Entry, Sent, Slot, State, Write};
use crate::lease::{Me, Told};
use crate::network::Reply;
use crate::steps::{bit, nonce};

/// What a clean-up does next.
pub(super) fn steps(state: &State, me: Me, my: Driver, steps: &mut Steps<'_>) {
    match my.at {
        At::Reconcile => look(state, me, my, steps),
        At::Fence => send(state, steps, plain(Write::Fence, my.generation, true), |next, reply| {
            if reply == Reply::Done {
                (next.me(me).fresh, next.me(me).at) = (true, At::DeleteFence);
            } else {
                next.go(me, At::Reconcile);
            }
        }),
        At::DeleteFence | At::Delete => {
            send(state, steps, plain(Write::Delete, my.generation, my.fresh), |next, _| next.go(me, At::Reconcile));
        }
        At::Leave => {
            let mine = bit(me.who);
            let claims = (my.seen.claims & mine != 0).then_some(my.seen.claims & !mine);
            let leave = plain(Write::Leave, my.generation, my.fresh);
            let closes = !steps.model.guards.nonce_read;
            let sent = Sent { claims, nonce: nonce(me.who, me.driver), ..leave };
            send(state, steps, sent, |next, reply| {
                next.go(me, if closes && reply == Reply::Done { At::Close } else { At::Reconcile });
            });
        }
        At::Close => steps.with(state, "close", |next| {
            if next.attempts[me.who].lease.is_held_by(me.driver) {
                next.put_entry(me.who, Entry::Settled);
            }
            next.tell(me, Told::Failure);
            next.go(me, At::Over);
        }),
        _ => {}
    }
}

fn look(state: &State, me: Me, my: Driver, steps: &mut Steps<'_>) {
    let guards = steps.model.guards;
    let generation = usize::from(my.generation);
    let mine = bit(me.who);
    let fence = if guards.fence { At::Fence } else { At::Close };
    if state.faults.stale > 0 && !matches!(state.slots[generation], Slot::Absent) {
        steps.with(state, "reconcile: an old read, absent", |next| {
            next.faults.stale -= 1;
            next.go(me, fence);
        });
    }
    let mut found = |name, at| {
        steps.with(state, name, |next| {
            if let Slot::Event(event) = state.slots[generation] {
                next.me(me).seen = event;
            }
            next.me(me).fresh = true;
            next.me(me).at = at;
            if matches!(at, At::Close | At::Fence) {
                next.go(me, at);
            }
        });
    };
    match state.slots[generation] {
        Slot::Absent => found("reconcile: absent", fence),
        Slot::Tombstone => found("reconcile: tombstone", At::Close),
        Slot::Fence => found("reconcile: fence", At::DeleteFence),
        Slot::Event(event) if !event.stamped => found("reconcile: unstamped", At::Close),
        Slot::Event(event) if event.claims == mine => found("reconcile: ours alone", At::Delete),
        Slot::Event(event) if event.claims & mine != 0 && !guards.only_ours => found("reconcile: ours", At::Delete),
        Slot::Event(event) if event.claims & mine != 0 => found("reconcile: ours and others'", At::Leave),
        Slot::Event(event) if event.touch == nonce(me.who, me.driver) => {
            found("reconcile: others', and our nonce", At::Close);
        }
        Slot::Event(_) if !guards.etag_move => found("reconcile: others'", At::Close),
        Slot::Event(_) => found("reconcile: others'", At::Leave),
    }
}
