//! When an event starts or ends: the meaning of Google's `{ date, dateTime, timeZone }`, not its text.
//!
//! Google echoes a time in the calendar's own zone and at whole seconds, so two texts say the same time far more often
//! than they are equal. The shape of a text is checked here before jiff reads it, for jiff is kinder than Google: it also
//! takes a date without a time, the basic format, second 60 (as 59) and the zone `Etc/Unknown` (as UTC).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde_json::Value;

/// The meaning of a start or an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum When {
    /// A whole day (`date`).
    Day(Date),
    /// A moment, in Unix seconds; fractions are dropped, as Google drops them.
    Instant(i64),
    /// A local time that the zone skips or has twice (daylight saving): either moment, the earlier one first. Google does
    /// not say which one it takes.
    Ambiguous(i64, i64),
}

impl When {
    /// Whether the two can be the same time.
    #[must_use]
    pub fn matches(self, other: Self) -> bool {
        match (self, other) {
            (Self::Day(a), Self::Day(b)) => a == b,
            (Self::Instant(a), Self::Instant(b)) => a == b,
            (Self::Instant(a), Self::Ambiguous(b, c)) | (Self::Ambiguous(b, c), Self::Instant(a)) => a == b || a == c,
            (Self::Ambiguous(a, b), Self::Ambiguous(c, d)) => a == c || a == d || b == c || b == d,
            _ => false,
        }
    }

    /// Whether this is surely after `earlier`; `None` when one is a day and the other a moment. Of two readings of an
    /// ambiguous time the kinder one counts.
    #[must_use]
    pub fn is_after(self, earlier: Self) -> Option<bool> {
        match (self, earlier) {
            (Self::Day(end), Self::Day(start)) => Some(end > start),
            (Self::Day(_), _) | (_, Self::Day(_)) => None,
            (end, start) => Some(end.latest() > start.earliest()),
        }
    }

    /// Whether it is a whole day.
    #[must_use]
    pub const fn is_day(self) -> bool {
        matches!(self, Self::Day(_))
    }

    const fn earliest(self) -> i64 {
        match self {
            Self::Instant(at) | Self::Ambiguous(at, _) => at,
            Self::Day(_) => i64::MIN,
        }
    }

    const fn latest(self) -> i64 {
        match self {
            Self::Instant(at) | Self::Ambiguous(_, at) => at,
            Self::Day(_) => i64::MIN,
        }
    }
}

/// Why a start or an end has no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFault {
    /// It is not an object.
    NotAnObject,
    /// It has neither `date` nor `dateTime`.
    Empty,
    /// It has both `date` and `dateTime`.
    Both,
    /// `date` is not a date of the calendar in the form yyyy-mm-dd.
    Date,
    /// `dateTime` is not an RFC 3339 time that exists.
    DateTime,
    /// `timeZone` is needed and not known.
    Zone,
    /// There is no offset and no zone.
    NoZone,
}

impl TimeFault {
    /// The member that is wrong, if it is one.
    #[must_use]
    pub const fn member(self) -> Option<&'static str> {
        match self {
            Self::NotAnObject | Self::Empty | Self::Both => None,
            Self::Date => Some("date"),
            Self::DateTime | Self::NoZone => Some("dateTime"),
            Self::Zone => Some("timeZone"),
        }
    }

    /// Completes the sentence "`field` …".
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::NotAnObject => "must be an object with date or dateTime",
            Self::Empty => "must have a date (all-day) or a dateTime",
            Self::Both => "must not have both date and dateTime",
            Self::Date => "must be a date in the form yyyy-mm-dd",
            Self::DateTime => "must be an RFC 3339 time, as 2025-01-31T10:00:00Z or 2025-01-31T10:00:00+01:00",
            Self::Zone => "must be a time zone of the IANA database, as Europe/Zurich",
            Self::NoZone => "needs an offset (Z or +01:00) or a timeZone beside it",
        }
    }
}

/// Reads a start or end object. `fallback_zone` (IANA) is the zone of a time that has neither an offset nor a `timeZone`
/// of its own. A `timeZone` beside an offset is not looked at: the offset alone says the moment.
pub fn read_time(time: &Value, fallback_zone: Option<&str>) -> Result<When, TimeFault> {
    let time = time.as_object().ok_or(TimeFault::NotAnObject)?;
    let member = |name: &str| time.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""));
    match (member("date"), member("dateTime")) {
        (Some(_), Some(_)) => Err(TimeFault::Both),
        (None, None) => Err(TimeFault::Empty),
        (Some(date), None) => date.as_str().and_then(read_date).map(When::Day).ok_or(TimeFault::Date),
        (None, Some(text)) => {
            let stamp = text.as_str().and_then(Stated::read).ok_or(TimeFault::DateTime)?;
            if stamp.offset.is_some() {
                return stamp.moment(None).ok_or(TimeFault::DateTime);
            }
            let zone = match member("timeZone") {
                Some(own) => Some(own.as_str().ok_or(TimeFault::Zone)?),
                None => fallback_zone,
            };
            let zone = zone_named(zone.ok_or(TimeFault::NoZone)?).ok_or(TimeFault::Zone)?;
            stamp.moment(Some(&zone)).ok_or(TimeFault::DateTime)
        }
    }
}

