//! Attendees: who is added to an event or taken off it, everybody else's entry staying as it is.
//!
//! The changes of one (user, calendar, event, credentials, `sendUpdates`) go through one [lane](lane): what is queued is
//! merged into one read, one PATCH with If-Match and one read back, and each caller gets an answer of their own, at their
//! own time. What comes while a lane is busy goes into its next round.

mod item;
mod lane;
mod round;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Target;
use super::exposure::Exposure;
use crate::google::{BoxFuture, Credentials, QuotaUser, SendUpdates};
use crate::model::CalendarError;
use crate::model::attendee::Guest;
use crate::policy::Deadline;

pub use self::lane::Lanes;

/// What is to become of an attendee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Is to be on the list.
    Add,
    /// Is to be off the list; who is not there was removed already.
    Remove,
    /// Undoes an add that may still be under way: present, they are removed; absent, the `ETag` is moved on, so that the
    /// late add meets 412. Done when a read shows both.
    Expel,
}

/// One attendee and the verb. `Debug` prints no address.
#[derive(Clone, PartialEq, Eq)]
pub struct AttendeeChange {
    /// Who.
    pub guest: Guest,
    /// What is to become of them.
    pub verb: Verb,
}

impl AttendeeChange {
    /// The change of an address; a [`Guest`] can say more.
    #[must_use]
    pub fn new(email: impl Into<String>, verb: Verb) -> Self {
        Self { guest: Guest::new(email), verb }
    }
}

impl fmt::Debug for AttendeeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttendeeChange({:?})", self.verb)
    }
}

/// Which changes are merged. Others meet only at Google, by If-Match.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LaneKey {
    /// Whose calendar: one user's token never carries another's change.
    pub target: Target,
    /// Which event.
    pub event_id: String,
    /// What tells the credentials of two calls apart: a hash, never a token.
    pub identity: String,
    /// Whom Google mails.
    pub send_updates: SendUpdates,
}

/// What a party says when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proceed {
    /// Write for me.
    Write,
    /// Leave my attendee as they are; the change ends as [`Changed::left`].
    Leave,
}

/// On whose behalf a change is made: a transaction, its undo, or a removal.
pub trait Party: Send + Sync {
    /// `false`: nothing is written for it any more. Asked before each send, so it must be quick and not block.
    fn alive(&self) -> bool;

    /// Asked after the lane's read and before each PATCH that would change this attendee (or, for [`Verb::Expel`], move the
    /// `ETag` on); `present`: they are on the list that was read. An error, or [`Proceed::Leave`], takes only this party out of
    /// the batch. Who answers late is left out of that PATCH and asked again after the next read.
    fn before_write(&self, present: bool) -> BoxFuture<'_, Result<Proceed, CalendarError>> {
        let _ = present;
        Box::pin(std::future::ready(Ok(Proceed::Write)))
    }
}

/// One caller's change.
pub struct ChangeRequest {
    /// The method as JS names it; messages start with it.
    pub operation: &'static str,
    /// Where it is merged.
    pub lane: LaneKey,
    /// What is asked for.
    pub change: AttendeeChange,
    /// Where the access token comes from; those of any one caller carry the whole batch.
    pub credentials: Arc<dyn Credentials>,
    /// This caller's own time. Cancelling it is leaving.
    pub deadline: Deadline,
    /// The most one HTTP exchange may take.
    pub attempt_timeout: Duration,
    /// Repeats of one exchange, and of a PATCH that was acknowledged and is not to be seen, at most.
    pub max_retries: u32,
    /// The call's own `quotaUser`; `None`: the configuration's. That of any one caller counts the whole batch.
    pub quota_user: Option<QuotaUser>,
    /// Whether an add is read back; removals always are.
    pub verify: bool,
    /// `updated` of the newest state of the event that is known of: an older read is not believed.
    pub newest: Option<String>,
    /// On whose behalf.
    pub party: Arc<dyn Party>,
    /// Whether a write of this change can be in the calendar.
    pub exposure: Arc<Exposure>,
}

/// How a change ended.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct Changed {
    /// It was so before: nothing was written for this caller.
    pub already: bool,
    /// A PATCH for this change was acknowledged.
    pub acknowledged: bool,
    /// The party said [`Proceed::Leave`].
    pub left: bool,
    /// Whether the attendee is on the list now.
    pub present: bool,
    /// How long the list is now.
    pub attendee_count: usize,
    /// Read back.
    pub verified: bool,
    /// `updated` of the state of the event that this was seen in; `None`: Google sent none.
    pub updated: Option<String>,
    /// HTTP exchanges of the rounds that this change took part in.
    pub attempts: u32,
}

/// What `fields=` a lane reads: the guest list in full.
pub const FIELDS: &str = "id,status,etag,updated,organizer,attendees,attendeesOmitted,extendedProperties/private";
