//! `events.insert`, `update`, `patch`, `delete`.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Done, Touched, World, present};
use crate::account::Principal;
use crate::call::{Call, names_etag};
use crate::event::draft::{self, Context};
use crate::event::field_names::{in_reply_order, is_writable, only_writable};
use crate::event::stored::Revision;
use crate::event::{StoredEvent, attendees, conference, is_client_id, merge, time};
use crate::mail;
use crate::operation::Operation;
use crate::parameters::Parameters;
use crate::reply::{Refusal, empty_reply};

/// Fields that belong to every copy of an event: only the organizer changes them.
const SHARED: [&str; 14] = [
    "status",
    "summary",
    "description",
    "location",
    "start",
    "end",
    "recurrence",
    "conferenceData",
    "anyoneCanAddSelf",
    "guestsCanInviteOthers",
    "guestsCanModify",
    "guestsCanSeeOtherGuests",
    "attachments",
    "source",
];

/// Changes of these raise the sequence number.
const SCHEDULE: [&str; 3] = ["start", "end", "recurrence"];

const EVENT_TYPES: [&str; 6] = ["default", "birthday", "focusTime", "fromGmail", "outOfOffice", "workingLocation"];

impl World {
    pub(super) fn insert_event(&mut self, call: &Call, principal: &Principal) -> Result<Done, Refusal> {
        let body = call.object()?;
        let parameters = Parameters::of(call)?;
        let calendar_id = self.calendar_of(call, principal)?.0.id.clone();
        let id = match body.get("id") {
            None | Some(Value::Null) => self.random_id(26),
            Some(Value::String(id)) if is_client_id(id) => id.clone(),
            Some(_) => return Err(Refusal::invalid("Invalid resource id value.")),
        };
        let event_type = match body.get("eventType") {
            None | Some(Value::Null) => "default",
            Some(Value::String(word)) if EVENT_TYPES.contains(&word.as_str()) => word,
            Some(_) => return Err(Refusal::invalid("Invalid value for: eventType")),
        };
        let calendar = self.calendars.get(&calendar_id).ok_or_else(Refusal::not_found)?;
        let mut fields = draft::normalise(&body, context(calendar, &parameters, principal))?;
        if calendar.events.contains_key(&id) {
            return Err(Refusal::duplicate());
        }
        let news = mail::news(None, Some(&fields));
        let uid = body.get("iCalUID").and_then(Value::as_str).map_or_else(|| format!("{id}@google.com"), str::to_owned);
        let (changed, revision) = self.next_revision(call.operation.name());
        let wall = self.clock.wall();
        let mut creator = json!({ "email": principal.email });
        if principal.email == calendar_id {
            creator["self"] = json!(true);
        }
        let link = BASE64URL_NOPAD.encode(format!("{id} {calendar_id}").as_bytes());
        for (name, value) in [
            ("kind", json!("calendar#event")),
            ("etag", json!(revision.etag)),
            ("id", json!(id)),
            ("htmlLink", json!(format!("https://www.google.com/calendar/event?eid={link}"))),
            ("created", json!(time::write_stamp(wall, false))),
            ("updated", json!(time::write_stamp(wall, true))),
            ("creator", creator),
            ("organizer", json!({ "email": calendar_id, "self": true })),
            ("iCalUID", json!(uid)),
            ("sequence", json!(0)),
            ("eventType", json!(event_type)),
        ] {
            fields.insert(name.into(), value);
        }
        self.store_new(&calendar_id, &id, in_reply_order(fields), changed, revision);
        self.send_mails(&calendar_id, &id, parameters.notify, news);
        self.written(&calendar_id, &id, &parameters, principal)
    }

    /// Puts a complete event in, at the end of its calendar.
    pub(super) fn store_new(
        &mut self,
        calendar_id: &str,
        id: &str,
        body: Map<String, Value>,
        changed: i64,
        revision: Revision,
    ) {
        let wait = self.conference_wait();
        let Some(calendar) = self.calendars.get_mut(calendar_id) else { return };
        let mut event = StoredEvent::new(calendar.next_seq, body, changed, revision);
        calendar.next_seq += 1;
        if event.body.get("conferenceData").is_some_and(conference::is_pending) {
            event.await_conference(wait.0, wait.1);
        }
        calendar.events.insert(id.to_owned(), event);
    }

    fn conference_wait(&self) -> (u32, Duration) {
        let ready = self.clock.elapsed() + Duration::from_millis(self.behaviour.conference_pending_ms);
        (self.behaviour.conference_pending_reads, ready)
    }

