//! Create a whole schedule: every event of it, or none.
//!
//! Each event is an attempt of its own with the key `K:i`. None of them is decided alone: their entries name a *group*
//! entry, and one compare-and-set of that is the result of all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};

use super::attempt::{Attempt, Failure, RESULT_GRACE};
use super::create::{Cleanup, CreateRequest, Creation};
use super::exposure::Exposure;
use super::{Context, Target};
use crate::google::Scope;
use crate::model::compare::Difference;
use crate::model::{CalendarError, Code, Outcome};
use crate::policy::Deadline;
use crate::store::{Change, Disposal, Entry, Held, State};

/// The name errors speak under.
pub const OPERATION: &str = "createEvents";
/// Events in flight at once: writes to one calendar go a few at a time.
const AT_ONCE: usize = 4;

/// Why there is no schedule.
pub struct Refusal {
    /// Which event failed first.
    pub index: usize,
    /// The error; `None`: it could not be verified.
    pub error: Option<CalendarError>,
    /// The fields that differed, when there is no error.
    pub mismatches: Vec<Difference>,
    /// Ids of what was removed again.
    pub rolled_back: Vec<String>,
    /// Ids of what is still being removed; `pending()` lists them.
    pub rollback_pending: Vec<String>,
}

/// How it ended, and what is still open.
pub struct ManyConcluded {
    /// All events in their order, or why none.
    pub answer: Result<Vec<Creation>, Box<Refusal>>,
    /// Entries to go on with.
    pub open: Vec<Arc<Held>>,
    /// HTTP exchanges begun.
    pub attempts: u32,
}

/// Creates all of `requests`, or none. Work ends at `work`; what is between that and `deadline` is for undoing.
/// `scope` makes a scope of the call with the deadline it is given.
pub async fn create_many(
    cx: &Context,
    target: &Target,
    requests: &[CreateRequest],
    exposure: &Exposure,
    scope: &(dyn Fn(Deadline) -> Scope + Sync),
    (work, deadline): (Deadline, Deadline),
) -> ManyConcluded {
    let outer = scope(work.clone());
    let group = match cx.journal.begin(group_entry(cx, target), cx.left(&outer)).await {
        Ok(group) => group,
        Err(error) => return refused(0, Failure::Error(error), Vec::new(), Vec::new(), Vec::new()),
    };
    let stop = AtomicBool::new(false);
    let attempts: Vec<_> = requests
        .iter()
        .enumerate()
        .map(|(index, request)| member(cx, scope(work.clone()), (index, request), exposure, group.name(), &stop))
        .collect();
    let mut ended: Vec<_> =
        stream::iter(attempts).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;

    let attempts_made = ended.iter().filter_map(|(_, attempt, _)| attempt.as_ref()).map(Attempt::attempts).sum();
    let first_failure = ended.iter().position(|(_, _, result)| result.is_err());
    let left = cx.left(&scope(deadline.clone())).max(RESULT_GRACE);
    let Some(failed) = first_failure else {
        let committed = commit(ended, &group, left).await;
        return ManyConcluded { attempts: attempts_made, ..committed };
    };
    let (index, attempt, result) = ended.swap_remove(failed);
    let failure = result.err().unwrap_or(Failure::Vanished);
    let mut attempts: Vec<_> = attempt.into_iter().collect();
    ended.sort_by_key(|(index, _, _)| std::cmp::Reverse(*index));
    attempts.extend(ended.into_iter().filter_map(|(_, attempt, _)| attempt));
    let _ = group.change(left, |entry| entry.state = State::Failed).await;

    let undone: Vec<_> = attempts.into_iter().map(|attempt| undo(attempt, scope(deadline.clone()))).collect();
    let undone: Vec<_> = stream::iter(undone).buffered(AT_ONCE).collect().await;
    let ids = |wanted: Cleanup| {
        undone
            .iter()
            .filter(|(_, exposed, cleanup, _)| *exposed && *cleanup == wanted)
            .map(|(id, ..)| id.clone())
            .collect()
    };
    let (rolled_back, rollback_pending): (Vec<_>, Vec<_>) = (ids(Cleanup::Deleted), ids(Cleanup::Pending));
    let kept: Vec<_> = ids(Cleanup::Kept);
    let open: Vec<_> = undone.into_iter().filter_map(|(_, _, _, open)| open).collect();
    let disposal = if rollback_pending.is_empty() { Disposal::Deleted } else { Disposal::Nothing };
    let left = cx.left(&outer).max(RESULT_GRACE);
    let _ = group.change(left, |entry| entry.state = State::Settled { disposal }).await;
    let failure = failure.of_many(attempts_made, &rolled_back, &rollback_pending, &kept);
    let refused = refused(index, failure, rolled_back, rollback_pending, open);
    ManyConcluded { attempts: attempts_made, ..refused }
}

