//! The names of an event's fields: their order in a reply, and whose they are.

use serde_json::{Map, Value};

/// The fields of an event in the order of a reply.
pub(crate) const REPLY_ORDER: [&str; 39] = [
    "kind",
    "etag",
    "id",
    "status",
    "htmlLink",
    "created",
    "updated",
    "summary",
    "description",
    "location",
    "colorId",
    "creator",
    "organizer",
    "start",
    "end",
    "recurrence",
    "transparency",
    "visibility",
    "iCalUID",
    "sequence",
    "attendees",
    "attendeesOmitted",
    "extendedProperties",
    "hangoutLink",
    "conferenceData",
    "anyoneCanAddSelf",
    "guestsCanInviteOthers",
    "guestsCanModify",
    "guestsCanSeeOtherGuests",
    "reminders",
    "source",
    "attachments",
    "gadget",
    "birthdayProperties",
    "focusTimeProperties",
    "outOfOfficeProperties",
    "workingLocationProperties",
    "locked",
    "privateCopy",
];

/// Those that say what the event is and was; Google alone writes them.
const GOOGLES_OWN: [&str; 10] =
    ["kind", "etag", "id", "htmlLink", "created", "updated", "creator", "organizer", "iCalUID", "sequence"];

/// Fields a client may write, in the order of a reply. What is not here is ignored, as Google does.
pub(crate) fn writable() -> impl Iterator<Item = &'static str> {
    REPLY_ORDER.into_iter().filter(|name| !GOOGLES_OWN.contains(name))
}

/// Whether a client may write the field.
pub(crate) fn is_writable(name: &str) -> bool {
    writable().any(|writable| writable == name)
}

/// The part of an event that a client may write.
pub(crate) fn only_writable(body: &Map<String, Value>) -> Map<String, Value> {
    writable().filter_map(|name| Some((name.to_owned(), body.get(name)?.clone()))).collect()
}

/// Puts fields in the order of a reply; `eventType` comes last.
pub(crate) fn in_reply_order(mut fields: Map<String, Value>) -> Map<String, Value> {
    let event_type = fields.shift_remove("eventType");
    let mut ordered = Map::new();
    for name in REPLY_ORDER {
        if let Some(value) = fields.shift_remove(name) {
            ordered.insert(name.into(), value);
        }
    }
    ordered.extend(fields);
    ordered.extend(event_type.map(|value| ("eventType".to_owned(), value)));
    ordered
}
