//! One text for all ways of writing the same event data.
//!
//! A retry need not send the bytes of the first attempt: a backend may build its event anew, with keys in another order, a
//! local time with a zone in place of UTC, or a fresh `requestId`. What means the same must have the same fingerprint, or a
//! plain retry would be refused as another request under the same key.

use serde::Serialize;
use serde_json::{Map, Value};

use super::attendee::normal;
use super::fields::{ATTENDEE_OF_GOOGLE, Field, Shape, is_unset, text_of, writable};
use super::instant::{When, primary_zone, read_time};
use super::recurrence::{self, Frame};

/// The canonical text of an event's writable fields. It is written as it is found, without a tree in between: half of what
/// reading event data costs is this.
pub(crate) fn canonical(body: &Map<String, Value>) -> Vec<u8> {
    let frame = Frame::of(body.get("start").and_then(Value::as_object), None);
    let recurs = body.get("recurrence").and_then(Value::as_array).is_some_and(|lines| !lines.is_empty());
    let fields = body.iter().filter_map(|(name, value)| Some((writable(name)?, value)));
    let mut text = Vec::with_capacity(2048);
    object_of(&mut text, fields, &mut |text, field, value| match field.name {
        "start" => write(text, &time_form(value, recurs)),
        "end" => write(text, &time_form(value, false)),
        "recurrence" => write(text, &recurrence::canonical(value, &frame)),
        "conferenceData" => conference_form(text, value),
        _ => form(text, field.shape, value),
    });
    text
}

/// Appends JSON text. What is written here is text and numbers, which always can be.
fn write(text: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let _ = serde_json::to_writer(text, value);
}

/// A moment is its UTC second. The zone counts for the start of a series alone, which is expanded in it; elsewhere it is
/// how the event is shown.
fn time_form(value: &Value, with_zone: bool) -> String {
    let text = match read_time(value, None) {
        Ok(When::Day(day)) => format!("day {day}"),
        Ok(When::Instant(at)) => format!("at {at}"),
        Ok(When::Ambiguous(one, other)) => format!("at {one} or {other}"),
        // Checked data always reads; other data is only the same as itself.
        Err(_) => value.to_string(),
    };
    let zone = value.as_object().and_then(|time| text_of(time, "timeZone")).filter(|_| with_zone);
    match zone {
        Some(zone) => format!("{text} in {}", primary_zone(zone).unwrap_or_else(|| zone.to_owned())),
        None => text,
    }
}

/// A `requestId` is a name for one attempt, and ours is sent in its place.
fn conference_form(text: &mut Vec<u8>, value: &Value) {
    let mut data = value.clone();
    if let Some(request) = data.get_mut("createRequest").and_then(Value::as_object_mut) {
        request.retain(|name, _| name != "requestId" && name != "status");
    }
    free_form(text, &data);
}

fn form(text: &mut Vec<u8>, shape: Shape, value: &Value) {
    match (shape, value) {
        (Shape::Object(table), Value::Object(members)) => object_form(text, table, members),
        (Shape::List(item, _), Value::Array(items)) => {
            let mut forms = Vec::with_capacity(items.len() * 64);
            let mut ends = Vec::with_capacity(items.len());
            for value in items {
                form(&mut forms, *item, value);
                ends.push(forms.len());
            }
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let mut forms: Vec<&[u8]> =
                starts.zip(&ends).map(|(start, end)| forms.get(start..*end).unwrap_or_default()).collect();
            forms.sort_unstable();
            text.push(b'[');
            for (index, form) in forms.into_iter().enumerate() {
                comma(text, index);
                text.extend_from_slice(form);
            }
            text.push(b']');
        }
        _ => free_form(text, value),
    }
}

fn object_form(text: &mut Vec<u8>, table: &'static [Field], members: &Map<String, Value>) {
    let fields = members.iter().filter_map(|(name, value)| {
        let field = table.iter().find(|field| field.name == name)?;
        (!ATTENDEE_OF_GOOGLE.contains(&field.name)).then_some((field, value))
    });
    object_of(text, fields, &mut |text, field, value| match value.as_str() {
        Some(email) if field.name == "email" => write(text, &*normal(email)),
        _ => form(text, field.shape, value),
    });
}

/// The fields that say something, by name.
fn object_of<'a>(
    text: &mut Vec<u8>,
    fields: impl Iterator<Item = (&'static Field, &'a Value)>,
    write_value: &mut dyn FnMut(&mut Vec<u8>, &Field, &Value),
) {
    let mut entries: Vec<_> = fields.filter(|(field, value)| !is_unset(field, value)).collect();
    entries.sort_unstable_by_key(|(field, _)| field.name);
    text.push(b'{');
    for (index, (field, value)) in entries.into_iter().enumerate() {
        member(text, index, field.name);
        write_value(text, field, value);
    }
    text.push(b'}');
}

/// Any JSON with its keys sorted and its nulls gone.
fn free_form(text: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut entries: Vec<_> = members.iter().filter(|(_, value)| !value.is_null()).collect();
            entries.sort_unstable_by_key(|(name, _)| *name);
            text.push(b'{');
            for (index, (name, value)) in entries.into_iter().enumerate() {
                member(text, index, name);
                free_form(text, value);
            }
            text.push(b'}');
        }
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                comma(text, index);
                free_form(text, item);
            }
            text.push(b']');
        }
        other => write(text, other),
    }
}

fn member(text: &mut Vec<u8>, index: usize, name: &str) {
    comma(text, index);
    write(text, name);
    text.push(b':');
}

fn comma(text: &mut Vec<u8>, index: usize) {
    if index > 0 {
        text.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A fingerprint is stored with its key and on the event: another text for the same data would refuse every retry that
    /// runs across an upgrade.
    #[test]
    fn the_text_of_given_data_never_changes() {
        let body = json!({
            "summary": "Ärger \"quoted\"", "visibility": "default", "unknown": 1, "colorId": "3",
            "start": { "dateTime": "2026-10-05T10:00:00", "timeZone": "Europe/Berlin" },
            "end": { "dateTime": "2026-10-05T09:00:00Z" },
            "recurrence": ["RRULE:COUNT=2;FREQ=DAILY"],
            "attendees": [
                { "email": "B@x.org", "self": true, "optional": false },
                { "email": "a@x.org", "displayName": "A", "additionalGuests": 2 },
            ],
            "reminders": { "useDefault": false, "overrides": [{ "minutes": 10, "method": "popup" }] },
            "conferenceData": { "createRequest": { "requestId": "r", "b": null, "a": [1.5, null, { "z": 1, "y": 2 }] } },
        });
        let text = canonical(body.as_object().unwrap());
        assert_eq!(
            String::from_utf8(text).unwrap(),
            concat!(
                r#"{"attendees":[{"additionalGuests":2,"displayName":"A","email":"a@x.org"},{"email":"b@x.org"}],"colorId":"3","#,
                r#""conferenceData":{"createRequest":{"a":[1.5,null,{"y":2,"z":1}]}},"end":"at 1791190800","#,
                r#""recurrence":["RRULE:COUNT=2;FREQ=DAILY"],"reminders":{"overrides":[{"method":"popup","minutes":10}],"#,
                r#""useDefault":false},"start":"at 1791187200 in Europe/Berlin","summary":"Ärger \"quoted\""}"#,
            )
        );
    }
}
