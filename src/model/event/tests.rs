use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::Code;
use crate::model::validate::MAX_EVENT_BYTES;

fn lesson() -> Value {
    json!({
        "summary": "Class 7",
        "start": { "dateTime": "2025-01-07T10:00:00+01:00" },
        "end": { "dateTime": "2025-01-07T11:00:00+01:00" },
    })
}

/// A lesson with some members replaced.
fn lesson_with(members: &Value) -> Value {
    let mut lesson = lesson();
    for (name, value) in members.as_object().unwrap() {
        lesson[name] = value.clone();
    }
    lesson
}

fn parse(data: &Value) -> Result<EventData, CalendarError> {
    EventData::parse(&data.to_string(), None)
}

/// The field at fault.
fn fault(members: &Value) -> String {
    let error = parse(&lesson_with(members)).unwrap_err();
    assert_eq!(error.code, Code::ValidationFailed);
    error.field.unwrap()
}

fn print(members: &Value) -> String {
    parse(&lesson_with(members)).unwrap().print()
}

#[test]
fn a_full_event_is_taken_and_sent_as_it_is() {
    let data = lesson_with(&json!({
        "description": "<b>Bring</b> your laptop", "location": "Room 5", "colorId": "11", "visibility": "private",
        "transparency": "transparent", "status": "tentative", "eventType": "default",
        "attendees": [{ "email": "z@example.com", "optional": true, "additionalGuests": 2 }, { "email": "a@example.com", "responseStatus": "needsAction" }],
        "reminders": { "useDefault": false, "overrides": [{ "method": "popup", "minutes": 0 }, { "method": "email", "minutes": 40320 }] },
        "attachments": [{ "fileUrl": "https://example.com/a", "title": "A" }],
        "extendedProperties": { "private": { "class": "7" }, "shared": { "school": "x" } },
        "source": { "title": "School", "url": "https://example.com" },
        "guestsCanInviteOthers": false, "guestsCanModify": true, "guestsCanSeeOtherGuests": false,
        "conferenceData": { "createRequest": { "requestId": "r", "conferenceSolutionKey": { "type": "hangoutsMeet" } } },
    }));
    let event = parse(&data).unwrap();
    assert_eq!(&Value::Object(event.body().unwrap().clone()), &data);
    assert_eq!(Value::Object(event.body().unwrap().clone()).to_string(), data.to_string(), "also in the order given");
    assert!(
        event.has_guests() && event.asks_for_conference() && event.has_attachments() && event.warnings().is_empty()
    );
    let bare = parse(&lesson()).unwrap();
    assert!(!bare.has_guests() && !bare.asks_for_conference() && !bare.has_attachments());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of one line a case")]
fn every_wrong_field_is_told_by_its_path_before_anything_is_sent() {
    let cases = [
        (json!({ "summary": 5 }), "eventData.summary"),
        (json!({ "description": ["x"] }), "eventData.description"),
        (json!({ "guestsCanModify": "yes" }), "eventData.guestsCanModify"),
        (json!({ "colorId": "12" }), "eventData.colorId"),
        (json!({ "colorId": 5 }), "eventData.colorId"),
        (json!({ "visibility": "secret" }), "eventData.visibility"),
        (json!({ "transparency": "busy" }), "eventData.transparency"),
        (json!({ "status": "cancelled" }), "eventData.status"),
        (json!({ "eventType": "fromGmail" }), "eventData.eventType"),
        (json!({ "id": "abcde" }), "eventData.id"),
        (json!({ "sumary": "x" }), "eventData.sumary"),
        (json!({ "__proto__": {} }), "eventData"),
        (json!({ "a secret, told as a key": 1 }), "eventData"),
        (json!({ "start": null }), "eventData.start"),
        (json!({ "start": "2025-01-07" }), "eventData.start"),
        (json!({ "start": {} }), "eventData.start"),
        (json!({ "start": { "date": "2025-01-07", "dateTime": "2025-01-07T10:00:00Z" } }), "eventData.start"),
        (json!({ "start": { "date": "2025-02-30" } }), "eventData.start.date"),
        (json!({ "start": { "dateTime": "tomorrow" } }), "eventData.start.dateTime"),
        (json!({ "start": { "dateTime": "2025-01-07T10:00:00" } }), "eventData.start.dateTime"),
        (
            json!({ "start": { "dateTime": "2025-01-07T10:00:00Z", "timeZone": "Mars/Olympus" } }),
            "eventData.start.timeZone",
        ),
        (json!({ "start": { "dateTime": "2025-01-07T10:00:00Z", "zone": "UTC" } }), "eventData.start.zone"),
        (json!({ "end": { "dateTime": "2025-01-07T10:00:00+01:00" } }), "eventData.end"),
        (json!({ "end": { "dateTime": "2025-01-07T09:30:00+01:00" } }), "eventData.end"),
        (json!({ "end": { "date": "2025-01-08" } }), "eventData.end"),
        (json!({ "start": { "date": "2025-01-07" }, "end": { "date": "2025-01-07" } }), "eventData.end"),
        (json!({ "recurrence": "RRULE:FREQ=DAILY" }), "eventData.recurrence"),
        (json!({ "recurrence": ["FREQ=DAILY"] }), "eventData.recurrence[0]"),
        (json!({ "recurrence": [5] }), "eventData.recurrence[0]"),
        (json!({ "recurrence": ["RRULE:FREQ=DAILY"] }), "eventData.start.timeZone"),
        (json!({ "attendees": "ann@example.com" }), "eventData.attendees"),
        (json!({ "attendees": ["ann@example.com"] }), "eventData.attendees[0]"),
        (json!({ "attendees": [null] }), "eventData.attendees[0]"),
        (json!({ "attendees": [{}] }), "eventData.attendees[0].email"),
        (json!({ "attendees": [{ "email": "ann" }] }), "eventData.attendees[0].email"),
        (json!({ "attendees": [{ "email": "a@x.org" }, { "email": "A@X.org" }] }), "eventData.attendees[1].email"),
        (json!({ "attendees": [{ "email": "a@x.org", "optional": 1 }] }), "eventData.attendees[0].optional"),
        (
            json!({ "attendees": [{ "email": "a@x.org", "additionalGuests": -1 }] }),
            "eventData.attendees[0].additionalGuests",
        ),
        (
            json!({ "attendees": [{ "email": "a@x.org", "additionalGuests": 1.5 }] }),
            "eventData.attendees[0].additionalGuests",
        ),
        (
            json!({ "attendees": [{ "email": "a@x.org", "responseStatus": "maybe" }] }),
            "eventData.attendees[0].responseStatus",
        ),
        (
            json!({ "reminders": { "overrides": [{ "method": "popup", "minutes": 40321 }] } }),
            "eventData.reminders.overrides[0].minutes",
        ),
        (
            json!({ "reminders": { "overrides": [{ "method": "sms", "minutes": 1 }] } }),
            "eventData.reminders.overrides[0].method",
        ),
        (json!({ "reminders": { "overrides": [{ "method": "popup" }] } }), "eventData.reminders.overrides[0].minutes"),
        (
            json!({ "reminders": { "overrides": vec![json!({ "method": "popup", "minutes": 1 }); 6] } }),
            "eventData.reminders.overrides",
        ),
        (
            json!({ "reminders": { "useDefault": true, "overrides": [{ "method": "popup", "minutes": 1 }] } }),
            "eventData.reminders",
        ),
        (json!({ "attachments": vec![json!({ "fileUrl": "https://example.com" }); 26] }), "eventData.attachments"),
        (json!({ "attachments": [{ "title": "x" }] }), "eventData.attachments[0].fileUrl"),
        (json!({ "extendedProperties": { "public": {} } }), "eventData.extendedProperties.public"),
        (json!({ "extendedProperties": { "private": { "a": 5 } } }), "eventData.extendedProperties.private"),
        (
            json!({ "extendedProperties": { "private": { "k".repeat(45): "v" } } }),
            "eventData.extendedProperties.private",
        ),
        (
            json!({ "extendedProperties": { "shared": { "k": "v".repeat(1025) } } }),
            "eventData.extendedProperties.shared",
        ),
        (json!({ "extendedProperties": { "shared": { "": "v" } } }), "eventData.extendedProperties.shared"),
        (
            json!({ "extendedProperties": { "private": { "surecalPrint": "v" } } }),
            "eventData.extendedProperties.private",
        ),
        (json!({ "extendedProperties": { "shared": { "SureCalX": "v" } } }), "eventData.extendedProperties.shared"),
        (json!({ "conferenceData": "meet" }), "eventData.conferenceData"),
        (json!({ "conferenceData": { "createRequest": 5 } }), "eventData.conferenceData.createRequest"),
        (
            json!({ "conferenceData": { "createRequest": { "requestId": 5 } } }),
            "eventData.conferenceData.createRequest.requestId",
        ),
        (
            json!({ "start": { "dateTime": "1970-01-01T00:00:00Z" }, "end": { "dateTime": "1970-01-01T00:01:00Z" } }),
            "eventData.start",
        ),
    ];
    for (members, path) in cases {
        assert_eq!(fault(&members), path, "{members}");
    }
    assert_eq!(parse(&json!({ "summary": "x" })).unwrap_err().field.as_deref(), Some("eventData.start"));
}

#[test]
fn text_that_is_no_event_is_a_typed_error() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let large = format!(r#"{{"summary":"{}"}}"#, "x".repeat(MAX_EVENT_BYTES));
    let surrogate = r#"{"summary":"\ud800"}"#;
    for text in ["", "null", "[]", "5", "\"x\"", "{", "{\"a\":NaN}", "{} {}", surrogate, &deep, &large] {
        let error = EventData::parse(text, None).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::ValidationFailed, Some("eventData")));
    }
    let error = EventData::parse(&lesson().to_string(), Some("Mars/Olympus")).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("timeZone"));
}

