//! One event in a calendar: its truth, and what the network of replicas shows of it for now.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{conference, field_names};

/// One state an event was in.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) etag: String,
    pub(crate) at_ms: u64,
    pub(crate) operation: &'static str,
}

/// A conference that is not there yet.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    reads_left: u32,
    not_before: Duration,
}

/// An event, a deleted one too.
#[derive(Debug, Clone)]
pub(crate) struct StoredEvent {
    /// Order of creation in the calendar.
    pub(crate) seq: u64,
    /// The truth.
    pub(crate) body: Map<String, Value>,
    /// The revision counter's value at the last change.
    pub(crate) changed: i64,
    /// Every state so far, oldest first.
    pub(crate) revisions: Vec<Revision>,
    previous: Option<Map<String, Value>>,
    hidden_until: Option<Duration>,
    stale: Option<(Duration, Option<Map<String, Value>>)>,
    waiting: Option<Waiting>,
}

impl StoredEvent {
    pub(crate) fn new(seq: u64, body: Map<String, Value>, changed: i64, revision: Revision) -> Self {
        Self {
            seq,
            body,
            changed,
            revisions: vec![revision],
            previous: None,
            hidden_until: None,
            stale: None,
            waiting: None,
        }
    }

    pub(crate) fn etag(&self) -> &str {
        self.text("etag")
    }

    /// A field's text, or nothing.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.text("status") == "cancelled"
    }

    /// The part a client may write.
    pub(crate) fn writable(&self) -> Map<String, Value> {
        field_names::only_writable(&self.body)
    }

    /// Whether the copy in this calendar is the organizer's own.
    pub(crate) fn is_organizers_copy(&self) -> bool {
        self.body.get("organizer").and_then(|organizer| organizer.get("self")) == Some(&json!(true))
    }

    /// Puts a new state in place of the present one.
    pub(crate) fn advance(&mut self, body: Map<String, Value>, changed: i64, revision: Revision) {
        self.previous = Some(std::mem::replace(&mut self.body, body));
        self.changed = changed;
        self.revisions.push(revision);
    }

    /// Nobody sees the event before `until`, although its id is taken.
    pub(crate) fn hide(&mut self, until: Duration) {
        self.hidden_until = Some(until);
    }

    /// Readers see the state before the last change until `until`; of a new event, nothing.
    pub(crate) fn lag(&mut self, until: Duration) {
        self.stale = Some((until, self.previous.clone()));
    }

    /// As [`Self::lag`], for a reader that met an old replica: an event that never changed is not affected.
    pub(crate) fn lag_reads(&mut self, until: Duration) {
        if self.previous.is_some() {
            self.lag(until);
        }
    }

    /// Whether writers find the event.
    pub(crate) fn is_visible(&self, now: Duration) -> bool {
        self.hidden_until.is_none_or(|until| now >= until)
    }

    /// What a reader sees now.
    pub(crate) fn view(&self, now: Duration) -> Option<&Map<String, Value>> {
        if !self.is_visible(now) {
            return None;
        }
        match &self.stale {
            Some((until, old)) if now < *until => old.as_ref(),
            _ => Some(&self.body),
        }
    }

    /// Starts the wait for a conference.
    pub(crate) fn await_conference(&mut self, reads: u32, not_before: Duration) {
        self.waiting = Some(Waiting { reads_left: reads, not_before });
    }

    /// A read passes. Says whether the conference is ready now, once.
    pub(crate) fn conference_is_ready(&mut self, now: Duration) -> bool {
        let Some(waiting) = &mut self.waiting else { return false };
        if !self.body.get("conferenceData").is_some_and(conference::is_pending) {
            self.waiting = None;
            return false;
        }
        if waiting.reads_left > 0 || now < waiting.not_before {
            waiting.reads_left = waiting.reads_left.saturating_sub(1);
            return false;
        }
        self.waiting = None;
        true
    }

    /// Garbles what is stored behind everybody's back: no new etag, nothing in the reply.
    pub(crate) fn corrupt(&mut self, fields: Option<&Map<String, Value>>) {
        let Some(fields) = fields else {
            let garbled = format!("#{}#", self.text("summary").chars().rev().collect::<String>());
            self.body.insert("summary".into(), garbled.into());
            return;
        };
        for (name, value) in fields {
            if value.is_null() {
                self.body.shift_remove(name);
            } else {
                self.body.insert(name.clone(), value.clone());
            }
        }
    }
}
