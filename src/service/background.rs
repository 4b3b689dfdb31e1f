//! Goes on with what calls left open, until each entry is closed.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Slot;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::config::QuotaUser;
use super::network;
use super::notice::{Listener, Notice};
use super::open_work::{Open, OpenWork};
use crate::google::{Credentials, Scope};
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::Context;
use crate::operation::exposure::Exposure;
use crate::operation::reconcile::reconcile;
use crate::policy::Deadline;
use crate::store::{Disposal, Entry, Failing, Held, Resumed, State};

/// One round's time, and one exchange's in it.
const ROUND: Duration = Duration::from_secs(10);
const ATTEMPT: Duration = Duration::from_secs(4);
const RETRIES: u32 = 5;
/// Gaps between rounds: doubling, so that a long outage costs little.
const FIRST_GAP: Duration = Duration::from_millis(500);
const LAST_GAP: Duration = Duration::from_mins(1);

/// See the module. Clones share everything.
#[derive(Clone)]
pub(super) struct Background {
    cx: Context,
    listener: Listener,
    open: OpenWork,
    quota_user: QuotaUser,
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
    rounds: AtomicU32,
    last: Mutex<Option<Code>>,
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
    /// The event's id, whether or not it exists.
    pub event_id: String,
    /// Unix ms of the call.
    pub since: u64,
    /// Rounds of clean-up so far.
    pub rounds: u32,
    /// What stopped the last one.
    pub last_error: Option<&'static str>,
}

impl Pending {
    pub(super) fn of(entry: Entry, rounds: u32, last: Option<Code>) -> Self {
        Self {
            operation: entry.operation,
            user_id: entry.user,
            calendar_id: entry.calendar,
            event_id: entry.event_id,
            since: entry.since,
            rounds,
            last_error: last.map(Code::name),
        }
    }
}

enum Round {
    Closed(Option<Disposal>),
    Again(CalendarError),
}

impl Background {
    pub(super) fn new(cx: Context, listener: Listener, open: OpenWork, quota_user: QuotaUser) -> Self {
        Self { cx, listener, open, quota_user, tasks: Arc::default(), at_work: Arc::default(), next: Arc::default() }
    }

    /// Takes an open entry over from a call.
    pub(super) async fn adopt(&self, held: Arc<Held>, credentials: Arc<dyn Credentials>) {
        let name = held.name().to_owned();
        let user = held.entry().await.user;
        let task = Arc::new(Task {
            held: Mutex::new(held),
            credentials: Mutex::new(credentials),
            user,
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
        loop {
            match self.round(&task).await {
                Round::Closed(disposal) => {
                    self.tasks.remove(&name);
                    if let Some(settled) = disposal {
                        self.tell(&task, settled).await;
                    }
                    drop(open);
                    task.round_over.notify_waiters();
                    return;
                }
                Round::Again(error) => {
                    *task.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.code);
                    task.rounds.fetch_add(1, Ordering::Relaxed);
                    task.round_over.notify_waiters();
                }
            }
            tokio::select! {
                () = sleep(gap) => gap = (gap * 2).min(LAST_GAP),
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
        match held.fail(ROUND).await {
            Failing::Failed => {}
            Failing::Succeeded => return Round::Closed(Some(Disposal::Kept)),
            Failing::Undecided => {
                return Round::Again(CalendarError::new(
                    Code::StoreUnavailable,
                    Outcome::NotSent,
                    "its result is not decided",
                ));
            }
        }
        let credentials = Arc::clone(&task.credentials.lock().unwrap_or_else(PoisonError::into_inner));
        let deadline = Deadline::starts(self.cx.clock.now(), ROUND);
        let mut scope = Scope::new(task.user.clone(), "reconcile", credentials, deadline, ATTEMPT, RETRIES);
        scope.quota_user = network::quota_user(&self.quota_user, &task.user);
        let lease = Arc::clone(&held);
        let scope = scope.with_lease(Arc::new(move || lease.alive()));
        match timeout(ROUND, reconcile(&self.cx, &scope, &held)).await {
            Ok(Ok(disposal)) => Round::Closed(Some(disposal)),
            Ok(Err(error)) => Round::Again(error),
            Err(_) => Round::Again(CalendarError::new(Code::Timeout, Outcome::Unknown, "the round's time was over")),
        }
    }

    async fn tell(&self, task: &Task, settled: Disposal) {
        let entry = task.held().entry().await;
        (self.listener)(Notice::Settled {
            operation: entry.operation,
            user_id: entry.user,
            event_id: entry.event_id,
            settled,
        });
    }

    /// A call of `user` brought credentials: what waited for them goes on.
    pub(super) fn supply(&self, user: &str, credentials: &Arc<dyn Credentials>) {
        for task in self.tasks.iter().filter(|task| task.user == user) {
            *task.credentials.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(credentials);
            let waits = *task.last.lock().unwrap_or_else(PoisonError::into_inner);
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
            let last = *task.last.lock().unwrap_or_else(PoisonError::into_inner);
            pending.push(Pending::of(entry, task.rounds.load(Ordering::Relaxed), last));
        }
        let at_work: Vec<_> = self.at_work.iter().flat_map(|exposure| exposure.left_alone()).collect();
        for held in at_work {
            let entry = held.entry().await;
            if matches!(entry.state, State::Running | State::Failed) && !entry.is_group() && !self.works_on(held.name())
            {
                pending.push(Pending::of(entry, 0, None));
            }
        }
        pending
    }
}

impl Task {
    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