/// Whether `name` is in the IANA database (any case of letters).
#[must_use]
pub fn known_zone(name: &str) -> bool {
    zone_named(name).is_some()
}

/// The zone of an IANA name. jiff also knows `Etc/Unknown`, which is no zone; it has no IANA name.
pub(crate) fn zone_named(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some())
}

/// The name that all aliases of a zone share.
pub(crate) fn primary_zone(name: &str) -> Option<String> {
    zone_named(name)?.primary_iana_name().map(str::to_owned)
}

/// A `dateTime` as it is written: the clock on the wall, and the offset if there is one.
#[derive(Clone, Copy)]
pub(crate) struct Stated {
    pub(crate) local: DateTime,
    pub(crate) offset: Option<Offset>,
}

impl Stated {
    /// Reads `yyyy-mm-ddThh:mm:ss[.fraction][Z|±hh:mm]`, nothing else. The fraction is dropped.
    pub(crate) fn read(text: &str) -> Option<Self> {
        // The longest sensible text has nine digits of fraction and an offset.
        if text.len() > 64 {
            return None;
        }
        let bytes = text.as_bytes();
        let (head, tail) = bytes.split_at_checked(19)?;
        if head[10] != b'T' || head[13] != b':' || head[16] != b':' {
            return None;
        }
        let date = date_of(&head[..10])?;
        let (hour, minute, second) = (digits(&head[11..13])?, digits(&head[14..16])?, digits(&head[17..19])?);
        let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
        let rest = match tail.strip_prefix(b".") {
            None => tail,
            Some(fraction) => {
                let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if count == 0 {
                    return None;
                }
                &fraction[count..]
            }
        };
        let offset = match rest {
            b"" => None,
            b"Z" => Some(Offset::UTC),
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
                Some(Offset::from_seconds(if *sign == b'-' { -seconds } else { seconds }).ok()?)
            }
            _ => return None,
        };
        Some(Self { local: date.to_datetime(time), offset })
    }

    /// The moment this is, in its own offset or else in `zone`.
    pub(crate) fn moment(self, zone: Option<&TimeZone>) -> Option<When> {
        let at = |offset: Offset| offset.to_timestamp(self.local).ok().map(jiff::Timestamp::as_second);
        if let Some(offset) = self.offset {
            return at(offset).map(When::Instant);
        }
        match zone?.to_ambiguous_timestamp(self.local).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset).map(When::Instant),
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                let (one, other) = (at(before)?, at(after)?);
                Some(When::Ambiguous(one.min(other), one.max(other)))
            }
        }
    }
}

/// A date in the form yyyy-mm-dd that exists.
pub(crate) fn read_date(text: &str) -> Option<Date> {
    date_of(text.as_bytes())
}

fn date_of(bytes: &[u8]) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return None };
    let year = i16::try_from(digits(&[*y1, *y2, *y3, *y4])?).ok()?;
    Date::new(year, small(digits(&[*m1, *m2])?)?, small(digits(&[*d1, *d2])?)?).ok()
}

fn digits(bytes: &[u8]) -> Option<u16> {
    bytes.iter().try_fold(0, |sum: u16, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u16::from(byte - b'0')) // at most four digits: no overflow
    })
}

