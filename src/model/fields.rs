//! The fields of a Google event: one table that says what can be written, in which shape, and what absent means.
//!
//! Source: the reference of `Event` in Calendar API v3, as generated into `@googleapis/calendar` 16 (`Schema$Event`).

use serde_json::{Map, Value};

/// The shape of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A string.
    Text,
    /// One of these strings.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number from 0 to this.
    Count(u64),
    /// A start or an end.
    Time,
    /// Lines of RFC 5545.
    Recurrence,
    /// At most so many of one shape. The order has no meaning.
    List(&'static Self, usize),
    /// These members and no others.
    Object(&'static [Field]),
    /// Any names, each with a string.
    Texts,
    /// An object that is passed on as it is.
    Open,
}

/// What Google takes an absent value for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unset {
    /// Nothing.
    Nothing,
    /// `false`.
    No,
    /// `true`.
    Yes,
    /// The number 0.
    Zero,
    /// This word.
    Word(&'static str),
}

/// A field that can be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) unset: Unset,
}

const fn field(name: &'static str, shape: Shape, unset: Unset) -> Field {
    Field { name, shape, unset }
}

const fn text(name: &'static str) -> Field {
    field(name, Shape::Text, Unset::Nothing)
}

const fn no(name: &'static str) -> Field {
    field(name, Shape::Flag, Unset::No)
}

const fn yes(name: &'static str) -> Field {
    field(name, Shape::Flag, Unset::Yes)
}

const fn open(name: &'static str) -> Field {
    field(name, Shape::Open, Unset::Nothing)
}

/// The members of `start` and `end`.
pub(crate) const TIME: &[Field] = &[text("date"), text("dateTime"), text("timeZone")];

/// The members of an attendee. `self`, `organizer`, `id` and `asyncOperation` are Google's; they come along when a fetched
/// guest list is sent back, and Google does not look at them.
const ATTENDEE: &[Field] = &[
    text("email"),
    text("displayName"),
    no("optional"),
    no("resource"),
    field("additionalGuests", Shape::Count(i32::MAX as u64), Unset::Zero),
    text("comment"),
    field(
        "responseStatus",
        Shape::Word(&["needsAction", "declined", "tentative", "accepted"]),
        Unset::Word("needsAction"),
    ),
    text("id"),
    no("self"),
    no("organizer"),
    text("asyncOperation"),
];

/// The members of an attendee that say nothing about what was asked for.
pub(crate) const ATTENDEE_OF_GOOGLE: &[&str] = &["id", "self", "organizer", "asyncOperation"];

const ATTACHMENT: &[Field] = &[text("fileUrl"), text("title"), text("mimeType"), text("iconLink"), text("fileId")];

const REMINDER: &[Field] = &[
    field("method", Shape::Word(&["email", "popup"]), Unset::Nothing),
    // Four weeks.
    field("minutes", Shape::Count(40_320), Unset::Nothing),
];

/// Colours of events: `colors.get` answers with these ids.
const COLORS: &[&str] = &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"];

