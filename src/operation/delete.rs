//! Delete: gone, and seen to be gone. An event that is gone already is a success.

use tokio::time::Instant;

use super::exposure::Exposure;
use super::{Absence, Context, Gaps, Target, Verification, changed_too_often, may_have_changed, timed_out};
use crate::google::{Delete, Fetched, Scope, SendUpdates};
use crate::model::{CalendarError, Outcome};

/// What `fields=` a delete reads.
const FIELDS: &str = "id,status,etag";

/// How the event came to be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    /// It was gone before this call.
    pub already: bool,
    /// A read after the delete saw the tombstone, or nothing twice.
    pub verified: bool,
}

/// What was asked for.
pub struct DeleteRequest {
    /// Whose calendar.
    pub target: Target,
    /// Which event.
    pub id: String,
    /// Whom Google mails.
    pub send_updates: SendUpdates,
    /// `None`: it is not read back.
    pub verification: Option<Verification>,
    /// Deletes after the first whose answer was lost.
    pub max_retries: u32,
}

/// Deletes the event with If-Match, so that nobody's edit is deleted unseen, and reads back.
///
/// # Errors
/// `outcome: unknown` when a delete was sent and the deadline passed before a read could tell.
pub async fn delete(
    cx: &Context,
    scope: &Scope,
    request: &DeleteRequest,
    exposure: &Exposure,
) -> Result<Deleted, CalendarError> {
    let mut deletion = Deletion {
        cx,
        scope,
        request,
        exposure,
        acknowledged: false,
        lost: None,
        lost_deletes: 0,
        absence: Absence::default(),
        gaps: Gaps::new(),
        window_ends: cx.clock.now(),
    };
    let ended = deletion.run().await;
    ended.map_err(|error| deletion.told(error).with_event(request.id.clone()))
}

struct Deletion<'a> {
    cx: &'a Context,
    scope: &'a Scope,
    request: &'a DeleteRequest,
    exposure: &'a Exposure,
    acknowledged: bool,
    /// The last delete's fate is not known; what was told instead of an answer.
    lost: Option<CalendarError>,
    lost_deletes: u32,
    absence: Absence,
    gaps: Gaps,
    window_ends: Instant,
}

impl Deletion<'_> {
    async fn run(&mut self) -> Result<Deleted, CalendarError> {
        loop {
            let calendar = &self.request.target.calendar;
            let found = self.cx.calendar.get(self.scope, calendar, &self.request.id, Some(FIELDS)).await?;
            let gone = Deleted { already: !self.sent(), verified: true };
            match found {
                Some(found) if found.cancelled() => return Ok(gone),
                // A single read that finds nothing may be an old one, of an event that lives.
                None if self.absence.is_certain(self.cx.clock.now()) => return Ok(gone),
                None => self.pause().await?,
                // Acknowledged, and still there: an old read, until the window is over.
                Some(_) if self.acknowledged && self.cx.clock.now() < self.window_ends => {
                    self.absence.ends();
                    self.pause().await?;
                }
                Some(found) => {
                    self.absence.ends();
                    if let Some(ended) = self.delete(&found).await? {
                        return Ok(ended);
                    }
                }
            }
        }
    }

    async fn delete(&mut self, found: &Fetched) -> Result<Option<Deleted>, CalendarError> {
        if self.lost_deletes > self.request.max_retries
            && let Some(error) = &self.lost
        {
            return Err(error.clone());
        }
        if !self.exposure.expose() {
            return Err(timed_out(self.scope));
        }
        let request = self.request;
        let etag = Some(found.etag.as_str());
        let calendar = &request.target.calendar;
        match self.cx.calendar.delete(self.scope, calendar, &request.id, etag, request.send_updates).await {
            Ok(Delete::Done | Delete::Gone) => {
                self.acknowledged = true;
                self.lost = None;
                let Some(verification) = request.verification else {
                    return Ok(Some(Deleted { already: false, verified: false }));
                };
                self.window_ends = self.cx.clock.now() + verification.window;
                self.gaps = Gaps::new();
            }
            Ok(Delete::Missing) => self.pause().await?,
            Ok(Delete::Changed) => {
                let gap = self.gaps.next();
                if !self.scope.deadline.has_room_for(self.cx.clock.now(), gap) {
                    return Err(changed_too_often("The event"));
                }
                self.cx.pause(self.scope, gap).await?;
            }
            // With If-Match a second arrival can do no harm; the next read tells.
            Err(error) if error.outcome == Outcome::Unknown => {
                self.lost = Some(error);
                self.lost_deletes += 1;
                self.acknowledged = false;
                self.pause().await?;
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    const fn sent(&self) -> bool {
        self.acknowledged || self.lost.is_some()
    }

    async fn pause(&mut self) -> Result<(), CalendarError> {
        let gap = self.gaps.next();
        self.cx.pause(self.scope, gap).await
    }

    /// An error after a delete that may have landed, or did, says so.
    fn told(&self, error: CalendarError) -> CalendarError {
        if self.sent() { may_have_changed(error) } else { error }
    }
}
