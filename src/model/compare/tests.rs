use proptest::prelude::*;
use serde_json::json;

use super::*;

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn asked() -> Map<String, Value> {
    object(json!({
        "summary": "Class 7",
        "description": "Bring your laptop.\nRoom 5 & 6",
        "location": "Room 5",
        "start": { "dateTime": "2025-01-07T09:00:00.250Z", "timeZone": "UTC" },
        "end": { "dateTime": "2025-01-07T10:00:00Z", "timeZone": "UTC" },
        "attendees": [{ "email": "Ann@example.com" }, { "email": "ben@example.com", "optional": true }],
        "extendedProperties": { "private": { "class": "7" } },
        "visibility": "default",
        "guestsCanModify": false,
    }))
}

/// The same as a calendar in New York answers it.
fn answered() -> Map<String, Value> {
    object(json!({
        "kind": "calendar#event", "etag": "\"1\"", "id": "abcde", "status": "confirmed", "sequence": 0,
        "summary": "Class 7",
        "description": "Bring your laptop.<br>Room 5 &amp; 6",
        "location": "Room 5 ",
        "organizer": { "email": "owner@example.com", "self": true },
        "start": { "dateTime": "2025-01-07T04:00:00-05:00", "timeZone": "UTC" },
        "end": { "dateTime": "2025-01-07T05:00:00-05:00", "timeZone": "UTC" },
        "attendees": [
            { "email": "ben@example.com", "optional": true, "responseStatus": "accepted" },
            { "email": "owner@example.com", "organizer": true, "self": true, "responseStatus": "accepted" },
            { "email": "ann@example.com", "responseStatus": "needsAction" },
        ],
        "extendedProperties": { "private": { "class": "7", "surecalPrint": "p", "surecalClaims": "c" } },
        "reminders": { "useDefault": true },
    }))
}

fn answered_with(members: &Value) -> Map<String, Value> {
    let mut event = answered();
    event.extend(members.as_object().cloned().unwrap());
    event
}

fn fields(differences: &[Difference]) -> Vec<&str> {
    differences.iter().map(|difference| difference.field.as_str()).collect()
}

#[test]
fn an_event_that_google_wrote_in_its_own_way_is_equal() {
    let comparison = compare_whole(&asked(), &answered());
    assert_eq!(comparison, Comparison::default());
    assert!(comparison.is_equal_where_it_matters());
}

#[test]
fn every_changed_critical_field_is_found_and_named() {
    for (members, field) in [
        (json!({ "summary": "Different Summary" }), "summary"),
        (json!({ "summary": null }), "summary"),
        (json!({ "start": { "dateTime": "2025-01-07T04:00:01-05:00" } }), "start.dateTime"),
        (json!({ "start": { "date": "2025-01-07" } }), "start.dateTime"),
        (json!({ "start": {} }), "start.dateTime"),
        (json!({ "end": { "dateTime": "2025-01-07T10:00:00-05:00" } }), "end.dateTime"),
        (json!({ "end": null }), "end.dateTime"),
        (json!({ "recurrence": ["RRULE:FREQ=DAILY"] }), "recurrence"),
        (json!({ "attendees": [{ "email": "ann@example.com" }] }), "attendees"),
        (json!({ "attendees": null }), "attendees"),
        (json!({ "status": "cancelled" }), "status"),
    ] {
        let comparison = compare_whole(&asked(), &answered_with(&members));
        assert_eq!(fields(&comparison.critical), [field], "{members}");
        assert!(!comparison.is_equal_where_it_matters());
    }
}

#[test]
fn a_difference_has_the_shape_of_the_details_and_hides_its_values_from_logs() {
    let comparison = compare(&asked(), &answered_with(&json!({ "summary": "Secret" })));
    assert_eq!(
        serde_json::to_value(&comparison.critical).unwrap(),
        json!([{ "field": "summary", "expected": "Class 7", "actual": "Secret" }])
    );
    assert!(!format!("{comparison:?}").contains("Secret"));
    let start = compare(&asked(), &answered_with(&json!({ "start": { "date": "2025-01-07" } })));
    assert_eq!(start.critical[0].expected, "2025-01-07T09:00:00.250Z");
    assert_eq!(start.critical[0].actual, "2025-01-07");
}

#[test]
fn a_changed_other_field_is_a_warning_without_its_value() {
    for (members, field) in [
        (json!({ "description": "Other" }), "description"),
        (json!({ "location": "Room 6" }), "location"),
        (json!({ "visibility": "private" }), "visibility"),
        (json!({ "guestsCanModify": true }), "guestsCanModify"),
        (json!({ "extendedProperties": { "private": { "class": "8" } } }), "extendedProperties"),
        (json!({ "extendedProperties": null }), "extendedProperties"),
        (
            json!({ "attendees": [{ "email": "ann@example.com" }, { "email": "ben@example.com" }] }),
            "attendees.optional",
        ),
    ] {
        let comparison = compare(&asked(), &answered_with(&members));
        assert!(comparison.is_equal_where_it_matters(), "{members}");
        assert_eq!(fields(&comparison.advisory), [field], "{members}");
        let warnings = comparison.warnings();
        assert_eq!(warnings[0].field.as_deref(), Some(field));
        assert!(!warnings[0].message.contains("Room"), "{}", warnings[0].message);
    }
}

