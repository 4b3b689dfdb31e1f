//! Times as Google reads and writes them: RFC 3339 in, the calendar's zone and whole seconds out.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::reply::Refusal;

/// A `dateTime` as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// With an offset.
    Instant(Timestamp),
    /// Without: needs a zone.
    Floating(DateTime),
}

/// Reads `2013-09-24T03:06:00[.000][-07:00|Z]`. The error is Google's own sentence (recorded: `Invalid value for:
/// Invalid format: "…-07:0" is malformed at "-07:0"`).
pub(crate) fn parse_date_time(text: &str) -> Result<Written, Refusal> {
    let mut reader = Reader { text, at: 0 };
    let date = reader.date()?;
    reader.literal('T')?;
    let hour = reader.number(2)?;
    reader.literal(':')?;
    let minute = reader.number(2)?;
    reader.literal(':')?;
    let second = reader.number(2)?;
    reader.fraction()?;
    let offset = reader.offset()?;
    let out_of_range = |value: i16, field: &str, top: i16| {
        Refusal::invalid(format!(
            "Invalid value for: Cannot parse \"{text}\": Value {value} for {field} must be in the range [0,{top}]"
        ))
    };
    for (value, field, top) in [(hour, "hourOfDay", 23), (minute, "minuteOfHour", 59), (second, "secondOfMinute", 59)] {
        if value > top {
            return Err(out_of_range(value, field, top));
        }
    }
    let time = date
        .to_datetime(jiff::civil::Time::midnight())
        .checked_add(SignedDuration::from_secs(i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)))
        .map_err(|_| Refusal::invalid("Invalid Value"))?;
    match offset {
        None => Ok(Written::Floating(time)),
        Some(seconds) => TimeZone::UTC
            .to_timestamp(time)
            .and_then(|utc| utc.checked_sub(SignedDuration::from_secs(seconds)))
            .map(Written::Instant)
            .map_err(|_| Refusal::invalid("Invalid Value")),
    }
}

/// Reads `2013-09-24`.
pub(crate) fn parse_date(text: &str) -> Result<Date, Refusal> {
    let mut reader = Reader { text, at: 0 };
    let date = reader.date()?;
    if reader.at == text.len() { Ok(date) } else { Err(reader.malformed(reader.at)) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn malformed(&self, from: usize) -> Refusal {
        let text = self.text;
        let whole = format!("Invalid value for: Invalid format: \"{text}\"");
        Refusal::invalid(match text.get(from..) {
            _ if from == 0 => whole,
            None | Some("") => format!("{whole} is too short"),
            Some(rest) => format!("{whole} is malformed at \"{rest}\""),
        })
    }

    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn literal(&mut self, expected: char) -> Result<(), Refusal> {
        if self.rest().first().is_some_and(|&byte| char::from(byte) == expected) {
            self.at += 1;
            return Ok(());
        }
        Err(self.malformed(self.at))
    }

    fn number(&mut self, digits: usize) -> Result<i16, Refusal> {
        let value = self.rest().get(..digits).filter(|bytes| bytes.iter().all(u8::is_ascii_digit));
        let value = value.map(|bytes| bytes.iter().fold(0, |sum, byte| sum * 10 + i16::from(byte - b'0')));
        let value = value.ok_or_else(|| self.malformed(self.at))?;
        self.at += digits;
        Ok(value)
    }

    fn date(&mut self) -> Result<Date, Refusal> {
        let year = self.number(4)?;
        self.literal('-')?;
        let month = self.number(2)?;
        self.literal('-')?;
        let day = self.number(2)?;
        let small = |value: i16| i8::try_from(value).unwrap_or(0);
        Date::new(year, small(month), small(day)).map_err(|_| {
            let (field, value, top) =
                if (1..=12).contains(&month) { ("dayOfMonth", day, 31) } else { ("monthOfYear", month, 12) };
            let text = self.text;
            Refusal::invalid(format!(
                "Invalid value for: Cannot parse \"{text}\": Value {value} for {field} must be in the range [1,{top}]"
            ))
        })
    }

    fn fraction(&mut self) -> Result<(), Refusal> {
        if self.rest().first() != Some(&b'.') {
            return Ok(());
        }
        let digits = self.rest().iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Err(self.malformed(self.at));
        }
        self.at += 1 + digits;
        Ok(())
    }

    /// Seconds east of Greenwich, or nothing at the end of the text.
    fn offset(&mut self) -> Result<Option<i64>, Refusal> {
        let start = self.at;
        let seconds = match self.rest() {
            [] => None,
            b"Z" => Some(0),
            &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] if [h1, h2, m1, m2].iter().all(u8::is_ascii_digit) => {
                let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
                let (hours, minutes) = (two(h1, h2), two(m1, m2));
                if hours > 23 || minutes > 59 {
                    return Err(self.malformed(start));
                }
                let seconds = hours * 3600 + minutes * 60;
                Some(if sign == b'-' { -seconds } else { seconds })
            }
            _ => return Err(self.malformed(start)),
        };
        self.at = self.text.len();
        Ok(seconds)
    }
}

