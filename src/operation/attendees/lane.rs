//! The lanes of a process: who waits in which, and what a caller is told who leaves.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

use super::item::Item;
use super::round::Lane;
use super::{ChangeRequest, Changed, LaneKey};
use crate::google::wait::{Over, within};
use crate::model::attendee::normal;
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::Context;

type Answer = Result<Changed, CalendarError>;

/// An exchange is not given up for somebody who waits behind it before this, however short their own exchanges are.
pub(super) const LEAST_ATTEMPT: Duration = Duration::from_secs(1);

/// All lanes of a service. Clones share them.
#[derive(Clone)]
pub struct Lanes {
    pub(super) cx: Context,
    queues: Arc<Mutex<HashMap<LaneKey, Arc<Queue>>>>,
}

/// Who waits for a lane's next round. While it is in the map, a task works on it.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<Arc<Waiter>>>,
    arrival: Notify,
}

/// A caller, from the lane's side.
pub(super) struct Waiter {
    pub(super) request: ChangeRequest,
    /// [`normal`].
    pub(super) address: String,
    /// Gone once the caller has an answer or has left.
    reply: Mutex<Option<oneshot::Sender<Answer>>>,
}

impl Waiter {
    fn reply(&self) -> MutexGuard<'_, Option<oneshot::Sender<Answer>>> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `false`: has an answer, or has left.
    pub(super) fn is_waiting(&self) -> bool {
        self.reply().is_some()
    }

    /// The change is over.
    pub(super) fn settle(&self, answer: Answer) {
        if let Some(sender) = self.reply().take() {
            // Fails if the caller's future is gone, and then nobody hears.
            drop(sender.send(answer));
        }
    }

    /// The caller leaves. `None`: the answer came at the same moment.
    fn leave(&self) -> Option<Outcome> {
        self.reply().take()?;
        Some(self.request.exposure.withdraw())
    }
}

/// A caller's place in a lane. Dropping it (nobody polls the call any more) is leaving.
struct Place(Arc<Waiter>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Lanes {
    /// No lane yet.
    #[must_use]
    pub fn new(cx: Context) -> Self {
        Self { cx, queues: Arc::default() }
    }

    /// Makes a change, merged with what others ask of the same lane. Answers at the request's own deadline, or when that is
    /// cancelled: `not-sent` if nothing of the change was written, else `unknown`, and whoever holds the journal's entry of
    /// this change settles it. To be called within a runtime.
    ///
    /// # Errors
    /// `ATTENDEES_HIDDEN`, `CONFLICT` (not the organizer's copy), `NOT_FOUND`, what the party answered, and those of an
    /// update.
    pub async fn change(&self, request: ChangeRequest) -> Result<Changed, CalendarError> {
        let (sender, mut receiver) = oneshot::channel();
        let reply = Mutex::new(Some(sender));
        let (deadline, operation) = (request.deadline.clone(), request.operation);
        let address = normal(&request.change.guest.email).into_owned();
        let waiter = Arc::new(Waiter { request, address, reply });
        let place = Place(Arc::clone(&waiter));
        self.queue(waiter);
        let over = match within(&self.cx.clock, &deadline, &mut receiver).await {
            Ok(answer) => return answer.unwrap_or_else(|_| Err(gone(&place.0))),
            Err(over) => over,
        };
        match place.0.leave() {
            Some(outcome) => Err(left(operation, over, outcome, deadline.timeout_ms())),
            None => receiver.try_recv().unwrap_or_else(|_| Err(gone(&place.0))),
        }
    }

    fn queue(&self, waiter: Arc<Waiter>) {
        let key = waiter.request.lane.clone();
        let mut queues = self.lock();
        let (queue, idle) = match queues.get(&key) {
            Some(queue) => (Arc::clone(queue), false),
            None => (Arc::clone(queues.entry(key.clone()).or_default()), true),
        };
        queue.push(waiter);
        drop(queues);
        if idle {
            let lane = Lane::new(self.clone(), key.clone(), Arc::clone(&queue));
            let lease = Tenancy { lanes: self.clone(), key, queue };
            tokio::spawn(async move {
                lane.work().await;
                drop(lease);
            });
        }
    }

    /// Ends a lane that nobody waits for. `false`: somebody does.
    pub(super) fn close_if_idle(&self, key: &LaneKey, queue: &Arc<Queue>) -> bool {
        let mut queues = self.lock();
        let idle = queue.is_empty();
        if idle {
            queues.remove(key);
        }
        idle
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LaneKey, Arc<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane's task, which ends by closing the lane; if it ends otherwise (a panic), the next caller starts another.
struct Tenancy {
    lanes: Lanes,
    key: LaneKey,
    queue: Arc<Queue>,
}

impl Drop for Tenancy {
    fn drop(&mut self) {
        let mut queues = self.lanes.lock();
        if queues.get(&self.key).is_some_and(|queue| Arc::ptr_eq(queue, &self.queue)) {
            queues.remove(&self.key);
        }
        drop(queues);
        for waiter in self.queue.take() {
            waiter.settle(Err(gone(&waiter)));
        }
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Arc<Waiter>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, waiter: Arc<Waiter>) {
        self.waiting().push_back(waiter);
        self.arrival.notify_one();
    }

    fn take(&self) -> VecDeque<Arc<Waiter>> {
        std::mem::take(&mut *self.waiting())
    }

    /// All who wait now, in their order.
    pub(super) fn items(&self) -> impl Iterator<Item = Item> {
        self.take().into_iter().map(Item::new)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Resolves when somebody has waited behind an exchange for as long as one of their own would have been given.
    pub(super) async fn impatient(&self) {
        loop {
            let shortest = self.waiting().iter().map(|waiter| waiter.request.attempt_timeout).min();
            match shortest {
                Some(time) => return sleep(time.max(LEAST_ATTEMPT)).await,
                None => self.arrival.notified().await,
            }
        }
    }
}

/// The lane's task is gone, by a panic or because the runtime ends.
fn gone(waiter: &Waiter) -> CalendarError {
    CalendarError::internal(waiter.request.exposure.withdraw(), "a change of attendees ended without an answer")
}

fn left(operation: &str, over: Over, outcome: Outcome, timeout_ms: u64) -> CalendarError {
    let (code, what) = match over {
        Over::Cancelled => (Code::Aborted, "was aborted".to_owned()),
        Over::TimedOut => (Code::Timeout, format!("timed out after {timeout_ms}ms")),
    };
    let then = if outcome == Outcome::NotSent {
        "nothing of it was written to the calendar."
    } else {
        "whether the guest list was changed is not known yet; it is settled in the background."
    };
    CalendarError::new(code, outcome, format!("{operation} {what}: {then}"))
}
