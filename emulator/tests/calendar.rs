//! What Google does to events, as far as it is known.
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod stage;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use stage::{CALENDAR, OWNER, Stage, class, object};
use surecal_emulator::{Behaviour, ConferenceOutcome, MailKind, NewCalendar, NewUser, Role};

#[test]
fn an_insert_answers_with_what_the_server_adds_and_tells_times_in_the_calendars_zone() {
    let stage = Stage::new();
    let reply = stage.insert(&class(
        json!({ "id": "class001", "start": { "dateTime": "2027-07-01T14:00:00.5Z", "timeZone": "UTC" } }),
    ));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.head["etag"].to_str().unwrap(), reply.etag());
    let body = &reply.body;
    assert_eq!(body["kind"], "calendar#event");
    assert_eq!(body["status"], "confirmed");
    assert_eq!(body["iCalUID"], "class001@google.com");
    assert_eq!(body["start"], json!({ "dateTime": "2027-07-01T10:00:00-04:00", "timeZone": "UTC" }));
    assert_eq!(body["creator"], json!({ "email": OWNER }));
    assert_eq!(body["organizer"], json!({ "email": CALENDAR, "self": true }));
    assert_eq!(body["reminders"], json!({ "useDefault": true }));
    assert_eq!((&body["sequence"], &body["eventType"]), (&json!(0), &json!("default")));
    let elsewhere = stage.send(Method::GET, "/class001?timeZone=Asia/Kolkata", None, &Value::Null);
    assert_eq!(elsewhere.body["start"]["dateTime"], "2027-07-01T19:30:00+05:30");
}

#[test]
fn ids_are_checked_made_when_absent_and_taken_for_ever() {
    let stage = Stage::new();
    for bad in ["abcd", "abcw5", "ABCDE", "abc-de", "a/../b", &"a".repeat(1025)] {
        let reply = stage.insert(&class(json!({ "id": bad })));
        assert_eq!((reply.status, reply.reason()), (400, "invalid"), "{bad}");
    }
    let made = stage.insert(&class(json!({}))).body["id"].as_str().unwrap().to_owned();
    assert_eq!(stage.get(&made).status, 200);

    assert_eq!(stage.insert(&class(json!({ "id": "class001" }))).status, 200);
    let again = stage.insert(&class(json!({ "id": "class001" })));
    let words = "The requested identifier already exists.";
    let error = json!({ "domain": "global", "reason": "duplicate", "message": words });
    assert_eq!(again.body, json!({ "error": { "errors": [error], "code": 409, "message": words } }));
    assert_eq!(stage.delete("class001", None).status, 204);
    assert_eq!(stage.insert(&class(json!({ "id": "class001" }))).status, 409);
    assert!(stage.google.purge_event(CALENDAR, "class001"));
    assert_eq!(stage.insert(&class(json!({ "id": "class001" }))).status, 200);
}

#[test]
fn a_deleted_event_is_read_as_cancelled_deleted_as_410_and_changed_as_403() {
    let stage = Stage::new();
    stage.insert(&class(json!({ "id": "class001" })));
    assert_eq!(stage.delete("never01", None).status, 404);
    assert_eq!(stage.delete("class001", None).status, 204);
    let again = stage.delete("class001", None);
    assert_eq!((again.status, again.reason()), (410, "deleted"));
    let read = stage.get("class001");
    assert_eq!(
        (read.status, &read.body["status"], &read.body["summary"]),
        (200, &json!("cancelled"), &json!("Algebra"))
    );
    assert_eq!(stage.patch("class001", None, &json!({ "status": "confirmed" })).reason(), "forbidden");
    assert_eq!(stage.patch("class001", Some("\"old\""), &json!({ "summary": "x" })).status, 412);
    stage.google.set_behaviour(Behaviour { revive_cancelled: true, ..Behaviour::default() });
    assert_eq!(stage.put("class001", None, &class(json!({}))).body["status"], "confirmed");
}

