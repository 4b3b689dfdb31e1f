//! The checks of event data, all before anything is sent. Values are never repeated in a fault.
//!
//! Google drops or cuts some things without a word (long extended properties, a guest named twice), so what it would not
//! keep is refused here.

mod content;

use serde_json::{Map, Value};

use self::content::{check_guests, check_properties, check_words};
use super::error::CalendarError;
use super::fields::{Field, READ_ONLY, Shape, TIME, text_of, writable};
use super::instant::{When, known_zone, read_time};
use super::path::Path;
use super::recurrence::check_line;
use super::stamp::{STAMPS, is_fence_time};
use super::warning::Warning;

/// The largest event text, in bytes. Google's own limit is not documented.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// What the data is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A new event: start and end are needed, null is the same as absent.
    Create,
    /// Changes of an event: null deletes.
    Change,
    /// What somebody expects to read: nothing is needed, unknown fields do not matter.
    Expect,
}

impl Purpose {
    const fn root(self) -> Path<'static> {
        Path::Root(match self {
            Self::Create => "eventData",
            Self::Change => "changes",
            Self::Expect => "expectedData",
        })
    }
}

/// Data that passed the checks.
pub(crate) struct Checked {
    pub(crate) body: Map<String, Value>,
    /// Whether it is what was given, member for member.
    pub(crate) is_as_given: bool,
    pub(crate) warnings: Vec<Warning>,
}

/// Parses and checks event data. `zone` (IANA) is written into times that need one and have none.
pub(crate) fn check(text: &str, zone: Option<&str>, purpose: Purpose) -> Result<Checked, CalendarError> {
    let root = purpose.root();
    if text.len() > MAX_EVENT_BYTES {
        return Err(root.fault("must be at most 1 MiB of JSON text"));
    }
    if zone.is_some_and(|zone| !known_zone(zone)) {
        return Err(Path::Root("timeZone").fault("must be a time zone of the IANA database, as Europe/Zurich"));
    }
    // serde_json's own message is not passed on: it may quote the input.
    let parsed = serde_json::from_str(text)
        .map_err(|_| root.fault("must be JSON text of whole Unicode characters, nested less than 128 deep"))?;
    let Value::Object(mut body) = parsed else { return Err(root.fault("must be an object")) };
    let mut warnings = Vec::new();
    let mut changes = drop_read_only(&mut body, purpose, &mut warnings)?;
    changes += empty_words_to_null(&mut body);
    if purpose == Purpose::Change {
        changes += keep_stamps(&mut body, &root, &mut warnings)?;
    } else {
        changes += drop_nulls(&mut body);
    }
    check_members(&body, &root, purpose)?;
    changes += write_zones(&mut body, zone, purpose);
    check_times(&body, &root, purpose)?;
    if purpose != Purpose::Expect {
        check_guests(&body, &root)?;
        check_properties(&body, &root)?;
        check_words(&body, &root)?;
    }
    Ok(Checked { body, is_as_given: changes == 0, warnings })
}

/// Takes out what Google alone writes; how many members.
fn drop_read_only(
    body: &mut Map<String, Value>,
    purpose: Purpose,
    warnings: &mut Vec<Warning>,
) -> Result<usize, CalendarError> {
    let root = purpose.root();
    let before = body.len();
    match (purpose, body.contains_key("id")) {
        (Purpose::Create, true) => {
            return Err(root.member("id").fault(
                "must not be given: ids are derived so that a retry makes no second event. Use options.idempotencyKey to name the event",
            ));
        }
        (_, true) => drop(body.shift_remove("id")),
        (_, false) => {}
    }
    for name in READ_ONLY {
        if body.shift_remove(*name).is_some_and(|value| !value.is_null()) && purpose != Purpose::Expect {
            warnings.push(
                Warning::new(Warning::FIELD_NOT_SENT, format!("{name} was not sent: Google alone writes it"))
                    .of_field(*name),
            );
        }
    }
    Ok(before - body.len())
}

