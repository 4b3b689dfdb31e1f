//! Calls with one key share one attempt. The attempt runs by itself; a caller may come later and leave earlier.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep_until;

use super::cancel::Cancel;
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::exposure::Exposure;
use crate::policy::{Deadline, Signal};

/// How long after its deadline an attempt may still answer by itself: it knows more than we do.
const GRACE: Duration = Duration::from_millis(600);

/// Attempts at work, by what their callers have in common.
pub(super) struct Flights<K, T> {
    at_work: Mutex<HashMap<K, Arc<Flight<T>>>>,
    shared: AtomicU64,
}

/// One attempt, and who waits for it.
struct Flight<T> {
    deadline: Deadline,
    exposure: Arc<Exposure>,
    landing: Arc<Landing<T>>,
}

/// Where callers wait for the attempt.
struct Landing<T> {
    waiting: Mutex<Waiting<T>>,
    /// There is an answer, or there will never be one.
    over: Signal,
}

/// Locked while an answer is given and while a caller leaves, so that each caller hears one thing.
struct Waiting<T> {
    callers: u32,
    /// Somebody left and was told `unknown`.
    unheard: bool,
    answer: Option<Result<T, CalendarError>>,
}

impl<T> Landing<T> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { at_work: Mutex::default(), shared: AtomicU64::new(0) }
    }
}

/// What an attempt is started with. Dropped without an answer (a panic, the end of the runtime), it tells that none will come.
pub(super) struct Start<T> {
    pub(super) deadline: Deadline,
    pub(super) exposure: Arc<Exposure>,
    landing: Arc<Landing<T>>,
}

impl<T> Start<T> {
    /// Tells everybody who waits. Whether somebody left before and was told `unknown`, who is owed a notice.
    pub(super) fn settle(self, answer: Result<T, CalendarError>) -> bool {
        let mut waiting = self.landing.waiting();
        waiting.answer = Some(answer);
        waiting.unheard
    }
}

impl<T> Drop for Start<T> {
    fn drop(&mut self) {
        self.landing.over.raise();
    }
}

/// Told to a caller who leaves.
pub(super) struct Leaving {
    pub(super) operation: &'static str,
    pub(super) deadline: Deadline,
    pub(super) cancel: Cancel,
    /// What becomes of a write whose caller left.
    pub(super) then: &'static str,
}

/// A caller's place. Dropping it (nobody polls the call any more) is leaving.
struct Boarded<'a, K: Eq + Hash + Clone, T: Clone> {
    flights: &'a Flights<K, T>,
    key: Option<K>,
    flight: Arc<Flight<T>>,
    gone: bool,
}