#[test]
fn an_etag_changes_with_every_change_and_guards_writes() {
    let stage = Stage::new();
    let first = stage.insert(&class(json!({ "id": "class001" }))).etag();
    let second = stage.patch("class001", Some(&first), &json!({ "summary": "Geometry" })).etag();
    assert_ne!(first, second);
    assert_eq!(stage.patch("class001", None, &json!({ "summary": "Geometry" })).etag(), second, "nothing changed");
    let moved = stage.patch("class001", None, &json!({ "extendedProperties": { "private": { "a": "1" } } })).etag();
    assert_ne!(moved, second);
    for reply in [
        stage.patch("class001", Some(&first), &json!({ "summary": "x" })),
        stage.put("class001", Some(&second), &class(json!({}))),
        stage.delete("class001", Some(&second)),
    ] {
        assert_eq!((reply.status, reply.reason()), (412, "conditionNotMet"));
    }
    assert_eq!(stage.get("class001").body["summary"], "Geometry");
    let mut request = stage.request(Method::GET, "/class001", None, &Value::Null);
    request.headers_mut().insert("if-none-match", moved.parse().unwrap());
    assert_eq!(stage.any(request).status, 304);
    assert_eq!(stage.delete("class001", Some(&moved)).status, 204);
    assert_eq!(stage.google.history(CALENDAR, "class001").len(), 4);
}

#[test]
fn a_put_resets_what_it_does_not_say_and_a_patch_leaves_it() {
    let stage = Stage::new();
    stage.insert(&class(json!({
        "id": "class001", "location": "Room 1", "visibility": "private",
        "extendedProperties": { "private": { "stamp": "s" } }, "attendees": [{ "email": "a@x.test" }],
    })));
    let patched = stage.patch("class001", None, &json!({ "description": "d", "location": null })).body;
    assert_eq!(patched["extendedProperties"]["private"]["stamp"], "s");
    assert!(patched.get("location").is_none());
    let put = stage.put("class001", None, &class(json!({}))).body;
    for gone in ["extendedProperties", "attendees", "visibility", "description"] {
        assert!(put.get(gone).is_none(), "{gone}");
    }
    assert_eq!(stage.put("class001", None, &json!({ "summary": "no times" })).reason(), "required");
}

