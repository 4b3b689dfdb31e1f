//! What follows a transaction's success: the attendees' records are told, and of who was skipped it is settled whether they
//! are there.

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::party::Settling;
use super::undo::place_of;
use super::{Caller, Transactions};
use crate::model::{CalendarError, Claim};
use crate::operation::attempt::RESULT_GRACE;
use crate::operation::attendees::{ChangeRequest, Verb};
use crate::operation::read;
use crate::policy::Deadline;
use crate::store::{Act, AttendeeKey, Change, Disposal, Held, Step};

/// Steps at once.
const AT_ONCE: usize = 4;

/// What became of it.
#[derive(Default)]
pub struct Finished {
    /// Of whom it was settled whether they are on the list: the event, and whether they are.
    pub settled: Vec<(String, Disposal)>,
    /// What the last error was.
    pub last_error: Option<CalendarError>,
    /// Something is left to do.
    pub open: bool,
}

/// Finishes what the entry says, which this process holds; `settle`: also what was skipped, which takes requests.
pub async fn finish(
    parts: &Transactions,
    caller: &Caller,
    held: &Arc<Held>,
    deadline: &Deadline,
    settle: bool,
) -> Finished {
    let entry = held.entry().await;
    let claim = entry.claim.clone();
    let steps: Vec<_> = entry.plan.iter().flat_map(|plan| plan.open_steps().cloned()).collect();
    let claim = &claim;
    let finishing =
        steps.iter().map(|step| async move { (step, one(parts, caller, held, claim, step, deadline, settle).await) });
    let ended: Vec<_> = stream::iter(finishing.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).collect().await;
    let mut finished = Finished::default();
    let mut closed = Vec::new();
    for (step, ended) in ended {
        match ended {
            Ok(None) => closed.push(step.number),
            Ok(Some(settled)) => {
                closed.push(step.number);
                finished.settled.push(settled);
            }
            Err(error) => finished.last_error = Some(error),
        }
    }
    let all = closed.len() == steps.len();
    let left = deadline.left(parts.cx.clock.now()).max(RESULT_GRACE);
    let change = held
        .change(left, |entry| {
            let Some(plan) = &mut entry.plan else { return };
            for number in &closed {
                plan.close(*number);
            }
            if all {
                plan.finish();
            }
        })
        .await;
    finished.open = !(all && change == Change::Applied);
    finished
}

async fn one(
    parts: &Transactions,
    caller: &Caller,
    held: &Arc<Held>,
    claim: &Claim,
    step: &Step,
    deadline: &Deadline,
    settle: bool,
) -> Result<Option<(String, Disposal)>, CalendarError> {
    let Act::Attendee { calendar, event_id, email, mailed, skipped, updated } = &step.act else { return Ok(None) };
    let key = AttendeeKey::new(&caller.user, calendar, event_id, email);
    let left = || deadline.left(parts.cx.clock.now()).max(RESULT_GRACE);
    if !*skipped {
        parts.records.keep(&key, claim, updated.as_deref(), left()).await?;
        return Ok(None);
    }
    let place = place_of(calendar, event_id, email, *mailed);
    if !settle {
        return Err(super::timed_out(&caller.scope(deadline.clone())));
    }
    // Waits while another call takes them off: until that is over they may still be seen on the list.
    let newest = parts.records.claim(&key, claim, held, left()).await?;
    let on_behalf = Arc::new(Settling { held: Arc::clone(held) });
    let change = ChangeRequest { newest, ..caller.change(&place, Verb::Expel, on_behalf, deadline.clone()) };
    let (disposal, updated) = match parts.lanes.change(change).await {
        Ok(changed) if changed.left => (Disposal::Kept, changed.updated),
        Ok(changed) => (Disposal::Deleted, changed.updated),
        Err(error) if read::is_gone(&parts.cx, &error, held.entry().await.since) => (Disposal::Deleted, None),
        Err(error) => return Err(error),
    };
    if disposal == Disposal::Kept {
        parts.records.keep(&key, claim, updated.as_deref(), left()).await?;
    } else {
        parts.records.went_without(&key, claim, updated.as_deref(), left()).await?;
    }
    Ok(Some((event_id.clone(), disposal)))
}
