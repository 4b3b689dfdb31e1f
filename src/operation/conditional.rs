//! A write with `If-Match`, sent again until a read shows what became of it: what an update and a delete have in common.
//! Neither needs a journal, for a second arrival changes nothing.

use tokio::time::Instant;

use super::exposure::Exposure;
use super::{Absence, Context, Gaps, Verification, changed_too_often, may_have_changed, timed_out};
use crate::google::Scope;
use crate::model::{CalendarError, Outcome};

/// What is known of the write so far, and the time between its reads.
pub(super) struct ConditionalWrite<'a> {
    /// What every verb works with.
    pub(super) cx: &'a Context,
    /// What every exchange of the call shares.
    pub(super) scope: &'a Scope,
    /// Reads that found nothing.
    pub(super) absence: Absence,
    exposure: &'a Exposure,
    max_retries: u32,
    acknowledged: bool,
    /// The last send's fate is not known; what was told instead of an answer.
    lost: Option<CalendarError>,
    losses: u32,
    gaps: Gaps,
    window_ends: Instant,
}

impl<'a> ConditionalWrite<'a> {
    /// Nothing is sent yet. `max_retries` counts the sends after the first whose answer was lost.
    pub(super) fn new(cx: &'a Context, scope: &'a Scope, exposure: &'a Exposure, max_retries: u32) -> Self {
        Self {
            cx,
            scope,
            absence: Absence::default(),
            exposure,
            max_retries,
            acknowledged: false,
            lost: None,
            losses: 0,
            gaps: Gaps::new(),
            window_ends: cx.clock.now(),
        }
    }

    /// Whether it may be sent now.
    ///
    /// # Errors
    /// Too many answers were lost: the last one's error. Or the caller left before anything was sent.
    pub(super) fn may_be_sent(&self) -> Result<(), CalendarError> {
        match &self.lost {
            Some(error) if self.losses > self.max_retries => Err(error.clone()),
            _ if !self.exposure.expose() => Err(timed_out(self.scope)),
            _ => Ok(()),
        }
    }

    /// Google acknowledged it: until the window is over, a read may still show what was there before.
    pub(super) fn acknowledge(&mut self, verification: Option<Verification>) {
        self.acknowledged = true;
        self.lost = None;
        if let Some(verification) = verification {
            self.window_ends = self.cx.clock.now() + verification.window;
            self.gaps = Gaps::new();
        }
    }

    /// Somebody changed the event between the read and the write, which was refused.
    ///
    /// # Errors
    /// There is no time for another round.
    pub(super) async fn refused(&mut self) -> Result<(), CalendarError> {
        let gap = self.gaps.next();
        if !self.scope.deadline.has_room_for(self.cx.clock.now(), gap) {
            return Err(changed_too_often("The event"));
        }
        self.cx.pause(self.scope, gap).await
    }

    /// It failed. A lost answer is borne: with `If-Match` a second arrival can do no harm, and the next read tells.
    ///
    /// # Errors
    /// Any other failure, as it is.
    pub(super) async fn failed(&mut self, error: CalendarError) -> Result<(), CalendarError> {
        if error.outcome != Outcome::Unknown {
            return Err(error);
        }
        self.lost = Some(error);
        self.losses += 1;
        self.acknowledged = false;
        self.pause().await
    }

    /// Waits before the next read.
    pub(super) async fn pause(&mut self) -> Result<(), CalendarError> {
        let gap = self.gaps.next();
        self.cx.pause(self.scope, gap).await
    }

    /// Whether a read may still show what was there before the acknowledged write.
    pub(super) fn may_read_old(&self) -> bool {
        self.cx.clock.now() < self.window_ends
    }

    /// The last answer was an acknowledgement.
    pub(super) const fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// The last answer was lost.
    pub(super) const fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// It may have landed, or did.
    pub(super) const fn was_sent(&self) -> bool {
        self.acknowledged || self.lost.is_some()
    }

    /// The call's error. After a write that may have landed, or did, it says so.
    pub(super) fn told(&self, error: CalendarError, event_id: &str) -> CalendarError {
        let error = if self.was_sent() { may_have_changed(error) } else { error };
        error.with_event(event_id.to_owned())
    }
}
