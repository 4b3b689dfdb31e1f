//! `events.get`.

use http::StatusCode;
use serde_json::json;

use super::{ConferenceOutcome, Done, World, present};
use crate::account::Principal;
use crate::call::{Call, names_etag};
use crate::event::{conference, time};
use crate::parameters::Parameters;
use crate::reply::{Refusal, empty_reply};

impl World {
    /// Reads one event, a cancelled one too.
    pub(super) fn get_event(&mut self, call: &Call, principal: &Principal) -> Result<Done, Refusal> {
        let parameters = Parameters::of(call)?;
        let (calendar, _) = self.calendar_of(call, principal)?;
        let calendar_id = calendar.id.clone();
        let id = call.event_id.as_deref().unwrap_or_default();
        self.let_conference_come(&calendar_id, id);
        let now = self.clock.elapsed();
        let calendar = self.calendars.get(&calendar_id).ok_or_else(Refusal::not_found)?;
        let event = calendar.events.get(id).ok_or_else(Refusal::not_found)?;
        let body = event.view(now).ok_or_else(Refusal::not_found)?;
        let etag = body.get("etag").and_then(serde_json::Value::as_str).unwrap_or_default();
        let response = if call.if_none_match.as_deref().is_some_and(|given| names_etag(given, etag)) {
            empty_reply(StatusCode::NOT_MODIFIED)
        } else {
            present::reply(body, calendar, &parameters, &principal.email)
        };
        Ok(Done { response, touched: None })
    }

    /// A read passes: a conference that was pending may be ready. That is a change by the server, with a new etag.
    pub(super) fn let_conference_come(&mut self, calendar_id: &str, event_id: &str) {
        let now = self.clock.elapsed();
        let found = self.calendars.get_mut(calendar_id).and_then(|calendar| calendar.events.get_mut(event_id));
        if !found.is_some_and(|event| event.is_visible(now) && event.conference_is_ready(now)) {
            return;
        }
        let letters = self.random_id(10).replace(|c: char| c.is_ascii_digit(), "w");
        let code = [letters.get(..3), letters.get(3..7), letters.get(7..)].map(Option::unwrap_or_default).join("-");
        let succeeds = self.behaviour.conference_outcome == ConferenceOutcome::Success;
        let (changed, revision) = self.next_revision("conference");
        let updated = time::write_stamp(self.clock.wall(), true);
        let found = self.calendars.get_mut(calendar_id).and_then(|calendar| calendar.events.get_mut(event_id));
        if let Some(event) = found {
            let mut body = event.body.clone();
            conference::complete(&mut body, &code, succeeds);
            body.insert("etag".into(), json!(revision.etag));
            body.insert("updated".into(), json!(updated));
            let body = crate::event::field_names::in_reply_order(body);
            event.advance(body, changed, revision);
        }
    }
}
