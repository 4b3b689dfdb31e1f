//! What was asked for against what was read back.

use serde_json::{Map, Value};
use surecal::model::EventData;
use surecal::model::compare::{compare, compare_changes, compare_whole};
use surecal::model::repair::repair_patch;

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
    heals(asked.body(), &actual);
    let Ok(read) = EventData::parse(read, Some("America/New_York")) else { return };
    let there = compare_whole(asked.body(), read.body());
    let back = compare_whole(read.body(), asked.body());
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
