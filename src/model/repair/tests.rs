use serde_json::json;

use super::*;
use crate::model::compare::compare;

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// What a PATCH does to an event: fields replaced, nulls deleted, objects merged.
fn patched(event: &Map<String, Value>, patch: &Map<String, Value>) -> Map<String, Value> {
    let mut event = event.clone();
    for (name, value) in patch {
        match value {
            Value::Null => drop(event.shift_remove(name)),
            Value::Object(inner) => {
                let old = event.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
                event.insert(name.clone(), Value::Object(patched(&old, inner)));
            }
            _ => drop(event.insert(name.clone(), value.clone())),
        }
    }
    event
}

fn asked() -> Map<String, Value> {
    object(json!({
        "summary": "Class 7",
        "location": "Room 5",
        "start": { "dateTime": "2025-01-07T10:00:00", "timeZone": "Europe/Zurich" },
        "end": { "dateTime": "2025-01-07T11:00:00", "timeZone": "Europe/Zurich" },
        "attendees": [{ "email": "ann@example.com" }, { "email": "ben@example.com" }],
        "extendedProperties": { "private": { "class": "7", "surecalClaims": "old" } },
        "conferenceData": { "createRequest": { "requestId": "r" } },
    }))
}

#[test]
fn a_repair_makes_a_garbled_event_what_was_asked_for_and_keeps_every_guest() {
    let garbled = object(json!({
        "summary": "Xlass 7",
        "location": "Room 6",
        "start": { "date": "2025-01-07" },
        "end": { "date": "2025-01-08" },
        "recurrence": ["RRULE:FREQ=DAILY"],
        "attendees": [{ "email": "Ben@example.com", "responseStatus": "accepted" }, { "email": "eve@example.com" }],
        "extendedProperties": { "private": { "surecalClaims": "new", "surecalPrint": "p" } },
    }));
    let patch = repair_patch(&asked(), &garbled);
    let repaired = patched(&garbled, &patch);
    assert!(compare_whole(&asked(), &repaired).is_equal_where_it_matters());
    assert_eq!(repaired["location"], "Room 5");
    assert_eq!(
        repaired["attendees"],
        json!([
            { "email": "Ben@example.com", "responseStatus": "accepted" },
            { "email": "eve@example.com" },
            { "email": "ann@example.com" },
        ])
    );
    assert_eq!(
        repaired["extendedProperties"]["private"],
        json!({ "surecalClaims": "new", "surecalPrint": "p", "class": "7" })
    );
    assert!(!patch.contains_key("conferenceData"), "a conference is never asked for twice");
    assert!(repaired["start"].get("date").is_none(), "the other kind of time is taken out");
}

#[test]
fn a_repair_touches_nothing_that_is_right_and_no_hidden_guest_list() {
    let mut right = asked();
    right.shift_remove("conferenceData");
    right.insert("start".to_owned(), json!({ "dateTime": "2025-01-07T04:00:00-05:00", "timeZone": "Europe/Zurich" }));
    let mut wanted = asked();
    wanted.shift_remove("conferenceData");
    assert!(repair_patch(&wanted, &right).is_empty());
    right.insert("attendees".to_owned(), json!([{ "email": "ann@example.com" }]));
    right.insert("attendeesOmitted".to_owned(), json!(true));
    assert!(repair_patch(&wanted, &right).is_empty());
}

#[test]
fn the_mask_names_what_a_comparison_reads() {
    let mask = fields_mask(&asked());
    for name in [
        "id",
        "status",
        "etag",
        "summary",
        "start",
        "end",
        "recurrence",
        "location",
        "attendees",
        "attendeesOmitted",
        "conferenceData",
        "organizer/email",
        "extendedProperties/private",
    ] {
        assert_eq!(mask.split(',').filter(|part| *part == name).count(), 1, "{name} in {mask}");
    }
    assert!(!fields_mask(&Map::new()).contains("attendees"));
    let shared = object(json!({ "extendedProperties": { "shared": { "a": "b" } } }));
    assert!(fields_mask(&shared).ends_with(",extendedProperties"));
}

#[test]
fn changes_are_sent_where_they_change_something_and_guests_keep_their_answers() {
    let event = object(json!({
        "summary": "Class 7",
        "description": "a b",
        "start": { "dateTime": "2025-01-07T10:00:00+01:00", "timeZone": "Europe/Zurich" },
        "end": { "dateTime": "2025-01-07T11:00:00+01:00", "timeZone": "Europe/Zurich" },
        "attendees": [{ "email": "ann@example.com", "responseStatus": "accepted" }, { "email": "ben@example.com", "responseStatus": "declined" }],
        "extendedProperties": { "private": { "surecalPrint": "p", "class": "7" } },
    }));
    assert!(changes_patch(&event, &event).is_empty(), "an event sent back as it was changes nothing");
    let changes = object(json!({
        "summary": "Class 7",
        "description": "a  b",
        "location": null,
        "start": { "dateTime": "2025-01-07T09:00:00Z" },
        "end": { "dateTime": "2025-01-07T10:30:00Z" },
        "attendees": [{ "email": "Ann@example.com", "optional": true }, { "email": "cleo@example.com" }],
        "extendedProperties": { "private": { "class": "8", "old": null } },
        "visibility": "default",
    }));
    let patch = changes_patch(&changes, &event);
    assert_eq!(
        Value::Object(patch.clone()),
        json!({
            "description": "a  b",
            "end": { "dateTime": "2025-01-07T10:30:00Z", "date": null },
            "attendees": [
                { "email": "ann@example.com", "responseStatus": "accepted", "optional": true },
                { "email": "cleo@example.com" },
            ],
            "extendedProperties": { "private": { "class": "8", "old": null } },
            "start": { "dateTime": "2025-01-07T09:00:00Z", "date": null },
        })
    );
    assert!(compare(&changes, &patched(&event, &patch)).is_equal_where_it_matters());
}
