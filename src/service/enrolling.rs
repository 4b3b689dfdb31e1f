//! `enroll`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::admission::Told;
use super::attendees::read_guest;
use super::call::Call;
use super::cancel::Cancel;
use super::config::{Config, OnTimeout};
use super::metrics::Ending;
use super::notice::{Level, Notice};
use super::{Service, answer};
use crate::google::{Credentials, SendUpdates};
use crate::model::CalendarError;
use crate::model::attendee::{Guest, normal};
use crate::model::ids::{check_calendar_id, check_event_id, store_key};
use crate::operation::enroll::{self, EnrollRequest};
use crate::operation::transaction::{AddTerms, Caller, Place};
use crate::policy::Deadline;
use crate::store::Disposal;

/// Share of a call's time that is kept for undoing it.
const UNDO_SHARE: f64 = 0.3;
/// Events in one enrollment, at most.
const EVENTS_AT_MOST: usize = 500;
/// What the guide's code says of every failure to add.
pub(super) const FAILED: &str = "Failed to add attendee: ";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    events: Vec<EventRef>,
    attendee: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EventRef {
    event_id: String,
    calendar_id: Option<String>,
}

impl Service {
    /// `enroll`: `{ events: [{ eventId, calendarId? }], attendee: { email, displayName?, optional? } }`.
    pub async fn enroll(&self, args: &str, body: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = Box::pin(async {
            let config = self.config();
            let body: Body = serde_json::from_str(body).map_err(|_| {
                CalendarError::validation("enroll", "needs events: [{ eventId, calendarId? }] and attendee: { email }")
            })?;
            let call = Call::parse(args, &config, body.events.len())?;
            let request = request_of(&call, &config, body)?;
            let this = self.clone();
            let identity = call.auth.identity();
            self.alone(enroll::OPERATION, call, cancel, async move |call, credentials, deadline, exposure| {
                let work = work_of(&deadline);
                let caller = caller_of(&call, enroll::OPERATION, identity, &credentials);
                let parts = &this.shared.transactions;
                let concluded = enroll::enroll(parts, &caller, &request, &exposure, (&work, &deadline)).await;
                if let Some(held) = concluded.open {
                    this.shared.background.adopt(held, credentials).await;
                }
                match concluded.answer {
                    Ok(enrolled) => {
                        let all = enrolled.events.iter();
                        for event in all.clone().filter(|event| event.skipped && !enrolled.replayed) {
                            this.warn_of_skipped(enroll::OPERATION, &event.event_id);
                        }
                        let closed = all
                            .filter(|event| !event.skipped)
                            .map(|event| (event.event_id.clone(), Disposal::Kept))
                            .collect();
                        let verified = enrolled.events.iter().all(|event| event.verified);
                        let ending = Ending { verified, replayed: enrolled.replayed, ..Ending::default() };
                        Told { answer: answer::enrolled(&enrolled).map(|text| (text, ending)), closed }
                    }
                    Err(error) => {
                        let closed = error.rollback.done.iter().map(|id| (id.clone(), Disposal::Deleted)).collect();
                        Told { answer: Err(error), closed }
                    }
                }
            })
            .await
        });
        self.counted(enroll::OPERATION, work).await.map_err(failed_to_add)
    }

    pub(super) fn warn_of_skipped(&self, operation: &str, event_id: &str) {
        let message = format!(
            "{operation}: adding the attendee to event {event_id} timed out; it went on without it. Whether they arrived is settled in the background; look at the event."
        );
        (self.shared.listener)(Notice::Log { level: Level::Warn, message });
    }
}

pub(super) fn failed_to_add(mut error: CalendarError) -> CalendarError {
    if !error.message.starts_with(FAILED) {
        error.message.insert_str(0, FAILED);
    }
    error
}

pub(super) fn caller_of(
    call: &Call,
    operation: &'static str,
    identity: String,
    credentials: &Arc<dyn Credentials>,
) -> Caller {
    Caller {
        operation,
        user: call.target.user.clone(),
        identity,
        credentials: Arc::clone(credentials),
        attempt_timeout: call.step_attempt_timeout,
        max_retries: call.max_retries,
        quota_user: call.quota_user.clone(),
    }
}

/// A place of an attendee, checked.
pub(super) fn place_of(
    event_id: String,
    calendar: Option<String>,
    default: &str,
    guest: Guest,
    send_updates: SendUpdates,
) -> Result<Place, CalendarError> {
    check_event_id(&event_id)?;
    let calendar = calendar.unwrap_or_else(|| default.to_owned());
    check_calendar_id(&calendar)?;
    Ok(Place { calendar, event_id, guest, send_updates })
}

/// How a call adds attendees.
pub(super) fn terms_of(call: &Call, config: &Config) -> AddTerms {
    AddTerms {
        timeout: config.attendee_timeout,
        skip_late: config.on_attendee_timeout == OnTimeout::Skip,
        verify: call.verification.is_some(),
    }
}

fn request_of(call: &Call, config: &Config, body: Body) -> Result<EnrollRequest, CalendarError> {
    if !(1..=EVENTS_AT_MOST).contains(&body.events.len()) {
        let what = format!("must be an array of 1 to {EVENTS_AT_MOST} events");
        return Err(CalendarError::validation("events", &what));
    }
    let guest = read_guest(body.attendee.get())?;
    let mut places: Vec<Place> = Vec::with_capacity(body.events.len());
    for event in body.events {
        let place = place_of(
            event.event_id,
            event.calendar_id,
            &call.target.calendar,
            guest.clone(),
            call.params.send_updates,
        )?;
        if places.iter().any(|other| other.event_id == place.event_id && other.calendar == place.calendar) {
            return Err(CalendarError::validation("events", "must name each event once"));
        }
        places.push(place);
    }
    let email = normal(&guest.email).into_owned();
    let mut parts = vec![email.as_str(), call.params.send_updates.name()];
    parts.extend(places.iter().flat_map(|place| [place.calendar.as_str(), place.event_id.as_str()]));
    Ok(EnrollRequest {
        target: call.target.clone(),
        print: store_key("enrollment", &parts),
        places,
        terms: terms_of(call, config),
        key: call.key.clone(),
    })
}

/// A deadline over the part of the time in which work is done.
pub(super) fn work_of(deadline: &Deadline) -> Deadline {
    let work = deadline.first_part(1.0 - UNDO_SHARE);
    tokio::spawn(super::creating::cancel_with(deadline.clone(), work.clone()));
    work
}
