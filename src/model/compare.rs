//! What was asked for against what was read back, by meaning.
//!
//! Critical: summary, start, end, recurrence and the presence of every requested attendee; a difference there means that
//! the calendar does not hold what was asked for. Everything else is advisory: a difference is worth a warning.

pub mod plain;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::agree::{agrees, same_text};
use super::attendee;
use super::fields::{Field, Unset, is_unset, text_of, writable};
use super::instant::{Stated, When, primary_zone, read_time, zone_named};
use super::recurrence::{self, Frame};
use super::warning::Warning;

/// One field that differs, in the shape of `verificationDetails.mismatches`. `Debug` hides the values.
#[derive(Clone, PartialEq, Serialize)]
pub struct Difference {
    /// `summary`, `start.dateTime`, `end.date`, `recurrence`, `attendees`, …
    pub field: String,
    /// What was asked for, as it was given.
    pub expected: Value,
    /// What was read; null if nothing.
    pub actual: Value,
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Difference({})", self.field)
    }
}

/// What cannot be told from the event as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unverifiable {
    /// Google left attendees out (`attendeesOmitted`), and a requested one is not among the rest.
    AttendeesOmitted,
    /// Google is still making the conference.
    ConferencePending,
}

/// The result of a comparison.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Differences that mean: not what was asked for.
    pub critical: Vec<Difference>,
    /// Differences worth a warning.
    pub advisory: Vec<Difference>,
    /// What could not be compared.
    pub unverifiable: Vec<Unverifiable>,
}

impl Comparison {
    /// Whether no critical field differs. What is unverifiable does not count against it.
    #[must_use]
    pub const fn is_equal_where_it_matters(&self) -> bool {
        self.critical.is_empty()
    }

    /// The advisory differences and what is unverifiable, as warnings without values.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let differs = self.advisory.iter().map(|difference| {
            let message = format!("{} was read back with another value than was asked for", difference.field);
            Warning::new(Warning::FIELD_DIFFERS, message).of_field(&difference.field)
        });
        let unverifiable = self.unverifiable.iter().map(|what| match what {
            Unverifiable::AttendeesOmitted => Warning::new(
                Warning::ATTENDEES_OMITTED,
                "Google left out a part of the guest list: the presence of attendees could not be checked",
            )
            .of_field("attendees"),
            Unverifiable::ConferencePending => {
                Warning::new(Warning::CONFERENCE_PENDING, "Google is still making the conference; read the event later")
                    .of_field("conferenceData")
            }
        });
        differs.chain(unverifiable).collect()
    }
}

/// Compares the fields that `expected` names. Null, absent, "" and the documented default are the same; other attendees
/// than the expected ones do not matter.
#[must_use]
pub fn compare(expected: &Map<String, Value>, actual: &Map<String, Value>) -> Comparison {
    Reading { expected, actual, result: Comparison::default() }.fields()
}

/// Compares the whole of an event with the data that made it: a summary or a recurrence that nobody asked for is a critical
/// difference as well.
#[must_use]
pub fn compare_whole(expected: &Map<String, Value>, actual: &Map<String, Value>) -> Comparison {
    let mut comparison = compare(expected, actual);
    // Google gives other types of events a summary of its own.
    let is_plain = text_of(expected, "eventType").is_none_or(|kind| kind == "default");
    for name in ["summary", "recurrence"] {
        let found = actual.get(name).unwrap_or(&Value::Null);
        if is_plain
            && !expected.contains_key(name)
            && let Some(field) = writable(name)
            && !is_unset(field, found)
        {
            comparison.critical.push(difference(name, Value::Null, found.clone()));
        }
    }
    comparison
}

/// Compares after changes: as [`compare`], and the guest list, which a PATCH replaces, holds nobody else (advisory, for
/// somebody may have been added since).
#[must_use]
pub fn compare_changes(changes: &Map<String, Value>, actual: &Map<String, Value>) -> Comparison {
    let mut comparison = compare(changes, actual);
    if changes.contains_key("attendees") {
        let wanted = attendee::addresses(changes);
        let owner = attendee::organizer(actual);
        let found = attendee::addresses(actual);
        if found.iter().any(|email| !wanted.contains(email) && Some(email) != owner.as_ref()) {
            comparison.advisory.push(difference("attendees", emails(changes), emails(actual)));
        }
    }
    comparison
}

