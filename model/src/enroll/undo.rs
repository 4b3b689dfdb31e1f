//! The steps of an undo.

use super::Steps;
use super::calendar::send;
use super::drive::late_of;
use super::records::put;
use super::state::{At, Driver, Record, State, Write};
use crate::lease::Me;
use crate::network::Reply;
use crate::steps::{bit, nonce};

/// The steps that take the attendee off an event.
pub(super) fn steps<const N: usize>(state: &State<N>, me: Me, my: Driver, steps: &mut Steps<'_, N>) {
    let event = usize::from(my.event);
    let record = state.records[event.min(N - 1)];
    let bit = bit(me.who);
    match my.at {
        At::Leave => leave(state, me, steps, record),
        At::ExpelRead => {
            for (shown, mut next) in state.reads(event, my) {
                next.has_read(me, shown);
                let marked = shown.touch == nonce(me.who, me.driver);
                let gone = !shown.present && (marked || !steps.model.guards.etag_move);
                let name = match (gone, shown.present, next.me(me).seen.fresh) {
                    (true, _, true) => "read: absent, and our nonce",
                    (false, true, true) => "read: there",
                    (false, false, true) => "read: absent",
                    (true, _, false) => "read: absent, and our nonce, which is old",
                    (false, true, false) => "read: there, which is old",
                    (false, false, false) => "read: absent, which is old",
                };
                let at = match (gone, steps.model.guards.recheck) {
                    (true, _) => At::Removed,
                    (false, true) => At::IsRemoving,
                    (false, false) => At::Expel,
                };
                next.go(me, at);
                steps.add(name, next);
            }
        }
        At::IsRemoving => {
            let ours = if steps.model.guards.removing {
                usize::from(record.removing) == me.who + 1
            } else {
                record.claims == bit && record.kept == 0
            };
            steps.with(state, if ours { "is_removing" } else { "is_removing: no more" }, |next| {
                next.go(me, if ours { At::Expel } else { At::Leave });
            });
        }
        At::Expel => {
            let write = if my.seen.present { Write::Expel } else { Write::Touch };
            let late = late_of(my.seen, write, my.event, nonce(me.who, me.driver));
            let closes = !steps.model.guards.nonce_read;
            send(state, steps, late, |next, reply| {
                let done = closes && reply == Reply::Done;
                next.go(me, if done { At::Removed } else { At::ExpelRead });
            });
        }
        At::Removed => {
            let mut removed = record;
            if usize::from(record.removing) == me.who + 1 || !steps.model.guards.removing {
                removed.removing = 0;
                if steps.model.guards.removed_in {
                    removed.view = removed.view.narrowed(my.view);
                }
                removed.forget();
                removed.leave(bit);
            }
            put(state, steps, ("removed", "removed, the put's fate unknown"), event, removed, |next, known| {
                if known { next.go_undoing(me) } else { next.go(me, At::Leave) }
            });
        }
        _ => {}
    }
}

/// Who failed leaves the record, or takes the attendee off.
fn leave<const N: usize>(state: &State<N>, me: Me, steps: &mut Steps<'_, N>, mut record: Record) {
    let event = usize::from(state.transactions[me.who].drivers[me.driver].event);
    let bit = bit(me.who);
    let mine = u8::try_from(me.who + 1).unwrap_or_default();
    if record.removing == mine {
        return steps.with(state, "leave: removing already", |next| next.go(me, At::ExpelRead));
    }
    if me.driver == 0 {
        record.kept &= !(state.transactions[me.who].outdated >> (2 * event));
    }
    let alone = if steps.model.guards.claims { record.claims == bit } else { record.claims & bit != 0 };
    if alone && record.added != 0 && record.kept == 0 && record.removing == 0 {
        if !steps.model.guards.removing {
            return steps.with(state, "leave: to be removed", |next| next.go(me, At::ExpelRead));
        }
        let removing = Record { removing: mine, ..record };
        let names = ("leave: removing", "leave: removing, the put's fate unknown");
        return put(state, steps, names, event, removing, |next, known| {
            next.go(me, if known { At::ExpelRead } else { At::Leave });
        });
    }
    if record.claims & bit == 0 && !steps.model.guards.rewrite {
        return steps.with(state, "leave: no claim", |next| next.go_undoing(me));
    }
    let mut left = record;
    left.leave(bit);
    put(state, steps, ("leave", "leave, the put's fate unknown"), event, left, |next, known| {
        if known {
            next.go_undoing(me);
        }
    });
}
