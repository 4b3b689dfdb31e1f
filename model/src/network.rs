//! What becomes of a write on its way to Google.

use crate::explore::Protocol;
use crate::faults::Faults;
use crate::steps::Steps;

/// A state with writes that nobody waits for any more, and faults that may still happen.
pub(crate) trait Network: Copy {
    /// A write.
    type Write: Copy;

    /// What may still go wrong.
    fn faults(&self) -> Faults;

    /// The same, to take from.
    fn faults_mut(&mut self) -> &mut Faults;

    /// The late writes.
    fn late(&self) -> [Option<Self::Write>; 2];

    /// The same, to add to and to take from.
    fn late_mut(&mut self) -> &mut [Option<Self::Write>; 2];
}

/// What a sender learns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Done,
    Refused,
    Unknown,
}

/// The names of one write's ends.
pub(crate) struct Names {
    pub(crate) done: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) refused_and_lost: &'static str,
    pub(crate) lost: &'static str,
    pub(crate) late: &'static str,
    pub(crate) dropped: &'static str,
    pub(crate) repeated: &'static str,
    pub(crate) resent: &'static str,
    pub(crate) garbled: &'static str,
    pub(crate) arrives: &'static str,
}

/// The names of the ends of the write that the code calls so.
macro_rules! names {
    ($name:literal) => {
        $crate::network::Names {
            done: $name,
            refused: concat!($name, ", refused"),
            refused_and_lost: concat!($name, ", refused, and its reply lost"),
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
pub(crate) use names;

/// Sends a write that Google takes, with every end it can have; `then` says what the sender does.
pub(crate) fn send<P, S: Network>(
    state: &S,
    steps: &mut Steps<'_, P>,
    (write, names): (S::Write, &Names),
    apply: impl Fn(&mut S),
    then: impl Fn(&mut S, Reply),
) where
    P: Protocol<State = S>,
{
    let (faults, late) = (state.faults(), state.late());
    let mut end = |name, reply, change: &dyn Fn(&mut S)| {
        steps.with(state, name, |next| {
            change(next);
            then(next, reply);
        });
    };
    end(names.done, Reply::Done, &apply);
    if faults.lost > 0 {
        end(names.lost, Reply::Unknown, &|next| {
            next.faults_mut().lost -= 1;
            apply(next);
        });
    }
    if faults.resent > 0 {
        end(names.resent, Reply::Refused, &|next| {
            next.faults_mut().resent -= 1;
            apply(next);
        });
    }
    if faults.dropped > 0 {
        end(names.dropped, Reply::Done, &|next| next.faults_mut().dropped -= 1);
    }
    let Some(slot) = late.iter().position(Option::is_none) else { return };
    if faults.late > 0 {
        end(names.late, Reply::Unknown, &|next| {
            next.faults_mut().late -= 1;
            next.late_mut()[slot] = Some(write);
        });
    }
    if faults.repeated > 0 {
        end(names.repeated, Reply::Done, &|next| {
            next.faults_mut().repeated -= 1;
            next.late_mut()[slot] = Some(write);
            apply(next);
        });
    }
}

/// The late writes arrive, one at a time.
pub(crate) fn arrive<P, S: Network>(
    state: &S,
    steps: &mut Steps<'_, P>,
    name: impl Fn(S::Write) -> &'static str,
    apply: impl Fn(&mut S, S::Write),
) where
    P: Protocol<State = S>,
{
    for (slot, write) in state.late().into_iter().enumerate() {
        let Some(write) = write else { continue };
        steps.with(state, name(write), |next| {
            next.late_mut()[slot] = None;
            apply(next, write);
        });
    }
}
