//! One attendee on one event: a transaction of one step, so that a failed add leaves nobody behind, and nobody is told
//! "already there" of somebody who is about to go.

use std::sync::Arc;

use super::{Caller, Place, Transaction, Transactions, intent};
use crate::model::{CalendarError, Outcome};
use crate::operation::Target;
use crate::operation::attendees::Changed;
use crate::operation::exposure::Exposure;
use crate::policy::Deadline;
use crate::store::Held;

/// The name errors speak under.
pub const OPERATION: &str = "addAttendeeToEvent";

/// How it ended, and what is still open.
pub struct AddConcluded {
    /// The attendee is there, or not.
    pub answer: Result<Changed, CalendarError>,
    /// The entry that is to be worked on further.
    pub open: Option<Arc<Held>>,
}

/// Adds. All of the time is for the add: an undo that needs requests goes on in the background.
pub async fn add(
    parts: &Transactions,
    caller: &Caller,
    place: &Place,
    verify: bool,
    exposure: &Arc<Exposure>,
    deadline: &Deadline,
) -> AddConcluded {
    let cx = &parts.cx;
    let target = Target { user: caller.user.clone(), calendar: place.calendar.clone() };
    let entry = intent(cx, caller.operation, &target, String::new(), vec![place.step(0)], true);
    let held = match cx.journal.begin(entry, deadline.left(cx.clock.now())).await {
        Ok(held) => held,
        Err(error) => return AddConcluded { answer: Err(error), open: None },
    };
    let transaction = Transaction::over(parts.clone(), caller.clone(), held, Arc::clone(exposure)).await;
    match transaction.add(0, place, verify, deadline.clone()).await {
        Ok(changed) => match transaction.commit(deadline, |_| {}).await {
            Ok(()) => AddConcluded { answer: Ok(changed), open: transaction.finish(deadline).await },
            Err(error) => AddConcluded { answer: Err(error), open: Some(Arc::clone(transaction.held())) },
        },
        Err(mut error) => {
            let undone = transaction.roll_back(deadline).await;
            if error.outcome == Outcome::Unknown && !undone.open {
                error.outcome = Outcome::Rejected;
                error
                    .message
                    .push_str(" What this call wrote was taken back: the attendee is not on the list through it.");
            }
            let open = undone.open.then(|| Arc::clone(transaction.held()));
            AddConcluded { answer: Err(error), open }
        }
    }
}
