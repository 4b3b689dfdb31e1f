//! A calendar: its zone, who may do what, its events.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::event::StoredEvent;

/// The fields of a calendar resource.
pub(crate) const FIELDS: [&str; 9] =
    ["kind", "etag", "id", "summary", "description", "location", "timeZone", "conferenceProperties", "dataOwner"];

/// What somebody may do in a calendar, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Sees busy times only: no events here.
    FreeBusyReader,
    /// Reads events.
    Reader,
    /// Writes events.
    Writer,
    /// Everything.
    Owner,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FreeBusyReader => "freeBusyReader",
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Owner => "owner",
        }
    }
}

/// A calendar with its events.
#[derive(Debug)]
pub(crate) struct Calendar {
    pub(crate) id: String,
    pub(crate) summary: String,
    pub(crate) time_zone: String,
    pub(crate) zone: TimeZone,
    pub(crate) owner: String,
    pub(crate) shared_with: BTreeMap<String, Role>,
    pub(crate) etag: String,
    pub(crate) events: HashMap<String, StoredEvent>,
    pub(crate) next_seq: u64,
}

impl Calendar {
    pub(crate) fn role_of(&self, email: &str) -> Option<Role> {
        if self.owner.eq_ignore_ascii_case(email) {
            return Some(Role::Owner);
        }
        self.shared_with.iter().find(|(who, _)| who.eq_ignore_ascii_case(email)).map(|(_, role)| *role)
    }

    /// The events in order of creation.
    pub(crate) fn in_order(&self) -> Vec<&StoredEvent> {
        let mut events: Vec<_> = self.events.values().collect();
        events.sort_by_key(|event| event.seq);
        events
    }

    pub(crate) fn resource(&self) -> Value {
        json!({
            "kind": "calendar#calendar",
            "etag": self.etag,
            "id": self.id,
            "summary": self.summary,
            "timeZone": self.time_zone,
            "conferenceProperties": { "allowedConferenceSolutionTypes": ["hangoutsMeet"] },
        })
    }
}
