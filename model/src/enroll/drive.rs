//! The steps of those who work on a transaction: its owner, and who takes over.

use super::calendar::send;
use super::records::put;
use super::state::{At, Driver, Entry, Late, Record, Seen, State, Write};
use super::{Steps, undo};
use crate::lease::{EntryPut, Leased as _, Me, Told};
use crate::network::Reply;
use crate::steps::bit;

impl Driver {
    pub(super) const fn rests(self) -> bool {
        matches!(self.at, At::Idle | At::Over)
    }
}

impl<const N: usize> State<N> {
    pub(super) const fn me(&mut self, me: Me) -> &mut Driver {
        &mut self.transactions[me.who].drivers[me.driver]
    }

    pub(super) fn go(&mut self, me: Me, at: At) {
        self.me(me).at = at;
        if matches!(at, At::Over) {
            *self.me(me) = Driver { at, ..Driver::default() };
        }
    }

    /// On to the next event, or to the result.
    fn go_on(&mut self, me: Me, steps: &Steps<'_, N>) {
        let event = self.me(me).event + 1;
        *self.me(me) = Driver { event, ..Driver::default() };
        let last = usize::from(event) == N;
        let at = match (last, steps.model.guards.claim_first, steps.model.guards.commit_first) {
            (false, true, _) => At::Claim,
            (false, false, _) => At::Read,
            (true, _, true) => At::Commit,
            (true, _, false) => At::EarlyKeep,
        };
        if last {
            self.me(me).event = 0;
        }
        self.me(me).at = at;
    }

    /// The records are told of the success, one after the other.
    fn go_keeping(&mut self, me: Me, at: At, then: At) {
        let event = self.me(me).event + 1;
        let at = if usize::from(event) == N { then } else { at };
        *self.me(me) = Driver { at, event: if at == then { 0 } else { event }, ..Driver::default() };
    }

    /// Newest first.
    pub(super) fn go_undoing(&mut self, me: Me) {
        let event = self.me(me).event;
        let at = if event == 0 { At::Settle } else { At::Leave };
        *self.me(me) = Driver { at, event: event.saturating_sub(1), ..Driver::default() };
    }

    pub(super) fn begin_undo(&mut self, me: Me) {
        let event = u8::try_from(N - 1).unwrap_or_default();
        *self.me(me) = Driver { at: At::Leave, event, ..Driver::default() };
    }

    pub(super) fn tell(&mut self, me: Me, told: Told) {
        self.transactions[me.who].lease.tell(me, told);
    }
}

/// All that those who work on a transaction can do next.
pub(super) fn steps<const N: usize>(state: &State<N>, transaction: usize, steps: &mut Steps<'_, N>) {
    for driver in 0..2 {
        steps.taker = driver == 1;
        drive(state, Me { who: transaction, driver }, steps);
    }
}

/// What a driver does next.
fn drive<const N: usize>(state: &State<N>, me: Me, steps: &mut Steps<'_, N>) {
    let one = &state.transactions[me.who];
    let my = one.drivers[me.driver];
    let alive = one.lease.is_alive(me.driver);
    let unasked = my.at == At::Claim && !steps.model.guards.claim_lease_check;
    let waits = my.rests() || my.at == At::Committing;
    if !alive && steps.model.guards.lease_check && !unasked && !waits {
        return steps.with(state, "its lease is lost: it stops", |next| {
            next.stop_unknown(me);
        });
    }
    match my.at {
        At::Idle if me.driver == 0 && one.entry == Entry::None => {
            let (intent, claim) = (steps.model.guards.intent_first, steps.model.guards.claim_first);
            steps.with(state, "begin", |next| {
                next.transactions[me.who].entry = if intent { Entry::Running } else { Entry::None };
                next.go(me, if claim { At::Claim } else { At::Read });
            });
        }
        At::Idle | At::Over | At::Committing => {}
        At::Claim | At::LateClaim | At::Read | At::Adding | At::Patch | At::LateAdding | At::NeverAdded => {
            add(state, me, my, steps);
        }
        At::Commit | At::EarlyKeep | At::Keep | At::Fail | At::Settle => end(state, me, my, steps),
        At::Leave | At::ExpelRead | At::IsRemoving | At::Expel | At::Removed => undo::steps(state, me, my, steps),
    }
}

