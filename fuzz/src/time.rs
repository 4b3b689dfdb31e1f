//! Times as callers and Google write them.

use serde_json::{Map, Value};
use surecal::model::instant::{When, known_zone, read_time};

use super::{first_line, text};

/// The input is a `dateTime`, a `date` or neither, and a `timeZone`, a line each. A time that is taken is the one that an
/// independent reader finds in it, and written anew it is the same.
pub fn time(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (stated, zone) = first_line(text);
    let (zone, fallback) = first_line(zone);
    let fallback = Some(fallback).filter(|zone| !zone.is_empty());
    for member in ["dateTime", "date"] {
        let mut time = Map::new();
        time.insert(member.to_owned(), stated.into());
        if !zone.is_empty() {
            time.insert("timeZone".to_owned(), zone.into());
        }
        let Ok(when) = read_time(&Value::Object(time), fallback) else { continue };
        assert!(when.matches(when), "{when:?}");
        assert_eq!(when.is_day(), member == "date");
        match when {
            When::Day(day) => assert_eq!(day.to_string(), stated),
            When::Instant(at) => is_what_it_says(stated, zone, fallback, at),
            When::Ambiguous(one, other) => {
                assert!(one < other, "{stated} {zone}");
                is_local(stated, zone, fallback);
            }
        }
        if let When::Instant(at) | When::Ambiguous(at, _) = when {
            let written = jiff::Timestamp::from_second(at).expect("a moment of jiff's").to_string();
            let again = read_time(&serde_json::json!({ "dateTime": written }), None);
            // Past the ends of four-digit years there is no RFC 3339.
            if written.len() == "2027-03-01T10:00:00Z".len() {
                assert_eq!(again, Ok(When::Instant(at)), "{stated}");
            }
            assert!(again.is_err() || again.is_ok_and(|again| when.matches(again) && again.matches(when)));
        }
    }
}

fn is_local(stated: &str, zone: &str, fallback: Option<&str>) {
    assert!(!stated.ends_with('Z'), "{stated}");
    let zone = Some(zone).filter(|zone| !zone.is_empty()).or(fallback);
    assert!(zone.is_some_and(known_zone), "{zone:?}");
}

/// jiff reads much more than RFC 3339, but for fractions of more than nine digits; what we take, it must read alike.
fn is_what_it_says(stated: &str, zone: &str, fallback: Option<&str>, at: i64) {
    let (whole, fraction) = stated.split_once('.').unwrap_or((stated, ""));
    let stated = &format!("{whole}{}", fraction.trim_start_matches(|c: char| c.is_ascii_digit()));
    if let Ok(read) = stated.parse::<jiff::Timestamp>() {
        assert_eq!(read.as_second(), at, "{stated}");
        return;
    }
    is_local(stated, zone, fallback);
    let local: jiff::civil::DateTime = stated.parse().expect("a local time");
    let zone = Some(zone).filter(|zone| !zone.is_empty()).or(fallback).expect("a zone");
    assert_eq!(local.in_tz(zone).expect("a zone of the database").timestamp().as_second(), at, "{stated} {zone}");
}
