//! The mails Google would have sent.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::event::attendees;

/// Who is told of a change: `sendUpdates`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notify {
    All,
    /// Only guests without a Google calendar: here, addresses that are no user of the emulator.
    ExternalOnly,
    Nobody,
}

/// What a mail says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MailKind {
    /// To a new guest.
    Invitation,
    /// To a guest of an event that changed.
    Update,
    /// To a guest who was taken off, or whose event is gone.
    Cancellation,
}

/// A mail that would have been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// What it says.
    pub kind: MailKind,
    /// The calendar of the event.
    pub calendar_id: String,
    /// The event.
    pub event_id: String,
    /// The guest.
    pub to: String,
    /// Milliseconds since the emulator began.
    pub at_ms: u64,
}

/// Changes of these alone are nobody's news.
const QUIET: [&str; 7] =
    ["attendees", "reminders", "colorId", "transparency", "visibility", "hangoutLink", "extendedProperties"];

/// Who hears what when `old` becomes `new` (the writable fields; nothing: no event).
pub(crate) fn news(old: Option<&Map<String, Value>>, new: Option<&Map<String, Value>>) -> Vec<(MailKind, String)> {
    let before = old.map(attendees::addresses).unwrap_or_default();
    let after = new.map(attendees::addresses).unwrap_or_default();
    let has = |list: &[&str], email: &str| list.iter().any(|other| other.eq_ignore_ascii_case(email));
    let changed = match (old, new) {
        (Some(old), Some(new)) => {
            old.keys().chain(new.keys()).any(|name| !QUIET.contains(&name.as_str()) && old.get(name) != new.get(name))
        }
        _ => false,
    };
    let mut mails = Vec::new();
    for &email in &after {
        if !has(&before, email) {
            mails.push((MailKind::Invitation, email.to_owned()));
        } else if changed {
            mails.push((MailKind::Update, email.to_owned()));
        }
    }
    let gone = before.iter().filter(|email| !has(&after, email));
    mails.extend(gone.map(|&email| (MailKind::Cancellation, email.to_owned())));
    mails
}
