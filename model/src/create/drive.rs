//! The steps of an attempt's owner: `insert`, `look`, `adopt`, `verify`, `repair`, `commit`, `give_up`.

use super::calendar::{insert, plain, send};
use super::state::{At, Content, Driver, Entry, Event, GENERATIONS, Sent, Slot, State, Write};
use super::{Guards, Steps, reconcile};
use crate::lease::{EntryPut, Leased as _, Me, Told};
use crate::network::Reply;
use crate::steps::bit;

impl Driver {
    pub(super) const fn rests(&self) -> bool {
        matches!(self.at, At::Idle | At::Over)
    }
}

impl State {
    pub(super) const fn me(&mut self, me: Me) -> &mut Driver {
        &mut self.attempts[me.who].drivers[me.driver]
    }

    pub(super) fn go(&mut self, me: Me, at: At) {
        let my = self.me(me);
        my.at = at;
        match at {
            At::Over => *my = Driver { at, ..Driver::default() },
            // What was read matters no more.
            At::Insert | At::Look | At::Tombstone | At::GiveUp | At::Reconcile | At::Fence | At::Close => {
                my.seen = Event::default();
                my.fresh = false;
            }
            _ => {}
        }
    }

    pub(super) fn tell(&mut self, me: Me, told: Told) {
        self.attempts[me.who].lease.tell(me, told);
    }

    /// To the result, of an event as it was read.
    fn conclude(&mut self, me: Me, verified: bool) {
        let my = self.me(me);
        my.verified = verified;
        let generation = usize::from(my.generation);
        let sound = my.seen.content == Content::Right || self.sound[generation];
        let my = self.me(me);
        my.sound = sound;
        (my.seen, my.fresh, my.at) = (Event::default(), false, At::Commit);
    }

    /// The caller hears that something else stands there.
    fn stands_otherwise(&mut self, me: Me) {
        self.me(me).applied = true;
        self.go(me, At::GiveUp);
    }

    /// What the reply to an insert or a claim says of what may be there.
    fn sent(&mut self, me: Me, reply: Reply, guards: Guards) {
        let my = self.me(me);
        my.exposed |= reply != Reply::Refused;
        my.refused |= reply == Reply::Refused && guards.refusal_doubted;
    }

    fn forget_this_id(&mut self, me: Me) {
        let my = self.me(me);
        (my.exposed, my.refused, my.repaired) = (false, false, false);
    }
}

/// What became of another's claim on an event of this generation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Succeeded { verified: bool },
    Running,
    Failed,
    Unknown,
}

fn fate(state: &State, other: usize, generation: u8, steps: &Steps<'_>) -> Fate {
    let entry = &state.attempts[other];
    match entry.entry {
        _ if steps.model.memory || entry.forgotten => Fate::Unknown,
        Entry::None => Fate::Unknown,
        _ if entry.generation != generation => Fate::Failed,
        Entry::Succeeded { verified } => Fate::Succeeded { verified: verified || !steps.model.guards.verified_only },
        Entry::Running => Fate::Running,
        Entry::Failed | Entry::Settled => Fate::Failed,
    }
}

/// All that an attempt's processes can do next.
pub(super) fn steps(state: &State, attempt: usize, steps: &mut Steps<'_>) {
    for driver in 0..2 {
        steps.taker = driver == 1;
        let me = Me { who: attempt, driver };
        let my = state.attempts[attempt].drivers[driver];
        let one = &state.attempts[attempt];
        let alive = one.lease.is_alive(driver);
        if !alive && steps.model.guards.lease_check && !my.rests() && my.at != At::Committing {
            steps.with(state, "its lease is lost: it stops", |next| {
                next.stop_unknown(me);
            });
            continue;
        }
        match my.at {
            At::Idle if driver == 0 => begin(state, me, steps),
            At::Idle | At::Over | At::Committing => {}
            At::Reconcile | At::Fence | At::DeleteFence | At::Delete | At::Leave | At::Close => {
                reconcile::steps(state, me, my, steps);
            }
            At::GiveUp => give_up(state, me, my, steps),
            _ => {
                // A refusal, the deadline, an abort.
                steps.with(state, "the call fails", |next| next.go(me, At::GiveUp));
                go_on(state, me, my, steps);
            }
        }
    }
}

