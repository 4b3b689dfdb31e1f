//! The methods that change who is invited.

use std::sync::Arc;

use super::admission::Told;
use super::call::Call;
use super::cancel::Cancel;
use super::metrics::Ending;
use super::notice::Notice;
use super::reader::Reader;
use super::{Service, answer};
use crate::google::Credentials;
use crate::model::CalendarError;
use crate::model::attendee::{Guest, check_email};
use crate::operation::attendees::{Always, AttendeeChange, ChangeRequest, Changed, LaneKey, Later, Verb};
use crate::operation::exposure::Exposure;
use crate::policy::Deadline;
use crate::store::Disposal;

/// As JS names it.
const ADD: &str = "addAttendeeToEvent";
/// As JS names it.
const REMOVE: &str = "removeAttendeeFromEvent";
/// The longest name of a guest, in bytes.
const LONGEST_NAME: usize = 1024;

impl Service {
    /// `addAttendeeToEvent`. `attendee`: `{ email, displayName?, optional? }`.
    pub async fn add_attendee(&self, args: &str, attendee: &str, cancel: Cancel) -> Result<String, CalendarError> {
        self.change_attendee(ADD, Verb::Add, args, attendee, cancel).await
    }

    /// `removeAttendeeFromEvent`. `attendee`: `{ email }`.
    pub async fn remove_attendee(&self, args: &str, attendee: &str, cancel: Cancel) -> Result<String, CalendarError> {
        self.change_attendee(REMOVE, Verb::Remove, args, attendee, cancel).await
    }

    async fn change_attendee(
        &self,
        operation: &'static str,
        verb: Verb,
        args: &str,
        attendee: &str,
        cancel: Cancel,
    ) -> Result<String, CalendarError> {
        let work = async {
            let call = Call::parse(args, &self.config().for_attendees(), 1)?;
            let change = AttendeeChange { guest: read_guest(attendee)?, verb };
            let lane = LaneKey {
                target: call.target.clone(),
                event_id: call.event_id()?.to_owned(),
                identity: call.auth.identity(),
                send_updates: call.params.send_updates,
            };
            let open = Arc::new(self.shared.open.begin());
            let this = self.clone();
            let until_known = Arc::clone(&open);
            let text = self
                .alone_while(operation, call, cancel, open, async move |call, credentials, deadline, exposure| {
                    let event_id = lane.event_id.clone();
                    let user = lane.target.user.clone();
                    let notifier = this.clone();
                    let later: Later = Box::new(move |ended| {
                        if let Ok(changed) = ended {
                            (notifier.shared.listener)(Notice::Settled {
                                operation: operation.to_owned(),
                                user_id: user,
                                event_id,
                                settled: disposal(&changed),
                            });
                        }
                        drop(until_known);
                    });
                    let request = request_of(operation, &call, lane, change, (credentials, deadline, exposure), later);
                    let event_id = request.lane.event_id.clone();
                    let ended = this.shared.attendees.change(request).await;
                    let closed = ended.as_ref().map(|changed| (event_id.clone(), disposal(changed)));
                    Told {
                        closed: closed.into_iter().collect(),
                        answer: ended.and_then(|changed| answer::attendee(&changed, verb, &event_id)),
                    }
                })
                .await?;
            let verified = text.contains(r#","verified":true,"#);
            Ok((text, Ending { verified, ..Ending::default() }))
        };
        self.counted(operation, work).await
    }
}

/// Whether the attendee is on the list is what the caller who left wants to know.
const fn disposal(changed: &Changed) -> Disposal {
    if changed.present { Disposal::Kept } else { Disposal::Deleted }
}

fn request_of(
    operation: &'static str,
    call: &Call,
    lane: LaneKey,
    change: AttendeeChange,
    (credentials, deadline, exposure): (Arc<dyn Credentials>, Deadline, Arc<Exposure>),
    later: Later,
) -> ChangeRequest {
    ChangeRequest {
        operation,
        lane,
        change,
        credentials,
        deadline,
        attempt_timeout: call.attempt_timeout,
        max_retries: call.max_retries,
        verify: call.verification.is_some(),
        party: Arc::new(Always),
        exposure,
        later: Some(later),
    }
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