#[test]
fn bad_bodies_are_refused_in_googles_words() {
    let stage = Stage::new();
    let refused = |extra: Value| {
        let reply = stage.insert(&class(extra));
        assert_eq!(reply.status, 400);
        let error = &reply.body["error"]["errors"][0];
        (error["reason"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    };
    let end = "2027-07-01T15:00:00.000-07:0";
    assert_eq!(
        refused(json!({ "end": { "dateTime": end } })).1,
        format!("Invalid value for: Invalid format: \"{end}\" is malformed at \"-07:0\"")
    );
    assert_eq!(refused(json!({ "end": { "dateTime": "2027-07-01T13:00:00Z" } })).0, "timeRangeEmpty");
    assert_eq!(refused(json!({ "end": null })), ("required".into(), "Missing end time.".into()));
    assert_eq!(refused(json!({ "end": { "date": "2027-07-02" } })).0, "invalid");
    assert_eq!(
        refused(json!({ "start": { "dateTime": "2027-07-01T10:00:00" } })).1,
        "Missing time zone definition for start time."
    );
    assert_eq!(
        refused(json!({ "recurrence": ["RRULE:FREQ=WEEKLY"] })).1,
        "Missing time zone definition for start time."
    );
    for bad in [
        json!({ "attendees": [{ "email": "nobody" }] }),
        json!({ "recurrence": ["EVERY DAY"] }),
        json!({ "reminders": { "useDefault": true, "overrides": [{ "method": "popup", "minutes": 5 }] } }),
        json!({ "reminders": { "useDefault": false, "overrides": [{ "method": "popup", "minutes": 40321 }] } }),
        json!({ "summary": 5 }),
        json!({ "visibility": "hidden" }),
    ] {
        refused(bad);
    }
    let mut request = stage.request(Method::POST, "", None, &Value::Null);
    *request.body_mut() = Bytes::from_static(b"{\"summary\":");
    assert_eq!(stage.any(request).reason(), "parseError");
    assert_eq!(stage.google.counts().live_events, 0);
}

#[test]
fn all_day_and_recurring_events_are_kept_as_given() {
    let stage = Stage::new();
    let day = stage.insert(&class(json!({ "start": { "date": "2027-07-01" }, "end": { "date": "2027-07-02" } })));
    assert_eq!(day.body["start"], json!({ "date": "2027-07-01" }));
    let zone = json!({ "dateTime": "2027-07-01T10:00:00", "timeZone": "America/New_York" });
    let end = json!({ "dateTime": "2027-07-01T11:00:00", "timeZone": "America/New_York" });
    let series =
        stage.insert(&class(json!({ "start": zone, "end": end, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"] })));
    assert_eq!(series.body["start"]["dateTime"], "2027-07-01T10:00:00-04:00");
    assert_eq!(series.body["recurrence"], json!(["RRULE:FREQ=WEEKLY;COUNT=4"]));
}

#[test]
fn lists_page_filter_and_hide_deleted_events() {
    let stage = Stage::new();
    for number in 0..5 {
        let stamp = if number % 2 == 0 { "even" } else { "odd" };
        stage.insert(&class(
            json!({ "id": format!("class{number}"), "extendedProperties": { "private": { "kind": stamp } } }),
        ));
    }
    stage.delete("class4", None);
    let ids = |reply: &stage::Reply| -> Vec<String> {
        reply.body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = stage.list("maxResults=3");
    assert_eq!(ids(&first), ["class0", "class1", "class2"]);
    assert!(first.body.get("nextSyncToken").is_none());
    let token = first.body["nextPageToken"].as_str().unwrap();
    let second = stage.list(&format!("maxResults=3&pageToken={token}"));
    assert_eq!(ids(&second), ["class3"]);
    assert!(second.body.get("nextPageToken").is_none());
    assert_eq!(stage.list("pageToken=junk").status, 400);
    assert_eq!(
        ids(&stage.list("showDeleted=true&privateExtendedProperty=kind%3Deven")),
        ["class0", "class2", "class4"]
    );
    assert_eq!(ids(&stage.list("iCalUID=class3@google.com")), ["class3"]);
    assert_eq!(ids(&stage.list("timeMin=2027-07-01T15:00:00Z")), Vec::<String>::new());
    assert_eq!(ids(&stage.list("timeMax=2027-07-01T14:00:01Z&maxResults=1")), ["class0"]);
    let empty = stage.list("timeMin=2027-07-02T00:00:00Z&timeMax=2027-07-01T00:00:00Z");
    assert_eq!((empty.status, empty.reason()), (400, "timeRangeEmpty"));

    let sync = second.body["nextSyncToken"].as_str().unwrap();
    stage.patch("class1", None, &json!({ "summary": "new" }));
    stage.delete("class2", None);
    assert_eq!(ids(&stage.list(&format!("syncToken={sync}"))), ["class1", "class2"]);
    assert_eq!(stage.list("syncToken=old").reason(), "fullSyncRequired");
    assert_eq!(stage.list(&format!("syncToken={sync}&q=x")).status, 400);
}

#[test]
fn partial_replies_hold_only_the_fields_asked_for() {
    let stage = Stage::new();
    stage.insert(&class(json!({ "id": "class001", "attendees": [{ "email": "a@x.test" }] })));
    let get = stage.send(Method::GET, "/class001?fields=id,attendees(email)", None, &Value::Null);
    assert_eq!(get.body, json!({ "id": "class001", "attendees": [{ "email": "a@x.test" }] }));
    assert_eq!(stage.list("fields=items/id").body, json!({ "items": [{ "id": "class001" }] }));
    assert_eq!(stage.send(Method::GET, "/class001?fields=nonsense", None, &Value::Null).status, 400);
}

#[test]
fn guests_can_be_hidden_and_an_answer_changes_nobody_else() {
    let stage = Stage::new();
    stage.insert(&class(json!({ "id": "class001", "attendees": [{ "email": OWNER }, { "email": "b@x.test" }] })));
    let short = stage.send(Method::GET, "/class001?maxAttendees=1", None, &Value::Null).body;
    assert_eq!(short["attendeesOmitted"], true);
    assert_eq!(short["attendees"].as_array().unwrap().len(), 1);
    stage.patch(
        "class001",
        None,
        &json!({ "attendeesOmitted": true, "attendees": [{ "email": OWNER, "responseStatus": "declined" }] }),
    );
    assert_eq!(stage.get("class001").body["attendees"].as_array().unwrap().len(), 2);
}

#[test]
fn mails_follow_send_updates() {
    let stage = Stage::new();
    stage.google.add_user(NewUser { email: "inside@school.test".into(), ..NewUser::default() }).unwrap();
    let guests = json!([{ "email": OWNER }, { "email": "inside@school.test" }, { "email": "outside@x.test" }]);
    let body = |id: &str| class(json!({ "id": id, "attendees": guests }));
    let told = |query: &str, id: &str| {
        let before = stage.google.mails().len();
        assert_eq!(stage.send(Method::POST, query, None, &body(id)).status, 200);
        stage.google.mails().split_off(before).into_iter().map(|mail| mail.to).collect::<Vec<_>>()
    };
    assert_eq!(told("?sendUpdates=all", "class001"), ["inside@school.test", "outside@x.test"]);
    assert_eq!(told("?sendUpdates=externalOnly", "class002"), ["outside@x.test"]);
    assert!(told("?sendUpdates=none", "class003").is_empty());
    assert!(told("", "class004").is_empty());
    assert_eq!(told("?sendNotifications=true", "class005").len(), 2);
    assert_eq!(stage.send(Method::POST, "?sendUpdates=some", None, &body("class006")).status, 400);

    let before = stage.google.mails().len();
    stage.send(
        Method::PATCH,
        "/class001?sendUpdates=all",
        None,
        &json!({ "extendedProperties": { "private": { "a": "b" } } }),
    );
    assert_eq!(stage.google.mails().len(), before, "a private property is nobody's news");
    stage.send(
        Method::PATCH,
        "/class001?sendUpdates=all",
        None,
        &json!({ "summary": "moved", "attendees": [{ "email": "outside@x.test" }] }),
    );
    stage.send(Method::DELETE, "/class001?sendUpdates=all", None, &Value::Null);
    let kinds: Vec<_> = stage.google.mails().split_off(before).into_iter().map(|mail| (mail.kind, mail.to)).collect();
    let (inside, outside) = ("inside@school.test".to_owned(), "outside@x.test".to_owned());
    let update = (MailKind::Update, outside.clone());
    assert_eq!(kinds, [update, (MailKind::Cancellation, inside), (MailKind::Cancellation, outside)]);
}

#[test]
fn a_conference_needs_its_version_is_pending_first_and_is_asked_for_once() {
    let stage = Stage::new();
    let ask = |id: &str| json!({ "conferenceData": { "createRequest": { "requestId": id } } });
    let mut with = ask("r1");
    with["id"] = json!("class001");
    stage.insert(&class(with.clone()));
    assert!(stage.get("class001").body.get("conferenceData").is_none(), "version 0 ignores it");

    with["id"] = json!("class002");
    let insert = stage.send(Method::POST, "?conferenceDataVersion=1", None, &class(with));
    assert_eq!(insert.body["conferenceData"]["createRequest"]["status"]["statusCode"], "pending");
    let read = stage.get("class002").body;
    assert_eq!(read["conferenceData"]["createRequest"]["status"]["statusCode"], "success");
    assert!(read["hangoutLink"].as_str().unwrap().starts_with("https://meet.google.com/"));
    let again = stage.send(Method::PATCH, "/class002?conferenceDataVersion=1", None, &ask("r1")).body;
    assert_eq!(again["hangoutLink"], read["hangoutLink"]);
    assert_eq!(stage.patch("class002", None, &ask("r2")).body["hangoutLink"], read["hangoutLink"]);
    let renamed = stage.patch("class002", None, &json!({ "summary": "x" })).body;
    assert_eq!(renamed["conferenceData"], read["conferenceData"]);
    let renewed = stage.send(Method::PATCH, "/class002?conferenceDataVersion=1", None, &ask("r2")).body;
    assert_eq!(renewed["conferenceData"]["createRequest"]["status"]["statusCode"], "pending");

    let behaviour = Behaviour {
        conference_pending_reads: 1,
        conference_outcome: ConferenceOutcome::Failure,
        ..Behaviour::default()
    };
    stage.google.set_behaviour(behaviour);
    let mut with = ask("r3");
    with["id"] = json!("class003");
    stage.send(Method::POST, "?conferenceDataVersion=1", None, &class(with));
    let code = || stage.get("class003").body["conferenceData"]["createRequest"]["status"]["statusCode"].clone();
    assert_eq!([code(), code()], ["pending", "failure"]);
}

#[test]
fn over_long_properties_vanish_without_an_error() {
    let stage = Stage::new();
    let properties = json!({ "private": { "k".repeat(45): "x", "long": "x".repeat(2000) } });
    let reply = stage.insert(&class(json!({ "extendedProperties": properties })));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["extendedProperties"], json!({ "private": { "long": "x".repeat(1024) } }));
}

#[test]
fn tokens_scopes_and_roles_are_checked() {
    let mut stage = Stage::new();
    let google = stage.google.clone();
    let user = |email: &str, scope: Option<&str>, seconds: i64| {
        let scope = scope.map(str::to_owned);
        google
            .add_user(NewUser { email: email.into(), scope, expires_in_seconds: Some(seconds), ..NewUser::default() })
            .unwrap()
    };
    stage.insert(&class(json!({ "id": "class001" })));
    stage.owner = user(OWNER, None, -1);
    let expired = stage.get("class001");
    let error = json!({
        "domain": "global", "reason": "authError", "message": "Invalid Credentials",
        "locationType": "header", "location": "Authorization",
    });
    assert_eq!(expired.body, json!({ "error": { "errors": [error], "code": 401, "message": "Invalid Credentials" } }));
    assert!(expired.head["www-authenticate"].to_str().unwrap().contains("invalid_token"));
    stage.owner.access_token = "ya29.unknown".into();
    assert_eq!(stage.get("class001").status, 401);

    stage.owner = user(OWNER, Some("https://www.googleapis.com/auth/calendar.events.readonly"), 60);
    assert_eq!(stage.get("class001").status, 200);
    let refused = stage.delete("class001", None);
    assert_eq!((refused.status, refused.reason()), (403, "insufficientPermissions"));
    assert_eq!(refused.body["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");

    stage.owner = user("stranger@x.test", None, 60);
    assert_eq!(stage.get("class001").status, 404);
    let shared = NewCalendar {
        id: Some("shared@group.calendar.google.com".into()),
        owner: OWNER.into(),
        shared_with: [("stranger@x.test".to_owned(), Role::Reader)].into(),
        ..NewCalendar::default()
    };
    google.add_calendar(shared).unwrap();
    let request = |method: Method, body: Value| {
        Request::builder()
            .method(method)
            .uri("/calendar/v3/calendars/shared%40group.calendar.google.com/events")
            .header("authorization", format!("Bearer {}", stage.owner.access_token))
            .body(Bytes::from(body.to_string()))
            .unwrap()
    };
    assert_eq!(stage.any(request(Method::GET, Value::Null)).body["accessRole"], "reader");
    assert_eq!(stage.any(request(Method::POST, class(json!({})))).reason(), "requiredAccessLevel");
}

#[test]
fn a_service_account_invites_nobody_and_a_guest_changes_no_shared_property() {
    let mut stage = Stage::new();
    let foreign = json!({ "id": "foreign1", "summary": "Theirs", "start": { "date": "2027-07-01" }, "end": { "date": "2027-07-02" },
        "organizer": { "email": "them@x.test" }, "attendees": [{ "email": CALENDAR, "responseStatus": "needsAction" }] });
    stage.google.put_event(CALENDAR, object(foreign)).unwrap();
    assert_eq!(stage.patch("foreign1", None, &json!({ "summary": "Mine" })).reason(), "forbiddenForNonOrganizer");
    assert_eq!(stage.put("foreign1", None, &class(json!({}))).reason(), "forbiddenForNonOrganizer");
    let answer = json!({ "attendees": [{ "email": CALENDAR, "responseStatus": "accepted" }], "colorId": "3" });
    assert_eq!(stage.patch("foreign1", None, &answer).status, 200);

    let robot = NewUser { email: OWNER.into(), service_account: true, ..NewUser::default() };
    stage.owner = stage.google.add_user(robot).unwrap();
    let refused = stage.insert(&class(json!({ "attendees": [{ "email": "a@x.test" }] })));
    assert_eq!((refused.status, refused.reason()), (403, "forbiddenForServiceAccounts"));
}

#[test]
fn calendars_are_made_and_read_and_primary_is_the_users_own() {
    let stage = Stage::new();
    let request = |method: Method, path: &str, body: Value| {
        Request::builder()
            .method(method)
            .uri(format!("/calendar/v3/calendars{path}"))
            .header("authorization", format!("Bearer {}", stage.owner.access_token))
            .body(if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) })
            .unwrap()
    };
    let made = stage.any(request(Method::POST, "", json!({ "summary": "Chess", "timeZone": "Asia/Tokyo" })));
    assert_eq!((made.status, &made.body["timeZone"]), (200, &json!("Asia/Tokyo")));
    let read = stage.any(request(Method::GET, &format!("/{}", made.body["id"].as_str().unwrap()), Value::Null));
    assert_eq!(read.body, made.body);
    assert_eq!(stage.any(request(Method::POST, "/primary/events", class(json!({ "id": "class001" })))).status, 200);
    assert_eq!(stage.google.live_events(OWNER).len(), 1);
    assert_eq!(stage.any(request(Method::GET, "/nowhere", Value::Null)).status, 404);
}

#[tokio::test(start_paused = true)]
async fn the_token_endpoint_speaks_oauth_and_tokens_age_with_the_clock() {
    let mut stage = Stage::new();
    let form = |refresh: &str, secret: &str| {
        format!("grant_type=refresh_token&client_id=emulator-client-id&client_secret={secret}&refresh_token={refresh}")
    };
    let refresh = stage.owner.refresh_token.replace('/', "%2F");
    let good = stage.token(&form(&refresh, "emulator-client-secret"));
    assert_eq!(
        (good.status, &good.body["expires_in"], &good.body["token_type"]),
        (200, &json!(3599), &json!("Bearer"))
    );
    assert!(good.body.get("refresh_token").is_none());
    stage.owner.access_token = good.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(stage.list("").status, 200);
    tokio::time::advance(Duration::from_hours(1)).await;
    assert_eq!(stage.list("").status, 401);

    let wrong = stage.token(&form(&refresh, "wrong"));
    assert_eq!((wrong.status, &wrong.body["error"]), (401, &json!("invalid_client")));
    let unknown = stage.token(&form("nothing", "emulator-client-secret"));
    assert_eq!(
        unknown.body,
        json!({ "error": "invalid_grant", "error_description": "Token has been expired or revoked." })
    );
    assert_eq!(stage.token("grant_type=password").body["error"], "unsupported_grant_type");
    stage.google.revoke_grants(Some(OWNER), None);
    assert_eq!(stage.token(&form(&refresh, "emulator-client-secret")).status, 400);
    let outcomes: Vec<_> = stage.google.token_requests().into_iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, ["ok", "invalid_client", "invalid_grant", "unsupported_grant_type", "invalid_grant"]);
}

#[test]
fn an_owners_put_wipes_stamps_and_leaves_no_trace_in_the_log() {
    let stage = Stage::new();
    stage.insert(&class(
        json!({ "id": "class001", "location": "Room 1", "extendedProperties": { "private": { "stamp": "s" } } }),
    ));
    let edited = stage.google.owner_edit(CALENDAR, "class001", &object(json!({ "summary": "Mine" })), true).unwrap();
    assert_eq!((&edited["summary"], &edited["location"]), (&json!("Mine"), &json!("Room 1")));
    assert!(edited.get("extendedProperties").is_none());
    stage.google.owner_edit(CALENDAR, "class001", &object(json!({ "location": null })), false).unwrap();
    stage.google.owner_delete(CALENDAR, "class001").unwrap();
    assert!(stage.google.owner_delete(CALENDAR, "class001").is_err());
    assert_eq!(stage.google.requests().len(), 1);
    assert_eq!(stage.google.counts().cancelled_events, 1);
}
