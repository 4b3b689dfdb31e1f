//! Google, the network to it, and the owner of the calendar.

use super::drive::Me;
use super::state::{Driver, Event, Late, Seen, State, TAKEN_OFF, TRANSACTIONS, View, Write, bit, nonce};
use super::{Guards, Steps};

impl<const N: usize> State<N> {
    /// Something changed the event: every etag that was read of it is an old one.
    fn etag_moves(&mut self, event: usize) {
        let is = self.events[event];
        self.views(event).for_each(|view| view.widen(is));
        for transaction in &mut self.transactions {
            for driver in &mut transaction.drivers {
                if usize::from(driver.event) == event {
                    driver.seen.fresh = false;
                }
            }
        }
        for late in self.late.iter_mut().flatten() {
            if usize::from(late.event) == event {
                late.fresh = false;
            }
        }
    }

    fn succeeded_bits(&self) -> u8 {
        (0..TRANSACTIONS).filter(|one| self.transactions[*one].succeeded()).map(bit).fold(0, |all, one| all | one)
    }

    /// Everything that knows of a moment in an event's life.
    fn views(&mut self, event: usize) -> impl Iterator<Item = &mut View> {
        let of_transactions = self.transactions.iter_mut().flat_map(move |one| {
            let drivers = one.drivers.iter_mut().filter(move |driver| usize::from(driver.event) == event);
            drivers.map(|driver| &mut driver.view).chain([&mut one.views[event]])
        });
        let put = self.late_put.iter_mut().filter(move |put| usize::from(put.event) == event);
        of_transactions
            .chain(put.map(|put| &mut put.record.view))
            .chain([&mut self.records[event].view, &mut self.past[event]])
    }

    /// What a read can show: what is, or an older state, if this is not older than one that the reader knows of.
    pub(super) fn reads(&self, event: usize, reader: Driver) -> Vec<(Event, Self)> {
        let is = self.events[event];
        let mut reads = vec![(is, *self)];
        if self.faults.stale > 0 {
            let mut stale = *self;
            stale.faults.stale -= 1;
            let shown = self.past[event].narrowed(reader.view);
            reads.extend(shown.events().filter(|old| *old != is).map(|old| (old, stale)));
        }
        reads
    }

    /// A driver has read.
    pub(super) fn has_read(&mut self, me: Me, shown: Event) {
        let event = usize::from(self.me(me).event);
        let fresh = shown == self.events[event];
        self.me(me).seen = Seen { present: shown.present, guest: shown.guest, fresh };
        if fresh {
            self.me(me).view = View::of(shown);
        }
        if self.faults.stale == 0 {
            (0..N).for_each(|event| self.views(event).for_each(|view| *view = View::default()));
        }
    }

    fn apply(&mut self, late: Late, guards: &Guards) {
        let guarded = match late.write {
            Write::Add => guards.if_match_add,
            Write::Expel | Write::Touch => guards.if_match_expel,
        };
        if guarded && !late.fresh {
            return;
        }
        let event = usize::from(late.event);
        match late.write {
            // A PATCH of the guest list carries the whole list.
            Write::Add => {
                self.events[event].present = true;
                self.events[event].guest = late.guest;
            }
            Write::Expel => {
                self.events[event] = Event { present: false, guest: late.guest, touch: late.nonce };
            }
            Write::Touch => self.events[event].touch = late.nonce,
        }
        self.etag_moves(event);
    }

    /// A nonce is made anew by each that takes over: what the former wrote or still may write is nobody's.
    pub(super) fn forget_nonce(&mut self, transaction: usize, driver: usize) {
        let old = nonce(transaction, driver);
        self.events.iter_mut().filter(|event| event.touch == old).for_each(|event| event.touch = 0);
        for event in 0..N {
            self.views(event).for_each(|view| *view = view.renamed(|touch| if touch == old { 0 } else { touch }));
        }
        self.late.iter_mut().flatten().filter(|late| late.nonce == old).for_each(|late| late.nonce = 0);
    }

    fn is_refused(&self, late: Late, guards: &Guards) -> bool {
        let mut applied = *self;
        applied.apply(late, guards);
        applied == *self
    }
}

/// The names of one write's ends.
struct Names {
    done: &'static str,
    refused: &'static str,
    refused_lost: &'static str,
    lost: &'static str,
    late: &'static str,
    dropped: &'static str,
    repeated: &'static str,
    resent: &'static str,
}

