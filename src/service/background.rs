//! Goes on with what calls left open, until each entry is closed.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Slot;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::notice::{Listener, Notice};
use super::open_work::{Open, OpenWork};
use crate::google::{Credentials, Scope};
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::exposure::Exposure;
use crate::operation::reconcile::{is_final, reconcile};
use crate::operation::transaction::finish::finish;
use crate::operation::transaction::undo::{Here, undo};
use crate::operation::transaction::{Caller, Transactions};
use crate::operation::{Context, removal};
use crate::policy::Deadline;
use crate::store::{Disposal, Entry, Failing, Held, Resumed, State, Step};

/// One round's time, and one exchange's in it.
const ROUND: Duration = Duration::from_secs(10);
const ATTEMPT: Duration = Duration::from_secs(4);
const RETRIES: u32 = 5;
/// Gaps between rounds: doubling, so that a long outage costs little.
const FIRST_GAP: Duration = Duration::from_millis(500);
const LAST_GAP: Duration = Duration::from_mins(1);
/// The same where Google refuses until somebody changes something there.
const LAST_GAP_REFUSED: Duration = Duration::from_mins(10);

/// See the module. Clones share everything.
#[derive(Clone)]
pub(super) struct Background {
    cx: Context,
    transactions: Transactions,
    listener: Listener,
    open: OpenWork,
    tasks: Arc<DashMap<String, Arc<Task>>>,
    at_work: Arc<DashMap<u64, Arc<Exposure>>>,
    next: Arc<AtomicU64>,
}

/// An attempt at work.
pub(super) struct Watched {
    at_work: Arc<DashMap<u64, Arc<Exposure>>>,
    number: u64,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.at_work.remove(&self.number);
    }
}

struct Task {
    held: Mutex<Arc<Held>>,
    credentials: Mutex<Arc<dyn Credentials>>,
    user: String,
    /// The caller was told that the outcome is not known, and is owed a notice of it.
    undecided: bool,
    rounds: AtomicU32,
    last: Mutex<Option<CalendarError>>,
    /// A reason not to wait for the next round.
    kick: Notify,
    /// Told after each round.
    round_over: Notify,
}

/// An entry that is not closed yet, as `pending()` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// The method that left it.
    pub operation: String,
    /// Whose calendar.
    pub user_id: String,
    /// Which calendar.
    pub calendar_id: String,
    /// The event's id, whether or not it exists; of several the first, of none empty.
    pub event_id: String,
    /// The ids of all events concerned.
    pub event_ids: Vec<String>,
    /// Unix ms of the call.
    pub since: u64,
    /// Rounds of clean-up so far.
    pub rounds: u32,
    /// What stopped the last one.
    pub last_error: Option<&'static str>,
    /// The same as a sentence.
    pub reason: Option<String>,
}

impl Pending {
    pub(super) fn of(entry: Entry, rounds: u32, last: Option<CalendarError>) -> Self {
        let event_ids = open_events(&entry);
        Self {
            operation: entry.operation,
            user_id: entry.user,
            calendar_id: entry.calendar,
            event_id: event_ids.first().cloned().unwrap_or_default(),
            event_ids,
            since: entry.since,
            rounds,
            last_error: last.as_ref().map(|error| error.code.name()),
            reason: last.map(|error| error.message),
        }
    }

    /// Whether something of this entry may be in a calendar that should not be, or is not known to be. What a transaction
    /// only notes after its success is not.
    pub(super) fn concerns(entry: &Entry) -> bool {
        match (&entry.state, &entry.plan) {
            (State::Running | State::Failed, _) => !entry.is_group(),
            (State::Succeeded { .. }, Some(plan)) => plan.open_steps().any(Step::is_skipped),
            (State::Succeeded { .. } | State::Settled { .. }, _) => false,
        }
    }
}

enum Round {
    Closed(Option<Disposal>),
    Again(CalendarError),
}

/// The events of which something is still to be done.
fn open_events(entry: &Entry) -> Vec<String> {
    let Some(plan) = &entry.plan else { return vec![entry.event_id.clone()] };
    let succeeded = matches!(entry.state, State::Succeeded { .. });
    plan.event_ids(|step| !step.closed && (step.is_skipped() || !succeeded))
}

impl Background {
    pub(super) fn new(transactions: Transactions, listener: Listener, open: OpenWork) -> Self {
        let cx = transactions.cx.clone();
        Self { cx, transactions, listener, open, tasks: Arc::default(), at_work: Arc::default(), next: Arc::default() }
    }

