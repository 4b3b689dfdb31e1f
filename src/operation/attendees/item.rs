//! One change in a lane's rounds: what a read means for it.

use std::sync::Arc;

use serde_json::Value;

use super::lane::Waiter;
use super::{Changed, Verb};
use crate::google::Fetched;
use crate::model::guests::Guests;
use crate::model::stamp::Stamp;
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::may_have_changed;

/// Reads that do not show an acknowledged write before it is written again. With If-Match that is safe: if only the read
/// was old, it meets 412.
const PATIENT_READS: u32 = 2;

/// Reads that may fail, each after all its repeats, before the change does; its own deadline may be earlier.
const SETBACKS: u32 = 2;

/// A change on its way.
pub(super) struct Item {
    pub(super) waiter: Arc<Waiter>,
    /// The request's, until the lane knows of it.
    pub(super) newest: Option<String>,
    /// What the last acknowledged PATCH made.
    wrote: Option<Wrote>,
    /// The last PATCH's fate is not known; what was told instead of an answer.
    lost: Option<CalendarError>,
    /// The mark of a PATCH that also moves the `ETag` on.
    nonce: Option<String>,
    /// Writes that were acknowledged or lost. A 412 is none: it only says that the read was old.
    sent: u32,
    /// Those of them that were given up for others' sake: that uses up none of its repeats.
    given_up: u32,
    /// Reads since the last acknowledged PATCH that did not show it.
    unseen: u32,
    /// Another caller of the same batch added them.
    echo: bool,
    /// Rounds in which the party answered too late.
    pub(super) late: u32,
    /// Reads that failed, repeats and all.
    setbacks: u32,
    pub(super) attempts: u32,
}

/// The state of the event that an acknowledged PATCH made.
#[derive(Clone)]
pub(super) struct Wrote {
    pub(super) etag: String,
    pub(super) updated: Option<String>,
}

impl Wrote {
    pub(super) fn of(event: &Fetched) -> Self {
        Self { etag: event.etag.clone(), updated: updated(event) }
    }

    /// Whether a read is older than this. Google's `updated` is RFC 3339 in UTC with milliseconds, so text compares as time
    /// does.
    fn is_newer_than(&self, found: &Fetched) -> bool {
        self.etag != found.etag
            && matches!((&self.updated, updated(found)), (Some(ours), Some(theirs)) if theirs < *ours)
    }
}

pub(super) fn updated(event: &Fetched) -> Option<String> {
    event.event.get("updated").and_then(Value::as_str).map(str::to_owned)
}

/// What an item needs after a read.
pub(super) enum Need {
    /// It is over.
    Done { already: bool },
    /// It cannot be done.
    Failed(CalendarError),
    /// The read may be old: look again.
    Look,
    /// A PATCH.
    Write(Write),
}

/// What a PATCH is to do for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    Add,
    Remove,
    /// Remove, and show that it was applied.
    Expel,
    /// Only move the `ETag` on.
    Touch,
}

impl Item {
    pub(super) fn new(waiter: Arc<Waiter>) -> Self {
        Self {
            newest: waiter.request.newest.clone(),
            waiter,
            wrote: None,
            lost: None,
            nonce: None,
            sent: 0,
            given_up: 0,
            unseen: 0,
            echo: false,
            late: 0,
            setbacks: 0,
            attempts: 0,
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.waiter.address
    }

    pub(super) fn verb(&self) -> Verb {
        self.waiter.request.change.verb
    }

    /// What the read means. `hurried`: others wait for the lane.
    pub(super) fn need(&mut self, found: &Fetched, guests: &Guests<'_>, hurried: bool) -> Need {
        let present = guests.has(self.address());
        let marked = self.nonce.is_some() && Stamp::of(&found.event).touch == self.nonce;
        let old = self.wrote.as_ref().is_some_and(|wrote| wrote.is_newer_than(found));
        let wanted = present == (self.verb() == Verb::Add);
        let done = match self.verb() {
            Verb::Expel => marked && !present,
            Verb::Add | Verb::Remove => wanted && !old,
        };
        if done {
            let already = self.echo || (self.wrote.is_none() && self.lost.is_none());
            return Need::Done { already: already && self.verb() != Verb::Expel };
        }
        if old && self.unseen < PATIENT_READS && !hurried {
            self.unseen += 1;
            return Need::Look;
        }
        if self.sent - self.given_up > self.waiter.request.max_retries {
            return Need::Failed(self.lost.clone().unwrap_or_else(|| self.never_seen()));
        }
        Need::Write(match (self.verb(), present) {
            (Verb::Add, _) => Write::Add,
            (Verb::Remove, _) => Write::Remove,
            (Verb::Expel, true) => Write::Expel,
            (Verb::Expel, false) => Write::Touch,
        })
    }

    /// A PATCH is about to be sent for it; `echo`: on account of another's.
    pub(super) fn sending(&mut self, nonce: Option<&str>, echo: bool) {
        self.echo = echo;
        self.unseen = 0;
        if let Some(nonce) = nonce {
            self.nonce = Some(nonce.to_owned());
        }
    }

    /// It was acknowledged.
    pub(super) fn acknowledged(&mut self, wrote: &Wrote) {
        self.wrote = Some(wrote.clone());
        self.sent += 1;
        self.lost = None;
    }

    /// Whether it was applied is not known; `given_up`: since others had waited for it long enough.
    pub(super) fn lost(&mut self, error: &CalendarError, given_up: bool) {
        self.lost = Some(error.clone());
        self.sent += 1;
        self.given_up += u32::from(given_up);
    }

    /// It was refused: if nothing else was sent, nothing can be in the calendar.
    pub(super) fn refused(&self) {
        if self.sent == 0 {
            self.waiter.request.exposure.retract();
        }
    }

    /// Whether a read that failed is begun anew for it: a batch is long at work, and should not fail for one bad minute.
    pub(super) fn bears(&mut self, error: &CalendarError) -> bool {
        let passing = matches!(error.code, Code::NetworkError | Code::ServerError | Code::Timeout);
        self.setbacks += 1;
        passing && self.setbacks <= SETBACKS.min(self.waiter.request.max_retries)
    }

    /// Tells an error: after a PATCH that may have landed it says so, and the journal has what became of that settled.
    pub(super) fn fail(&self, error: CalendarError, told_for: &str) {
        let mut error = if self.sent > 0 { may_have_changed(error) } else { error };
        // The round spoke in one caller's name.
        error.message = error.message.replacen(told_for, self.waiter.request.operation, 1);
        error.attempts = self.attempts;
        error.event_id = Some(self.waiter.request.lane.event_id.clone());
        self.waiter.settle(Err(error));
    }

    /// Tells how it ended, by what `seen` shows.
    pub(super) fn settle(&self, ended: Ended, seen: &Fetched, guests: &Guests<'_>) {
        self.waiter.settle(Ok(Changed {
            already: ended.already,
            acknowledged: self.wrote.is_some(),
            left: ended.left,
            present: guests.has(self.address()),
            attendee_count: guests.len(),
            verified: ended.verified,
            updated: updated(seen),
            attempts: self.attempts,
        }));
    }

    fn never_seen(&self) -> CalendarError {
        let operation = self.waiter.request.operation;
        let message = format!(
            "{operation} failed: Google acknowledged the change each time, and the guest list does not show it. Read the event."
        );
        CalendarError::new(Code::VerificationFailed, Outcome::Unknown, message)
    }
}

/// How an item ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ended {
    pub(super) already: bool,
    pub(super) verified: bool,
    pub(super) left: bool,
}