fn begin(state: &State, me: Me, steps: &mut Steps<'_>) {
    if state.attempts[me.who].entry != Entry::None || state.attempts[me.who].lease.told != Told::Nothing {
        return;
    }
    let own = if steps.model.guards.derived_id { 0 } else { u8::try_from(me.who).unwrap_or_default() };
    let begun = |next: &mut State, entry| {
        next.attempts[me.who].entry = entry;
        next.attempts[me.who].generation = own;
        *next.me(me) = Driver { at: At::Insert, generation: own, ..Driver::default() };
    };
    if !steps.model.guards.intent_first {
        return steps.with(state, "begin, without an intent", |next| begun(next, Entry::None));
    }
    steps.with(state, "begin", |next| begun(next, Entry::Running));
    if state.faults.late_puts > 0 {
        steps.with(state, "begin, a first put of the intent still on its way", |next| {
            next.faults.late_puts -= 1;
            next.attempts[me.who].intent_put = true;
            begun(next, Entry::Running);
        });
        steps.with(state, "begin, the put's fate unknown", |next| {
            next.faults.late_puts -= 1;
            next.attempts[me.who].intent_put = true;
            next.tell(me, Told::Failure);
            next.go(me, At::Over);
        });
    }
}

fn go_on(state: &State, me: Me, my: Driver, steps: &mut Steps<'_>) {
    let one = &state.attempts[me.who];
    let guards = steps.model.guards;
    match my.at {
        At::Insert => {
            let skips = one.skips || !steps.model.guards.read_back;
            let read_back = steps.model.guards.read_back;
            let noted = one.generation == my.generation;
            send(state, steps, insert(me.who, my.generation), |next, reply| {
                next.sent(me, reply, guards);
                if !noted {
                    next.go(me, At::LateAdvance);
                } else if reply == Reply::Done && skips {
                    next.conclude(me, !read_back);
                } else {
                    next.go(me, At::Look);
                }
            });
        }
        At::LateAdvance => steps.with(state, "the generation is journalled after its insert", |next| {
            next.attempts[me.who].lease.entry_moves();
            next.attempts[me.who].generation = my.generation;
            next.go(me, At::Look);
        }),
        At::Look => look(state, me, my, steps),
        At::AdoptFates | At::VerifyFates => fates(state, me, my, steps),
        At::Adopt => {
            let mine = bit(me.who);
            let claims = if steps.model.guards.claims_list { my.seen.claims | mine } else { mine };
            let sent = Sent { claims: Some(claims), ..plain(Write::Adopt, my.generation, my.fresh) };
            send(state, steps, sent, |next, reply| {
                next.sent(me, reply, guards);
                next.go(me, At::Look);
            });
        }
        At::Repair => send(state, steps, plain(Write::Repair, my.generation, my.fresh), |next, reply| {
            next.me(me).repaired |= reply == Reply::Done;
            next.go(me, At::Look);
        }),
        At::LiftFence => send(state, steps, plain(Write::Delete, my.generation, my.fresh), |next, _| {
            next.go(me, At::Look);
        }),
        At::Tombstone => tombstone(state, me, my, steps),
        At::Commit => {
            let early = !steps.model.guards.result_before_told;
            steps.with(state, "commit", |next| {
                let holds = one.lease.is_held_by(me.driver);
                let mine = &mut next.attempts[me.who];
                if mine.entry == Entry::None {
                    (mine.entry, mine.generation) = (Entry::Running, my.generation);
                }
                let fresh = holds && mine.entry == Entry::Running;
                mine.lease.result_put = Some(EntryPut { fresh, awaited: true });
                if early {
                    next.tell(me, Told::Success);
                }
                next.go(me, At::Committing);
            });
        }
        _ => {}
    }
}

fn look(state: &State, me: Me, my: Driver, steps: &mut Steps<'_>) {
    let generation = usize::from(my.generation);
    let (skips, guards) = (state.attempts[me.who].skips, steps.model.guards);
    if state.faults.stale > 0 && !matches!(state.slots[generation], Slot::Absent) {
        steps.with(state, "look: an old read, absent", |next| {
            next.faults.stale -= 1;
            next.go(me, At::Insert);
        });
    }
    match state.slots[generation] {
        Slot::Absent => steps.with(state, "look: absent", |next| next.go(me, At::Insert)),
        Slot::Tombstone => steps.with(state, "look: tombstone", |next| {
            next.forget_this_id(me);
            next.go(me, if generation + 1 < GENERATIONS { At::Tombstone } else { At::GiveUp });
        }),
        Slot::Fence => steps.with(state, "look: fence", |next| {
            next.me(me).refused = false;
            (next.me(me).fresh, next.me(me).at) = (true, At::LiftFence);
        }),
        Slot::Event(event) if !event.stamped => steps.with(state, "look: unstamped", |next| {
            next.me(me).seen = event;
            next.forget_this_id(me);
            if event.content == Content::Right || !guards.compare_first {
                next.conclude(me, true);
            } else {
                next.stands_otherwise(me);
            }
        }),
        Slot::Event(event) => {
            let mine = bit(me.who);
            let listed = event.claims & mine != 0 || !guards.claim_check;
            let name = if listed { "look: our claim" } else { "look: others' claims" };
            steps.with(state, name, |next| {
                (next.me(me).seen, next.me(me).fresh) = (event, true);
                next.me(me).refused = false;
                if !listed {
                    next.me(me).at = At::AdoptFates;
                    return;
                }
                next.me(me).exposed = true;
                if event.content == Content::Right {
                    next.conclude(me, true);
                } else if skips {
                    next.conclude(me, false);
                } else if event.claims & !mine != 0 {
                    next.me(me).at = At::VerifyFates;
                } else if my.repaired {
                    next.go(me, At::GiveUp);
                } else {
                    next.me(me).at = At::Repair;
                }
            });
        }
    }
}

