//! Cleaning up after an attempt that failed: nothing of it may stay, and nothing that others rely on may go.
//!
//! The entry closes on a tombstone, or on an event that shows our leave-taking, which moved the etag on; never on a 404:
//! a late insert could still come. Where nothing is, the id is *fenced*: a placeholder is inserted and deleted, and the
//! tombstone turns the late insert into a 409. An acknowledgement alone closes nothing: Google can acknowledge a PATCH
//! and not store it, and then two attempts would each leave the event to the other.
//!
//! A fence can be refused for good: the user may not write to this calendar any more, or it is gone. Then nobody can keep a
//! late insert out, and it would be refused itself. The entry is closed when it is too late for one.

use std::time::Duration;

use serde_json::{Map, Value};

use super::sight::Sight;
use super::{Context, Gaps, QUIET, lease_lost};
use crate::google::{Fetched, Insert, NAMED, Scope, SendUpdates, json};
use crate::model::stamp::{Stamp, fence_body, leave_patch};
use crate::model::{CalendarError, Code, Outcome};
use crate::store::{Change, Disposal, Entry, Held, State};

/// How long after its call an insert may still come: as long as the store keeps what a late put could meet. Whatever holds a
/// request back, a proxy or Google itself, gives it up within minutes.
const LATE_AT_MOST: Duration = Duration::from_hours(1);

/// What `fields=` a clean-up reads: a fence whose marks were wiped is known by its times.
const FIELDS: &str = "id,status,etag,start,end,recurrence,extendedProperties/private";

/// Works one failed entry off and closes it.
///
/// # Errors
/// What stopped it this time: the entry stays open and is worked on again.
pub async fn reconcile(cx: &Context, scope: &Scope, held: &Held) -> Result<Disposal, CalendarError> {
    let entry = held.entry().await;
    let disposal = clean_up(cx, scope, &entry).await?;
    match held.change(cx.left(scope), |entry| entry.state = State::Settled { disposal }).await {
        Change::Applied => {
            cx.prevented.cleaned_up(disposal);
            Ok(disposal)
        }
        Change::Refused | Change::Unknown => Err(lease_lost(scope)),
    }
}

async fn clean_up(cx: &Context, scope: &Scope, entry: &Entry) -> Result<Disposal, CalendarError> {
    let calendar = entry.calendar.as_str();
    let id = entry.event_id.as_str();
    let ours = &entry.claim;
    // Ours alone, so that seeing it again is proof.
    let leaving = cx.journal.claim();
    let mut gaps = Gaps::new();
    loop {
        let found = cx.calendar.get(scope, calendar, id, Some(FIELDS)).await?;
        match Sight::of(found, &entry.print) {
            Sight::Tombstone => return Ok(Disposal::Deleted),
            // The id is another request's: nothing of ours is or will be there.
            Sight::OtherRequest => return Ok(Disposal::Nothing),
            Sight::Unstamped(_) => return Ok(Disposal::Kept),
            Sight::Absent => match fence(cx, scope, entry).await {
                Err(error) if is_final(&error) && nothing_comes(cx, entry) => return Ok(Disposal::Nothing),
                fenced => fenced?,
            },
            Sight::Fence(found) => delete(cx, scope, entry, &found.etag, SendUpdates::None).await?,
            Sight::Ours(found, claims) if claims.only(ours) => {
                let mail = if entry.guests { SendUpdates::ExternalOnly } else { SendUpdates::None };
                delete(cx, scope, entry, &found.etag, mail).await?;
            }
            Sight::Ours(found, claims) => {
                let left = Stamp::of(&found.event).touch.as_deref() == Some(leaving.as_str());
                if left && !claims.contains(ours) {
                    return Ok(Disposal::Kept);
                }
                // Others rely on it. Taking our claim out, or else only moving the etag on, makes a late adoption of
                // ours meet 412.
                let others = claims.contains(ours).then(|| claims.without(ours));
                leave(cx, scope, entry, &found, &leave_patch(others.as_ref(), leaving.as_str())).await?;
            }
        }
        cx.pause(scope, gaps.next()).await?;
    }
}

/// Whether the same request would be refused again until somebody changes something in Google.
#[must_use]
pub fn is_final(error: &CalendarError) -> bool {
    error.outcome == Outcome::Rejected
        && matches!(error.code, Code::PermissionDenied | Code::NotFound | Code::ValidationFailed)
}

/// Whether nothing of an attempt whose id is empty can be in the calendar any more. An event that was there once may be hidden
/// from a user who has lost the calendar: that is never said of it.
fn nothing_comes(cx: &Context, entry: &Entry) -> bool {
    let age = Duration::from_millis(cx.clock.wall_ms().saturating_sub(entry.since));
    entry.unseen && age >= LATE_AT_MOST
}

/// Takes the id, so that the tombstone that follows keeps it taken. Whatever comes of it, the next look tells.
async fn fence(cx: &Context, scope: &Scope, entry: &Entry) -> Result<(), CalendarError> {
    let body = json(&fence_body(&entry.event_id))?;
    match cx.calendar.insert(scope, &entry.calendar, &entry.event_id, body.into(), QUIET, Some(NAMED)).await {
        Ok(Insert::Created(found)) => delete(cx, scope, entry, &found.etag, SendUpdates::None).await,
        Ok(Insert::Taken) => Ok(()),
        Err(error) if error.outcome == Outcome::Unknown => Ok(()),
        Err(error) => Err(error),
    }
}

async fn delete(
    cx: &Context,
    scope: &Scope,
    entry: &Entry,
    etag: &str,
    mail: SendUpdates,
) -> Result<(), CalendarError> {
    match cx.calendar.delete(scope, &entry.calendar, &entry.event_id, Some(etag), mail).await {
        Ok(_) => Ok(()),
        Err(error) if error.outcome == Outcome::Unknown => Ok(()),
        Err(error) => Err(error),
    }
}

/// Leaves the event to others. Whatever comes of it, the next look tells.
async fn leave(
    cx: &Context,
    scope: &Scope,
    entry: &Entry,
    found: &Fetched,
    body: &Map<String, Value>,
) -> Result<(), CalendarError> {
    match cx.calendar.patch(scope, &entry.calendar, &entry.event_id, Some(&found.etag), body, QUIET).await {
        Ok(_) => Ok(()),
        Err(error) if error.outcome == Outcome::Unknown => Ok(()),
        Err(error) => Err(error),
    }
}