/// Changes must not touch our stamps: without them the event could no longer be told from a stranger's. A fetched event
/// that is sent back has them as they were; they are left out, and the event keeps its own.
fn keep_stamps(
    body: &mut Map<String, Value>,
    root: &Path<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<usize, CalendarError> {
    let at = root.member("extendedProperties");
    let Some(properties) = body.get_mut("extendedProperties") else { return Ok(0) };
    if properties.is_null() || properties.get("private").is_some_and(Value::is_null) {
        return Err(at.fault("cannot be deleted as a whole: set each key to null"));
    }
    let Some(private) = properties.get_mut("private").and_then(Value::as_object_mut) else { return Ok(0) };
    let before = private.len();
    private.retain(|name, _| !STAMPS.contains(&name.as_str()));
    let dropped = before - private.len();
    if dropped > 0 {
        let path = at.member("private").to_string();
        warnings.push(
            Warning::new(Warning::FIELD_NOT_SENT, "surecal's own properties were not sent: the event keeps them")
                .of_field(path),
        );
    }
    Ok(dropped)
}

/// "" in the place of a word, a time or a zone is the same as nothing, but Google may refuse it. How many there were.
fn empty_words_to_null(body: &mut Map<String, Value>) -> usize {
    let nothing = |value: &mut Value| {
        let is_empty = value.as_str() == Some("");
        if is_empty {
            *value = Value::Null;
        }
        usize::from(is_empty)
    };
    let of = |(name, value): (&String, &mut Value)| match writable(name).map(|field| field.shape) {
        Some(Shape::Word(_)) => nothing(value),
        Some(Shape::Time) => value.as_object_mut().into_iter().flat_map(Map::values_mut).map(nothing).sum(),
        _ => 0,
    };
    body.iter_mut().map(of).sum()
}

/// Takes out nulls, also in objects inside; how many. Lists are left: a null in a list is a fault.
fn drop_nulls(object: &mut Map<String, Value>) -> usize {
    let before = object.len();
    object.retain(|_, value| !value.is_null());
    let inside: usize = object.values_mut().filter_map(Value::as_object_mut).map(drop_nulls).sum();
    before - object.len() + inside
}

fn check_members(body: &Map<String, Value>, root: &Path<'_>, purpose: Purpose) -> Result<(), CalendarError> {
    for (name, value) in body {
        match writable(name) {
            Some(field) => check_value(field.shape, value, &root.member(field.name), purpose)?,
            None if purpose == Purpose::Expect => {}
            None => return Err(root.unknown(name)),
        }
    }
    Ok(())
}

fn check_value(shape: Shape, value: &Value, path: &Path<'_>, purpose: Purpose) -> Result<(), CalendarError> {
    if value.is_null() {
        return Ok(());
    }
    let strict = purpose != Purpose::Expect;
    let fault = |what: &str| Err(path.fault(what));
    match shape {
        Shape::Text | Shape::Word(_) if !value.is_string() => fault("must be text"),
        Shape::Flag if !value.is_boolean() => fault("must be true or false"),
        Shape::Word(words) if strict && !words.iter().any(|word| value == word) => {
            fault(&format!("must be one of {}", words.join(", ")))
        }
        Shape::Count(most) if value.as_u64().is_none_or(|number| number > most) => {
            fault(&format!("must be a whole number from 0 to {most}"))
        }
        Shape::Open if !value.is_object() => fault("must be an object"),
        Shape::Text | Shape::Flag | Shape::Word(_) | Shape::Count(_) | Shape::Open => Ok(()),
        Shape::Time => check_object(TIME, value, path, purpose),
        Shape::Object(table) => check_object(table, value, path, purpose),
        Shape::Recurrence => check_recurrence(value, path),
        Shape::List(shape, most) => {
            let Some(items) = value.as_array() else { return fault("must be a list") };
            if strict && items.len() > most {
                return fault(&format!("must have at most {most} items"));
            }
            for (index, item) in items.iter().enumerate() {
                if item.is_null() {
                    return Err(path.item(index).fault("must not be null"));
                }
                check_value(*shape, item, &path.item(index), purpose)?;
            }
            Ok(())
        }
        Shape::Texts => {
            let Some(texts) = value.as_object() else { return fault("must be an object") };
            if texts.values().all(|text| text.is_string() || text.is_null()) {
                Ok(())
            } else {
                fault("must have text for every key")
            }
        }
    }
}

fn check_object(table: &[Field], value: &Value, path: &Path<'_>, purpose: Purpose) -> Result<(), CalendarError> {
    let Some(object) = value.as_object() else {
        let names: Vec<_> = table.iter().take(3).map(|field| field.name).collect();
        return Err(path.fault(&format!("must be an object with members as {}", names.join(", "))));
    };
    for (name, value) in object {
        match table.iter().find(|field| field.name == name) {
            Some(field) => check_value(field.shape, value, &path.member(field.name), purpose)?,
            None if purpose == Purpose::Expect => {}
            None => return Err(path.unknown(name)),
        }
    }
    Ok(())
}

fn check_recurrence(value: &Value, path: &Path<'_>) -> Result<(), CalendarError> {
    let Some(lines) = value.as_array() else {
        return Err(path.fault("must be a list of RRULE, EXRULE, RDATE and EXDATE lines"));
    };
    for (index, line) in lines.iter().enumerate() {
        let line = line.as_str().ok_or("must be text").and_then(check_line);
        line.map_err(|what| path.item(index).fault(what))?;
    }
    Ok(())
}

/// Whether the event recurs.
fn recurs(body: &Map<String, Value>) -> bool {
    body.get("recurrence").and_then(Value::as_array).is_some_and(|lines| !lines.is_empty())
}

/// Writes a zone into times that have none and need one: without an offset to say the moment, or in a series, which is
/// expanded in its zone. An end takes the zone of its start before that of the configuration. How many were written.
fn write_zones(body: &mut Map<String, Value>, zone: Option<&str>, purpose: Purpose) -> usize {
    let mut written = 0;
    let in_series = recurs(body) && purpose != Purpose::Expect;
    let mut zone = zone.map(str::to_owned);
    for name in ["start", "end"] {
        let Some(time) = body.get_mut(name).and_then(Value::as_object_mut) else { continue };
        if let Some(own) = text_of(time, "timeZone") {
            zone = Some(own.to_owned());
            continue;
        }
        let Some(text) = text_of(time, "dateTime") else { continue };
        if let Some(zone) = &zone
            && (in_series || !has_offset(text))
        {
            time.insert("timeZone".to_owned(), Value::String(zone.clone()));
            written += 1;
        }
    }
    written
}

/// Whether a `dateTime` ends with an offset. The rest of its shape is checked when it is read.
fn has_offset(text: &str) -> bool {
    text.get(10..).is_some_and(|clock| clock.ends_with('Z') || clock.contains(['+', '-']))
}

fn check_times(body: &Map<String, Value>, root: &Path<'_>, purpose: Purpose) -> Result<(), CalendarError> {
    let start = check_time("start", body, root, purpose)?;
    let end = check_time("end", body, root, purpose)?;
    if purpose == Purpose::Expect {
        return Ok(());
    }
    let (Some(start), Some(end)) = (start, end) else { return Ok(()) };
    match end.is_after(start) {
        None => Err(root.member("end").fault("must be of the same kind as the start: both date or both dateTime")),
        Some(false) if start.is_day() => {
            Err(root.member("end").fault("must be after the start (the end of an all-day event is the day after it)"))
        }
        Some(false) => Err(root.member("end").fault("must be after the start")),
        Some(true) if is_fence_time(start, end) && !recurs(body) => Err(root
            .member("start")
            .fault("must not be the first minute of 1970, by which surecal knows its own marks")),
        Some(true) => Ok(()),
    }
}

fn check_time(
    name: &str,
    body: &Map<String, Value>,
    root: &Path<'_>,
    purpose: Purpose,
) -> Result<Option<When>, CalendarError> {
    let path = root.member(name);
    let Some(value) = body.get(name) else {
        return if purpose == Purpose::Create { Err(path.fault("is required")) } else { Ok(None) };
    };
    let Some(time) = value.as_object() else {
        return Err(path.fault("cannot be deleted: an event has a start and an end"));
    };
    let zone = text_of(time, "timeZone");
    if zone.is_some_and(|zone| !known_zone(zone)) {
        return Err(path.member("timeZone").fault("must be a time zone of the IANA database, as Europe/Zurich"));
    }
    if purpose == Purpose::Expect {
        // A floating time is read by the calendar's clock, and a start may be given as its zone alone.
        let is_empty = text_of(time, "date").is_none() && text_of(time, "dateTime").is_none();
        if is_empty || zone.is_none() && read_time(value, Some("UTC")).is_ok() {
            return Ok(None);
        }
    }
    let when = read_time(value, None)
        .map_err(|fault| fault.member().map_or(path, |member| path.member(member)).fault(fault.what()))?;
    if !when.is_day() && zone.is_none() && purpose != Purpose::Expect && recurs(body) {
        return Err(path.member("timeZone").fault("is required for an event that recurs, as Europe/Zurich"));
    }
    Ok(Some(when))
}
