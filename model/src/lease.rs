//! The journal's entry of an attempt or a transaction: its lease, who takes it over, crashes, and puts that are under way.

use crate::explore::Protocol;
use crate::network::Network;
use crate::steps::Steps;

/// Which attempt or transaction, and which of its drivers: its owner, or who has taken over.
#[derive(Clone, Copy)]
pub(crate) struct Me {
    pub(crate) who: usize,
    pub(crate) driver: usize,
}

/// What the caller heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Told {
    /// It waits.
    #[default]
    Nothing,
    /// Success.
    Success,
    /// Success, verified, although what was read was wrong.
    Wrong,
    /// It failed, and nothing is there.
    Failure,
    /// It failed, and whether something is there is not known.
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

/// Who holds an entry, and what is under way to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Which driver.
    pub holder: u8,
    /// It has run out.
    pub out: bool,
    /// The result's put.
    pub result_put: Option<EntryPut>,
    /// A takeover's put.
    pub takeover_put: Option<EntryPut>,
    /// What the caller heard.
    pub told: Told,
}

impl Lease {
    pub(crate) fn is_held_by(self, driver: usize) -> bool {
        usize::from(self.holder) == driver
    }

    pub(crate) fn is_alive(self, driver: usize) -> bool {
        self.is_held_by(driver) && !self.out
    }

    /// The entry's version is another one: puts that expect the old one are refused.
    pub(crate) fn entry_moves(&mut self) {
        self.result_put.iter_mut().chain(&mut self.takeover_put).for_each(|put| put.fresh = false);
    }

    /// Who has called hears it from the owner, once.
    pub(crate) fn tell(&mut self, me: Me, told: Told) {
        if me.driver == 0 && self.told == Told::Nothing {
            self.told = told;
        }
    }
}

/// A state with the entries of two.
pub(crate) trait Leased: Network {
    /// The lease of one entry.
    fn lease(&self, who: usize) -> Lease;

    /// The same, to change.
    fn lease_mut(&mut self, who: usize) -> &mut Lease;

    /// Whether the entry is one that a lease is needed for.
    fn is_open(&self, who: usize) -> bool;

    /// Whether a driver does nothing.
    fn rests(&self, me: Me) -> bool;

    /// A driver does nothing any more.
    fn stop(&mut self, me: Me);

    /// A put that says "failed", unless it succeeded.
    fn entry_fails(&mut self, who: usize);

    /// Who has taken over begins.
    fn taker_begins(&mut self, who: usize);

    /// A call is over without its caller knowing.
    fn stop_unknown(&mut self, me: Me) {
        self.lease_mut(me.who).tell(me, Told::Unknown);
        self.stop(me);
    }
}

/// What happens to an entry by itself, and who takes it over. `known_puts`: only with a put that is known to be applied.
pub(crate) fn steps<P, S: Leased>(state: &S, who: usize, steps: &mut Steps<'_, P>, known_puts: bool)
where
    P: Protocol<State = S>,
{
    let (lease, faults) = (state.lease(who), state.faults());
    if let Some(put) = lease.takeover_put {
        steps.with(state, "the late put of the takeover arrives", |next| {
            next.lease_mut(who).takeover_put = None;
            if put.fresh {
                next.entry_fails(who);
            }
        });
    }
    let holder = usize::from(lease.holder);
    if state.is_open(who) && !lease.out {
        let idle = state.rests(Me { who, driver: holder });
        if idle || faults.slow > 0 {
            steps.taker = holder == 1;
            steps.with(state, "its lease runs out", |next| {
                next.lease_mut(who).out = true;
                next.faults_mut().slow -= u8::from(!idle);
            });
        }
    }
    if state.is_open(who) && lease.out && state.rests(Me { who, driver: 1 }) {
        take_over(state, who, steps, known_puts);
    }
    for driver in 0..2 {
        let me = Me { who, driver };
        if faults.crashes > 0 && !state.rests(me) {
            steps.taker = driver == 1;
            steps.with(state, "crash", |next| {
                next.faults_mut().crashes -= 1;
                next.stop(me);
                let lease = next.lease_mut(who);
                if driver == 0 {
                    lease.result_put.iter_mut().for_each(|put| put.awaited = false);
                }
                lease.out |= holder == driver;
            });
        }
    }
}

fn take_over<P, S: Leased>(state: &S, who: usize, steps: &mut Steps<'_, P>, known_puts: bool)
where
    P: Protocol<State = S>,
{
    steps.taker = true;
    let begin = |next: &mut S| {
        (next.lease_mut(who).holder, next.lease_mut(who).out) = (1, false);
        next.taker_begins(who);
    };
    steps.with(state, "take_over", |next| {
        next.entry_fails(who);
        begin(next);
    });
    if state.faults().late_puts > 0 && state.lease(who).takeover_put.is_none() {
        steps.with(state, "take_over, the put's fate unknown", |next| {
            next.faults_mut().late_puts -= 1;
            next.lease_mut(who).takeover_put = Some(EntryPut { fresh: true, awaited: false });
            if !known_puts {
                begin(next);
            }
        });
    }
}

/// What is done so that a result is told as it is recorded.
#[derive(Clone, Copy)]
pub(crate) struct ResultGuards {
    /// The success is a compare-and-set on the fencing token.
    pub(crate) cas: bool,
    /// A result of unknown fate is told as unknown.
    pub(crate) unknown_told: bool,
}

/// The put of a success that is under way is applied or refused. `succeeds` is what it does, and hears whether the owner
/// still waits for it.
pub(crate) fn result_arrives<P, S: Leased>(
    state: &S,
    who: usize,
    steps: &mut Steps<'_, P>,
    guards: ResultGuards,
    succeeds: impl Fn(&mut S, bool),
) where
    P: Protocol<State = S>,
{
    let Some(put) = state.lease(who).result_put else { return };
    let me = Me { who, driver: 0 };
    let applied = put.fresh || !guards.cas;
    let name = if applied { "commit: the result is in the journal" } else { "commit: the result is refused" };
    steps.with(state, name, |next| {
        next.lease_mut(who).result_put = None;
        if applied {
            succeeds(next, put.awaited);
        } else if put.awaited {
            next.stop_unknown(me);
        }
    });
    if put.awaited && state.faults().late_puts > 0 {
        steps.with(state, "commit: the store does not answer in time", |next| {
            next.faults_mut().late_puts -= 1;
            let lease = next.lease_mut(who);
            lease.result_put = Some(EntryPut { awaited: false, ..put });
            lease.tell(me, if guards.unknown_told { Told::Unknown } else { Told::Failure });
            next.stop(me);
        });
    }
}
