//! The truth, told.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::World;
use crate::mail::Mail;
use crate::record::{RequestRecord, TokenRecord};

/// Numbers that are cheap to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Every request so far.
    pub requests: u64,
    /// The same by operation.
    pub operations: BTreeMap<&'static str, u64>,
    /// Events that are not cancelled.
    pub live_events: usize,
    /// Events that are.
    pub cancelled_events: usize,
    /// Mails that would have been sent.
    pub mails: usize,
    /// Late requests not applied yet.
    pub held: usize,
}

impl World {
    pub(crate) fn counts(&self) -> Counts {
        let events = || self.calendars.values().flat_map(|calendar| calendar.events.values());
        let cancelled = events().filter(|event| event.is_cancelled()).count();
        Counts {
            requests: self.log.total(),
            operations: self.log.counts().collect(),
            live_events: events().count() - cancelled,
            cancelled_events: cancelled,
            mails: self.mails.len(),
            held: self.held_count(),
        }
    }

    /// The events of a calendar, oldest first; nothing for a calendar that is not there.
    pub(crate) fn events(&self, calendar_id: &str, live: bool) -> Vec<Value> {
        let events = self.calendars.get(calendar_id).map(super::Calendar::in_order).unwrap_or_default();
        let kept = events.into_iter().filter(|event| !live || !event.is_cancelled());
        kept.map(|event| Value::Object(event.body.clone())).collect()
    }

    /// Every state an event was in: etag, time, the operation that led there.
    pub(crate) fn history(&self, calendar_id: &str, event_id: &str) -> Vec<Value> {
        let event = self.calendars.get(calendar_id).and_then(|calendar| calendar.events.get(event_id));
        let revisions = event.map(|event| event.revisions.as_slice()).unwrap_or_default();
        revisions.iter().map(|was| json!({ "etag": was.etag, "atMs": was.at_ms, "operation": was.operation })).collect()
    }

    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        self.log.records().cloned().collect()
    }

    pub(crate) fn mails(&self) -> &[Mail] {
        &self.mails
    }

    pub(crate) fn token_requests(&self) -> &[TokenRecord] {
        &self.token_log
    }

    pub(crate) fn calendars_state(&self) -> Value {
        let calendars = self.calendars.values().map(|calendar| {
            let state = json!({
                "timeZone": calendar.time_zone,
                "owner": calendar.owner,
                "sharedWith": calendar.shared_with,
                "events": self.events(&calendar.id, false),
            });
            (calendar.id.clone(), state)
        });
        Value::Object(calendars.collect::<Map<_, _>>())
    }
}
