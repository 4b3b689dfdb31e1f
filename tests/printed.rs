//! What holds a secret, an address or a word of an event does not show it when it is printed: one test for each type, so
//! that each redaction that is taken out has its own.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fmt::Debug;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};
use surecal::google::{Fetched, HttpReply, HttpRequest, OauthClient, Page, Proxy, RefreshToken, Token};
use surecal::model::attendee::Guest;
use surecal::model::{Difference, EventChanges, EventData, Expected};
use surecal::operation::attendees::{AttendeeChange, Verb};
use surecal::service::Config;
use surecal::store::{Act, Plan, Record, Step, Version};

const SECRET: &str = "canary";

fn prints_nothing_of_it(thing: &dyn Debug) {
    let printed = format!("{thing:?} {thing:#?}");
    assert!(!printed.contains(SECRET), "{printed}");
    // Bytes are printed as text or as numbers.
    assert!(!printed.contains("99, 97, 110, 97"), "{printed}");
}

fn event() -> Map<String, Value> {
    let event = json!({ "summary": SECRET, "start": { "date": "2027-03-01" }, "end": { "date": "2027-03-02" } });
    event.as_object().unwrap().clone()
}

#[test]
fn an_access_token() {
    prints_nothing_of_it(&Token::new(SECRET).unwrap());
}

#[test]
fn an_authorization_header() {
    prints_nothing_of_it(&Token::new(SECRET).unwrap().bearer());
}

#[test]
fn a_refresh_token() {
    prints_nothing_of_it(&RefreshToken::new(SECRET));
}

#[test]
fn an_oauth_client() {
    prints_nothing_of_it(&OauthClient::new("app".to_owned(), SECRET.to_owned()));
}

#[test]
fn a_proxy() {
    prints_nothing_of_it(&Proxy::new("http://app:canary@proxy.example:3128", "", false).unwrap());
}

#[test]
fn a_request() {
    let path = format!("/calendar/v3/calendars/{SECRET}/events");
    let request = HttpRequest { body: Bytes::from(SECRET).into(), ..HttpRequest::new(Method::POST, path) };
    prints_nothing_of_it(&request);
}

#[test]
fn a_reply() {
    prints_nothing_of_it(&HttpReply::new(200, &HeaderMap::new(), Bytes::from(SECRET)));
}

#[test]
fn a_fetched_event() {
    prints_nothing_of_it(&Fetched { etag: String::new(), raw: Bytes::from(SECRET), event: event() });
}

#[test]
fn a_page_of_events() {
    prints_nothing_of_it(&Page { raw: Bytes::from(SECRET), next_page_token: Some(SECRET.to_owned()) });
}

#[test]
fn a_guest() {
    prints_nothing_of_it(&Guest::new(SECRET));
}

#[test]
fn the_change_of_an_attendee() {
    prints_nothing_of_it(&AttendeeChange::new(SECRET, Verb::Add));
}

#[test]
fn event_data() {
    let text = Value::Object(event()).to_string();
    prints_nothing_of_it(&EventData::parse(&text, None).unwrap());
    prints_nothing_of_it(&EventChanges::parse(&text, None).unwrap());
    prints_nothing_of_it(&Expected::parse(&text, None).unwrap());
}

#[test]
fn a_difference() {
    prints_nothing_of_it(&Difference { field: "summary".to_owned(), expected: json!(SECRET), actual: json!(SECRET) });
}

#[test]
fn a_record_of_the_store() {
    prints_nothing_of_it(&Record { value: SECRET.to_owned(), version: Version::from_bits(1) });
}

#[test]
fn the_name_of_an_option_that_looks_like_no_name() {
    let error = Config::parse(&json!({ "can@ry": 1 }).to_string()).err().unwrap();
    assert!(!error.to_string().contains("can@ry"), "{error}");
}

#[test]
fn a_plan_that_is_done_has_forgotten_who_and_with_what() {
    let attendee = Act::Attendee {
        calendar: "primary".to_owned(),
        event_id: "someevent".to_owned(),
        email: SECRET.to_owned(),
        mailed: true,
        updated: None,
        skipped: false,
    };
    let app = Act::App { name: "booking".to_owned(), args: SECRET.to_owned() };
    let steps = [attendee, app].map(|act| Step { number: 1, act, closed: false }).into();
    let mut plan = Plan { steps, open: true, ..Plan::default() };
    plan.finish();
    let kept = serde_json::to_string(&plan).unwrap();
    assert!(!kept.contains(SECRET), "{kept}");
}