#[test]
fn only_what_is_given_is_compared() {
    for expected in [
        json!({}),
        json!({ "summary": "Class 7" }),
        json!({ "start": { "dateTime": "2025-01-07T09:00:00Z" } }),
        json!({ "start": { "timeZone": "UTC" } }),
        json!({ "end": {} }),
        json!({ "attendees": [] }),
        json!({ "id": "other", "class": 7 }),
    ] {
        assert_eq!(compare(&object(expected.clone()), &answered()), Comparison::default(), "{expected}");
    }
    let named = json!({ "summary": "", "location": "" });
    let comparison = compare(&object(named), &answered());
    assert_eq!((fields(&comparison.critical), fields(&comparison.advisory)), (vec!["summary"], vec!["location"]));
}

#[test]
fn a_time_without_offset_or_zone_is_read_on_the_calendars_clock() {
    let floating = |text: &str| object(json!({ "start": { "dateTime": text } }));
    assert!(compare(&floating("2025-01-07T04:00:00"), &answered()).is_equal_where_it_matters());
    assert!(
        compare(&floating("2025-01-07T09:00:00"), &answered()).is_equal_where_it_matters(),
        "or in the event's zone"
    );
    assert!(!compare(&floating("2025-01-07T05:00:00"), &answered()).is_equal_where_it_matters());
    let zoned = object(json!({ "start": { "dateTime": "2025-01-07T04:00:00", "timeZone": "Europe/Zurich" } }));
    assert!(!compare(&zoned, &answered()).is_equal_where_it_matters(), "a zone of its own is meant");
}

#[test]
fn a_local_time_that_exists_twice_matches_either_moment() {
    let expected = object(json!({ "start": { "dateTime": "2025-10-26T02:30:00", "timeZone": "Europe/Zurich" } }));
    for (text, equal) in
        [("2025-10-26T02:30:00+02:00", true), ("2025-10-26T02:30:00+01:00", true), ("2025-10-26T02:30:00Z", false)]
    {
        let actual = object(json!({ "start": { "dateTime": text, "timeZone": "Europe/Zurich" } }));
        assert_eq!(compare(&expected, &actual).is_equal_where_it_matters(), equal, "{text}");
    }
}

#[test]
fn all_day_events_are_compared_as_days() {
    let expected = object(json!({ "start": { "date": "2025-01-07" }, "end": { "date": "2025-01-08" } }));
    assert_eq!(compare(&expected, &expected), Comparison::default());
    let other = object(json!({ "start": { "date": "2025-01-06" }, "end": { "dateTime": "2025-01-08T00:00:00Z" } }));
    assert_eq!(fields(&compare(&expected, &other).critical), ["start.date", "end.date"]);
}

#[test]
fn a_series_must_be_expanded_by_the_same_clock() {
    let series = |zone: &str| {
        object(json!({
            "start": { "dateTime": "2025-01-07T09:00:00Z", "timeZone": zone },
            "recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=20250301"],
        }))
    };
    assert_eq!(compare(&series("Europe/Zurich"), &series("Europe/Berlin")), Comparison::default(), "it ticks alike");
    assert_eq!(compare(&series("Asia/Calcutta"), &series("Asia/Kolkata")), Comparison::default());
    let moved = compare(&series("Europe/Zurich"), &series("Africa/Lagos"));
    assert_eq!(fields(&moved.critical), ["start.timeZone"]);
    let single = |zone: &str| object(json!({ "start": { "dateTime": "2025-01-07T09:00:00Z", "timeZone": zone } }));
    let shown = compare(&single("Europe/Zurich"), &single("Africa/Lagos"));
    assert_eq!((fields(&shown.critical), fields(&shown.advisory)), (vec![], vec!["start.timeZone"]));
    assert_eq!(fields(&compare(&series("UTC"), &series("Mars/Olympus")).advisory), ["start.timeZone"]);
}

#[test]
fn recurrence_is_compared_by_its_meaning() {
    let event = |lines: &[&str]| {
        object(
            json!({ "start": { "dateTime": "2025-01-07T09:00:00Z", "timeZone": "Europe/Zurich" }, "recurrence": lines }),
        )
    };
    let asked = event(&["RRULE:FREQ=WEEKLY;COUNT=5"]);
    assert!(compare(&asked, &event(&["RRULE:COUNT=5;FREQ=WEEKLY;BYDAY=TU"])).is_equal_where_it_matters());
    for other in [&["RRULE:FREQ=WEEKLY;COUNT=4"][..], &[], &["RRULE:FREQ=WEEKLY;COUNT=5", "EXDATE:20250114T090000Z"]] {
        assert_eq!(fields(&compare(&asked, &event(other)).critical), ["recurrence"]);
    }
}

