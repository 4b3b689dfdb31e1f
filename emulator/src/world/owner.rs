//! What people do to their events behind a program's back. No faults, no log, no mails.

use serde_json::{Map, Value, json};

use super::World;
use crate::account::Principal;
use crate::call::Call;
use crate::event::time;
use crate::operation::Operation;

impl World {
    /// The owner changes fields. With `put`, as an old program does it: the whole event is written from a copy that
    /// knows nothing of extended properties, which are lost.
    pub(crate) fn owner_edit(
        &mut self,
        calendar_id: &str,
        event_id: &str,
        fields: &Map<String, Value>,
        put: bool,
    ) -> Result<Value, String> {
        let (operation, body) = if put {
            let event = self.event_mut(calendar_id, event_id).ok_or("no such event")?;
            let mut body = event.writable();
            body.shift_remove("extendedProperties");
            body.extend(fields.clone());
            (Operation::EventsUpdate, body)
        } else {
            (Operation::EventsPatch, fields.clone())
        };
        self.act_as_owner(operation, calendar_id, event_id, Some(body))?;
        self.truth(calendar_id, event_id).ok_or_else(|| "no such event".to_owned())
    }

    /// The owner deletes an event.
    pub(crate) fn owner_delete(&mut self, calendar_id: &str, event_id: &str) -> Result<(), String> {
        self.act_as_owner(Operation::EventsDelete, calendar_id, event_id, None)
    }

    fn act_as_owner(
        &mut self,
        operation: Operation,
        calendar_id: &str,
        event_id: &str,
        body: Option<Map<String, Value>>,
    ) -> Result<(), String> {
        let owner = self.calendars.get(calendar_id).ok_or("no such calendar")?.owner.clone();
        let call = Call::of_owner(operation, calendar_id, event_id, body);
        let principal = Principal { email: owner, service_account: false };
        let done = self.perform(&call, &principal);
        done.map(drop).map_err(|refusal| String::from_utf8_lossy(refusal.reply().body()).into_owned())
    }

    /// Stores an event as it is, in place of what has its id. Fields only the server writes are added where missing.
    pub(crate) fn put_event(&mut self, calendar_id: &str, mut event: Map<String, Value>) -> Result<Value, String> {
        if !self.calendars.contains_key(calendar_id) {
            return Err("no such calendar".to_owned());
        }
        let id = event.get("id").and_then(Value::as_str).map_or_else(|| self.random_id(26), str::to_owned);
        let (changed, revision) = self.next_revision("raw");
        let wall = self.clock.wall();
        for (name, value) in [
            ("kind", json!("calendar#event")),
            ("id", json!(id)),
            ("status", json!("confirmed")),
            ("created", json!(time::write_stamp(wall, false))),
            ("updated", json!(time::write_stamp(wall, true))),
            ("creator", json!({ "email": calendar_id, "self": true })),
            ("organizer", json!({ "email": calendar_id, "self": true })),
            ("iCalUID", json!(format!("{id}@google.com"))),
            ("sequence", json!(0)),
            ("reminders", json!({ "useDefault": true })),
            ("eventType", json!("default")),
        ] {
            event.entry(name).or_insert(value);
        }
        event.insert("etag".into(), json!(revision.etag));
        self.store_new(calendar_id, &id, crate::event::field_names::in_reply_order(event), changed, revision);
        self.truth(calendar_id, &id).ok_or_else(|| "no such event".to_owned())
    }

    /// Forgets an event and its id, as Google does with old tombstones.
    pub(crate) fn purge_event(&mut self, calendar_id: &str, event_id: &str) -> bool {
        self.calendars.get_mut(calendar_id).is_some_and(|calendar| calendar.events.remove(event_id).is_some())
    }

    fn truth(&self, calendar_id: &str, event_id: &str) -> Option<Value> {
        Some(Value::Object(self.calendars.get(calendar_id)?.events.get(event_id)?.body.clone()))
    }
}