    /// Takes an open entry over from a call.
    pub(super) async fn adopt(&self, held: Arc<Held>, credentials: Arc<dyn Credentials>) {
        let name = held.name().to_owned();
        let entry = held.entry().await;
        let (user, undecided) = (entry.user, entry.state == State::Running);
        let task = Arc::new(Task {
            held: Mutex::new(held),
            credentials: Mutex::new(credentials),
            user,
            undecided,
            rounds: AtomicU32::new(0),
            last: Mutex::new(None),
            kick: Notify::new(),
            round_over: Notify::new(),
        });
        // One that is worked on already was lost by its call and taken over in this process.
        let Slot::Vacant(slot) = self.tasks.entry(name.clone()) else { return };
        slot.insert(Arc::clone(&task));
        tokio::spawn(self.clone().work(name, task, self.open.begin()));
    }

    /// Clean-ups under way.
    pub(super) fn count(&self) -> usize {
        self.tasks.len()
    }

    /// When the call began whose clean-up is open longest, in Unix ms.
    pub(super) async fn oldest(&self) -> Option<u64> {
        let tasks: Vec<_> = self.tasks.iter().map(|task| Arc::clone(&task)).collect();
        let mut oldest = None;
        for task in tasks {
            let since = task.held().entry().await.since;
            oldest = Some(oldest.map_or(since, |oldest: u64| oldest.min(since)));
        }
        oldest
    }

    pub(super) fn works_on(&self, name: &str) -> bool {
        self.tasks.contains_key(name)
    }

    /// Whether a call of this process holds it.
    pub(super) fn called_here(&self, name: &str) -> bool {
        self.at_work.iter().any(|exposure| exposure.holds(name))
    }

    /// Lists the attempts of calls that left as pending, until what is returned is dropped.
    pub(super) fn watch(&self, exposure: &Arc<Exposure>) -> Watched {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.at_work.insert(number, Arc::clone(exposure));
        Watched { at_work: Arc::clone(&self.at_work), number }
    }

    async fn work(self, name: String, task: Arc<Task>, open: Open) {
        let mut gap = FIRST_GAP;
        let concerned = open_events(&task.held().entry().await);
        loop {
            let longest = match self.round(&task).await {
                Round::Closed(disposal) => {
                    self.tasks.remove(&name);
                    if let Some(settled) = disposal {
                        self.tell(&task, &concerned, settled).await;
                    }
                    drop(open);
                    task.round_over.notify_waiters();
                    return;
                }
                Round::Again(error) => {
                    let longest = if is_final(&error) { LAST_GAP_REFUSED } else { LAST_GAP };
                    *task.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    task.rounds.fetch_add(1, Ordering::Relaxed);
                    task.round_over.notify_waiters();
                    longest
                }
            };
            tokio::select! {
                () = sleep(gap.min(longest)) => gap = (gap * 2).min(longest),
                () = task.kick.notified() => {}
            }
        }
    }

