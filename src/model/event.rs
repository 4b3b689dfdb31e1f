//! Event data as a caller gives it: checked, and ready to send.

use std::fmt;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::canonical::canonical;
use super::error::CalendarError;
use super::ids::base32hex;
use super::outcome::Outcome;
use super::validate::{Checked, Purpose, check};
use super::warning::Warning;

/// The characters of a fingerprint; 130 bits.
const PRINT_LENGTH: usize = 26;

/// Data of a new event. `Debug` prints no content.
///
/// It is kept as text: a call waits for Google for most of its life, and a tree takes some ten times the room.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any combination can occur")]
pub struct EventData {
    /// The checked data, a JSON object: the caller's own text where nothing in it was changed.
    text: Bytes,
    has_guests: bool,
    has_properties: bool,
    asks_for_conference: bool,
    has_attachments: bool,
    warnings: Vec<Warning>,
    /// Of the canonical data: it is asked for several times in a call, and costs as much as parsing.
    digest: [u8; 32],
}

impl EventData {
    /// Parses JSON text of at most [`MAX_EVENT_BYTES`](super::validate::MAX_EVENT_BYTES) and checks every field. `zone`
    /// (IANA) is written into a start or end that has neither an offset nor a `timeZone`, and into the times of a series
    /// that have no `timeZone`.
    pub fn parse(text: &str, zone: Option<&str>) -> Result<Self, CalendarError> {
        let Checked { body, is_as_given, warnings } = check(text, zone, Purpose::Create)?;
        let text = if is_as_given {
            Bytes::copy_from_slice(text.trim_ascii().as_bytes())
        } else {
            let written = serde_json::to_vec(&body)
                .map_err(|_| CalendarError::internal(Outcome::NotSent, "event data could not be written as JSON"))?;
            Bytes::from(written)
        };
        Ok(Self {
            text,
            has_guests: !super::attendee::list(&body).is_empty(),
            has_properties: body.contains_key("extendedProperties"),
            asks_for_conference: asks_for_conference(&body),
            has_attachments: has_attachments(&body),
            warnings,
            digest: Sha256::digest(canonical(&body)).into(),
        })
    }

    /// What to send, without an id and without stamps. Nulls and fields that Google alone writes are gone.
    #[must_use]
    pub const fn text(&self) -> &Bytes {
        &self.text
    }

    /// [`EventData::text`], read.
    pub fn body(&self) -> Result<Map<String, Value>, CalendarError> {
        // It was read before.
        serde_json::from_slice(&self.text)
            .map_err(|_| CalendarError::internal(Outcome::Unknown, "event data could not be read again"))
    }

    /// The fingerprint of the request: 26 characters of `0-9a-v`. Data that means the same has the same one.
    #[must_use]
    pub fn print(&self) -> String {
        let mut print = base32hex(&self.digest);
        print.truncate(PRINT_LENGTH);
        print
    }

    /// `eventHash`: SHA-256 of the canonical data, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        HEXLOWER.encode(&self.digest)
    }

    /// Whether a guest may get mail.
    #[must_use]
    pub const fn has_guests(&self) -> bool {
        self.has_guests
    }

    /// Whether the caller gave extended properties.
    #[must_use]
    pub const fn has_properties(&self) -> bool {
        self.has_properties
    }

    /// Whether Google is asked to make a conference.
    #[must_use]
    pub const fn asks_for_conference(&self) -> bool {
        self.asks_for_conference
    }

    /// Whether the insert needs `supportsAttachments`.
    #[must_use]
    pub const fn has_attachments(&self) -> bool {
        self.has_attachments
    }

    /// What the caller should know: fields that are not sent.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// Changes of an event: the same checks for the fields that are there; null deletes a field. `Debug` prints no content.
#[derive(Clone)]
pub struct EventChanges {
    body: Map<String, Value>,
    warnings: Vec<Warning>,
}

impl EventChanges {
    /// Parses and checks as [`EventData::parse`]. A whole fetched event is taken as well: what Google alone writes, and our
    /// stamps, are left out.
    pub fn parse(text: &str, zone: Option<&str>) -> Result<Self, CalendarError> {
        let checked = check(text, zone, Purpose::Change)?;
        Ok(Self { body: checked.body, warnings: checked.warnings })
    }

    /// The body of the PATCH.
    #[must_use]
    pub const fn body(&self) -> &Map<String, Value> {
        &self.body
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Whether Google is asked to make a conference.
    #[must_use]
    pub fn asks_for_conference(&self) -> bool {
        asks_for_conference(&self.body)
    }

    /// Whether the PATCH needs `supportsAttachments`.
    #[must_use]
    pub fn has_attachments(&self) -> bool {
        has_attachments(&self.body)
    }

    /// What the caller should know: fields that are not sent.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// What somebody expects to read of an event: any part of it. `Debug` prints no content.
#[derive(Clone)]
pub struct Expected {
    body: Map<String, Value>,
}

impl Expected {
    /// Parses and checks types. Nothing is required; nulls and unknown fields do not matter.
    pub fn parse(text: &str, zone: Option<&str>) -> Result<Self, CalendarError> {
        Ok(Self { body: check(text, zone, Purpose::Expect)?.body })
    }

    /// What to compare with.
    #[must_use]
    pub const fn body(&self) -> &Map<String, Value> {
        &self.body
    }
}

/// Puts our own name into a request for a conference, `data` being the event's `conferenceData`. A caller's is replaced: Google ignores a request whose id it has
/// seen, so an id copied from an example makes no conference, and a fresh one for each retry makes two.
pub fn name_conference_request(data: &mut Value, id: &str) {
    if let Some(request) = data.get_mut("createRequest").and_then(Value::as_object_mut) {
        request.insert("requestId".to_owned(), Value::String(id.to_owned()));
    }
}

/// A request that has a status was made before: it came along with a copied event.
fn asks_for_conference(body: &Map<String, Value>) -> bool {
    let request = body.get("conferenceData").and_then(|data| data.get("createRequest"));
    request.is_some_and(|request| request.is_object() && request.get("status").is_none())
}

fn has_attachments(body: &Map<String, Value>) -> bool {
    body.contains_key("attachments")
}

impl fmt::Debug for EventData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventData({} bytes)", self.text.len())
    }
}

macro_rules! debug_without_content {
    ($($name:ident),+) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} fields)"), self.body.len())
            }
        }
    )+ };
}

debug_without_content!(EventChanges, Expected);

#[cfg(test)]
mod tests;