/// An IANA zone by name.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("Etc/Unknown") { None } else { TimeZone::get(name).ok() }
}

/// `2027-07-01T10:00:00-04:00`, in `zone`.
pub(crate) fn write_instant(instant: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(instant);
    let local = offset.to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let minutes = offset.seconds() / 60;
    if minutes == 0 {
        return format!("{local}Z");
    }
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{local}{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// `2027-07-01T10:00:00.123Z`, as in `updated`; `created` has whole seconds.
pub(crate) fn write_stamp(instant: Timestamp, millis: bool) -> String {
    instant.strftime(if millis { "%Y-%m-%dT%H:%M:%S%.3fZ" } else { "%Y-%m-%dT%H:%M:%S.000Z" }).to_string()
}

/// Checks a `start` or `end` (`name`), and gives it as it is stored: `dateTime` in the calendar's zone at whole
/// seconds, `timeZone` as given.
pub(crate) fn normalise(
    name: &str,
    point: Option<&Value>,
    calendar_zone: &TimeZone,
    recurring: bool,
) -> Result<Map<String, Value>, Refusal> {
    let missing = || Refusal::required(format!("Missing {name} time."));
    let point = match point {
        None | Some(Value::Null) => return Err(missing()),
        Some(Value::Object(point)) => point,
        Some(_) => return Err(Refusal::invalid(format!("Invalid {name} time."))),
    };
    let text = |key: &str| match point.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Refusal::invalid(format!("Invalid {name} time."))),
    };
    let zone_name = text("timeZone")?.filter(|name| !name.is_empty());
    let bad_zone = || Refusal::invalid(format!("Invalid time zone definition for {name} time."));
    let own_zone = zone_name.map(|name| zone(name).ok_or_else(bad_zone)).transpose()?;
    let no_zone = || Refusal::required(format!("Missing time zone definition for {name} time."));

    let mut stored = Map::new();
    match (text("date")?, text("dateTime")?) {
        (None, None) => return Err(missing()),
        (Some(_), Some(_)) => return Err(Refusal::invalid(format!("Invalid {name} time."))),
        (Some(date), None) => {
            parse_date(date)?;
            stored.insert("date".into(), date.into());
        }
        (None, Some(date_time)) => {
            let instant = match parse_date_time(date_time)? {
                Written::Instant(instant) => instant,
                Written::Floating(local) => {
                    let zone = own_zone.as_ref().ok_or_else(no_zone)?;
                    let found = zone.to_ambiguous_timestamp(local).compatible();
                    found.map_err(|_| Refusal::invalid("Invalid Value"))?
                }
            };
            if recurring && own_zone.is_none() {
                return Err(no_zone());
            }
            stored.insert("dateTime".into(), write_instant(instant, calendar_zone).into());
        }
    }
    if let Some(name) = zone_name {
        stored.insert("timeZone".into(), name.into());
    }
    Ok(stored)
}