    async fn round(&self, task: &Task) -> Round {
        let mut held = task.held();
        if !held.alive() {
            // The result's own write was of unknown fate, or the lease ran out: the journal decides.
            match self.cx.journal.resume(held.name(), ROUND).await {
                Ok(Resumed::Decided(disposal)) => return Round::Closed(disposal),
                Ok(Resumed::Held(again)) => {
                    *task.held.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&again);
                    held = again;
                }
                Ok(Resumed::Busy) => {
                    return Round::Again(CalendarError::new(
                        Code::StoreUnavailable,
                        Outcome::NotSent,
                        "its lease has not run out",
                    ));
                }
                Err(error) => return Round::Again(error),
            }
        }
        let failing = held.fail(ROUND).await;
        let entry = held.entry().await;
        let transaction = entry.plan.is_some() && !entry.is_closed();
        match failing {
            Failing::Failed => {}
            Failing::Succeeded if transaction => return self.finish(task, &held).await,
            Failing::Succeeded => return Round::Closed(Some(Disposal::Kept)),
            Failing::Undecided => {
                return Round::Again(CalendarError::new(
                    Code::StoreUnavailable,
                    Outcome::NotSent,
                    "its result is not decided",
                ));
            }
        }
        if transaction {
            return self.undo(task, &held, &entry).await;
        }
        let credentials = task.credentials();
        let deadline = Deadline::starts(self.cx.clock.now(), ROUND);
        let scope = Scope::new(task.user.clone(), "reconcile", credentials, deadline, ATTEMPT, RETRIES);
        let lease = Arc::clone(&held);
        let scope = scope.with_lease(Arc::new(move || lease.alive()));
        match timeout(ROUND, reconcile(&self.cx, &scope, &held)).await {
            Ok(Ok(disposal)) => Round::Closed(Some(disposal)),
            Ok(Err(error)) => Round::Again(error),
            Err(_) => Round::Again(CalendarError::new(Code::Timeout, Outcome::Unknown, "the round's time was over")),
        }
    }

    /// Goes on undoing a transaction, or with a removal.
    async fn undo(&self, task: &Task, held: &Arc<Held>, entry: &Entry) -> Round {
        let deadline = Deadline::starts(self.cx.clock.now(), ROUND);
        let caller = task.caller();
        if entry.plan.as_ref().is_some_and(|plan| plan.removal) {
            return match timeout(ROUND, removal::resume(&self.transactions, &caller, held, &deadline)).await {
                Ok(Ok(disposal)) => Round::Closed(Some(disposal)),
                Ok(Err(error)) => Round::Again(error),
                Err(_) => Round::Again(round_over()),
            };
        }
        let undone = undo(&self.transactions, &caller, held, &Here::default(), &deadline).await;
        if !undone.open {
            return Round::Closed(Some(Disposal::Deleted));
        }
        Round::Again(undone.last_error.unwrap_or_else(round_over))
    }

    /// Finishes what follows a transaction's success.
    async fn finish(&self, task: &Task, held: &Arc<Held>) -> Round {
        let deadline = Deadline::starts(self.cx.clock.now(), ROUND);
        let finished = finish(&self.transactions, &task.caller(), held, &deadline, true).await;
        for (event_id, settled) in finished.settled {
            self.tell(task, &[event_id], settled).await;
        }
        if finished.open {
            return Round::Again(finished.last_error.unwrap_or_else(round_over));
        }
        Round::Closed(task.undecided.then_some(Disposal::Kept))
    }

    async fn tell(&self, task: &Task, events: &[String], settled: Disposal) {
        let entry = task.held().entry().await;
        // An attempt may have gone on to another id while it was worked on.
        let events = if entry.plan.is_some() { events.to_vec() } else { vec![entry.event_id] };
        for event_id in events {
            (self.listener)(Notice::Settled {
                operation: entry.operation.clone(),
                user_id: entry.user.clone(),
                event_id,
                settled,
            });
        }
    }

    /// A call of `user` brought credentials: what waited for them goes on.
    pub(super) fn supply(&self, user: &str, credentials: &Arc<dyn Credentials>) {
        for task in self.tasks.iter().filter(|task| task.user == user) {
            *task.credentials.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(credentials);
            let waits = task.last.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|error| error.code);
            if matches!(waits, Some(Code::GoogleAuthRequired | Code::GoogleAuthFailed)) {
                task.kick.notify_one();
            }
        }
    }

    /// Makes one round with everything that is open, now.
    pub(super) async fn recover(&self) {
        let tasks: Vec<_> = self.tasks.iter().map(|task| Arc::clone(&task)).collect();
        let over: Vec<_> = tasks.iter().map(|task| task.round_over.notified()).collect();
        for task in &tasks {
            task.kick.notify_one();
        }
        for (task, over) in tasks.iter().zip(over) {
            let name = task.held().name().to_owned();
            if self.tasks.contains_key(&name) {
                let _ = timeout(ROUND, over).await;
            }
        }
    }

    pub(super) async fn pending(&self) -> Vec<Pending> {
        let tasks: Vec<_> = self.tasks.iter().map(|task| Arc::clone(&task)).collect();
        let mut pending = Vec::with_capacity(tasks.len());
        for task in tasks {
            let entry = task.held().entry().await;
            if entry.plan.is_some() && !Pending::concerns(&entry) {
                continue;
            }
            let last = task.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
            pending.push(Pending::of(entry, task.rounds.load(Ordering::Relaxed), last));
        }
        let at_work: Vec<_> = self.at_work.iter().flat_map(|exposure| exposure.left_alone()).collect();
        for held in at_work {
            let entry = held.entry().await;
            if Pending::concerns(&entry) && !self.works_on(held.name()) {
                pending.push(Pending::of(entry, 0, None));
            }
        }
        pending
    }
}

fn round_over() -> CalendarError {
    CalendarError::new(Code::Timeout, Outcome::Unknown, "the round's time was over")
}

impl Task {
    fn credentials(&self) -> Arc<dyn Credentials> {
        Arc::clone(&self.credentials.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Undos with the same credentials share a lane: what a crash, or a failure of all at once, left of a rush on one event
    /// would else fight for its `ETag`, each undo alone against all others, and against those who try again.
    fn caller(&self) -> Caller {
        let credentials = self.credentials();
        Caller {
            operation: "reconcile",
            user: self.user.clone(),
            identity: credentials.identity(),
            credentials,
            attempt_timeout: ATTEMPT,
            max_retries: RETRIES,
            quota_user: None,
        }
    }

    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