/// The steps that put the attendee on an event.
fn add<const N: usize>(state: &State<N>, me: Me, my: Driver, steps: &mut Steps<'_, N>) {
    let event = usize::from(my.event);
    let record = state.records[event.min(N - 1)];
    let bit = bit(me.who);
    let guards = steps.model.guards;
    match my.at {
        At::Claim | At::LateClaim => {
            fail(state, me, steps);
            if record.removing != 0 && steps.model.guards.wait_while_removing {
                return;
            }
            let claimed = Record { claims: record.claims | bit, ..record };
            let names = ("claim", "claim, the put's fate unknown");
            let is_late = my.at == At::LateClaim;
            let gone_on = acted(state, me, steps, my);
            put(state, steps, names, event, claimed, |next, known| match (known, is_late) {
                (false, _) => next.go(me, At::Fail),
                (true, false) => {
                    let mine = next.me(me);
                    mine.view = mine.view.narrowed(record.view);
                    next.go(me, At::Read);
                }
                (true, true) => next.transactions[me.who].drivers[me.driver] = gone_on,
            });
        }
        At::Read => {
            fail(state, me, steps);
            read(state, me, my, steps);
        }
        At::Adding => {
            fail(state, me, steps);
            if !steps.model.guards.added {
                steps.with(state, "adding is not noted", |next| next.go(me, At::Patch));
            } else if record.claims & bit == 0 {
                steps.with(state, "adding: the claim is gone", |next| next.go(me, At::Fail));
            } else if record.removing != 0 {
            } else if record.added & bit != 0 {
                steps.with(state, "adding: noted already", |next| next.go(me, At::Patch));
            } else {
                let noted = Record { added: record.added | bit, ..record };
                put(state, steps, ("adding", "adding, the put's fate unknown"), event, noted, |next, known| {
                    if !my.noted {
                        next.me(me).kept = record.kept;
                    }
                    next.me(me).noted = true;
                    next.go(me, if known { At::Patch } else { At::Fail });
                });
            }
        }
        At::Patch => {
            fail(state, me, steps);
            let late = late_of(my.seen, Write::Add, my.event, 0);
            let gone_on = past(state, me, steps, my);
            send(state, steps, late, |next, reply| {
                next.me(me).sent |= reply != Reply::Refused;
                next.me(me).acknowledged |= reply == Reply::Done;
                if reply != Reply::Refused && !guards.added {
                    next.go(me, At::LateAdding);
                } else if reply == Reply::Done && !guards.read_back {
                    *next.me(me) = gone_on;
                } else {
                    next.go(me, At::Read);
                }
            });
        }
        At::LateAdding => {
            fail(state, me, steps);
            let noted = Record { added: record.added | bit, ..record };
            put(
                state,
                steps,
                ("adding, after the patch", "adding, the put's fate unknown"),
                event,
                noted,
                |next, known| {
                    next.go(me, if known { At::Read } else { At::Fail });
                },
            );
        }
        At::NeverAdded => {
            let never = Record { added: record.added & !bit, ..record };
            let gone_on = past(state, me, steps, my);
            put(state, steps, ("never_added", "never_added, the put's fate unknown"), event, never, |next, _| {
                *next.me(me) = gone_on;
            });
        }
        _ => {}
    }
}

/// What a read shows to who adds, and what that means.
fn read<const N: usize>(state: &State<N>, me: Me, my: Driver, steps: &mut Steps<'_, N>) {
    let event = usize::from(my.event);
    let claimed = state.records[event].claims & bit(me.who) != 0;
    for (shown, mut next) in state.reads(event, my) {
        next.has_read(me, shown);
        let name = match (shown.present, next.me(me).seen.fresh) {
            (true, true) => "read: there",
            (false, true) => "read: absent",
            (true, false) => "read: there, which is old",
            (false, false) => "read: absent, which is old",
        };
        if steps.model.guards.claim_first || claimed {
            decide(&mut next, me, steps);
        } else {
            next.go(me, At::LateClaim);
        }
        steps.add(name, next);
    }
}

