//! What to read in order to compare, and what to send in order to put right.

use serde_json::{Map, Value};

use super::attendee;
use super::compare::compare_whole;
use super::fields::{text_of, writable};

/// The fields of a PATCH that puts right what differs, critical or not, after a comparison with [`compare_whole`]. Every
/// guest who is there stays, with the answer given: a PATCH replaces the whole list. Empty if nothing differs, or if what
/// differs cannot be put right (a hidden guest list, the type of an event, a conference, which is never asked for twice).
#[must_use]
pub fn repair_patch(expected: &Map<String, Value>, actual: &Map<String, Value>) -> Map<String, Value> {
    let comparison = compare_whole(expected, actual);
    let mut patch = Map::new();
    for difference in comparison.critical.iter().chain(&comparison.advisory) {
        let name = difference.field.split('.').next().unwrap_or_default();
        match name {
            // Both, or the event would for a moment end before it starts and Google would refuse it.
            "start" | "end" => {
                for name in ["start", "end"] {
                    if let Some(time) = expected.get(name).and_then(Value::as_object) {
                        patch.insert(name.to_owned(), Value::Object(of_one_kind(time)));
                    }
                }
            }
            "attendees" => {
                if actual.get("attendeesOmitted") != Some(&Value::Bool(true)) {
                    patch.insert(name.to_owned(), with_missing(expected, actual));
                }
            }
            "conferenceData" | "eventType" => {}
            _ => {
                let value = expected.get(name).cloned().unwrap_or(Value::Null);
                patch.insert(name.to_owned(), value);
            }
        }
    }
    patch
}

/// The fields of a PATCH that carries `changes` onto the event as it was read. A guest who is there keeps the answer given
/// and all that Google knows of him, unless the changes say otherwise: a PATCH replaces the whole list.
#[must_use]
pub fn change_patch(changes: &Map<String, Value>, actual: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = changes.clone();
    for name in ["start", "end"] {
        if let Some(Value::Object(time)) = patch.get(name) {
            patch.insert(name.to_owned(), Value::Object(of_one_kind(time)));
        }
    }
    if let Some(Value::Array(guests)) = patch.get_mut("attendees") {
        for guest in guests.iter_mut().filter_map(Value::as_object_mut) {
            let email = text_of(guest, "email").map(attendee::normal).unwrap_or_default();
            let known = attendee::find(actual, &email).and_then(Value::as_object);
            for (name, value) in known.into_iter().flatten() {
                guest.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    patch
}

/// A time that says of the other kind that it is not: a PATCH merges, and both would be refused.
fn of_one_kind(time: &Map<String, Value>) -> Map<String, Value> {
    let mut time = time.clone();
    let other =
        if text_of(&time, "date").is_some() { ["dateTime", "timeZone"].as_slice() } else { ["date"].as_slice() };
    for name in other {
        time.insert((*name).to_owned(), Value::Null);
    }
    time
}

/// The guest list as it is, and the requested guests who are not on it.
fn with_missing(expected: &Map<String, Value>, actual: &Map<String, Value>) -> Value {
    let there = attendee::addresses(actual);
    let missing = attendee::list(expected)
        .iter()
        .filter(|guest| attendee::address(guest).is_some_and(|email| !there.contains(&email)));
    attendee::list(actual).iter().chain(missing).cloned().collect::<Vec<_>>().into()
}

/// The value of `fields=` that gets what a comparison with `expected` reads, and the stamps, id, status and `ETag`.
#[must_use]
pub fn fields_mask(expected: &Map<String, Value>) -> String {
    // Summary and recurrence are compared even when nobody asked for one.
    let mut names = vec!["id", "status", "etag", "summary", "start", "end", "recurrence", "organizer/email"];
    for name in expected.keys() {
        let Some(field) = writable(name) else { continue };
        match field.name {
            "attendees" => names.extend(["attendees", "attendeesOmitted"]),
            "extendedProperties" => {}
            name if names.contains(&name) => {}
            name => names.push(name),
        }
    }
    let has_shared = expected.get("extendedProperties").and_then(|all| all.get("shared")).is_some();
    names.push(if has_shared { "extendedProperties" } else { "extendedProperties/private" });
    names.join(",")
}
