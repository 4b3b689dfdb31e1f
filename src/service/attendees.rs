//! The methods that change who is invited.

use super::admission::Told;
use super::call::Call;
use super::cancel::Cancel;
use super::enrolling::caller_of;
use super::metrics::Ending;
use super::reader::Reader;
use super::{Service, answer};
use crate::model::CalendarError;
use crate::model::attendee::{Guest, check_email};
use crate::operation::attendees::{Changed, Verb};
use crate::operation::removal::{self, remove};
use crate::operation::transaction::single::{self, add};
use crate::operation::transaction::{Caller, Place};
use crate::store::Disposal;

/// The longest name of a guest, in bytes.
const LONGEST_NAME: usize = 1024;

impl Service {
    /// `addAttendeeToEvent`. `attendee`: `{ email, displayName?, optional? }`.
    pub async fn add_attendee(&self, args: &str, attendee: &str, cancel: Cancel) -> Result<String, CalendarError> {
        self.change_attendee(single::OPERATION, Verb::Add, args, attendee, cancel).await
    }

    /// `removeAttendeeFromEvent`. `attendee`: `{ email }`.
    pub async fn remove_attendee(&self, args: &str, attendee: &str, cancel: Cancel) -> Result<String, CalendarError> {
        self.change_attendee(removal::OPERATION, Verb::Remove, args, attendee, cancel).await
    }

    async fn change_attendee(
        &self,
        operation: &'static str,
        verb: Verb,
        args: &str,
        attendee: &str,
        cancel: Cancel,
    ) -> Result<String, CalendarError> {
        let work = Box::pin(async {
            let call = Call::parse(args, &self.config().for_attendees(), 1)?;
            let identity = call.auth.identity();
            let place = Place {
                calendar: call.target.calendar.clone(),
                event_id: call.event_id()?.to_owned(),
                guest: read_guest(attendee)?,
                send_updates: call.params.send_updates,
            };
            let this = self.clone();
            self.alone(operation, call, cancel, async move |call, credentials, deadline, exposure| {
                let attempt_timeout = call.attempt_timeout;
                let caller = Caller { attempt_timeout, ..caller_of(&call, operation, identity, &credentials) };
                let parts = &this.shared.transactions;
                let (ended, open) = match verb {
                    Verb::Add => {
                        let verify = call.verification.is_some();
                        let concluded = add(parts, &caller, &place, verify, &exposure, &deadline).await;
                        (concluded.answer, concluded.open)
                    }
                    Verb::Remove | Verb::Expel => {
                        let concluded = remove(parts, &caller, &place, &exposure, &deadline).await;
                        (concluded.answer, concluded.open)
                    }
                };
                if let Some(held) = open {
                    this.shared.background.adopt(held, credentials).await;
                }
                let event_id = place.event_id;
                let closed = ended.as_ref().map(|changed| (event_id.clone(), disposal(changed)));
                Told {
                    closed: closed.into_iter().collect(),
                    answer: ended.and_then(|changed| {
                        let ending = Ending { verified: changed.verified, ..Ending::default() };
                        Ok((answer::attendee(&changed, verb, &event_id)?, ending))
                    }),
                }
            })
            .await
        });
        self.counted(operation, work).await
    }
}

/// Whether the attendee is on the list is what the caller who left wants to know.
const fn disposal(changed: &Changed) -> Disposal {
    if changed.present { Disposal::Kept } else { Disposal::Deleted }
}

/// Reads `{ email, displayName?, optional? }`.
pub(super) fn read_guest(text: &str) -> Result<Guest, CalendarError> {
    let mut guest = Reader::named(text, "attendee")?;
    let email = guest.string("email")?.unwrap_or_default();
    if !check_email(&email) {
        return Err(guest.fault("email", "must be one e-mail address"));
    }
    let display_name = guest.string("displayName")?;
    if display_name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
        return Err(guest.fault("displayName", "must be at most 1024 bytes long"));
    }
    let optional = guest.bool("optional")?.unwrap_or(false);
    guest.finish()?;
    Ok(Guest { email, display_name, optional })
}