/// Every field of an event that can be written.
pub(crate) const WRITABLE: &[Field] = &[
    text("summary"),
    text("description"),
    text("location"),
    field("start", Shape::Time, Unset::Nothing),
    field("end", Shape::Time, Unset::Nothing),
    field("recurrence", Shape::Recurrence, Unset::Nothing),
    // Google documents no limit; the size of the whole event is one.
    field("attendees", Shape::List(&Shape::Object(ATTENDEE), usize::MAX), Unset::Nothing),
    field("colorId", Shape::Word(COLORS), Unset::Nothing),
    text("eventLabelId"),
    field("status", Shape::Word(&["confirmed", "tentative", "cancelled"]), Unset::Word("confirmed")),
    field("transparency", Shape::Word(&["opaque", "transparent"]), Unset::Word("opaque")),
    field("visibility", Shape::Word(&["default", "public", "private", "confidential"]), Unset::Word("default")),
    field(
        "eventType",
        Shape::Word(&["default", "birthday", "focusTime", "outOfOffice", "workingLocation"]),
        Unset::Word("default"),
    ),
    field(
        "reminders",
        Shape::Object(&[
            yes("useDefault"),
            field("overrides", Shape::List(&Shape::Object(REMINDER), 5), Unset::Nothing),
        ]),
        Unset::Nothing,
    ),
    field("attachments", Shape::List(&Shape::Object(ATTACHMENT), 25), Unset::Nothing),
    field(
        "extendedProperties",
        Shape::Object(&[field("private", Shape::Texts, Unset::Nothing), field("shared", Shape::Texts, Unset::Nothing)]),
        Unset::Nothing,
    ),
    field("source", Shape::Object(&[text("title"), text("url")]), Unset::Nothing),
    yes("guestsCanInviteOthers"),
    yes("guestsCanSeeOtherGuests"),
    no("guestsCanModify"),
    no("anyoneCanAddSelf"),
    no("privateCopy"),
    open("conferenceData"),
    open("birthdayProperties"),
    open("focusTimeProperties"),
    open("outOfOfficeProperties"),
    open("workingLocationProperties"),
];

/// Fields that Google owns. They are not sent: callers copy fetched events. `attendeesOmitted` would turn a write of the
/// guest list into one of the caller's own answer, `iCalUID` may not go with an id of ours.
pub(crate) const READ_ONLY: &[&str] = &[
    "kind",
    "etag",
    "htmlLink",
    "created",
    "updated",
    "creator",
    "organizer",
    "iCalUID",
    "sequence",
    "hangoutLink",
    "attendeesOmitted",
    "recurringEventId",
    "originalStartTime",
    "endTimeUnspecified",
    "locked",
    "gadget",
];

/// The writable field of this name.
pub(crate) fn writable(name: &str) -> Option<&'static Field> {
    WRITABLE.iter().find(|field| field.name == name)
}

/// Whether the value says the same as an absent one: null, "", an empty list or object, or the documented default.
pub(crate) fn is_unset(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => match field.unset {
            Unset::No => !flag,
            Unset::Yes => *flag,
            _ => false,
        },
        Value::Number(number) => matches!(field.unset, Unset::Zero) && number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || matches!(field.unset, Unset::Word(word) if word == text),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => match field.shape {
            Shape::Object(table) => members.iter().all(|(name, value)| {
                table.iter().find(|member| member.name == name).is_some_and(|member| is_unset(member, value))
            }),
            _ => members.values().all(Value::is_null),
        },
    }
}

/// A member that is there: not null.
pub(crate) fn given<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// A member's text, if it is text and not empty.
pub(crate) fn text_of<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_field_is_both_written_and_dropped() {
        let mut names: Vec<_> = WRITABLE.iter().map(|field| field.name).chain(READ_ONLY.iter().copied()).collect();
        names.push("id");
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn the_documented_default_is_the_same_as_absent() {
        for (name, value) in [
            ("summary", json!("")),
            ("guestsCanInviteOthers", json!(true)),
            ("guestsCanModify", json!(false)),
            ("visibility", json!("default")),
            ("status", json!("confirmed")),
            ("reminders", json!({ "useDefault": true, "overrides": [] })),
            ("attendees", json!([])),
            ("extendedProperties", json!({ "private": {} })),
            ("conferenceData", json!({})),
        ] {
            assert!(writable(name).is_some_and(|field| is_unset(field, &value)), "{name}");
        }
        for (name, value) in [
            ("summary", json!(" ")),
            ("guestsCanInviteOthers", json!(false)),
            ("guestsCanModify", json!(true)),
            ("reminders", json!({ "useDefault": false })),
            ("extendedProperties", json!({ "private": { "a": "b" } })),
        ] {
            assert!(writable(name).is_some_and(|field| !is_unset(field, &value)), "{name}");
        }
    }
}