/// The journal says what became of the others that claim the event.
fn fates(state: &State, me: Me, my: Driver, steps: &mut Steps<'_>) {
    let other = 1 - me.who;
    let listed = my.seen.claims & bit(other) != 0;
    let fate = listed.then(|| fate(state, other, my.generation, steps));
    let is_right = my.seen.content == Content::Right;
    let guards = steps.model.guards;
    let name = match fate {
        Some(Fate::Succeeded { verified: true }) => "fates: the other succeeded, verified",
        Some(Fate::Succeeded { verified: false }) => "fates: the other succeeded, unverified",
        Some(Fate::Running) => "fates: the other is at work",
        Some(Fate::Failed) => "fates: the other failed",
        Some(Fate::Unknown) => "fates: the other's is not known",
        None => "fates: nobody is listed",
    };
    steps.with(state, name, |next| match (my.at, fate) {
        (_, Some(Fate::Succeeded { verified: true })) if guards.owners_edit => next.conclude(me, true),
        (At::AdoptFates, Some(Fate::Succeeded { .. })) if is_right => next.conclude(me, true),
        (At::AdoptFates, _) => next.me(me).at = At::Adopt,
        // Whatever differs is taken for the owner's edit.
        _ if !guards.fates => next.conclude(me, true),
        // Whatever differs is taken for garbled.
        _ if !guards.owners_edit => next.me(me).at = At::Repair,
        (_, Some(Fate::Succeeded { .. } | Fate::Unknown)) => next.stands_otherwise(me),
        (_, Some(Fate::Running)) => next.go(me, At::Look),
        (_, Some(Fate::Failed) | None) if my.repaired => next.go(me, At::GiveUp),
        (_, Some(Fate::Failed) | None) => next.me(me).at = At::Repair,
    });
}

fn tombstone(state: &State, me: Me, my: Driver, steps: &mut Steps<'_>) {
    let one = &state.attempts[me.who];
    let holds = one.lease.is_held_by(me.driver) && one.entry == Entry::Running;
    let journalled = steps.model.guards.next_id;
    let advance = |next: &mut State, at| {
        next.me(me).generation = my.generation + 1;
        next.go(me, at);
    };
    if !journalled {
        return steps.with(state, "the next generation", |next| advance(next, At::Insert));
    }
    if !holds {
        return steps.with(state, "the next generation: refused", |next| {
            next.stop_unknown(me);
        });
    }
    let note = |next: &mut State| {
        next.attempts[me.who].lease.entry_moves();
        next.attempts[me.who].generation = my.generation + 1;
    };
    steps.with(state, "the next generation is journalled", |next| {
        note(next);
        advance(next, At::Insert);
    });
    if state.faults.late_puts > 0 {
        steps.with(state, "the next generation is journalled, its reply lost", |next| {
            next.faults.late_puts -= 1;
            note(next);
            next.stop_unknown(me);
        });
    }
}

/// The call fails: durably, before anything is undone.
fn give_up(state: &State, me: Me, my: Driver, steps: &mut Steps<'_>) {
    let one = &state.attempts[me.who];
    let told = if my.applied { Told::Applied } else { Told::Failure };
    if !one.lease.is_held_by(me.driver) {
        return steps.with(state, "give_up: refused", |next| {
            next.stop_unknown(me);
        });
    }
    let exposed = my.exposed || my.refused;
    let entry = if exposed { Entry::Failed } else { Entry::Settled };
    steps.with(state, if exposed { "give_up" } else { "give_up: nothing was sent" }, |next| {
        next.put_entry(me.who, entry);
        next.tell(me, told);
        if exposed {
            next.go(me, At::Reconcile);
            next.me(me).generation = next.attempts[me.who].generation;
        } else {
            next.go(me, At::Over);
        }
    });
    if state.faults.late_puts > 0 {
        for lands in [true, false] {
            steps.with(state, if lands { "give_up, its reply lost" } else { "give_up, the put is lost" }, |next| {
                next.faults.late_puts -= 1;
                if lands {
                    next.put_entry(me.who, entry);
                }
                next.stop_unknown(me);
            });
        }
    }
}