#[test]
fn a_hidden_guest_list_is_unverifiable_and_no_mismatch() {
    let hidden = answered_with(&json!({ "attendees": [{ "email": "ann@example.com" }], "attendeesOmitted": true }));
    let comparison = compare(&asked(), &hidden);
    assert!(comparison.is_equal_where_it_matters());
    assert_eq!(comparison.unverifiable, [Unverifiable::AttendeesOmitted]);
    assert_eq!(comparison.warnings()[0].code, Warning::ATTENDEES_OMITTED);
    let complete = answered_with(&json!({ "attendeesOmitted": true }));
    assert_eq!(compare(&asked(), &complete), Comparison::default(), "all requested ones are seen");
}

#[test]
fn the_organizer_takes_part_without_an_entry() {
    let expected = object(json!({ "attendees": [{ "email": "Owner@Example.com" }] }));
    assert!(compare(&expected, &answered_with(&json!({ "attendees": [] }))).is_equal_where_it_matters());
}

#[test]
fn a_conference_is_there_or_pending_or_told_as_missing() {
    let expected = object(json!({ "conferenceData": { "createRequest": { "requestId": "r" } } }));
    let with_status = |status: &str| {
        object(
            json!({ "conferenceData": { "createRequest": { "requestId": "r", "status": { "statusCode": status } } } }),
        )
    };
    assert_eq!(compare(&expected, &with_status("pending")).unverifiable, [Unverifiable::ConferencePending]);
    assert_eq!(compare(&expected, &with_status("success")), Comparison::default());
    let made = object(json!({ "conferenceData": { "conferenceId": "abc", "entryPoints": [] } }));
    assert_eq!(compare(&expected, &made), Comparison::default());
    for actual in [with_status("failure"), Map::new()] {
        assert_eq!(fields(&compare(&expected, &actual).advisory), ["conferenceData"]);
    }
}

#[test]
fn after_changes_nobody_is_on_a_replaced_guest_list_who_was_taken_off() {
    let changes = object(json!({ "attendees": [{ "email": "ann@example.com" }], "location": null }));
    let comparison = compare_changes(&changes, &answered());
    assert!(comparison.is_equal_where_it_matters());
    assert_eq!(fields(&comparison.advisory), ["location", "attendees"]);
    let cleared = answered_with(&json!({ "attendees": [{ "email": "owner@example.com" }], "location": null }));
    assert_eq!(
        compare_changes(&object(json!({ "attendees": null, "location": null })), &cleared),
        Comparison::default()
    );
}

#[test]
fn lists_and_objects_are_compared_as_sets() {
    let reminders = |first: u32, second: u32| {
        object(json!({ "reminders": { "useDefault": false, "overrides": [
            { "method": "popup", "minutes": first }, { "method": "popup", "minutes": second },
        ] } }))
    };
    assert_eq!(compare(&reminders(5, 10), &reminders(10, 5)), Comparison::default());
    assert_eq!(fields(&compare(&reminders(5, 10), &reminders(5, 11)).advisory), ["reminders"]);
    let mut one_more = reminders(5, 10);
    if let Some(list) = one_more["reminders"]["overrides"].as_array_mut() {
        list.push(json!({ "method": "email", "minutes": 5 }));
    }
    assert_eq!(fields(&compare(&reminders(5, 10), &one_more).advisory), ["reminders"]);
}

proptest! {
    #[test]
    fn an_event_equals_itself_written_in_another_zone(second in 1_000_000_000_i64..3_000_000_000, zone in 0_usize..4) {
        let zone = zone_named(["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"][zone]).unwrap();
        let at = Timestamp::from_second(second).unwrap();
        let local = at.to_zoned_datetime(zone);
        let text = local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let expected = object(json!({ "start": { "dateTime": at.to_string() } }));
        let actual = |text: &str| object(json!({ "start": { "dateTime": text } }));
        prop_assert!(compare(&expected, &actual(&text)).is_equal_where_it_matters(), "{}", text);
        let later = Timestamp::from_second(second + 1).unwrap().to_string();
        prop_assert!(!compare(&expected, &actual(&later)).is_equal_where_it_matters());
    }

    #[test]
    fn a_missing_guest_is_always_found(count in 1_usize..20, missing in 0_usize..20) {
        let guests: Vec<_> = (0..count).map(|i| json!({ "email": format!("G{i}@x.org") })).collect();
        let mut fewer: Vec<_> = (0..count).rev().map(|i| json!({ "email": format!("g{i}@x.org") })).collect();
        let expected = object(json!({ "attendees": guests }));
        let all = object(json!({ "attendees": fewer }));
        prop_assert!(compare(&expected, &all).is_equal_where_it_matters());
        fewer.remove(missing % count);
        let one_less = object(json!({ "attendees": fewer }));
        prop_assert!(!compare(&expected, &one_less).is_equal_where_it_matters());
    }
}
