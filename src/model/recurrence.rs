//! Recurrence lines by their meaning: `RRULE`, `EXRULE`, `RDATE` and `EXDATE` of RFC 5545, 3.8.5.
//!
//! A line can be written in many ways (order of parts, defaults spelt out, `UNTIL` as a day or as a moment, one `EXDATE`
//! with two dates or two with one). Lines are brought into one form, so that a calendar that writes them back differently
//! is not taken for one that lost them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::fields::text_of;
use super::instant::{Stated, When, read_date, zone_named};

/// Frequencies of a rule.
const FREQUENCIES: [&str; 7] = ["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

/// The longest line, in bytes. RFC 5545 sets none; this only keeps a bad input small.
const MAX_LINE: usize = 8192;

/// What is wrong with a line, completing the sentence "`recurrence[i]` …".
pub(crate) fn check_line(line: &str) -> Result<(), &'static str> {
    if line.len() > MAX_LINE || line.chars().any(char::is_control) {
        return Err("must be one line of at most 8192 bytes");
    }
    let Some((head, value)) = line.split_once(':') else {
        return Err("must start with RRULE:, EXRULE:, RDATE or EXDATE");
    };
    let name = head.split(';').next().unwrap_or_default().to_ascii_uppercase();
    match name.as_str() {
        "RRULE" | "EXRULE" => check_rule(value),
        "RDATE" | "EXDATE" if value.trim().is_empty() => Err("must name at least one date"),
        "RDATE" | "EXDATE" => Ok(()),
        _ => Err("must start with RRULE:, EXRULE:, RDATE or EXDATE"),
    }
}

fn check_rule(rule: &str) -> Result<(), &'static str> {
    let mut names = BTreeSet::new();
    for (name, value) in parts(rule) {
        if value.is_empty() {
            return Err("must be a rule of parts as FREQ=WEEKLY;COUNT=10");
        }
        if name == "FREQ" && !FREQUENCIES.contains(&value.as_str()) {
            return Err("must have a FREQ of RFC 5545 (DAILY, WEEKLY, …)");
        }
        // RFC 5545: a positive integer. Nine digits are 2.7 million years of days.
        let counts = value.len() < 10 && value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0');
        if matches!(name.as_str(), "COUNT" | "INTERVAL") && !counts {
            return Err("must have a whole number of at least 1 as COUNT and INTERVAL");
        }
        if !names.insert(name) {
            return Err("must not give a part of a rule twice");
        }
    }
    if !names.contains("FREQ") {
        return Err("must have a FREQ (DAILY, WEEKLY, …)");
    }
    if names.contains("COUNT") && names.contains("UNTIL") {
        return Err("must not have both COUNT and UNTIL");
    }
    Ok(())
}

/// The parts of a rule in capital letters; a part without `=` has an empty value.
fn parts(rule: &str) -> impl Iterator<Item = (String, String)> {
    rule.split(';').filter(|part| !part.trim().is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase())
    })
}

/// What a rule leaves unsaid and takes from the event: the local time of its first start, and its zone.
#[derive(Default)]
pub(crate) struct Frame {
    zone: Option<TimeZone>,
    first: Option<DateTime>,
}

impl Frame {
    /// The frame of an event that starts at `start`; `zone_of` gives the zone when `start` has none.
    pub(crate) fn of(start: Option<&Map<String, Value>>, zone_of: Option<&Map<String, Value>>) -> Self {
        let Some(start) = start else { return Self::default() };
        if let Some(day) = text_of(start, "date").and_then(read_date) {
            return Self { zone: None, first: Some(day.to_datetime(Time::midnight())) };
        }
        let zone = text_of(start, "timeZone").or_else(|| text_of(zone_of?, "timeZone")).and_then(zone_named);
        let Some(stated) = text_of(start, "dateTime").and_then(Stated::read) else {
            return Self { zone, first: None };
        };
        let zone = zone.or_else(|| stated.offset.map(TimeZone::fixed));
        let first = match (stated.moment(zone.as_ref()), &zone) {
            (Some(When::Instant(at)), Some(zone)) => Timestamp::from_second(at).ok().map(|at| zone.to_datetime(at)),
            _ => Some(stated.local),
        };
        Self { zone, first }
    }

