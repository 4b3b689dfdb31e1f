//! Google, the network to it, and the owner of the calendar.

use super::state::{Driver, Event, Late, Seen, State, TAKEN_OFF, TRANSACTIONS, View, Write};
use super::{Guards, Steps};
use crate::faults::Faults;
use crate::lease::Me;
use crate::network::{self, Names, Network, Reply, names};
use crate::steps::{bit, nonce};

impl<const N: usize> Network for State<N> {
    type Write = Late;

    fn faults(&self) -> Faults {
        self.faults
    }

    fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    fn late(&self) -> [Option<Late>; 2] {
        self.late
    }

    fn late_mut(&mut self) -> &mut [Option<Late>; 2] {
        &mut self.late
    }
}

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

const fn names(write: Write) -> Names {
    match write {
        Write::Add => names!("patch (add)"),
        Write::Expel => names!("patch (expel)"),
        Write::Touch => names!("patch (touch)"),
    }
}

/// Sends a write with every end it can have; `then` says what the sender does.
pub(super) fn send<const N: usize>(
    state: &State<N>,
    steps: &mut Steps<'_, N>,
    late: Late,
    then: impl Fn(&mut State<N>, Reply),
) {
    let names = names(late.write);
    let guards = steps.model.guards;
    if state.is_refused(late, &guards) && !late.fresh {
        if state.faults.lost > 0 {
            steps.with(state, names.refused_and_lost, |next| {
                next.faults.lost -= 1;
                then(next, Reply::Unknown);
            });
        }
        return steps.with(state, names.refused, |next| then(next, Reply::Refused));
    }
    network::send(state, steps, (late, &names), |next| next.apply(late, &guards), then);
}

/// What happens by itself.
pub(super) fn steps<const N: usize>(state: &State<N>, steps: &mut Steps<'_, N>) {
    (steps.who, steps.taker) = (None, false);
    let guards = steps.model.guards;
    network::arrive(state, steps, |late| names(late.write).arrives, |next, late| next.apply(late, &guards));
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