/// One event of the schedule, unless another has failed already.
async fn member<'a>(
    cx: &'a Context,
    scope: Scope,
    (index, request): (usize, &'a CreateRequest),
    exposure: &'a Exposure,
    group: &str,
    stop: &AtomicBool,
) -> Option<Ended<'a>> {
    if stop.load(Ordering::Acquire) {
        return None;
    }
    let ended = match Attempt::begin(cx, scope, request, exposure, Some(group.to_owned())).await {
        Err(error) => (index, None, Err(Failure::Error(error))),
        Ok(mut attempt) => {
            let result = attempt.run().await;
            (index, Some(attempt), result)
        }
    };
    if ended.2.is_err() {
        stop.store(true, Ordering::Release);
    }
    Some(ended)
}

/// (id, whether anything of it may be there, what became of it, what is still open)
async fn undo(attempt: Attempt<'_>, scope: Scope) -> (String, bool, Cleanup, Option<Arc<Held>>) {
    let exposed = attempt.exposed();
    let id = attempt.id().to_owned();
    let (cleanup, open) = attempt.undo(scope).await;
    (id, exposed, cleanup, open)
}

fn group_entry(cx: &Context, target: &Target) -> Entry {
    Entry {
        operation: OPERATION.to_owned(),
        user: target.user.clone(),
        calendar: target.calendar.clone(),
        event_id: String::new(),
        generation: 0,
        claim: cx.journal.claim(),
        print: String::new(),
        state: State::Running,
        group: None,
        guests: false,
        keyless: false,
        unseen: false,
        lease_until: 0,
        since: 0,
        plan: None,
    }
}

type Ended<'a> = (usize, Option<Attempt<'a>>, Result<Creation, Failure>);

/// One compare-and-set of the group's entry is the result of all; the members' own entries follow it.
async fn commit(ended: Vec<Ended<'_>>, group: &Held, left: std::time::Duration) -> ManyConcluded {
    let mut members: Vec<_> =
        ended.into_iter().filter_map(|(index, attempt, result)| Some((index, attempt?, result.ok()?))).collect();
    members.sort_by_key(|(index, _, _)| *index);
    let verified = members.iter().all(|(_, _, creation)| creation.verified);
    if group.change(left, |entry| entry.state = State::Succeeded { verified }).await != Change::Applied {
        let error = CalendarError::new(
            Code::StoreUnavailable,
            Outcome::Unknown,
            "The events are in the calendar, but it could not be recorded that they are yours: they may be removed again. Call again with the same idempotency key.",
        );
        let pending = members.iter().map(|(_, attempt, _)| attempt.id().to_owned()).collect();
        let open = members.iter().map(|(_, attempt, _)| Arc::clone(attempt.held())).collect();
        return refused(0, Failure::Error(error), Vec::new(), pending, open);
    }
    let mut creations = Vec::with_capacity(members.len());
    for (_, attempt, creation) in members {
        let verified = creation.verified;
        // Should this not be written, the group's entry still says it.
        let _ = attempt.held().change(left, |entry| entry.state = State::Succeeded { verified }).await;
        creations.push(creation);
    }
    ManyConcluded { answer: Ok(creations), open: Vec::new(), attempts: 0 }
}

impl Failure {
    /// The first event's failure as that of the whole schedule: what became of all the others is told with it.
    fn of_many(self, attempts: u32, rolled_back: &[String], pending: &[String], kept: &[String]) -> Self {
        let Self::Error(mut error) = self else { return self };
        error.attempts = attempts;
        let (outcome, then) = if !pending.is_empty() {
            (
                Outcome::Unknown,
                "Not all events of this schedule are removed again yet; pending() lists them until then.",
            )
        } else if !kept.is_empty() || error.outcome == Outcome::Applied {
            (
                Outcome::Applied,
                "What others made or changed was left in the calendar; all else of this schedule is removed again.",
            )
        } else if !rolled_back.is_empty() {
            (Outcome::Rejected, "Every event of this schedule that was made was removed again.")
        } else if error.outcome == Outcome::Unknown {
            (Outcome::Rejected, "Nothing of this schedule is in the calendar.")
        } else {
            return Self::Error(error);
        };
        error.outcome = outcome;
        error.message = format!("{} {then}", error.message);
        Self::Error(error)
    }
}

fn refused(
    index: usize,
    failure: Failure,
    rolled_back: Vec<String>,
    rollback_pending: Vec<String>,
    open: Vec<Arc<Held>>,
) -> ManyConcluded {
    let (error, mismatches) = match failure {
        Failure::Error(error) => (Some(error), Vec::new()),
        Failure::Mismatch(mismatches) => (None, mismatches),
        Failure::Vanished => (None, Vec::new()),
    };
    let refusal = Refusal { index, error, mismatches, rolled_back, rollback_pending };
    ManyConcluded { answer: Err(Box::new(refusal)), open, attempts: 0 }
}