/// The instant of a stored `start` or `end`; a date is its first moment in `zone`.
pub(crate) fn instant_of(point: Option<&Value>, zone: &TimeZone) -> Option<Timestamp> {
    let point = point?;
    if let Some(text) = point.get("dateTime").and_then(Value::as_str) {
        return match parse_date_time(text).ok()? {
            Written::Instant(instant) => Some(instant),
            Written::Floating(local) => zone.to_ambiguous_timestamp(local).compatible().ok(),
        };
    }
    let date = parse_date(point.get("date")?.as_str()?).ok()?;
    zone.to_ambiguous_timestamp(date.to_datetime(jiff::civil::Time::midnight())).compatible().ok()
}

/// The same point, its `dateTime` told in `zone`.
pub(crate) fn tell_in(point: &mut Value, zone: &TimeZone) {
    if let Some(text) = point.get_mut("dateTime")
        && let Some(Ok(Written::Instant(instant))) = text.as_str().map(parse_date_time)
    {
        *text = write_instant(instant, zone).into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(point: &Value) -> Result<Map<String, Value>, Refusal> {
        normalise("start", Some(point), &zone("America/New_York").unwrap(), false)
    }

    #[test]
    fn times_are_told_in_the_calendars_zone_at_whole_seconds() {
        let point = stored(&json!({ "dateTime": "2027-07-01T14:00:00.019Z", "timeZone": "UTC" })).unwrap();
        assert_eq!(Value::Object(point), json!({ "dateTime": "2027-07-01T10:00:00-04:00", "timeZone": "UTC" }));
        let point = stored(&json!({ "dateTime": "2027-01-01T14:00:00", "timeZone": "Europe/Berlin" })).unwrap();
        assert_eq!(point["dateTime"], "2027-01-01T08:00:00-05:00");
    }

    #[test]
    fn a_floating_time_without_a_zone_is_refused_in_googles_words() {
        let refusal = stored(&json!({ "dateTime": "2027-07-01T14:00:00" })).unwrap_err();
        assert_eq!(refusal, Refusal::required("Missing time zone definition for start time."));
    }

    #[test]
    fn a_malformed_time_is_refused_in_the_recorded_words() {
        let refusal = stored(&json!({ "dateTime": "2013-09-24T03:06:00.000-07:0" })).unwrap_err();
        let recorded = "Invalid value for: Invalid format: \"2013-09-24T03:06:00.000-07:0\" is malformed at \"-07:0\"";
        assert_eq!(refusal, Refusal::invalid(recorded));
        for bad in [
            "",
            "2027",
            "2027-07-01",
            "2027-07-01T10:00",
            "20270701T100000Z",
            "2027-02-30T10:00:00Z",
            "2027-07-01T24:00:00Z",
            "2027-07-01T10:00:60Z",
            "2027-07-01T10:00:00.Z",
            "2027-07-01T10:00:00Zx",
            "2027-07-01t10:00:00Z",
            "２027-07-01T10:00:00Z",
        ] {
            assert!(parse_date_time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn unknown_zones_and_wrong_types_are_refused() {
        for bad in [
            json!({ "dateTime": "2027-07-01T10:00:00Z", "timeZone": "Mars/Base" }),
            json!({ "dateTime": "2027-07-01T10:00:00Z", "timeZone": "Etc/Unknown" }),
            json!({ "dateTime": 5 }),
            json!({ "date": "2027-07-01", "dateTime": "2027-07-01T10:00:00Z" }),
            json!({ "date": "2027-07-01T10:00:00Z" }),
            json!("2027-07-01"),
        ] {
            assert!(stored(&bad).is_err(), "{bad}");
        }
    }
}
