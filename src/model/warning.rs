//! A warning: something that the caller should know of a call that succeeded.

use serde::Serialize;

/// One entry of a result's `warnings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// A stable word: `FIELD_NOT_SENT`, `FIELD_DIFFERS`, …
    pub code: &'static str,
    /// What it means, without any value of the event.
    pub message: String,
    /// The field concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Warning {
    /// A field of the input was not sent, for Google alone writes it.
    pub const FIELD_NOT_SENT: &'static str = "FIELD_NOT_SENT";
    /// A field that is not critical was read back with another value.
    pub const FIELD_DIFFERS: &'static str = "FIELD_DIFFERS";
    /// Google hides the guest list: the presence of attendees could not be checked.
    pub const ATTENDEES_OMITTED: &'static str = "ATTENDEES_OMITTED";
    /// Google is still making the conference.
    pub const CONFERENCE_PENDING: &'static str = "CONFERENCE_PENDING";

    /// An attendee's add took too long, and what it belongs to went on without it.
    pub const SKIPPED: &'static str = "SKIPPED";
    /// Too many guests for Google to tell each who comes.
    pub const ANSWERS_NOT_SHARED: &'static str = "ANSWERS_NOT_SHARED";

    /// A warning about the whole event.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    /// The same warning, about one field.
    #[must_use]
    pub fn of_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}
