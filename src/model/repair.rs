//! What to read in order to compare, and what to send in order to put right or to change.

use serde_json::{Map, Value};

use super::attendee;
use super::compare::compare_whole;
use super::fields::{is_unset, text_of, writable};
use super::instant::read_time;
use super::stamp::RESERVED_PREFIX;

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
                let value = expected.get(name).map_or(Value::Null, without_stamps);
                patch.insert(name.to_owned(), value);
            }
        }
    }
    patch
}

/// The fields of a PATCH for `changes`: those that the event does not have already, to the letter. A guest who is there
/// keeps what the changes do not name, above all the answer given. Empty if there is nothing to change.
#[must_use]
pub fn changes_patch(changes: &Map<String, Value>, actual: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for (name, value) in changes {
        let Some(field) = writable(name) else { continue };
        let found = actual.get(name).unwrap_or(&Value::Null);
        let value = match (field.name, value) {
            ("attendees", Value::Array(guests)) => {
                let guests: Vec<_> = guests.iter().map(|guest| over_present(guest, actual)).collect();
                // The order of a guest list means nothing.
                let is_same = guests.len() == attendee::list(actual).len()
                    && guests.iter().all(|guest| attendee::list(actual).contains(guest));
                if is_same {
                    continue;
                }
                Value::Array(guests)
            }
            ("start" | "end", Value::Object(time)) if !same_moment(value, found) => Value::Object(of_one_kind(time)),
            ("start" | "end", _) => continue,
            _ if is_unset(field, value) && is_unset(field, found) || is_within(value, found) => continue,
            _ => value.clone(),
        };
        patch.insert(name.clone(), value);
    }
    // Both, or the event would for a moment end before it starts and Google would refuse it.
    for (name, other) in [("start", "end"), ("end", "start")] {
        if patch.contains_key(name)
            && !patch.contains_key(other)
            && let Some(time) = changes.get(other).and_then(Value::as_object)
        {
            patch.insert(other.to_owned(), Value::Object(of_one_kind(time)));
        }
    }
    patch
}

/// The guest's entry as it is, with what the changes name written over it.
fn over_present(guest: &Value, actual: &Map<String, Value>) -> Value {
    let present = attendee::address(guest).and_then(|email| attendee::find(actual, &email)).and_then(Value::as_object);
    match (present, guest.as_object()) {
        (Some(present), Some(named)) => {
            let mut entry = present.clone();
            entry.extend(
                named.iter().filter(|(name, _)| *name != "email").map(|(name, value)| (name.clone(), value.clone())),
            );
            Value::Object(entry)
        }
        _ => guest.clone(),
    }
}

/// Whether a time names the moment and the zone that are there.
fn same_moment(wanted: &Value, found: &Value) -> bool {
    let zone = |time: &Value| time.as_object().and_then(|time| text_of(time, "timeZone")).map(str::to_owned);
    let moments = (read_time(wanted, None), read_time(found, None));
    matches!(moments, (Ok(a), Ok(b)) if a == b) && zone(wanted).is_none_or(|name| Some(name) == zone(found))
}

/// Whether `found` holds all that `wanted` names, to the letter.
fn is_within(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(name, value)| is_within(value, found.get(name).unwrap_or(&Value::Null)))
        }
        (a, b) => a == b,
    }
}

/// Without our own properties: a repair must not write claims back as they were.
fn without_stamps(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(private) = value.get_mut("private").and_then(Value::as_object_mut) {
        private.retain(|key, _| !key.starts_with(RESERVED_PREFIX));
    }
    value
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

#[cfg(test)]
mod tests;