#[test]
fn properties_leave_room_for_our_own_within_googles_limits() {
    let many = |count: usize, size: usize| {
        let texts: Map<String, Value> = (0..count).map(|i| (format!("k{i}"), json!("v".repeat(size)))).collect();
        json!({ "extendedProperties": { "shared": texts } })
    };
    assert!(parse(&lesson_with(&many(296, 10))).is_ok());
    assert_eq!(fault(&many(297, 10)), "eventData.extendedProperties");
    assert!(parse(&lesson_with(&many(30, 1000))).is_ok());
    assert_eq!(fault(&many(31, 1000)), "eventData.extendedProperties");
}

#[test]
fn no_error_and_no_debug_repeats_a_value() {
    let secret = "Sec-ret";
    for members in [
        json!({ "colorId": secret }),
        json!({ "start": { "dateTime": secret } }),
        json!({ "start": { "dateTime": "2025-01-07T10:00:00", "timeZone": secret } }),
        json!({ "attendees": [{ "email": secret }] }),
        json!({ "recurrence": [secret] }),
        json!({ secret: 1 }),
        json!({ "source": { secret: 1 } }),
        json!({ "extendedProperties": { "private": { secret.repeat(10): "x" } } }),
    ] {
        let error = parse(&lesson_with(&members)).unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.field).contains(secret), "{members}");
    }
    let event = parse(&lesson_with(&json!({ "summary": secret }))).unwrap();
    assert_eq!(format!("{event:?}"), "EventData(117 bytes)");
}