    /// PUT and PATCH.
    pub(super) fn change_event(&mut self, call: &Call, principal: &Principal) -> Result<Done, Refusal> {
        let body = call.object()?;
        let parameters = Parameters::of(call)?;
        let (calendar, event) = self.event_of(call, principal)?;
        check_if_match(call, event)?;
        if body.get("status").and_then(Value::as_str) == Some("cancelled") {
            return if event.is_cancelled() { Err(Refusal::forbidden()) } else { self.delete_event(call, principal) };
        }
        let confirms = call.operation == Operation::EventsUpdate || body.get("status") == Some(&json!("confirmed"));
        if event.is_cancelled() && !(self.behaviour.revive_cancelled && confirms) {
            return Err(Refusal::forbidden());
        }
        if call.operation == Operation::EventsUpdate
            && body.get("eventType").is_some_and(|word| !word.is_null() && Some(word) != event.body.get("eventType"))
        {
            return Err(Refusal::invalid("Event type cannot be changed."));
        }

        let old = event.writable();
        let context = context(calendar, &parameters, principal);
        let mut given = if call.operation == Operation::EventsPatch { merge::patch(&old, &body) } else { body.clone() };
        if body.get("attendeesOmitted") == Some(&json!(true)) {
            let list = attendees::answer_only(old.get("attendees"), body.get("attendees"), context.organizer);
            given.insert("attendees".into(), list.into());
        }
        let asks_again = given.get("conferenceData").is_some_and(|new| {
            new.pointer("/createRequest/status").is_none() && conference::is_repeat(old.get("conferenceData"), new)
        });
        let mut fields = draft::normalise(&given, context)?;
        self.check_guests(&fields)?;
        keep_old(&mut fields, &old, &parameters, asks_again);
        if !event.is_organizers_copy()
            && old.get("guestsCanModify").is_none()
            && changes_shared(&old, &fields, principal, calendar.id.as_str())
        {
            return Err(Refusal::non_organizer());
        }
        let (calendar_id, id) = (calendar.id.clone(), event.text("id").to_owned());
        if only_writable(&fields) == old {
            let response = present::reply(&event.body, calendar, &parameters, &principal.email);
            return Ok(Done { response, touched: None });
        }

        let news =
            if event.is_cancelled() { mail::news(None, Some(&fields)) } else { mail::news(Some(&old), Some(&fields)) };
        let asks_conference = fields.get("conferenceData") != old.get("conferenceData")
            && fields.get("conferenceData").is_some_and(conference::is_pending);
        let reschedules = event.is_cancelled() || SCHEDULE.iter().any(|name| fields.get(*name) != old.get(*name));
        let mut next = event.body.clone();
        next.retain(|name, _| !is_writable(name));
        next.extend(fields);
        self.advance_event(call.operation.name(), &calendar_id, &id, next, reschedules);
        let wait = self.conference_wait();
        if asks_conference && let Some(event) = self.event_mut(&calendar_id, &id) {
            event.await_conference(wait.0, wait.1);
        }
        self.send_mails(&calendar_id, &id, parameters.notify, news);
        self.written(&calendar_id, &id, &parameters, principal)
    }

    fn check_guests(&self, fields: &Map<String, Value>) -> Result<(), Refusal> {
        let guests = attendees::addresses(fields);
        let refused = &self.behaviour.refused_guests;
        if guests.iter().any(|guest| refused.iter().any(|bad| bad.eq_ignore_ascii_case(guest))) {
            return Err(Refusal::invalid("Invalid attendee email."));
        }
        if self.behaviour.guest_limit.is_some_and(|limit| guests.len() > limit) {
            return Err(Refusal::invalid("Too many attendees."));
        }
        Ok(())
    }

    pub(super) fn delete_event(&mut self, call: &Call, principal: &Principal) -> Result<Done, Refusal> {
        let parameters = Parameters::of(call)?;
        let (calendar, event) = self.event_of(call, principal)?;
        if event.is_cancelled() {
            return Err(Refusal::deleted());
        }
        check_if_match(call, event)?;
        let (calendar_id, id) = (calendar.id.clone(), event.text("id").to_owned());
        let news = mail::news(Some(&event.writable()), None);
        let mut next = event.body.clone();
        next.insert("status".into(), json!("cancelled"));
        self.advance_event(call.operation.name(), &calendar_id, &id, next, true);
        self.send_mails(&calendar_id, &id, parameters.notify, news);
        if call.operation == Operation::EventsDelete {
            let touched = Some(Touched { calendar_id, event_id: Some(id) });
            return Ok(Done { response: empty_reply(StatusCode::NO_CONTENT), touched });
        }
        self.written(&calendar_id, &id, &parameters, principal)
    }

