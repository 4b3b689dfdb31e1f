//! The lanes of a process.

use super::{ChangeRequest, Changed};
use crate::model::{CalendarError, Outcome};
use crate::operation::Context;

/// All lanes of a service. Clones share them.
#[derive(Clone)]
pub struct Lanes {
    cx: Context,
}

impl Lanes {
    /// No lane yet.
    #[must_use]
    pub const fn new(cx: Context) -> Self {
        Self { cx }
    }

    /// Makes a change, merged with what others ask of the same lane. Answers at the request's own deadline, or when that is
    /// cancelled: `not-sent` if nothing of the change was written, else `unknown`, and [`ChangeRequest::later`] hears the rest.
    ///
    /// # Errors
    /// `ATTENDEES_HIDDEN`, `CONFLICT` (not the organizer's copy), `NOT_FOUND`, what the party answered, and those of an
    /// update.
    pub async fn change(&self, request: ChangeRequest) -> Result<Changed, CalendarError> {
        let _ = (&self.cx, request);
        Err(CalendarError::internal(Outcome::NotSent, "the lane is not built yet"))
    }
}