fn small(number: u16) -> Option<i8> {
    i8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Result<When, TimeFault> {
        read_time(&json!({ "dateTime": text }), None)
    }

    #[test]
    fn one_moment_is_the_same_in_any_offset_zone_and_fraction() {
        let expected = Ok(When::Instant(1_735_725_600));
        for text in [
            "2025-01-01T10:00:00Z",
            "2025-01-01T10:00:00.999Z",
            "2025-01-01T05:00:00-05:00",
            "2025-01-01T15:30:00.000000+05:30",
            "2025-01-01T10:00:00-00:00",
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
        let floating = json!({ "dateTime": "2025-01-01T05:00:00", "timeZone": "America/New_York" });
        assert_eq!(read_time(&floating, Some("Asia/Tokyo")), expected, "its own zone comes before the fallback");
        let bare = json!({ "dateTime": "2025-01-01T19:00:00" });
        assert_eq!(read_time(&bare, Some("Asia/Tokyo")), expected);
        let with_unknown_zone = json!({ "dateTime": "2025-01-01T10:00:00Z", "timeZone": "Mars/Olympus" });
        assert_eq!(read_time(&with_unknown_zone, None), expected, "the offset alone says the moment");
    }

    #[test]
    fn every_shape_that_is_not_rfc_3339_is_refused() {
        for text in [
            "2027-07-01",
            "2027-07-01T10:00",
            "20270701T100000Z",
            "2027-07-01T23:59:60Z",
            "2027-07-01 10:00:00Z",
            "2027-07-01T10:00:00z",
            "2027-07-01t10:00:00Z",
            "2027-7-1T10:00:00Z",
            "2027-02-30T10:00:00Z",
            "2027-07-01T24:00:00Z",
            "2027-07-01T10:00:00.Z",
            "2027-07-01T10:00:00+0100",
            "2027-07-01T10:00:00+24:00",
            "2027-07-01T10:00:00+01",
            "2027-07-01T10:00:00 Z",
            " 2027-07-01T10:00:00Z",
            "-001-07-01T10:00:00Z",
            "2027-07-01T10:00:00[Europe/Paris]",
            "2027-07-01T10:00:00Zé",
            "é027-07-01T10:00:00Z",
            "+2027-07-01T10:00:00Z",
            "2027-07-01T1o:00:00Z",
            "tomorrow",
            "2027-07-01T10:00:00Z\n",
        ] {
            assert_eq!(at(text).err(), Some(TimeFault::DateTime), "{text}");
        }
        assert_eq!(at("").err(), Some(TimeFault::Empty));
        assert_eq!(at(&format!("2027-07-01T10:00:00.{}Z", "0".repeat(99))).err(), Some(TimeFault::DateTime));
        for date in ["2027-7-1", "20270701", "2027-02-29", "2027-13-01", "2027-07-01T00:00:00Z"] {
            assert_eq!(read_time(&json!({ "date": date }), None).err(), Some(TimeFault::Date), "{date}");
        }
    }

    #[test]
    fn a_time_must_say_where_it_is() {
        assert_eq!(at("2025-01-01T10:00:00").err(), Some(TimeFault::NoZone));
        for zone in ["Etc/Unknown", "GMT+05:30", "India Standard Time", "", "../etc/passwd", "+01:00"] {
            assert!(!known_zone(zone), "{zone}");
            assert!(read_time(&json!({ "dateTime": "2025-01-01T10:00:00" }), Some(zone)).is_err());
        }
        assert!(known_zone("Europe/Zurich") && known_zone("UTC") && known_zone("US/Pacific"));
        assert_eq!(primary_zone("Asia/Calcutta"), primary_zone("Asia/Kolkata"));
    }

    #[test]
    fn exactly_one_of_date_and_date_time_is_needed_and_null_is_absent() {
        let both = json!({ "date": "2025-01-01", "dateTime": "2025-01-01T10:00:00Z" });
        assert_eq!(read_time(&both, None).err(), Some(TimeFault::Both));
        let one = json!({ "date": null, "dateTime": "2025-01-01T10:00:00Z" });
        assert!(read_time(&one, None).is_ok());
        assert_eq!(read_time(&json!({ "timeZone": "UTC" }), None).err(), Some(TimeFault::Empty));
        assert_eq!(read_time(&json!("2025-01-01"), None).err(), Some(TimeFault::NotAnObject));
        assert_eq!(read_time(&json!({ "dateTime": 5 }), None).err(), Some(TimeFault::DateTime));
    }

    #[test]
    fn a_time_in_a_gap_or_a_fold_matches_either_moment_and_no_other() {
        let zurich = |text: &str| read_time(&json!({ "dateTime": text, "timeZone": "Europe/Zurich" }), None).ok();
        let gap = zurich("2025-03-30T02:30:00").unwrap();
        let fold = zurich("2025-10-26T02:30:00").unwrap();
        for (time, texts) in [
            (gap, ["2025-03-30T00:30:00Z", "2025-03-30T01:30:00Z"]),
            (fold, ["2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"]),
        ] {
            for text in texts {
                assert!(time.matches(at(text).unwrap_or(When::Instant(0))), "{text}");
            }
            assert!(!time.matches(at("2025-10-26T02:30:00Z").unwrap_or(When::Instant(0))));
            assert!(time.matches(time));
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,40}") {
            let _ = at(&text);
            let _ = known_zone(&text);
        }

        #[test]
        fn a_moment_written_in_any_offset_reads_the_same(second in 0_i64..4_000_000_000, minutes in -1_439_i32..=1_439) {
            let offset = Offset::from_seconds(minutes * 60).unwrap();
            let local = offset.to_datetime(jiff::Timestamp::from_second(second).unwrap());
            let sign = if minutes < 0 { '-' } else { '+' };
            let text = format!("{local}{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
            prop_assert_eq!(at(&text), Ok(When::Instant(second)));
        }
    }
}