    /// The moment of a local time.
    fn moment(&self, local: DateTime) -> Option<i64> {
        self.zone.as_ref()?.to_timestamp(local).ok().map(Timestamp::as_second)
    }

    /// The local time of a moment.
    fn local(&self, at: i64) -> Option<DateTime> {
        let at = Timestamp::from_second(at).ok()?;
        Some(self.zone.as_ref().unwrap_or(&TimeZone::UTC).to_datetime(at))
    }

    /// The last day on which a rule that ends with `until` can still start an event.
    fn last_day(&self, until: BasicTime) -> Option<Date> {
        let first = self.first?;
        let local = match until {
            BasicTime::Day(day) => return Some(day),
            BasicTime::Local(local) => local,
            BasicTime::Moment(at) => self.local(at)?,
        };
        if local.time() >= first.time() { Some(local.date()) } else { local.date().yesterday().ok() }
    }
}

/// A date or time in RFC 5545's basic form.
#[derive(Clone, Copy)]
enum BasicTime {
    Day(Date),
    Local(DateTime),
    Moment(i64),
}

impl BasicTime {
    /// Reads `20250131`, `20250131T100000` or `20250131T100000Z`.
    fn read(text: &str) -> Option<Self> {
        if !text.is_ascii() {
            return None;
        }
        let day = text.get(..8).and_then(|d| read_date(&format!("{}-{}-{}", &d[..4], &d[4..6], &d[6..])))?;
        if text.len() == 8 {
            return Some(Self::Day(day));
        }
        let clock = text.get(8..15)?;
        let dashed = format!("{day}T{}:{}:{}{}", &clock[1..3], &clock[3..5], &clock[5..], &text[15..]);
        let stated = Stated::read(&dashed).filter(|_| clock.starts_with('T'))?;
        match stated.moment(None) {
            Some(When::Instant(at)) => Some(Self::Moment(at)),
            _ => Some(Self::Local(stated.local)),
        }
    }
}

/// Lines as a set of rules and dates, each in the one form.
pub(crate) fn canonical(lines: &Value, frame: &Frame) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    for line in lines.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str) {
        let (head, value) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
        let mut params = head.split(';');
        let name = params.next().unwrap_or_default().trim().to_ascii_uppercase();
        if name.ends_with("DATE") {
            let zone = params.find_map(|param| {
                let (key, zone) = param.split_once('=')?;
                key.trim().eq_ignore_ascii_case("TZID").then(|| zone_named(zone.trim().trim_matches('"'))).flatten()
            });
            set.extend(value.split(',').map(|date| format!("{name}:{}", date_form(date, zone.as_ref(), frame))));
        } else {
            set.insert(format!("{name}:{}", rule_form(value, frame)));
        }
    }
    set
}

fn date_form(date: &str, zone: Option<&TimeZone>, frame: &Frame) -> String {
    let date = date.trim().to_ascii_uppercase();
    let at = match BasicTime::read(&date) {
        Some(BasicTime::Moment(at)) => Some(at),
        Some(BasicTime::Local(local)) => match zone {
            Some(zone) => zone.to_timestamp(local).ok().map(Timestamp::as_second),
            None => frame.moment(local),
        },
        _ => None,
    };
    at.map_or(date, |at| format!("@{at}"))
}

fn rule_form(rule: &str, frame: &Frame) -> String {
    let mut all: Vec<(String, String)> = parts(rule)
        .filter(|(name, value)| !matches!((name.as_str(), value.as_str()), ("INTERVAL", "1") | ("WKST", "MO")))
        .collect();
    let frequency = all.iter().find(|(name, _)| name == "FREQ").map(|(_, value)| value.clone()).unwrap_or_default();
    let has = |name: &str| all.iter().any(|(other, _)| other == name);
    let daily_or_rarer = matches!(frequency.as_str(), "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY");
    let one_a_day = daily_or_rarer && !has("BYHOUR") && !has("BYMINUTE") && !has("BYSECOND");
    let implied = implied_parts(&frequency, &has, frame);
    for (name, value) in &mut all {
        if name == "UNTIL" {
            *value = until_form(value, one_a_day, frame);
        } else if value.contains([',', '+']) {
            let mut list: Vec<_> = value.split(',').map(|item| item.trim().trim_start_matches('+')).collect();
            list.sort_unstable();
            list.dedup();
            *value = list.join(",");
        }
    }
    all.extend(implied);
    all.sort_unstable();
    all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(";")
}

