//! Event data as callers give it.

use serde_json::{Map, Value};
use surecal::model::compare::compare_whole;
use surecal::model::{Code, EventChanges, EventData, Expected, Outcome};

use super::{assert_error_is_silent, assert_silent, text};

/// The input is the JSON text. Data that is taken is taken again as it is sent, and has one fingerprint however its keys
/// are ordered; and nothing of it is printed.
pub fn event_data(data: &[u8]) {
    let Some(text) = text(data) else { return };
    for zone in [None, Some("Europe/Zurich")] {
        match EventData::parse(text, zone) {
            Ok(event) => is_stable(&event, zone),
            Err(error) => {
                assert_eq!((error.code, error.outcome), (Code::ValidationFailed, Outcome::NotSent));
                assert_error_is_silent(&error);
            }
        }
        match EventChanges::parse(text, zone) {
            Ok(changes) => assert_silent(&format!("{changes:?} {:?}", changes.warnings())),
            Err(error) => assert_error_is_silent(&error),
        }
        match Expected::parse(text, zone) {
            Ok(expected) => assert_silent(&format!("{expected:?}")),
            Err(error) => assert_error_is_silent(&error),
        }
    }
}

fn is_stable(event: &EventData, zone: Option<&str>) {
    assert_silent(&format!("{event:?} {:?}", event.warnings()));
    assert_eq!(event.print(), event.print());
    let body = event.body().expect("checked data is read again");
    assert!(compare_whole(&body, &body).is_equal_where_it_matters(), "data that differs from itself");
    for sent in [turned(&body), body] {
        let again = EventData::parse(&Value::Object(sent).to_string(), zone).expect("what is sent can be given again");
        assert!(again.warnings().is_empty());
        assert_eq!(again.print(), event.print(), "the order of keys, or a second reading, made another fingerprint");
    }
}

/// The keys of every object in the opposite order.
fn turned(object: &Map<String, Value>) -> Map<String, Value> {
    object.iter().rev().map(|(name, value)| (name.clone(), turned_value(value))).collect()
}

fn turned_value(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(turned(members)),
        Value::Array(items) => Value::Array(items.iter().map(turned_value).collect()),
        other => other.clone(),
    }
}
