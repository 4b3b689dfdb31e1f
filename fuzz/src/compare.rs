//! What was asked for against what was read back.

use serde_json::{Map, Value, json};
use surecal::model::compare::plain::as_asked;
use surecal::model::compare::{Comparison, compare, compare_changes, compare_whole};
use surecal::model::repair::repair_patch;
use surecal::model::{EventData, Stamp};

use super::{assert_silent, first_line, text};

/// The input is two events, a line each: what was asked for, as callers give it, and what was read, which may be any object.
/// Data with one fingerprint is equal; moments, days and summaries differ both ways or not at all; and a repair that is
/// carried out leaves no difference that matters.
pub fn compared(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (asked, read) = first_line(text);
    let Ok(Value::Object(actual)) = serde_json::from_str(read) else { return };
    if let Ok(Value::Object(any)) = serde_json::from_str(asked) {
        // A comparison never trusts what it compares.
        for comparison in [compare(&any, &actual), compare_whole(&any, &actual), compare_changes(&any, &actual)] {
            assert_silent(&format!("{:?}", comparison.warnings()));
        }
    }
    let Ok(asked) = EventData::parse(asked, Some("America/New_York")) else { return };
    let body = asked.body().expect("checked data is read again");
    heals(&body, &actual);
    is_judged_alike(&asked, &body, actual);
    let Ok(read) = EventData::parse(read, Some("America/New_York")) else { return };
    let other = read.body().expect("checked data is read again");
    let there = compare_whole(&body, &other);
    let back = compare_whole(&other, &body);
    if asked.print() == read.print() {
        assert!(
            there.critical.is_empty() && back.critical.is_empty(),
            "one fingerprint, and different: {there:?} {back:?}"
        );
    }
    for field in ["summary", "start", "end"] {
        let differs = |comparison: &surecal::model::Comparison| {
            comparison
                .critical
                .iter()
                .any(|found| found.field.split('.').next() == Some(field) && !found.field.ends_with("timeZone"))
        };
        assert_eq!(differs(&there), differs(&back), "{field} differs one way");
    }
}

/// What is plainly as asked is so for the comparison by meaning, without a word to add.
fn is_judged_alike(asked: &EventData, body: &Map<String, Value>, mut actual: Map<String, Value>) {
    actual.insert("id".to_owned(), "abcde".into());
    actual.entry("status").or_insert_with(|| "confirmed".into());
    let properties = actual.entry("extendedProperties").or_insert_with(|| json!({}));
    let Some(properties) = properties.as_object_mut() else { return };
    let private = properties.entry("private").or_insert_with(|| json!({}));
    let Some(private) = private.as_object_mut() else { return };
    private.insert("surecalPrint".to_owned(), "print".into());
    let text = Value::Object(actual.clone()).to_string();
    if as_asked(asked.text(), text.as_bytes(), "abcde", "print").is_some() {
        assert_eq!(compare_whole(body, &actual), Comparison::default(), "plainly as asked, and different");
        assert!(!Stamp::of(&actual).fence, "plainly as asked, and a fence");
    }
}

fn heals(asked: &Map<String, Value>, actual: &Map<String, Value>) {
    let before = compare_whole(asked, actual);
    let patch = repair_patch(asked, actual);
    // A deleted event is not brought back by a repair, and what is hidden cannot be put right.
    let lasting = before.critical.iter().any(|found| found.field == "status") || !before.unverifiable.is_empty();
    if patch.is_empty() || lasting {
        return;
    }
    let mut repaired = actual.clone();
    repaired.extend(patch);
    let after = compare_whole(asked, &repaired);
    assert!(after.is_equal_where_it_matters(), "still different after a repair: {after:?}");
}