/// For a rule that starts at most one event a day, only the last possible day counts: `UNTIL=20250131` and
/// `UNTIL=20250131T225959Z` end the same series.
fn until_form(until: &str, one_a_day: bool, frame: &Frame) -> String {
    let Some(time) = BasicTime::read(until) else { return until.to_owned() };
    if one_a_day && let Some(day) = frame.last_day(time) {
        return day.to_string();
    }
    match time {
        BasicTime::Day(day) => day.to_string(),
        BasicTime::Local(local) => frame.moment(local).map_or_else(|| local.to_string(), |at| format!("@{at}")),
        BasicTime::Moment(at) => format!("@{at}"),
    }
}

/// The parts that RFC 5545 takes from the first start when a rule does not name a day.
fn implied_parts(frequency: &str, has: &impl Fn(&str) -> bool, frame: &Frame) -> Vec<(String, String)> {
    const DAYS: [&str; 5] = ["BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH"];
    let Some(first) = frame.first.map(DateTime::date).filter(|_| !DAYS.iter().any(|name| has(name))) else {
        return Vec::new();
    };
    let part = |name: &str, value: String| (name.to_owned(), value);
    match frequency {
        "WEEKLY" => vec![part("BYDAY", day_name(first.weekday()).to_owned())],
        "MONTHLY" => vec![part("BYMONTHDAY", first.day().to_string())],
        "YEARLY" => vec![part("BYMONTH", first.month().to_string()), part("BYMONTHDAY", first.day().to_string())],
        _ => Vec::new(),
    }
}

const fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Tuesday, 7 January 2025, 10:00 in Zürich.
    fn frame() -> Frame {
        let start = json!({ "dateTime": "2025-01-07T09:00:00Z", "timeZone": "Europe/Zurich" });
        Frame::of(start.as_object(), None)
    }

    fn same(a: &[&str], b: &[&str]) -> bool {
        canonical(&json!(a), &frame()) == canonical(&json!(b), &frame())
    }

    #[test]
    fn one_series_written_in_two_ways_is_the_same() {
        for (a, b) in [
            (&["RRULE:FREQ=WEEKLY;COUNT=5"][..], &["rrule:count=5;freq=weekly;interval=1;wkst=mo"][..]),
            (&["RRULE:FREQ=WEEKLY;COUNT=5"], &["RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=5"]),
            (&["RRULE:FREQ=WEEKLY;BYDAY=TU,TH"], &["RRULE:FREQ=WEEKLY;BYDAY=TH,TU;"]),
            (&["RRULE:FREQ=MONTHLY;BYDAY=+1TU"], &["RRULE:FREQ=MONTHLY;BYDAY=1TU"]),
            (&["RRULE:FREQ=MONTHLY"], &["RRULE:FREQ=MONTHLY;BYMONTHDAY=7"]),
            (&["RRULE:FREQ=YEARLY"], &["RRULE:FREQ=YEARLY;BYMONTHDAY=7;BYMONTH=1"]),
            (&["RRULE:FREQ=WEEKLY;UNTIL=20250211"], &["RRULE:FREQ=WEEKLY;UNTIL=20250211T225959Z"]),
            (&["RRULE:FREQ=WEEKLY;UNTIL=20250211"], &["RRULE:FREQ=WEEKLY;UNTIL=20250211T090000Z"]),
            (&["RRULE:FREQ=WEEKLY;UNTIL=20250211T100000"], &["RRULE:FREQ=WEEKLY;UNTIL=20250211T090000Z"]),
            (&["RRULE:FREQ=WEEKLY", "EXDATE:20250114T090000Z"], &["EXDATE:20250114T090000Z", "RRULE:FREQ=WEEKLY"]),
            (
                &["EXDATE;TZID=Europe/Zurich:20250114T100000,20250121T100000"],
                &["EXDATE:20250121T090000Z", "EXDATE;TZID=America/New_York:20250114T040000"],
            ),
            (&["EXDATE:20250114T100000"], &["EXDATE:20250114T090000Z"]),
            (&["RDATE;VALUE=DATE:20250114"], &["rdate:20250114"]),
        ] {
            assert!(
                same(a, b),
                "{a:?} {b:?}: {:?} {:?}",
                canonical(&json!(a), &frame()),
                canonical(&json!(b), &frame())
            );
        }
    }

    #[test]
    fn another_series_is_found_out() {
        let base = "RRULE:FREQ=WEEKLY;UNTIL=20250211T090000Z";
        for other in [
            "RRULE:FREQ=WEEKLY;UNTIL=20250211T085959Z",
            "RRULE:FREQ=WEEKLY;UNTIL=20250212",
            "RRULE:FREQ=WEEKLY;COUNT=5",
            "RRULE:FREQ=WEEKLY",
            "RRULE:FREQ=DAILY;UNTIL=20250211T090000Z",
            "RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20250211T090000Z",
            "RRULE:FREQ=WEEKLY;BYDAY=WE;UNTIL=20250211T090000Z",
            "EXRULE:FREQ=WEEKLY;UNTIL=20250211T090000Z",
        ] {
            assert!(!same(&[base], &[other]), "{other}");
        }
        assert!(!same(&[base], &[base, "EXDATE:20250114T090000Z"]));
        assert!(!same(&["RDATE:20250114T090000Z"], &["RDATE:20250114T100000Z"]));
        assert!(!same(&["RRULE:FREQ=HOURLY;UNTIL=20250211T090000Z"], &["RRULE:FREQ=HOURLY;UNTIL=20250211T100000Z"]));
    }

    #[test]
    fn a_line_that_google_would_refuse_is_refused_here() {
        for line in [
            "RRULE:FREQ=WEEKLY;UNTIL=20250211",
            "rrule:freq=daily",
            "EXDATE;TZID=Europe/Zurich:20250114T100000",
            "RDATE;VALUE=DATE:20250114",
            "EXRULE:FREQ=YEARLY",
        ] {
            assert_eq!(check_line(line), Ok(()), "{line}");
        }
        let long = format!("EXDATE:{}", "2".repeat(9000));
        for line in [
            "",
            "FREQ=WEEKLY",
            "DTSTART:20250101T100000Z",
            "RRULE",
            "RRULE:",
            "RRULE:COUNT=5",
            "RRULE:FREQ=FORTNIGHTLY",
            "RRULE:FREQ=DAILY;COUNT=1;UNTIL=20250101",
            "RRULE:FREQ=DAILY;FREQ=DAILY",
            "RRULE:FREQ=DAILY;BYDAY",
            "RRULE:FREQ=DAILY;COUNT=0",
            "RRULE:FREQ=DAILY;COUNT=-1",
            "RRULE:FREQ=DAILY;COUNT=ten",
            "RRULE:FREQ=DAILY;INTERVAL=0",
            "RRULE:FREQ=DAILY;INTERVAL=1.5",
            "RRULE:FREQ=DAILY\r\nDTEND:20250101",
            "EXDATE:",
            "RRULEX:FREQ=DAILY",
            &long,
        ] {
            assert!(check_line(line).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(lines in proptest::collection::vec("\\PC{0,60}", 0..4), until in "[0-9TZ\\-é]{0,18}") {
            for line in &lines {
                let _ = check_line(line);
            }
            let _ = canonical(&json!(lines), &frame());
            let until = [format!("RRULE:FREQ=DAILY;UNTIL={until}"), format!("EXDATE:{until}")];
            let _ = canonical(&json!(until), &frame());
        }
    }
}
