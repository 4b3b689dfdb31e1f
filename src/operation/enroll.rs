//! Enroll: one attendee on every event of a list, or on none of them.
//!
//! The whole intent is journalled first. Events are worked on a few at a time; the first that refuses stops the others, and
//! what was added is undone, newest first. With a key, of all calls one enrolls and the others hear what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::Target;
use super::exposure::Exposure;
use super::transaction::opening::{Opened, open};
use super::transaction::{AddTerms, Added, Caller, Place, Transaction, Transactions, intent, undo};
use crate::model::{CalendarError, Rollback};
use crate::policy::Deadline;
use crate::store::Held;

/// The name errors speak under.
pub const OPERATION: &str = "enroll";
/// Events in flight at once: writes to one calendar go a few at a time.
const AT_ONCE: usize = 4;

/// What was asked for.
pub struct EnrollRequest {
    /// Whose calendar, where an event names none.
    pub target: Target,
    /// Where the attendee is to be; at least one.
    pub places: Vec<Place>,
    /// How they are added.
    pub terms: AddTerms,
    /// The caller's key.
    pub key: Option<String>,
    /// The fingerprint of all this, for the key.
    pub print: String,
}

/// One event of an enrollment that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrolledEvent {
    /// Which.
    pub event_id: String,
    /// The attendee was there before.
    pub already_added: bool,
    /// The add took too long and the enrollment went on without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
    /// Read back after the write.
    pub verified: bool,
    /// How many attendees the event has; `None` where it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendee_count: Option<usize>,
}

/// An enrollment that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// All events, in the order of the request.
    pub events: Vec<EnrolledEvent>,
    /// An earlier call with the same key did it.
    pub replayed: bool,
}

/// How it ended.
pub struct EnrollConcluded {
    /// All, or none.
    pub answer: Result<Enrolled, CalendarError>,
    /// The entry that is to be worked on further.
    pub open: Option<Arc<Held>>,
}

/// Enrolls. Work ends at `work`; what is between that and `deadline` is for undoing.
pub async fn enroll(
    parts: &Transactions,
    caller: &Caller,
    request: &EnrollRequest,
    exposure: &Arc<Exposure>,
    (work, deadline): (&Deadline, &Deadline),
) -> EnrollConcluded {
    let refused = |error: CalendarError| EnrollConcluded { answer: Err(error), open: None };
    let steps = || numbered(&request.places).map(|(number, place)| place.step(number)).collect();
    let print = || request.print.clone();
    let intent = || intent(&parts.cx, caller.operation, &request.target, print(), steps(), request.key.is_none());
    let held = match open(parts, caller, intent, request.key.as_deref(), work).await {
        Ok(Opened::Begun(held)) => held,
        Ok(Opened::Done(entry)) => {
            let answer = entry.plan.and_then(|plan| plan.answer);
            let events = answer.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            return EnrollConcluded { answer: Ok(Enrolled { events, replayed: true }), open: None };
        }
        Ok(Opened::Undoing(held, error)) => return EnrollConcluded { open: Some(held), ..refused(error) },
        Err(error) => return refused(error),
    };
    let transaction = Transaction::over(parts.clone(), caller.clone(), held, Arc::clone(exposure)).await;
    let stop = AtomicBool::new(false);
    let adds = numbered(&request.places).map(|(number, place)| {
        let (transaction, stop) = (&transaction, &stop);
        async move { (number, place, add(transaction, (number, place), request.terms, work, stop).await) }
    });
    let mut ended: Vec<_> = stream::iter(adds.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).collect().await;
    let failure = ended.iter().position(|(.., ended)| matches!(ended, Ended::Refused(_)));
    let failure = failure.map(|first| ended.swap_remove(first));
    ended.sort_by_key(|(number, ..)| *number);
    if let Some((.., Ended::Refused(error))) = failure {
        return roll_back(&transaction, error, not_reached(&ended), deadline).await;
    }
    let events = ended.into_iter().map(|(_, place, ended)| enrolled(place, ended)).collect();
    conclude(&transaction, request, events, deadline).await
}

/// Each place with the number of its step.
fn numbered(places: &[Place]) -> impl Iterator<Item = (u32, &Place)> {
    (0..).zip(places)
}

enum Ended {
    Added(Added),
    NotReached,
    Refused(CalendarError),
}

async fn add(
    transaction: &Transaction,
    (number, place): (u32, &Place),
    terms: AddTerms,
    work: &Deadline,
    stop: &AtomicBool,
) -> Ended {
    if stop.load(Ordering::Acquire) {
        return Ended::NotReached;
    }
    match transaction.add_in_time(number, place, terms, work).await {
        Ok(added) => Ended::Added(added),
        Err(error) => {
            stop.store(true, Ordering::Release);
            Ended::Refused(error)
        }
    }
}

fn not_reached(ended: &[(u32, &Place, Ended)]) -> Vec<String> {
    let not = ended.iter().filter(|(.., ended)| matches!(ended, Ended::NotReached));
    not.map(|(_, place, _)| place.event_id.clone()).collect()
}

fn enrolled(place: &Place, ended: Ended) -> EnrolledEvent {
    let event_id = place.event_id.clone();
    match ended {
        Ended::Added(Added::There(changed)) => EnrolledEvent {
            event_id,
            already_added: changed.already,
            skipped: false,
            verified: changed.verified,
            attendee_count: Some(changed.attendee_count),
        },
        Ended::Added(Added::Skipped { .. }) | Ended::NotReached | Ended::Refused(_) => {
            EnrolledEvent { event_id, already_added: false, skipped: true, verified: false, attendee_count: None }
        }
    }
}

async fn conclude(
    transaction: &Transaction,
    request: &EnrollRequest,
    events: Vec<EnrolledEvent>,
    deadline: &Deadline,
) -> EnrollConcluded {
    let answer = serde_json::to_string(&events).ok();
    match transaction.commit(deadline, |plan| plan.answer = answer).await {
        Ok(()) => {
            let open = transaction.finish(deadline).await;
            let answer = Ok(Enrolled { events, replayed: false });
            EnrollConcluded { answer, open }
        }
        Err(error) => {
            let pending = request.places.iter().map(|place| place.event_id.clone()).collect();
            let rollback = Box::new(Rollback { pending, ..Rollback::default() });
            EnrollConcluded {
                answer: Err(CalendarError { rollback, ..error }),
                open: Some(Arc::clone(transaction.held())),
            }
        }
    }
}

async fn roll_back(
    transaction: &Transaction,
    error: CalendarError,
    not_reached: Vec<String>,
    deadline: &Deadline,
) -> EnrollConcluded {
    let undone = transaction.roll_back(deadline).await;
    let open = undone.open.then(|| Arc::clone(transaction.held()));
    let mut error = refusal(error, undone);
    error.rollback.not_reached = not_reached;
    EnrollConcluded { answer: Err(error), open }
}

/// The first failure as that of the whole: what became of all the rest is told with it.
fn refusal(mut error: CalendarError, undone: undo::Undone) -> CalendarError {
    let (outcome, then) = undone.aftermath(error.outcome);
    error.outcome = outcome;
    error.message = format!("{} {then}", error.message);
    error.rollback = Box::new(undone.rollback);
    error
}
