//! How an attempt ends: its result in the journal, or everything undone.

use std::sync::Arc;

use tokio::time::timeout;

use super::{Attempt, Failure, RESULT_GRACE};
use crate::google::Scope;
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::create::{Cleanup, Concluded, Created, Creation};
use crate::operation::lease_of;
use crate::operation::reconcile::reconcile;
use crate::store::{Change, Disposal, Entry, Held, State};

impl Attempt<'_> {
    /// The result is one compare-and-set, durable before the caller hears it.
    pub(in crate::operation) async fn commit(self, creation: Creation) -> Concluded<Created> {
        let verified = creation.verified;
        let attempts = self.scope.attempts();
        let left = self.cx.left(&self.scope).max(RESULT_GRACE);
        let change = self.held.change(left, |entry| entry.state = State::Succeeded { verified }).await;
        let (answer, open) = match change {
            Change::Applied => (Ok(Created::Done(creation)), None),
            Change::Refused | Change::Unknown => {
                let mut error = CalendarError::new(
                    Code::StoreUnavailable,
                    Outcome::Unknown,
                    "The event is in the calendar, but it could not be recorded that it is yours: it may be removed again. Call again with the same idempotency key.",
                );
                error.attempts = attempts;
                (Err(error.with_event(self.id.clone())), Some(self.held))
            }
        };
        Concluded { answer, open, attempts, event_id: self.id }
    }

    /// The call fails: clean up, within what is left of its time, and tell exactly what is so.
    pub(in crate::operation) async fn give_up(self, failure: Failure) -> Concluded<Created> {
        let (exposed, occupied) = (self.exposed(), self.occupied);
        let (cleanup, open) = self.clean_up(&self.scope).await;
        let attempts = self.scope.attempts();
        let event_id = self.id;
        let answer = match failure {
            Failure::Mismatch(mismatches) => {
                Ok(Created::Unverified { mismatches, cleanup, event_id: event_id.clone() })
            }
            Failure::Vanished => {
                Ok(Created::Unverified { mismatches: Vec::new(), cleanup, event_id: event_id.clone() })
            }
            Failure::Error(mut error) => {
                error.attempts = attempts;
                // Google answered that the id is taken: what was sent was refused.
                if occupied && error.outcome == Outcome::NotSent {
                    error.outcome = Outcome::Rejected;
                }
                Err(if exposed { told(error, cleanup).with_event(event_id.clone()) } else { error })
            }
        };
        Concluded { answer, open, attempts, event_id }
    }

    /// The same within another deadline: the schedule this event belongs to fails.
    pub(in crate::operation) async fn undo(self, scope: Scope) -> (Cleanup, Option<Arc<Held>>) {
        let scope = scope.with_lease(lease_of(&self.held));
        self.clean_up(&scope).await
    }

    /// Closes the entry of an attempt that is not exposed: there is nothing to clean up. Whether that is in the journal.
    pub(in crate::operation) async fn close_untouched(&self) -> bool {
        let left = self.cx.left(&self.scope).max(RESULT_GRACE);
        let state = State::Settled { disposal: Disposal::Nothing };
        self.held.change(left, |entry| entry.state = state).await == Change::Applied
    }

    /// Undoes what this attempt may have left, as far as the time allows. What is returned with it is an entry that is
    /// not closed: where its lease was lost, whoever goes on with it must ask the journal first.
    async fn clean_up(&self, scope: &Scope) -> (Cleanup, Option<Arc<Held>>) {
        let open = || Some(Arc::clone(&self.held));
        if !self.exposed() {
            return (Cleanup::Deleted, if self.close_untouched().await { None } else { open() });
        }
        let left = self.cx.left(scope);
        let unseen = !self.landed && !self.claimed && !self.occupied;
        let failed = |entry: &mut Entry| {
            entry.state = State::Failed;
            entry.unseen = unseen;
        };
        let change = self.held.change(left.max(RESULT_GRACE), failed).await;
        if change != Change::Applied {
            return (Cleanup::Pending, open());
        }
        match timeout(left, reconcile(self.cx, scope, &self.held)).await {
            Ok(Ok(Disposal::Deleted | Disposal::Nothing)) => (Cleanup::Deleted, None),
            Ok(Ok(Disposal::Kept)) => (Cleanup::Kept, None),
            Ok(Err(_)) | Err(_) => (Cleanup::Pending, open()),
        }
    }
}

/// The error of an attempt that may have written something, with what became of that.
fn told(mut error: CalendarError, cleanup: Cleanup) -> CalendarError {
    let (outcome, then) = match cleanup {
        Cleanup::Deleted => {
            (Outcome::Rejected, "What this call wrote was removed again: nothing of it is in the calendar.")
        }
        Cleanup::Kept => (
            Outcome::Applied,
            "The event is in the calendar: it was left there, for this call is not the only one that made it.",
        ),
        Cleanup::Pending => {
            (Outcome::Unknown, "What this call wrote is removed in the background; pending() lists it until then.")
        }
    };
    error.outcome = outcome;
    error.message = format!("{} {then}", error.message);
    error
}
