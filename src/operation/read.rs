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
    CalendarError::new(Code::NotFound, Outcome::Rejected, message).with_event(id)
}
