//! Takes an attendee off an event for good, so that what transactions know of them is forgotten as well: an enrollment that
//! once kept them must not make a later, failed one leave them behind.

use std::sync::Arc;

use super::attempt::RESULT_GRACE;
use super::attendees::{Changed, Party, Verb};
use super::exposure::Exposure;
use super::transaction::{Caller, Place, Transactions, intent};
use super::{Target, read};
use crate::model::{CalendarError, Claim, Outcome};
use crate::policy::Deadline;
use crate::store::{Act, AttendeeKey, Change, Disposal, Held, Plan, Removing, State};

/// The name errors speak under.
pub const OPERATION: &str = "removeAttendeeFromEvent";

/// How it ended, and what is still open.
pub struct RemovalConcluded {
    /// The attendee is off, or not.
    pub answer: Result<Changed, CalendarError>,
    /// The entry that is to be worked on further.
    pub open: Option<Arc<Held>>,
}

/// Removes. The intent is in the journal first, and new adds of this attendee wait until it is over.
pub async fn remove(
    parts: &Transactions,
    caller: &Caller,
    place: &Place,
    exposure: &Arc<Exposure>,
    deadline: &Deadline,
) -> RemovalConcluded {
    let cx = &parts.cx;
    let left = || deadline.left(cx.clock.now());
    let target = Target { user: caller.user.clone(), calendar: place.calendar.clone() };
    let mut entry = intent(cx, OPERATION, &target, String::new(), vec![place.step(0)], true);
    entry.plan.iter_mut().for_each(|plan| plan.removal = true);
    let held = match cx.journal.begin(entry, left()).await {
        Ok(held) => held,
        Err(error) => return RemovalConcluded { answer: Err(error), open: None },
    };
    exposure.begun(&held);
    let claim = held.entry().await.claim;
    let key = place.key(&caller.user);
    let Removing { relied_on, newest } = match parts.records.removing(&key, &claim, left()).await {
        Ok(found) => found,
        Err(error) => return not_removed(parts, held, &key, &claim, error).await,
    };
    // Transactions whose adds may be under way: the ETag must move on, whether or not the attendee is there yet.
    let verb = if relied_on { Verb::Expel } else { Verb::Remove };
    let mut change = caller.change(place, verb, Arc::<Held>::clone(&held), deadline.clone());
    change.exposure = Arc::clone(exposure);
    change.newest = newest;
    match parts.lanes.change(change).await {
        Ok(changed) => {
            let open = removed(parts, &held, &key, &claim, changed.updated.as_deref()).await;
            RemovalConcluded { answer: Ok(changed), open: open.then_some(held) }
        }
        Err(error) if matches!(error.outcome, Outcome::NotSent | Outcome::Rejected) => {
            not_removed(parts, held, &key, &claim, error).await
        }
        Err(error) => RemovalConcluded { answer: Err(error), open: Some(held) },
    }
}

/// Goes on with a removal that was left: until a read shows that the attendee is off and no late add can come.
///
/// # Errors
/// What stopped it this time.
pub async fn resume(
    parts: &Transactions,
    caller: &Caller,
    held: &Arc<Held>,
    deadline: &Deadline,
) -> Result<Disposal, CalendarError> {
    let entry = held.entry().await;
    let claim = entry.claim.clone();
    let left = || deadline.left(parts.cx.clock.now());
    for step in entry.plan.iter().flat_map(Plan::open_steps) {
        let Act::Attendee { calendar, event_id, email, mailed, .. } = &step.act else { continue };
        let place = super::transaction::undo::place_of(calendar, event_id, email, *mailed);
        let key = place.key(&caller.user);
        let Removing { newest, .. } = parts.records.removing(&key, &claim, left()).await?;
        let mut change = caller.change(&place, Verb::Expel, Arc::<Held>::clone(held), deadline.clone());
        change.newest = newest;
        let updated = match parts.lanes.change(change).await {
            Ok(changed) => changed.updated,
            Err(error) if read::is_gone(&parts.cx, &error, entry.since) => None,
            Err(error) => return Err(error),
        };
        if removed(parts, held, &key, &claim, updated.as_deref()).await {
            return Err(super::lease_lost(&caller.scope(deadline.clone())));
        }
    }
    Ok(Disposal::Deleted)
}

/// Whether something is left to do.
async fn removed(parts: &Transactions, held: &Held, key: &AttendeeKey, claim: &Claim, updated: Option<&str>) -> bool {
    parts.records.removed(key, claim, updated, RESULT_GRACE).await.is_err() || !settle(held, Disposal::Deleted).await
}

async fn not_removed(
    parts: &Transactions,
    held: Arc<Held>,
    key: &AttendeeKey,
    claim: &Claim,
    error: CalendarError,
) -> RemovalConcluded {
    let cleared = parts.records.not_removed(key, claim, RESULT_GRACE).await.is_ok();
    let open = !(cleared && settle(&held, Disposal::Nothing).await);
    RemovalConcluded { answer: Err(error), open: open.then_some(held) }
}

async fn settle(held: &Held, disposal: Disposal) -> bool {
    let change = held
        .change(RESULT_GRACE, |entry| {
            entry.state = State::Settled { disposal };
            entry.plan.iter_mut().for_each(Plan::finish);
        })
        .await;
    change == Change::Applied
}

/// Who removes asks nothing more, as long as the entry that says so is theirs.
impl Party for Held {
    fn alive(&self) -> bool {
        Self::alive(self)
    }
}