impl<K: Eq + Hash + Clone, T: Clone> Flights<K, T> {
    /// Joins the flight of `key`, or starts one with `start`, which must spawn the attempt and return at once. With no
    /// key the call flies alone. It is under way when this returns; the future, which keeps nothing of `start`, is its end.
    pub(super) fn fly<S: FnOnce(Start<T>)>(
        &self,
        key: Option<K>,
        caller: Leaving,
        start: S,
    ) -> impl Future<Output = Result<T, CalendarError>> + use<'_, K, T, S> {
        let flight = self.board(key.as_ref(), &caller.deadline, start);
        self.land(Boarded { flights: self, key, flight, gone: false }, caller)
    }

    async fn land(&self, mut boarded: Boarded<'_, K, T>, caller: Leaving) -> Result<T, CalendarError> {
        let flight = Arc::clone(&boarded.flight);
        let landed = async {
            flight.landing.over.raised().await;
            flight.landing.waiting().answer.clone()
        };
        let why = tokio::select! {
            biased;
            answer = landed => {
                boarded.gone = true;
                self.remove(boarded.key.as_ref(), &flight);
                // No answer: the attempt's task is gone, by a panic or because the runtime ends.
                return answer.unwrap_or_else(|| Err(CalendarError::internal(flight.exposure.withdraw(), "an attempt ended without an answer")));
            }
            () = caller.cancel.cancelled() => Code::Aborted,
            () = self.own_time_is_over(&flight, &caller.deadline) => Code::Timeout,
        };
        match boarded.leave() {
            Left::Answered(answer) => answer,
            Left::Told(outcome) => Err(left(why, outcome, &caller)),
        }
    }

    /// Callers who joined another's flight.
    pub(super) fn shared(&self) -> u64 {
        self.shared.load(Ordering::Relaxed)
    }

    fn board(&self, key: Option<&K>, deadline: &Deadline, start: impl FnOnce(Start<T>)) -> Arc<Flight<T>> {
        let mut flights = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = key.and_then(|key| flights.get(key)) {
            let mut waiting = flight.landing.waiting();
            // One that has landed is history: what it said may be out of date.
            if waiting.answer.is_none() {
                waiting.callers += 1;
                drop(waiting);
                flight.deadline.extend_to(deadline.end());
                self.shared.fetch_add(1, Ordering::Relaxed);
                return Arc::clone(flight);
            }
        }
        // The flight's own deadline: a caller who joins may extend it, and must not extend the first caller's.
        let own = Deadline::starts(deadline.started(), deadline.end() - deadline.started());
        let exposure = Arc::new(Exposure::default());
        let waiting = Mutex::new(Waiting { callers: 1, unheard: false, answer: None });
        let landing = Arc::new(Landing { waiting, over: Signal::default() });
        let flight =
            Arc::new(Flight { deadline: own.clone(), exposure: Arc::clone(&exposure), landing: Arc::clone(&landing) });
        if let Some(key) = key {
            flights.insert(key.clone(), Arc::clone(&flight));
        }
        drop(flights);
        start(Start { deadline: own, exposure, landing });
        flight
    }

    /// At its own deadline a caller leaves an attempt that goes on for others; its own it gives time to say what is so.
    async fn own_time_is_over(&self, flight: &Flight<T>, own: &Deadline) {
        sleep_until(own.end()).await;
        if flight.deadline.end() <= own.end() {
            sleep_until(own.end() + GRACE).await;
        }
    }

    fn remove(&self, key: Option<&K>, flight: &Arc<Flight<T>>) {
        let mut flights = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        forget(&mut flights, key, flight);
    }
}

/// What a caller who leaves is told.
enum Left<T> {
    /// The answer came at the same moment.
    Answered(Result<T, CalendarError>),
    Told(Outcome),
}

impl<K: Eq + Hash + Clone, T: Clone> Boarded<'_, K, T> {
    fn leave(&mut self) -> Left<T> {
        self.gone = true;
        let flight = &self.flight;
        // In the order of `board`: nobody may join what is being given up.
        let mut flights = self.flights.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = flight.landing.waiting();
        let answer = waiting.answer.clone();
        waiting.callers -= 1;
        let last = waiting.callers == 0;
        if last || answer.is_some() {
            forget(&mut flights, self.key.as_ref(), flight);
        }
        if let Some(answer) = answer {
            return Left::Answered(answer);
        }
        let outcome = if last { flight.exposure.withdraw() } else { Outcome::Unknown };
        if outcome == Outcome::Unknown {
            waiting.unheard = true;
            flight.exposure.leave();
        }
        drop(waiting);
        drop(flights);
        if last {
            flight.deadline.cancel();
        }
        Left::Told(outcome)
    }
}

impl<K: Eq + Hash + Clone, T: Clone> Drop for Boarded<'_, K, T> {
    fn drop(&mut self) {
        if !self.gone {
            self.leave();
        }
    }
}

fn forget<K: Eq + Hash, T>(flights: &mut HashMap<K, Arc<Flight<T>>>, key: Option<&K>, flight: &Arc<Flight<T>>) {
    if let Some(key) = key
        && flights.get(key).is_some_and(|there| Arc::ptr_eq(there, flight))
    {
        flights.remove(key);
    }
}

fn left(why: Code, outcome: Outcome, caller: &Leaving) -> CalendarError {
    let operation = caller.operation;
    let what = if why == Code::Aborted {
        format!("{operation} was aborted by its AbortSignal")
    } else {
        format!("{operation} timed out after {}ms", caller.deadline.timeout_ms())
    };
    let then = if outcome == Outcome::NotSent { "nothing was written to the calendar." } else { caller.then };
    CalendarError::new(why, outcome, format!("{what}: {then}"))
}