struct Reading<'a> {
    expected: &'a Map<String, Value>,
    actual: &'a Map<String, Value>,
    result: Comparison,
}

impl Reading<'_> {
    fn fields(mut self) -> Comparison {
        // A cancelled event is a deleted one, whatever else it still shows.
        if text_of(self.actual, "status") == Some("cancelled") && text_of(self.expected, "status") != Some("cancelled")
        {
            let asked = self.expected.get("status").cloned().unwrap_or_else(|| "confirmed".into());
            self.result.critical.push(difference("status", asked, "cancelled".into()));
        }
        let expected = self.expected;
        for (name, value) in expected {
            let Some(field) = writable(name) else { continue };
            match field.name {
                "summary" => self.summary(value),
                "start" | "end" => self.time(field.name, value),
                "recurrence" => self.recurrence(value),
                "attendees" => self.attendees(),
                "conferenceData" => self.conference(field, value),
                "status" if self.result.critical.first().is_some_and(|first| first.field == "status") => {}
                _ => self.other(field, value),
            }
        }
        self.result
    }

    fn actual(&self, name: &str) -> Value {
        self.actual.get(name).cloned().unwrap_or(Value::Null)
    }

    fn other(&mut self, field: &Field, value: &Value) {
        if !agrees(field, value, self.actual.get(field.name)) {
            self.result.advisory.push(difference(field.name, value.clone(), self.actual(field.name)));
        }
    }

    fn summary(&mut self, value: &Value) {
        let found = self.actual.get("summary").and_then(Value::as_str).unwrap_or_default();
        if !same_text(value.as_str().unwrap_or_default(), found) {
            self.result.critical.push(difference("summary", value.clone(), self.actual("summary")));
        }
    }

    fn time(&mut self, name: &str, value: &Value) {
        let none = Map::new();
        let wanted = value.as_object().unwrap_or(&none);
        let found = self.actual.get(name).and_then(Value::as_object).unwrap_or(&none);
        if let Some(member) = ["date", "dateTime"].into_iter().find(|member| text_of(wanted, member).is_some())
            && !self.actual.get(name).is_some_and(|found| same_time(value, found))
        {
            let shown = found.get(member).or_else(|| found.get("dateTime")).or_else(|| found.get("date"));
            let actual = shown.cloned().unwrap_or(Value::Null);
            self.result.critical.push(difference(&format!("{name}.{member}"), wanted[member].clone(), actual));
        }
        if let (Some(a), Some(b)) = (text_of(wanted, "timeZone"), text_of(found, "timeZone"))
            && text_of(wanted, "date").is_none()
            && primary_zone(a).is_none_or(|a| Some(a) != primary_zone(b))
        {
            let entry = difference(&format!("{name}.timeZone"), a.into(), b.into());
            // A series is expanded in the zone of its start: another clock there moves later occurrences.
            let is_series = self.actual.contains_key("recurrence") || self.expected.contains_key("recurrence");
            match tick_alike(a, b, read_time(value, None).ok()) {
                Some(true) => {}
                Some(false) if name == "start" && is_series => self.result.critical.push(entry),
                _ => self.result.advisory.push(entry),
            }
        }
    }

    fn recurrence(&mut self, value: &Value) {
        let object = |event: &Map<String, Value>| event.get("start").and_then(Value::as_object).cloned();
        let (asked, read) = (object(self.expected), object(self.actual));
        let frame = Frame::of(asked.as_ref().or(read.as_ref()), read.as_ref());
        let found = self.actual("recurrence");
        if recurrence::canonical(value, &frame) != recurrence::canonical(&found, &frame) {
            self.result.critical.push(difference("recurrence", value.clone(), found));
        }
    }

    fn attendees(&mut self) {
        let (expected, actual) = (self.expected, self.actual);
        let (wanted, found) = (attendee::list(expected), attendee::list(actual));
        // Made when it is needed: Google answers with the guests in the order in which they were sent.
        let by_address: LazyCell<HashMap<Cow<'_, str>, &Value>, _> = LazyCell::new(|| {
            // The first of two entries counts.
            found.iter().rev().filter_map(|entry| Some((attendee::address(entry)?, entry))).collect()
        });
        let entry_of = |at: usize, email: &str| {
            let same_place = found.get(at).filter(|entry| attendee::address(entry).as_deref() == Some(email));
            same_place.or_else(|| by_address.get(email).copied())
        };
        // The organizer takes part, with or without an entry.
        let is_there = |(at, guest): (usize, &Value)| {
            let Some(email) = attendee::address(guest) else { return true };
            entry_of(at, &email).is_some() || attendee::organizer(actual).as_deref() == Some(&*email)
        };
        if !wanted.iter().enumerate().all(is_there) {
            if actual.get("attendeesOmitted") == Some(&Value::Bool(true)) {
                self.result.unverifiable.push(Unverifiable::AttendeesOmitted);
            } else {
                self.result.critical.push(difference("attendees", emails(expected), emails(actual)));
            }
        }
        for (name, unset) in [("optional", Unset::No), ("additionalGuests", Unset::Zero)] {
            let Some(shape) = shape_of(name) else { continue };
            let field = Field { name, shape, unset };
            let (mut asked, mut read) = (Vec::new(), Vec::new());
            for (at, guest) in wanted.iter().enumerate() {
                let (Some(value), Some(email)) = (attendee::member(guest, name), attendee::address(guest)) else {
                    continue;
                };
                if let Some(entry) = entry_of(at, &email)
                    && !agrees(&field, value, entry.get(name))
                {
                    asked.push(value.clone());
                    read.push(entry.get(name).cloned().unwrap_or(Value::Null));
                }
            }
            if !asked.is_empty() {
                let field = format!("attendees.{name}");
                self.result.advisory.push(difference(&field, asked.into(), read.into()));
            }
        }
    }

    fn conference(&mut self, field: &Field, value: &Value) {
        let Some(_) = value.get("createRequest").filter(|request| request.is_object()) else {
            return self.other(field, value);
        };
        let found = self.actual.get("conferenceData").filter(|data| !data.is_null());
        let status =
            found.and_then(|data| data.get("createRequest")?.get("status")?.get("statusCode")).and_then(Value::as_str);
        let is_made =
            |data: &Value| ["conferenceId", "entryPoints", "conferenceSolution"].iter().any(|m| data.get(*m).is_some());
        match (found, status) {
            (Some(_), Some("pending")) => self.result.unverifiable.push(Unverifiable::ConferencePending),
            (Some(data), status) if status == Some("success") || status != Some("failure") && is_made(data) => {}
            _ => self.result.advisory.push(difference("conferenceData", value.clone(), self.actual("conferenceData"))),
        }
    }
}

