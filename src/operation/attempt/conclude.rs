//! How an attempt ends: its result in the journal, or everything undone.

use std::sync::Arc;

use tokio::time::timeout;

use super::{Attempt, Failure, RESULT_GRACE};
use crate::google::Scope;
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::create::{Cleanup, Concluded, Created, Creation};
use crate::operation::lease_of;
use crate::operation::reconcile::reconcile;
use crate::store::{Change, Disposal, Held, State};

impl Attempt<'_> {
    /// The result is one compare-and-set, durable before the caller hears it.
    pub(in crate::operation) async fn commit(self, creation: Creation) -> Concluded<Created> {
        let verified = creation.verified;
        let attempts = self.scope.attempts();
        let left = self.cx.left(&self.scope).max(RESULT_GRACE);
        let change = self.held.change(left, |entry| entry.state = State::Succeeded { verified }).await;
        match change {
            Change::Applied => Concluded { answer: Ok(Created::Done(creation)), open: None, attempts },
            Change::Refused | Change::Unknown => {
                let error = CalendarError::new(
                    Code::StoreUnavailable,
                    Outcome::Unknown,
                    "The event is in the calendar, but it could not be recorded that it is yours: it may be removed again. Call again with the same idempotency key.",
                );
                Concluded { answer: Err(error.with_event(self.id)), open: Some(self.held), attempts }
            }
        }
    }

    /// The call fails: clean up, within what is left of its time, and tell exactly what is so.
    pub(in crate::operation) async fn give_up(self, failure: Failure) -> Concluded<Created> {
        let exposed = self.exposed();
        let (cleanup, open) = self.clean_up(&self.scope).await;
        let attempts = self.scope.attempts();
        let event_id = self.id;
        let answer = match failure {
            Failure::Mismatch(mismatches) => Ok(Created::Unverified { mismatches, cleanup, event_id }),
            Failure::Vanished => Ok(Created::Unverified { mismatches: Vec::new(), cleanup, event_id }),
            Failure::Error(error) if !exposed || error.outcome == Outcome::Applied => Err(error),
            Failure::Error(error) => {
                let error = error.with_event(event_id);
                Err(match cleanup {
                    Cleanup::Deleted => error.with_outcome(Outcome::Rejected),
                    Cleanup::Kept => error.with_outcome(Outcome::Applied),
                    Cleanup::Pending => error.with_outcome(Outcome::Unknown),
                })
            }
        };
        Concluded { answer, open, attempts }
    }

    /// The same within another deadline: the schedule this event belongs to fails.
    pub(in crate::operation) async fn undo(self, scope: Scope) -> (Cleanup, Option<Arc<Held>>) {
        let scope = scope.with_lease(lease_of(&self.held));
        self.clean_up(&scope).await
    }

    /// Undoes what this attempt may have left, as far as the time allows.
    async fn clean_up(&self, scope: &Scope) -> (Cleanup, Option<Arc<Held>>) {
        let left = self.cx.left(scope);
        let state = if self.exposed() { State::Failed } else { State::Settled { disposal: Disposal::Nothing } };
        let change = self.held.change(left.max(RESULT_GRACE), |entry| entry.state = state).await;
        if !self.exposed() {
            return (Cleanup::Deleted, None);
        }
        if change == Change::Refused {
            // Another process has taken over and does it.
            return (Cleanup::Pending, None);
        }
        match timeout(left, reconcile(self.cx, scope, &self.held)).await {
            Ok(Ok(Disposal::Deleted | Disposal::Nothing)) => (Cleanup::Deleted, None),
            Ok(Ok(Disposal::Kept)) => (Cleanup::Kept, None),
            Ok(Err(_)) | Err(_) => (Cleanup::Pending, Some(Arc::clone(&self.held))),
        }
    }
}
