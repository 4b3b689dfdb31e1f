//! Reading: one event, or a page of them.

use super::{Context, Target};
use crate::google::{Fetched, Page, Scope};
use crate::model::{CalendarError, Code, Outcome};

/// Reads one event. A deleted one is `NOT_FOUND`, as a missing one is.
pub async fn get(cx: &Context, scope: &Scope, target: &Target, id: &str) -> Result<Fetched, CalendarError> {
    match cx.calendar.get(scope, &target.calendar, id, None).await? {
        Some(found) if !found.cancelled() => Ok(found),
        found => Err(missing(scope, id, found.is_some())),
    }
}

/// One page of a list; `query` holds Google's own parameters.
pub async fn list(cx: &Context, scope: &Scope, target: &Target, query: &[(&str, &str)]) -> Result<Page, CalendarError> {
    cx.calendar.list(scope, &target.calendar, query).await
}

/// What to tell of an event that is not there (any more).
pub(super) fn missing(scope: &Scope, id: &str, deleted: bool) -> CalendarError {
    let why = if deleted { "the event was deleted" } else { "Google shows no such event to this user" };
    let message =
        format!("{} failed: {why}. Nothing was changed; check the event id and the calendar.", scope.operation);
    let error = CalendarError::new(Code::NotFound, Outcome::Rejected, message).with_event(id);
    if deleted { error } else { error.with_reply(404, Some("notFound".to_owned())) }
}

/// How long after its intent a transaction takes a 404 for an event that is gone. It had read the event before it wrote, so a
/// 404 soon after comes from a copy of the calendar that does not know of the event yet, and the write may be there.
const BELIEVED_AFTER_MS: u64 = 60_000;

/// Whether the error means that nothing of a transaction begun at `since` (Unix ms) is in the event any more, nor can be.
pub(super) fn is_gone(cx: &Context, error: &CalendarError, since: u64) -> bool {
    // A tombstone is told without a status: it proves it at once.
    let is_tombstone = error.status.is_none();
    error.code == Code::NotFound && (is_tombstone || cx.clock.wall_ms().saturating_sub(since) >= BELIEVED_AFTER_MS)
}