const fn names(write: Write) -> Names {
    match write {
        Write::Add => Names {
            done: "patch (add)",
            refused: "patch (add), refused: 412",
            refused_lost: "patch (add), refused: 412, and its reply lost",
            lost: "patch (add), its reply lost",
            late: "patch (add), on its way while nobody waits",
            dropped: "patch (add), acknowledged and not stored",
            repeated: "patch (add), a copy still on its way",
            resent: "patch (add), twice at once, the second copy answered",
        },
        Write::Expel => Names {
            done: "patch (expel)",
            refused: "patch (expel), refused: 412",
            refused_lost: "patch (expel), refused: 412, and its reply lost",
            lost: "patch (expel), its reply lost",
            late: "patch (expel), on its way while nobody waits",
            dropped: "patch (expel), acknowledged and not stored",
            repeated: "patch (expel), a copy still on its way",
            resent: "patch (expel), twice at once, the second copy answered",
        },
        Write::Touch => Names {
            done: "patch (touch)",
            refused: "patch (touch), refused: 412",
            refused_lost: "patch (touch), refused: 412, and its reply lost",
            lost: "patch (touch), its reply lost",
            late: "patch (touch), on its way while nobody waits",
            dropped: "patch (touch), acknowledged and not stored",
            repeated: "patch (touch), a copy still on its way",
            resent: "patch (touch), twice at once, the second copy answered",
        },
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
pub(super) fn send<const N: usize>(
    state: &State<N>,
    steps: &mut Steps<'_, N>,
    late: Late,
    then: impl Fn(&mut State<N>, Reply),
) {
    let names = names(late.write);
    let guards = steps.guards;
    let mut end = |name, reply, change: &dyn Fn(&mut State<N>)| {
        let mut next = *state;
        change(&mut next);
        then(&mut next, reply);
        steps.add(name, next);
    };
    if state.is_refused(late, &guards) && !late.fresh {
        if state.faults.lost > 0 {
            end(names.refused_lost, Reply::Unknown, &|next| next.faults.lost -= 1);
        }
        return end(names.refused, Reply::Refused, &|_| {});
    }
    end(names.done, Reply::Done, &|next| next.apply(late, &guards));
    if state.faults.lost > 0 {
        end(names.lost, Reply::Unknown, &|next| {
            next.faults.lost -= 1;
            next.apply(late, &guards);
        });
    }
    if state.faults.resent > 0 {
        end(names.resent, Reply::Refused, &|next| {
            next.faults.resent -= 1;
            next.apply(late, &guards);
        });
    }
    if state.faults.dropped > 0 {
        end(names.dropped, Reply::Done, &|next| next.faults.dropped -= 1);
    }
    if let Some(slot) = state.late.iter().position(Option::is_none) {
        if state.faults.late > 0 {
            end(names.late, Reply::Unknown, &|next| {
                next.faults.late -= 1;
                next.late[slot] = Some(late);
            });
        }
        if state.faults.repeated > 0 {
            end(names.repeated, Reply::Done, &|next| {
                next.faults.repeated -= 1;
                next.late[slot] = Some(late);
                next.apply(late, &guards);
            });
        }
    }
}

/// What happens by itself.
pub(super) fn steps<const N: usize>(state: &State<N>, steps: &mut Steps<'_, N>) {
    (steps.who, steps.taker) = (None, false);
    for slot in 0..state.late.len() {
        if let Some(late) = state.late[slot] {
            let mut next = *state;
            next.late[slot] = None;
            next.apply(late, &steps.guards);
            let name = match late.write {
                Write::Add => "the late patch (add) arrives",
                Write::Expel => "the late patch (expel) arrives",
                Write::Touch => "the late patch (touch) arrives",
            };
            steps.add(name, next);
        }
    }
    if state.faults.owner == 0 {
        return;
    }
    for event in 0..N {
        if !state.guest_added[event] {
            let mut next = *state;
            next.faults.owner -= 1;
            next.guest_added[event] = true;
            next.events[event].guest = true;
            next.etag_moves(event);
            steps.add("the owner adds somebody else", next);
        }
        // While enrollments of the same attendee overlap, who crashes cannot tell whose place the owner took away.
        if state.events[event].present && state.closed() {
            let mut next = *state;
            next.faults.owner -= 1;
            next.taken_off[event] = state.succeeded_bits() | TAKEN_OFF;
            next.events[event].present = false;
            next.etag_moves(event);
            steps.add("the owner takes the attendee off", next);
        }
    }
}
