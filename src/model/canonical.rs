//! One text for all ways of writing the same event data.
//!
//! A retry need not send the bytes of the first attempt: a backend may build its event anew, with keys in another order, a
//! local time with a zone in place of UTC, or a fresh `requestId`. What means the same must have the same fingerprint, or a
//! plain retry would be refused as another request under the same key.

use serde_json::{Map, Value};

use super::attendee::normal;
use super::fields::{ATTENDEE_OF_GOOGLE, Field, Shape, WRITABLE, is_unset, text_of};
use super::instant::{When, primary_zone, read_time};
use super::recurrence::{self, Frame};

/// The canonical text of an event's writable fields.
pub(crate) fn canonical(body: &Map<String, Value>) -> String {
    let frame = Frame::of(body.get("start").and_then(Value::as_object), None);
    let recurs = body.get("recurrence").and_then(Value::as_array).is_some_and(|lines| !lines.is_empty());
    let mut entries: Vec<(&str, Value)> = Vec::new();
    for field in WRITABLE {
        let Some(value) = body.get(field.name).filter(|value| !is_unset(field, value)) else { continue };
        let form = match field.name {
            "start" => time_form(value, recurs),
            "end" => time_form(value, false),
            "recurrence" => {
                recurrence::canonical(value, &frame).into_iter().map(Value::String).collect::<Vec<_>>().into()
            }
            "conferenceData" => conference_form(value),
            _ => form(field.shape, value),
        };
        entries.push((field.name, form));
    }
    entries.sort_unstable_by_key(|(name, _)| *name);
    sorted_object(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()).to_string()
}

/// A moment is its UTC second. The zone counts for the start of a series alone, which is expanded in it; elsewhere it is
/// how the event is shown.
fn time_form(value: &Value, with_zone: bool) -> Value {
    let text = match read_time(value, None) {
        Ok(When::Day(day)) => format!("day {day}"),
        Ok(When::Instant(at)) => format!("at {at}"),
        Ok(When::Ambiguous(one, other)) => format!("at {one} or {other}"),
        // Checked data always reads; other data is only the same as itself.
        Err(_) => value.to_string(),
    };
    let zone = value.as_object().and_then(|time| text_of(time, "timeZone")).filter(|_| with_zone);
    Value::String(match zone {
        Some(zone) => format!("{text} in {}", primary_zone(zone).unwrap_or_else(|| zone.to_owned())),
        None => text,
    })
}

/// A `requestId` is a name for one attempt, and ours is sent in its place.
fn conference_form(value: &Value) -> Value {
    let mut data = value.clone();
    if let Some(request) = data.get_mut("createRequest").and_then(Value::as_object_mut) {
        request.retain(|name, _| name != "requestId" && name != "status");
    }
    free_form(&data)
}

fn form(shape: Shape, value: &Value) -> Value {
    match (shape, value) {
        (Shape::Object(table), Value::Object(members)) => object_form(table, members),
        (Shape::List(item, _), Value::Array(items)) => {
            let mut forms: Vec<Value> = items.iter().map(|value| form(*item, value)).collect();
            forms.sort_by_cached_key(Value::to_string);
            Value::Array(forms)
        }
        _ => free_form(value),
    }
}

fn object_form(table: &[Field], members: &Map<String, Value>) -> Value {
    let entries = table.iter().filter(|field| !ATTENDEE_OF_GOOGLE.contains(&field.name)).filter_map(|field| {
        let value = members.get(field.name).filter(|value| !is_unset(field, value))?;
        let form = match value.as_str() {
            Some(email) if field.name == "email" => Value::String(normal(email)),
            _ => form(field.shape, value),
        };
        Some((field.name.to_owned(), form))
    });
    sorted_object(entries.collect())
}

/// Any JSON with its keys sorted and its nulls gone.
fn free_form(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            sorted_object(kept.map(|(name, value)| (name.clone(), free_form(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(free_form).collect()),
        other => other.clone(),
    }
}

fn sorted_object(mut entries: Vec<(String, Value)>) -> Value {
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Value::Object(entries.into_iter().collect())
}