/// The steps of the result, whichever it is.
fn end<const N: usize>(state: &State<N>, me: Me, my: Driver, steps: &mut Steps<'_, N>) {
    let one = &state.transactions[me.who];
    let holds = one.lease.is_held_by(me.driver);
    match my.at {
        At::EarlyKeep => keep(state, me, steps, (At::EarlyKeep, At::Commit)),
        At::Commit => {
            fail(state, me, steps);
            let early = !steps.model.guards.result_before_told;
            steps.with(state, "commit", |next| {
                let mine = &mut next.transactions[me.who];
                if mine.entry == Entry::None {
                    mine.entry = Entry::Running;
                }
                let fresh = holds && mine.entry == Entry::Running;
                mine.lease.result_put = Some(EntryPut { fresh, awaited: true });
                if early {
                    next.tell(me, Told::Success);
                }
                next.go(me, At::Committing);
            });
        }
        At::Keep => keep(state, me, steps, (At::Keep, At::Settle)),
        At::Fail => {
            if !holds {
                return steps.with(state, "fail: refused", |next| {
                    next.stop_unknown(me);
                });
            }
            steps.with(state, "fail", |next| {
                next.put_entry(me.who, Entry::Failed);
                next.begin_undo(me);
            });
            if state.faults.late_puts > 0 {
                for lands in [true, false] {
                    steps.with(state, if lands { "fail, its reply lost" } else { "fail, the put is lost" }, |next| {
                        next.faults.late_puts -= 1;
                        if lands {
                            next.put_entry(me.who, Entry::Failed);
                        }
                        next.stop_unknown(me);
                    });
                }
            }
        }
        At::Settle => {
            let succeeded = one.succeeded();
            steps.with(state, "settle", |next| {
                if holds {
                    next.put_entry(me.who, Entry::Settled { succeeded });
                }
                next.tell(me, if succeeded { Told::Success } else { Told::Failure });
                next.go(me, At::Over);
            });
        }
        _ => {}
    }
}

pub(super) const fn late_of(seen: Seen, write: Write, event: u8, nonce: u8) -> Late {
    Late { write, event, fresh: seen.fresh, guest: seen.guest, nonce }
}

/// What a read means for who adds.
fn decide<const N: usize>(next: &mut State<N>, me: Me, steps: &Steps<'_, N>) {
    let my = *next.me(me);
    match (my.seen.present, my.noted && !my.sent) {
        (true, true) => next.go(me, At::NeverAdded),
        (true, false) => {
            if !steps.model.guards.kept_by_others && my.sent {
                next.transactions[me.who].outdated |= 3 << (2 * my.event);
            } else if my.acknowledged {
                next.transactions[me.who].outdated |= my.kept << (2 * my.event);
            }
            if steps.model.guards.told_in {
                next.transactions[me.who].views[usize::from(my.event)] = my.view;
            }
            next.go_on(me, steps);
        }
        (false, _) => next.go(me, At::Adding),
    }
}

/// The driver after it acted on what it has read.
fn acted<const N: usize>(state: &State<N>, me: Me, steps: &Steps<'_, N>, my: Driver) -> Driver {
    let mut next = *state;
    *next.me(me) = my;
    decide(&mut next, me, steps);
    *next.me(me)
}

/// The driver at the next event.
fn past<const N: usize>(state: &State<N>, me: Me, steps: &Steps<'_, N>, my: Driver) -> Driver {
    let mut next = *state;
    *next.me(me) = my;
    next.go_on(me, steps);
    *next.me(me)
}

/// A call can fail at any time before its result: a refusal, the deadline, an abort.
fn fail<const N: usize>(state: &State<N>, me: Me, steps: &mut Steps<'_, N>) {
    let my = state.transactions[me.who].drivers[me.driver];
    let mut next = *state;
    next.go(me, At::Fail);
    steps.add("the call fails", next);
    if my.noted && !my.sent {
        let event = usize::from(my.event);
        let mut never = state.records[event];
        never.added &= !bit(me.who);
        let names = ("the call fails: never_added", "the call fails: never_added, the put's fate unknown");
        put(state, steps, names, event, never, |next, _| next.go(me, At::Fail));
    }
}

fn keep<const N: usize>(state: &State<N>, me: Me, steps: &mut Steps<'_, N>, (again, then): (At, At)) {
    let event = usize::from(state.transactions[me.who].drivers[me.driver].event);
    let mut record = state.records[event];
    let view = state.transactions[me.who].views[event];
    if record.claims & bit(me.who) == 0 {
        let mut next = *state;
        next.go_keeping(me, again, then);
        return steps.add("keep: no claim", next);
    }
    record.view = record.view.narrowed(view);
    if record.added != 0 && steps.model.guards.kept {
        record.kept |= bit(me.who);
    }
    record.leave(bit(me.who));
    put(state, steps, ("keep", "keep, the put's fate unknown"), event, record, |next, known| {
        if known {
            next.go_keeping(me, again, then);
        }
    });
}
