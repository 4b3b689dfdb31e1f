//! Walks through every state that a model can reach, the nearest first.

use std::fmt::{self, Debug, Display};
use std::hash::Hash;

use stateright::{Checker, HasDiscoveries, Model, Property};

/// What is promised to callers of surecal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Who is told success, verified, has what was asked for.
    NoSilentFailure,
    /// One key makes at most one live event.
    NoDuplicate,
    /// When all is closed and nobody was told that it is there, nothing is there.
    NoPhantom,
    /// What others changed stays.
    NoLostUpdate,
    /// What was told as success, or journalled as one, is never undone, nor told or recorded otherwise.
    SuccessIsFinal,
}

impl Promise {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::NoSilentFailure, Self::NoDuplicate, Self::NoPhantom, Self::NoLostUpdate, Self::SuccessIsFinal];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSilentFailure => "no silent failure",
            Self::NoDuplicate => "no duplicate",
            Self::NoPhantom => "no phantom",
            Self::NoLostUpdate => "no lost update",
            Self::SuccessIsFinal => "success is final",
        }
    }
}

/// What must be reachable, or the promises would be kept by doing nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Both are told success.
    AllSucceed,
    /// Both fail, and all is closed.
    AllClosedAfterFailure,
    /// One succeeds, the other fails, and all is closed.
    OneOfEach,
}

impl Goal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AllSucceed, Self::AllClosedAfterFailure, Self::OneOfEach];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllSucceed => "both are told success",
            Self::AllClosedAfterFailure => "both fail and all is closed",
            Self::OneOfEach => "one succeeds, one fails and all is closed",
        }
    }
}

/// One step: what happens, and the state it leads to, so that each is worked out once.
#[derive(Clone, PartialEq, Eq)]
pub struct Step<S> {
    /// Which attempt or transaction; `None`: the network, the store or the calendar's owner.
    pub who: Option<u8>,
    /// Whether a process does it that has taken over.
    pub taker: bool,
    /// What, in the words of the code.
    pub name: &'static str,
    /// What is so then.
    pub next: S,
}

impl<S> Display for Step<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.who {
            Some(who) => write!(f, "{who}{}: {}", if self.taker { "'" } else { "" }, self.name),
            None => write!(f, "-: {}", self.name),
        }
    }
}

impl<S> Debug for Step<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// A protocol as states and steps.
pub trait Protocol: Send + Sync + 'static {
    /// All that can differ. Its `Hash` may take states for one that differ only in the numbers of the attempts.
    type State: Clone + Hash + PartialEq + Debug + Send + Sync + 'static;

    /// Where it starts.
    fn starts(&self) -> Vec<Self::State>;

    /// All that can happen next.
    fn steps(&self, state: &Self::State, steps: &mut Vec<Step<Self::State>>);

    /// Whether a promise is kept in a state.
    fn keeps(&self, promise: Promise, state: &Self::State) -> bool;

    /// Whether a goal is reached in a state.
    fn reaches(&self, goal: Goal, state: &Self::State) -> bool;
}

/// What the checker walks through.
struct Walk<P>(P);

impl<P: Protocol> Model for Walk<P> {
    type State = P::State;
    type Action = Step<P::State>;

    fn init_states(&self) -> Vec<Self::State> {
        self.0.starts()
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.0.steps(state, actions);
    }

    fn next_state(&self, _: &Self::State, action: Self::Action) -> Option<Self::State> {
        Some(action.next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = |promise: Promise, kept: fn(&Self, &P::State) -> bool| Property::always(promise.name(), kept);
        let sometimes = |goal: Goal, reached: fn(&Self, &P::State) -> bool| Property::sometimes(goal.name(), reached);
        vec![
            always(Promise::NoSilentFailure, |walk, state| walk.0.keeps(Promise::NoSilentFailure, state)),
            always(Promise::NoDuplicate, |walk, state| walk.0.keeps(Promise::NoDuplicate, state)),
            always(Promise::NoPhantom, |walk, state| walk.0.keeps(Promise::NoPhantom, state)),
            always(Promise::NoLostUpdate, |walk, state| walk.0.keeps(Promise::NoLostUpdate, state)),
            always(Promise::SuccessIsFinal, |walk, state| walk.0.keeps(Promise::SuccessIsFinal, state)),
            sometimes(Goal::AllSucceed, |walk, state| walk.0.reaches(Goal::AllSucceed, state)),
            sometimes(Goal::AllClosedAfterFailure, |walk, state| walk.0.reaches(Goal::AllClosedAfterFailure, state)),
            sometimes(Goal::OneOfEach, |walk, state| walk.0.reaches(Goal::OneOfEach, state)),
        ]
    }
}

/// A promise that is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Which.
    pub promise: Promise,
    /// What happened, in order.
    pub steps: Vec<String>,
}

impl Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is broken in {} steps:", self.promise.name(), self.steps.len())?;
        self.steps.iter().enumerate().try_for_each(|(index, step)| writeln!(f, "{:3}. {step}", index + 1))
    }
}

/// What a walk found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Different states.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// The longest way from the start, in steps.
    pub depth: usize,
    /// Promises broken.
    pub broken: Vec<Trace>,
    /// Goals reached.
    pub reached: Vec<Goal>,
    /// Whether every reachable state was seen.
    pub complete: bool,
}

/// How far to walk.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads; with one, a trace is the shortest there is, and the same each time.
    pub threads: usize,
    /// Steps between states, at most; 0: all.
    pub steps: usize,
    /// Whether the first broken promise ends the walk.
    pub stop_when_broken: bool,
    /// How far from the start, in steps; 0: however far.
    pub depth: usize,
}

impl Limits {
    /// Everything, however long it takes, up to the first broken promise.
    pub const NONE: Self = Self { threads: 2, steps: 0, stop_when_broken: true, depth: 0 };
}

/// Walks.
pub fn explore<P: Protocol>(protocol: P, limits: Limits) -> Report {
    let mut builder = Walk(protocol).checker().threads(limits.threads);
    if limits.stop_when_broken {
        builder = builder.finish_when(HasDiscoveries::AnyFailures);
    }
    if limits.steps > 0 {
        builder = builder.target_state_count(limits.steps);
    }
    if limits.depth > 0 {
        // The start counts, and the last that is allowed is not looked at.
        builder = builder.target_max_depth(limits.depth + 2);
    }
    let checker = builder.spawn_bfs().join();
    let mut found = checker.discoveries();
    let broken: Vec<_> = Promise::ALL
        .into_iter()
        .filter_map(|promise| {
            let steps = found.remove(promise.name())?.into_actions().iter().map(ToString::to_string).collect();
            Some(Trace { promise, steps })
        })
        .collect();
    let reached = Goal::ALL.into_iter().filter(|goal| found.contains_key(goal.name())).collect();
    Report {
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth().saturating_sub(1),
        complete: checker.is_done() && (broken.is_empty() || !limits.stop_when_broken),
        broken,
        reached,
    }
}

/// The shortest trace to a broken promise. The checker looks at many states between two answers, and gives the last that it
/// came by.
pub fn shortest<P: Protocol + Clone>(protocol: &P, limits: Limits) -> Option<Trace> {
    let look = |depth| {
        let limits = Limits { threads: 1, stop_when_broken: true, depth, ..limits };
        explore(protocol.clone(), limits).broken.into_iter().min_by_key(|trace| trace.steps.len())
    };
    let mut trace = look(limits.depth)?;
    while let Some(shorter) = look(trace.steps.len() - 1) {
        trace = shorter;
    }
    Some(trace)
}