/// Whether the start or end `found` says what `value` says.
fn same_time(value: &Value, found: &Value) -> bool {
    let their_zone = found.as_object().and_then(|time| text_of(time, "timeZone"));
    let Ok(read) = read_time(found, None) else { return false };
    if let Ok(wanted) = read_time(value, their_zone)
        && wanted.matches(read)
    {
        return true;
    }
    // A time with neither offset nor zone means the clock of the calendar, in which Google answers.
    let stated = |time: &Value| time.as_object().and_then(|time| text_of(time, "dateTime")).and_then(Stated::read);
    let has_zone = value.as_object().and_then(|time| text_of(time, "timeZone")).is_some();
    match (stated(value), stated(found)) {
        (Some(wanted), Some(found)) => !has_zone && wanted.offset.is_none() && wanted.local == found.local,
        _ => false,
    }
}

fn shape_of(member: &str) -> Option<super::fields::Shape> {
    use super::fields::Shape;
    match writable("attendees")?.shape {
        Shape::List(Shape::Object(table), _) => {
            table.iter().find(|field| field.name == member).map(|field| field.shape)
        }
        _ => None,
    }
}

/// Whether two zones show the same time, month by month for three years from `when`. `None`: one is not known here.
fn tick_alike(a: &str, b: &str, when: Option<When>) -> Option<bool> {
    let (a, b) = (zone_named(a)?, zone_named(b)?);
    let Some(When::Instant(from) | When::Ambiguous(from, _)) = when else { return None };
    let mut months = (0..36).filter_map(|month| Timestamp::from_second(from + month * 30 * 86_400).ok());
    Some(months.all(|at| a.to_offset(at) == b.to_offset(at)))
}

/// The addresses of a guest list, as they are written.
fn emails(event: &Map<String, Value>) -> Value {
    attendee::list(event).iter().filter_map(|guest| guest.get("email").cloned()).collect::<Vec<_>>().into()
}

fn difference(field: &str, expected: Value, actual: Value) -> Difference {
    Difference { field: field.to_owned(), expected, actual }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