    /// The event a write is aimed at, if writers can find it.
    fn event_of(
        &self,
        call: &Call,
        principal: &Principal,
    ) -> Result<(&crate::calendar::Calendar, &StoredEvent), Refusal> {
        let (calendar, _) = self.calendar_of(call, principal)?;
        let event = calendar.events.get(call.event_id.as_deref().unwrap_or_default()).ok_or_else(Refusal::not_found)?;
        if event.is_visible(self.clock.elapsed()) { Ok((calendar, event)) } else { Err(Refusal::not_found()) }
    }

    pub(super) fn event_mut(&mut self, calendar_id: &str, id: &str) -> Option<&mut StoredEvent> {
        self.calendars.get_mut(calendar_id)?.events.get_mut(id)
    }

    fn advance_event(
        &mut self,
        operation: &'static str,
        calendar_id: &str,
        id: &str,
        mut next: Map<String, Value>,
        reschedules: bool,
    ) {
        let (changed, revision) = self.next_revision(operation);
        next.insert("etag".into(), json!(revision.etag));
        next.insert("updated".into(), json!(time::write_stamp(self.clock.wall(), true)));
        if reschedules {
            let sequence = next.get("sequence").and_then(Value::as_u64).unwrap_or_default();
            next.insert("sequence".into(), json!(sequence + 1));
        }
        if let Some(event) = self.event_mut(calendar_id, id) {
            event.advance(in_reply_order(next), changed, revision);
        }
    }

    fn written(
        &self,
        calendar_id: &str,
        id: &str,
        parameters: &Parameters,
        principal: &Principal,
    ) -> Result<Done, Refusal> {
        let calendar = self.calendars.get(calendar_id).ok_or_else(Refusal::not_found)?;
        let event = calendar.events.get(id).ok_or_else(Refusal::not_found)?;
        let response = present::reply(&event.body, calendar, parameters, &principal.email);
        let touched = Touched { calendar_id: calendar_id.to_owned(), event_id: Some(id.to_owned()) };
        Ok(Done { response, touched: Some(touched) })
    }
}

fn context<'a>(calendar: &'a crate::calendar::Calendar, parameters: &Parameters, principal: &Principal) -> Context<'a> {
    Context {
        zone: &calendar.zone,
        organizer: &calendar.id,
        conference: parameters.conference,
        attachments: parameters.attachments,
        may_invite: !principal.service_account,
    }
}

fn check_if_match(call: &Call, event: &StoredEvent) -> Result<(), Refusal> {
    match &call.if_match {
        Some(given) if !names_etag(given, event.etag()) => Err(Refusal::condition_not_met()),
        _ => Ok(()),
    }
}

/// What a write may not touch stays: conference data and attachments unless the request says it knows them, a
/// repeated conference request, and what only the server writes.
fn keep_old(fields: &mut Map<String, Value>, old: &Map<String, Value>, parameters: &Parameters, asks_again: bool) {
    let mut kept = vec!["locked", "privateCopy", "attendeesOmitted"];
    if !parameters.conference || asks_again {
        kept.push("conferenceData");
    }
    if !parameters.attachments {
        kept.push("attachments");
    }
    for name in kept {
        match old.get(name) {
            Some(value) => fields.insert(name.into(), value.clone()),
            None => fields.shift_remove(name),
        };
    }
    if let Some(link) = old.get("hangoutLink")
        && fields.get("conferenceData") == old.get("conferenceData")
    {
        fields.insert("hangoutLink".into(), link.clone());
    }
}

fn changes_shared(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    principal: &Principal,
    calendar_id: &str,
) -> bool {
    let others = |fields: &Map<String, Value>| -> Vec<Value> {
        let all = fields.get("attendees").and_then(Value::as_array).cloned().unwrap_or_default();
        let own = |attendee: &Value| {
            attendees::is_same(attendee, &principal.email) || attendees::is_same(attendee, calendar_id)
        };
        all.into_iter().filter(|attendee| !own(attendee)).collect()
    };
    let shared_properties =
        |fields: &Map<String, Value>| fields.get("extendedProperties").and_then(|all| all.get("shared")).cloned();
    SHARED.iter().any(|name| old.get(*name) != new.get(*name))
        || others(old) != others(new)
        || shared_properties(old) != shared_properties(new)
}