#[test]
fn a_copied_event_loses_what_google_alone_writes_and_says_so() {
    let event = parse(&lesson_with(&json!({
        "kind": "calendar#event", "etag": "\"1\"", "htmlLink": "x", "iCalUID": "u", "organizer": { "email": "o@x.org" },
        "sequence": 3, "hangoutLink": null, "attendeesOmitted": true,
        "attendees": [{ "email": "a@x.org", "self": true, "organizer": true, "responseStatus": "accepted" }],
    })))
    .unwrap();
    let told: BTreeSet<_> = event.warnings().iter().filter_map(|warning| warning.field.as_deref()).collect();
    assert_eq!(told, ["attendeesOmitted", "etag", "htmlLink", "iCalUID", "kind", "organizer", "sequence"].into());
    assert_eq!(event.body().unwrap().keys().collect::<Vec<_>>(), ["summary", "start", "end", "attendees"]);
}

#[test]
fn an_empty_word_is_not_sent_and_deletes_in_changes() {
    let empty = json!({ "colorId": "", "visibility": "", "start": { "dateTime": "2025-01-07T09:00:00Z", "date": "", "timeZone": "" } });
    let event = parse(&lesson_with(&empty)).unwrap();
    assert!(!event.body().unwrap().contains_key("colorId") && !event.body().unwrap().contains_key("visibility"));
    assert_eq!(event.body().unwrap()["start"], json!({ "dateTime": "2025-01-07T09:00:00Z" }));
    let changes = EventChanges::parse(&empty.to_string(), None).unwrap();
    assert_eq!((&changes.body()["colorId"], &changes.body()["start"]["date"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_zone_is_written_where_a_time_needs_one_and_nowhere_else() {
    let zoned = |data: &Value| EventData::parse(&data.to_string(), Some("Europe/Zurich")).unwrap().body().unwrap();
    let floating = zoned(&json!({
        "start": { "dateTime": "2025-01-07T10:00:00" }, "end": { "dateTime": "2025-01-07T11:00:00.5" },
    }));
    assert_eq!(floating["start"]["timeZone"], "Europe/Zurich");
    assert_eq!(floating["end"]["timeZone"], "Europe/Zurich");
    let offset = zoned(&lesson());
    assert!(offset["start"].get("timeZone").is_none());
    let all_day = zoned(
        &json!({ "start": { "date": "2025-01-07" }, "end": { "date": "2025-01-08" }, "recurrence": ["RRULE:FREQ=DAILY"] }),
    );
    assert!(all_day["start"].get("timeZone").is_none());
    let series = zoned(&lesson_with(&json!({ "recurrence": ["RRULE:FREQ=DAILY"] })));
    assert_eq!(series["start"]["timeZone"], "Europe/Zurich");
    assert_eq!(series["end"]["timeZone"], "Europe/Zurich");
    let own = zoned(&json!({
        "start": { "dateTime": "2025-01-07T10:00:00", "timeZone": "Asia/Tokyo" }, "end": { "dateTime": "2025-01-07T11:00:00" },
    }));
    assert_eq!(own["end"]["timeZone"], "Asia/Tokyo", "an end is in the zone of its start");
}

#[test]
fn data_that_means_the_same_has_one_fingerprint() {
    let base = print(&json!({}));
    assert_eq!(base.len(), 26);
    for members in [
        json!({ "start": { "dateTime": "2025-01-07T09:00:00Z" } }),
        json!({ "start": { "dateTime": "2025-01-07T09:00:00.750Z" } }),
        json!({ "start": { "dateTime": "2025-01-07T10:00:00", "timeZone": "Europe/Zurich" }, "end": { "dateTime": "2025-01-07T05:00:00-05:00", "date": null } }),
        json!({ "description": "" }),
        json!({ "location": null, "attendees": [], "recurrence": [], "reminders": { "useDefault": true } }),
        json!({ "visibility": "default", "status": "confirmed", "transparency": "opaque", "guestsCanModify": false, "guestsCanInviteOthers": true }),
        json!({ "etag": "\"5\"", "extendedProperties": { "private": {} } }),
    ] {
        assert_eq!(print(&members), base, "{members}");
    }
    let guests = json!({ "attendees": [{ "email": "A@x.org", "optional": false, "responseStatus": "needsAction" }, { "email": "b@x.org" }] });
    let again = json!({ "attendees": [{ "email": "b@X.org", "self": true }, { "email": "a@x.org" }] });
    assert_eq!(print(&guests), print(&again));
    let meet = |id: &str| {
        print(
            &json!({ "conferenceData": { "createRequest": { "requestId": id, "conferenceSolutionKey": { "type": "hangoutsMeet" } } } }),
        )
    };
    assert_eq!(meet("first attempt"), meet("second attempt"));
    assert_ne!(meet("x"), base);
}

#[test]
fn data_that_means_something_else_has_another_fingerprint() {
    let zurich = json!({ "dateTime": "2025-01-07T10:00:00+01:00", "timeZone": "Europe/Zurich" });
    let berlin = json!({ "dateTime": "2025-01-07T10:00:00+01:00", "timeZone": "Europe/Berlin" });
    let end = json!({ "dateTime": "2025-01-07T11:00:00+01:00", "timeZone": "Europe/Zurich" });
    let daily = json!(["RRULE:FREQ=DAILY"]);
    let all = [
        json!({}),
        json!({ "summary": "Class 8" }),
        json!({ "summary": "class 7" }),
        json!({ "start": { "dateTime": "2025-01-07T10:00:01+01:00" } }),
        json!({ "end": { "dateTime": "2025-01-07T11:00:01+01:00" } }),
        json!({ "start": { "date": "2025-01-07" }, "end": { "date": "2025-01-08" } }),
        json!({ "start": zurich, "end": end, "recurrence": daily }),
        json!({ "start": berlin, "end": end, "recurrence": daily }),
        json!({ "start": zurich, "end": end, "recurrence": ["RRULE:FREQ=WEEKLY"] }),
        json!({ "attendees": [{ "email": "a@x.org" }] }),
        json!({ "attendees": [{ "email": "a@x.org", "optional": true }] }),
        json!({ "attendees": [{ "email": "a@x.org" }, { "email": "b@x.org" }] }),
        json!({ "location": "Room 5" }),
        json!({ "description": "Room 5" }),
        json!({ "visibility": "private" }),
        json!({ "reminders": { "useDefault": false } }),
        json!({ "extendedProperties": { "private": { "a": "b" } } }),
        json!({ "extendedProperties": { "shared": { "a": "b" } } }),
    ];
    let prints: BTreeSet<_> = all.iter().map(print).collect();
    assert_eq!(prints.len(), all.len());
}

#[test]
fn an_event_hash_stays_what_it_is_from_release_to_release() {
    // Pinned: SHA-256 of {"end":"at 1736244000","start":"at 1736240400","summary":"Class 7"}. Stamps in old events hold
    // its beginning; another form would refuse their retries.
    let event = parse(&lesson()).unwrap();
    assert_eq!(event.hash(), "b9dd9d4aaaad3d2cbeeea1ea73e8e72113b1361deac6a99eece0c24ef9a8447a");
    assert_eq!(event.print(), "n7epqilalkuipfnek7l77q7744");
}

#[test]
fn changes_are_checked_alike_and_null_deletes() {
    let parse = |value: Value| EventChanges::parse(&value.to_string(), None);
    let changes =
        parse(json!({ "location": null, "extendedProperties": { "private": { "a": null } }, "attendees": null }))
            .unwrap();
    assert_eq!(changes.body()["location"], Value::Null);
    assert_eq!(changes.body()["extendedProperties"]["private"]["a"], Value::Null);
    assert!(parse(json!({})).unwrap().is_empty());
    for (value, field) in [
        (json!({ "start": null }), "changes.start"),
        (json!({ "summary": 5 }), "changes.summary"),
        (json!({ "start": { "timeZone": "UTC" } }), "changes.start"),
        (json!({ "extendedProperties": null }), "changes.extendedProperties"),
        (json!({ "extendedProperties": { "private": null } }), "changes.extendedProperties"),
        (json!({ "extendedProperties": { "private": { "surecalOther": "x" } } }), "changes.extendedProperties.private"),
        (json!({ "status": "cancelled" }), "changes.status"),
        (json!({ "nonsense": 1 }), "changes.nonsense"),
    ] {
        assert_eq!(parse(value.clone()).unwrap_err().field.as_deref(), Some(field), "{value}");
    }
}

#[test]
fn a_fetched_event_sent_back_as_changes_keeps_its_stamps() {
    let fetched = lesson_with(&json!({
        "id": "abcde", "etag": "\"1\"", "extendedProperties": { "private": { "surecalPrint": "p", "surecalClaims": "c", "own": "1" } },
    }));
    let changes = EventChanges::parse(&fetched.to_string(), None).unwrap();
    assert_eq!(changes.body()["extendedProperties"], json!({ "private": { "own": "1" } }));
    assert!(!changes.body().contains_key("id"));
    assert_eq!(changes.warnings().len(), 2);
}

#[test]
fn expected_data_may_be_any_part_of_an_event() {
    for value in [
        json!({}),
        json!({ "summary": "Class 7" }),
        json!({ "start": { "dateTime": "2025-01-07T10:00:00" } }),
        json!({ "start": { "timeZone": "UTC" } }),
        json!({ "summary": null, "title": "x", "id": "abcde", "class": { "level": 7 } }),
        json!({ "end": { "dateTime": "2025-01-07T10:00:00Z" }, "start": { "dateTime": "2025-01-07T11:00:00Z" } }),
    ] {
        assert!(Expected::parse(&value.to_string(), None).is_ok(), "{value}");
    }
    for value in [
        json!({ "summary": 5 }),
        json!({ "start": { "dateTime": "soon" } }),
        json!({ "attendees": ["a@x.org"] }),
        json!([]),
    ] {
        assert!(Expected::parse(&value.to_string(), None).is_err(), "{value}");
    }
}

#[test]
fn our_name_replaces_the_callers_in_a_request_for_a_conference() {
    let event =
        parse(&lesson_with(&json!({ "conferenceData": { "createRequest": { "requestId": "sample123" } } }))).unwrap();
    let mut conference = event.body().unwrap()["conferenceData"].clone();
    name_conference_request(&mut conference, "ours");
    assert_eq!(conference["createRequest"]["requestId"], "ours");
    let mut without = json!({});
    name_conference_request(&mut without, "ours");
    assert_eq!(without, json!({}));
    let copied =
        json!({ "conferenceData": { "createRequest": { "requestId": "x", "status": { "statusCode": "success" } } } });
    assert!(!parse(&lesson_with(&copied)).unwrap().asks_for_conference(), "it was made before");
}

proptest! {
    #[test]
    fn no_text_makes_parsing_panic(text in "\\PC{0,80}", name in "[a-zA-Z.]{0,20}", value in "[0-9TZ:+\\- a-z\"\\\\{}\\[\\]]{0,40}") {
        let _ = EventData::parse(&text, Some("UTC"));
        let mut data = lesson();
        data[name] = Value::String(value.clone());
        data["start"]["dateTime"] = Value::String(value.clone());
        data["recurrence"] = json!([value]);
        let _ = parse(&data);
        let _ = Expected::parse(&data.to_string(), None);
        let _ = EventChanges::parse(&data.to_string(), None);
    }

    #[test]
    fn the_order_of_keys_and_guests_does_not_count(mut order in Just(vec![0_usize, 1, 2, 3, 4]).prop_shuffle()) {
        let members = [
            ("summary", json!("x")), ("location", json!("y")), ("start", lesson()["start"].clone()),
            ("end", lesson()["end"].clone()),
            ("attendees", json!(order.iter().map(|i| json!({ "email": format!("g{i}@x.org") })).collect::<Vec<_>>())),
        ];
        let shuffled: Map<String, Value> = order.iter().map(|i| (members[*i].0.to_owned(), members[*i].1.clone())).collect();
        order.sort_unstable();
        let sorted: Map<String, Value> = order.iter().map(|i| (members[*i].0.to_owned(), members[*i].1.clone())).collect();
        let (a, b) = (parse(&Value::Object(shuffled)).unwrap(), parse(&Value::Object(sorted)).unwrap());
        prop_assert_eq!(a.hash(), b.hash());
    }
}
