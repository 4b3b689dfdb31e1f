//! The guest list of an event as Google sent it, changed without touching anybody else's entry: those go back byte for
//! byte, whatever is in them.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::attendee::{Guest, address};

/// See the module. No `Debug`: it holds addresses.
pub struct Guests<'a> {
    entries: Vec<Entry<'a>>,
    addresses: HashSet<String>,
}

struct Entry<'a> {
    raw: &'a RawValue,
    /// [`normal`](super::attendee::normal).
    address: Option<String>,
}

impl<'a> Guests<'a> {
    /// The list in an event's JSON text; `None`: it is not an event's.
    #[must_use]
    pub fn of(event: &'a [u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Event<'a> {
            #[serde(borrow)]
            attendees: Option<Vec<&'a RawValue>>,
        }
        let event: Event<'a> = serde_json::from_slice(event).ok()?;
        let entry = |raw: &'a RawValue| {
            let value: Option<Value> = serde_json::from_str(raw.get()).ok();
            Entry { raw, address: value.as_ref().and_then(address).map(Cow::into_owned) }
        };
        let entries: Vec<_> = event.attendees.unwrap_or_default().into_iter().map(entry).collect();
        let addresses = entries.iter().filter_map(|entry| entry.address.clone()).collect();
        Some(Self { entries, addresses })
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody is on it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an address ([`normal`](super::attendee::normal)) is on it.
    #[must_use]
    pub fn has(&self, address: &str) -> bool {
        self.addresses.contains(address)
    }

    /// The list without some addresses, in its order, and new guests after it: a JSON array's text.
    #[must_use]
    pub fn changed<'g>(&self, add: impl IntoIterator<Item = &'g Guest>, remove: &HashSet<String>) -> String {
        let stays = |entry: &&Entry<'a>| entry.address.as_ref().is_none_or(|address| !remove.contains(address));
        let kept = self.entries.iter().filter(stays).map(|entry| entry.raw.get().to_owned());
        let new = add.into_iter().map(|guest| Value::Object(guest.entry()).to_string());
        format!("[{}]", kept.chain(new).collect::<Vec<_>>().join(","))
    }
}

/// Whether Google left a part of the guest list out of this answer: writing the rest back would take the others off.
#[must_use]
pub fn hides_guests(event: &Map<String, Value>) -> bool {
    event.get("attendeesOmitted") == Some(&Value::Bool(true))
}

/// Whether this is a guest's copy of the event: what is written to its guest list does not reach the organizer's.
/// `organizer.self` says "whether the organizer corresponds to the calendar on which this copy of the event appears" (API
/// reference).
#[must_use]
pub fn is_guests_copy(event: &Map<String, Value>) -> bool {
    event.get("organizer").is_some_and(|organizer| organizer.get("self") != Some(&Value::Bool(true)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_other_entry_goes_back_byte_for_byte_and_in_its_order() {
        let odd =
            r#"{"email" : "B@x.org","weight":1.10e2,"big":123456789012345678901234567890,"new":{"z":1,"a":"\u00e9"}}"#;
        let text = format!(r#"{{"id":"e","attendees":[{{"email":"a@x.org"}},{odd},{{"id":"room"}},7]}}"#);
        let guests = Guests::of(text.as_bytes()).unwrap();
        assert_eq!((guests.len(), guests.has("b@x.org"), guests.has("c@x.org")), (4, true, false));
        let changed = guests.changed(&[Guest::new("C@x.org")], &HashSet::from(["a@x.org".to_owned()]));
        assert_eq!(
            changed,
            format!(r#"[{odd},{{"id":"room"}},7,{{"email":"C@x.org","responseStatus":"needsAction"}}]"#)
        );
    }

    #[test]
    fn an_event_without_guests_has_an_empty_list() {
        for text in [r#"{"id":"e"}"#, r#"{"attendees":null}"#, r#"{"attendees":[]}"#] {
            let guests = Guests::of(text.as_bytes()).unwrap();
            assert!(guests.is_empty());
            assert_eq!(guests.changed(&[], &HashSet::new()), "[]");
        }
        assert!(Guests::of(b"<html>").is_none());
    }

    #[test]
    fn a_copy_is_a_guests_unless_the_organizer_is_this_calendar() {
        let event = |value: Value| value.as_object().unwrap().clone();
        assert!(is_guests_copy(&event(json!({ "organizer": { "email": "o@x.org" } }))));
        assert!(!is_guests_copy(&event(json!({ "organizer": { "email": "o@x.org", "self": true } }))));
        assert!(!is_guests_copy(&event(json!({}))));
        assert!(hides_guests(&event(json!({ "attendeesOmitted": true }))));
        assert!(!hides_guests(&event(json!({ "attendeesOmitted": false }))));
    }
}
