//! Delete: gone, and seen to be gone. An event that is gone already is a success.

use super::exposure::Exposure;
use super::{Context, Gaps, Target, Verification, changed_too_often, timed_out};
use crate::google::{Delete, Scope, SendUpdates};
use crate::model::{CalendarError, Outcome};

/// What `fields=` a delete reads.
const FIELDS: &str = "id,status,etag";

/// How the event came to be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    /// It was gone before this call.
    pub already: bool,
    /// A read after the delete saw the tombstone, or nothing.
    pub verified: bool,
}

/// Deletes `id` with If-Match, so that nobody's edit is deleted unseen, and reads back.
///
/// # Errors
/// `outcome: unknown` when a delete was sent and the deadline passed before a read could tell.
pub async fn delete(
    cx: &Context,
    scope: &Scope,
    target: &Target,
    id: &str,
    (send_updates, verification): (SendUpdates, Option<Verification>),
    exposure: &Exposure,
) -> Result<Deleted, CalendarError> {
    let mut sent = false;
    let mut in_doubt = false;
    let told = |error: CalendarError, in_doubt: bool| {
        let error = error.with_event(id);
        if in_doubt { error.with_outcome(Outcome::Unknown) } else { error }
    };
    let mut gaps = Gaps::new();
    let mut window_ends = cx.clock.now();
    loop {
        let found = cx.calendar.get(scope, &target.calendar, id, Some(FIELDS)).await.map_err(|e| told(e, in_doubt))?;
        let Some(found) = found.filter(|found| !found.cancelled()) else {
            return Ok(Deleted { already: !sent, verified: true });
        };
        if sent && !in_doubt && cx.clock.now() < window_ends {
            // Acknowledged, and still there: an old read, until the window is over.
            cx.pause(scope, gaps.next()).await.map_err(|e| told(e, true))?;
            continue;
        }
        if !exposure.expose() {
            return Err(timed_out(scope));
        }
        match cx.calendar.delete(scope, &target.calendar, id, Some(&found.etag), send_updates).await {
            Ok(Delete::Done | Delete::Gone) => {
                sent = true;
                in_doubt = false;
                let Some(verification) = verification else { return Ok(Deleted { already: false, verified: false }) };
                window_ends = cx.clock.now() + verification.window;
            }
            Ok(Delete::Missing) => {}
            Ok(Delete::Changed) => {
                let gap = gaps.next();
                if !scope.deadline.has_room_for(cx.clock.now(), gap) {
                    return Err(told(changed_too_often("The event"), in_doubt));
                }
                cx.pause(scope, gap).await.map_err(|e| told(e, in_doubt))?;
            }
            Err(error) if error.outcome == Outcome::Unknown => {
                // With If-Match a second arrival can do no harm; the next read tells.
                sent = true;
                in_doubt = true;
            }
            Err(error) => return Err(told(error, in_doubt)),
        }
    }
}
