//! Equal meaning is equal, and whatever is changed that matters is found: for events drawn at random, and for every way in
//! which Google may write them back.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::EventData;

/// Two names each for zones that tick alike. Lord Howe moves by half an hour, Kathmandu lies at +05:45.
const ZONES: [[&str; 2]; 6] = [
    ["UTC", "Etc/UTC"],
    ["America/New_York", "US/Eastern"],
    ["Asia/Kolkata", "Asia/Calcutta"],
    ["Asia/Kathmandu", "Asia/Katmandu"],
    ["Australia/Lord_Howe", "Australia/LHI"],
    ["Europe/Zurich", "Europe/Busingen"],
];

/// Series in two spellings, and one that is another series.
const SERIES: [[&str; 3]; 6] = [
    ["RRULE:FREQ=WEEKLY;COUNT=5", "RRULE:COUNT=5;FREQ=WEEKLY;INTERVAL=1;WKST=MO", "RRULE:FREQ=WEEKLY;COUNT=6"],
    ["RRULE:FREQ=DAILY;BYDAY=MO,WE", "rrule:byday=WE,MO;freq=daily", "RRULE:FREQ=DAILY;BYDAY=MO"],
    ["RRULE:FREQ=MONTHLY;BYDAY=+2TU", "RRULE:FREQ=MONTHLY;BYDAY=2TU;", "RRULE:FREQ=MONTHLY;BYDAY=-2TU"],
    [
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1",
        "RRULE:BYMONTHDAY=1;BYMONTH=3;FREQ=YEARLY",
        "RRULE:FREQ=YEARLY;BYMONTH=3",
    ],
    [
        "EXDATE:20250114T090000Z,20250121T090000Z",
        "EXDATE;TZID=Europe/Zurich:20250121T100000,20250114T100000",
        "EXDATE:20250114T090000Z",
    ],
    ["RDATE;VALUE=DATE:20250114", "rdate:20250114", "RDATE;VALUE=DATE:20250115"],
];

/// An event's meaning, apart from any way of writing it.
#[derive(Debug, Clone)]
struct Meant {
    summary: String,
    description: String,
    /// Unix seconds, or days from the epoch when it is all day.
    start: i64,
    length: i64,
    all_day: bool,
    zone: usize,
    series: Option<usize>,
    guests: usize,
}

fn meant() -> impl Strategy<Value = Meant> {
    let words = "[a-zA-Z0-9é&,.]{1,8}( [a-zA-Z0-9é&,.]{1,8}){0,3}";
    (
        words,
        words,
        1_000_000_000..3_000_000_000_i64,
        1..100_000_i64,
        any::<bool>(),
        0..ZONES.len(),
        prop::option::of(0..SERIES.len()),
        0..6_usize,
    )
        .prop_map(|(summary, description, start, length, all_day, zone, series, guests)| {
            let (start, length) = if all_day { (start / 86_400, length / 10_000 + 1) } else { (start, length) };
            Meant { summary, description, start, length, all_day, zone, series, guests }
        })
}

/// How one time is written.
#[derive(Debug, Clone, Copy)]
enum Hand {
    /// `…Z`, with a fraction that does not count.
    Utc(u16),
    /// In the offset of some zone.
    Offset(usize),
    /// On the clock of the event's own zone, without an offset, where the clock shows that time once.
    Floating,
}

fn hand() -> impl Strategy<Value = Hand> {
    prop_oneof![any::<u16>().prop_map(Hand::Utc), (0..ZONES.len()).prop_map(Hand::Offset), Just(Hand::Floating)]
}

fn zone(index: usize) -> TimeZone {
    zone_named(ZONES[index][0]).unwrap()
}

impl Meant {
    fn time(&self, at: i64, hand: Hand, alias: usize) -> Value {
        if self.all_day {
            let day = Timestamp::from_second(at * 86_400).unwrap().to_zoned_datetime(TimeZone::UTC);
            return json!({ "date": day.strftime("%Y-%m-%d").to_string() });
        }
        let moment = Timestamp::from_second(at).unwrap();
        let on_the_clock = |of: TimeZone, form: &str| moment.to_zoned_datetime(of).strftime(form).to_string();
        let own = zone(self.zone);
        let is_there_once = own.to_ambiguous_timestamp(own.to_datetime(moment)).is_ambiguous();
        let text = match hand {
            Hand::Floating if !is_there_once => on_the_clock(own, "%Y-%m-%dT%H:%M:%S"),
            Hand::Utc(fraction) => on_the_clock(TimeZone::UTC, &format!("%Y-%m-%dT%H:%M:%S.{fraction:05}Z")),
            Hand::Offset(index) => on_the_clock(zone(index), "%Y-%m-%dT%H:%M:%S%:z"),
            Hand::Floating => on_the_clock(own, "%Y-%m-%dT%H:%M:%S%:z"),
        };
        json!({ "dateTime": text, "timeZone": ZONES[self.zone][alias] })
    }

    /// As a caller writes it.
    fn asked(&self, hands: [Hand; 2]) -> Map<String, Value> {
        let mut event = object(json!({
            "summary": self.summary,
            "description": self.description,
            "start": self.time(self.start, hands[0], 0),
            "end": self.time(self.start + self.length, hands[1], 0),
            "attendees": (0..self.guests).map(|i| json!({ "email": format!("Guest{i}@x.org") })).collect::<Vec<_>>(),
        }));
        if let Some(series) = self.series {
            event.insert("recurrence".to_owned(), json!([SERIES[series][0]]));
        }
        event
    }

    /// As Google writes it back: in zones and offsets of its own choice, the guests in another order and in small letters,
    /// the description as HTML, defaults left out or spelt out, and much that nobody asked for.
    fn answered(&self, hands: [Hand; 2], turn: usize) -> Map<String, Value> {
        let mut guests: Vec<_> = (0..self.guests)
            .map(|i| json!({ "email": format!("guest{i}@x.org"), "responseStatus": "accepted" }))
            .collect();
        guests.push(json!({ "email": "owner@x.org", "organizer": true, "self": true }));
        let at = turn % guests.len();
        guests.rotate_left(at);
        let mut event = object(json!({
            "kind": "calendar#event", "etag": "\"1\"", "id": "abcde", "status": "confirmed",
            "summary": format!("{} ", self.summary),
            "description": self.description.replace('&', "&amp;").replace(' ', "<br>"),
            "organizer": { "email": "owner@x.org", "self": true },
            "start": self.time(self.start, hands[0], 1),
            "end": self.time(self.start + self.length, hands[1], 1),
            "attendees": guests,
            "extendedProperties": { "private": { "surecalPrint": "p", "surecalClaims": "c" } },
            "reminders": { "useDefault": true },
        }));
        if let Some(series) = self.series {
            event.insert("recurrence".to_owned(), json!([SERIES[series][1]]));
        }
        event
    }
}

/// Something that matters, changed. What it changes, and under which name it must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Summary,
    NoSummary,
    Start(i64),
    StartKind,
    End(i64),
    NoEnd,
    Recurrence,
    Guest(usize),
    NoGuests,
    Deleted,
}

fn change() -> impl Strategy<Value = Change> {
    let by = prop_oneof![-100_000..0_i64, 1..100_000_i64];
    prop_oneof![
        Just(Change::Summary),
        Just(Change::NoSummary),
        by.clone().prop_map(Change::Start),
        Just(Change::StartKind),
        by.prop_map(Change::End),
        Just(Change::NoEnd),
        Just(Change::Recurrence),
        any::<usize>().prop_map(Change::Guest),
        Just(Change::NoGuests),
        Just(Change::Deleted),
    ]
}

impl Change {
    /// Changes the event as it was read; the field's name, if there was something to change.
    fn apply(self, meant: &Meant, event: &mut Map<String, Value>) -> Option<&'static str> {
        let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
        match self {
            Self::Summary => set("summary", json!(format!("{} too", meant.summary))),
            Self::NoSummary => drop(event.shift_remove("summary")),
            Self::Start(by) => set("start", meant.time(meant.start + by, Hand::Utc(0), 1)),
            Self::StartKind => {
                let other = Meant { all_day: !meant.all_day, ..meant.clone() };
                let at = if meant.all_day { meant.start * 86_400 } else { meant.start / 86_400 };
                set("start", other.time(at, Hand::Utc(0), 1));
            }
            Self::End(by) => set("end", meant.time(meant.start + meant.length + by, Hand::Utc(0), 1)),
            Self::NoEnd => drop(event.shift_remove("end")),
            Self::Recurrence => {
                // A series that was not asked for matters as much as one that is lost.
                set("recurrence", json!([SERIES[meant.series.unwrap_or(0)][2]]));
            }
            Self::Guest(which) => {
                let gone = format!("guest{}@x.org", which.checked_rem(meant.guests)?);
                event.get_mut("attendees")?.as_array_mut()?.retain(|guest| guest["email"] != gone.as_str());
            }
            Self::NoGuests if meant.guests == 0 => return None,
            Self::NoGuests => drop(event.shift_remove("attendees")),
            Self::Deleted => set("status", json!("cancelled")),
        }
        Some(match self {
            Self::Summary | Self::NoSummary => "summary",
            Self::Start(_) | Self::StartKind => "start",
            Self::End(_) | Self::NoEnd => "end",
            Self::Recurrence => "recurrence",
            Self::Guest(_) | Self::NoGuests => "attendees",
            Self::Deleted => "status",
        })
    }
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn data(event: &Map<String, Value>) -> EventData {
    EventData::parse(&Value::Object(event.clone()).to_string(), None).unwrap()
}

fn hands() -> impl Strategy<Value = [Hand; 2]> {
    [hand(), hand()]
}

/// What `as_asked` says of this answer, with our id and stamp in it.
fn is_plain(asked: &EventData, answer: &Map<String, Value>) -> bool {
    let mut answer = Value::Object(answer.clone());
    answer["id"] = json!("abcde");
    answer["extendedProperties"]["private"]["surecalPrint"] = json!("print");
    plain::as_asked(asked.text(), answer.to_string().as_bytes(), "abcde", "print").is_some()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_means_the_same_is_equal_however_google_writes_it(
        meant in meant(), asked in hands(), answered in hands(), turn: usize,
    ) {
        let asked = data(&meant.asked(asked));
        let comparison = compare_whole(&asked.body().unwrap(), &meant.answered(answered, turn));
        prop_assert_eq!(&comparison, &Comparison::default(), "{:?}", comparison.warnings());
    }

    #[test]
    fn what_means_the_same_has_one_fingerprint_however_a_caller_writes_it(
        meant in meant(), one in hands(), other in hands(), turn: usize,
    ) {
        let first = data(&meant.asked(one));
        let mut again = meant.asked(other);
        if let Some(guests) = again["attendees"].as_array_mut().filter(|guests| !guests.is_empty()) {
            let at = turn % guests.len();
            guests.rotate_left(at);
        }
        if let Some(series) = meant.series {
            again.insert("recurrence".to_owned(), json!([SERIES[series][1]]));
        }
        again.insert("location".to_owned(), Value::Null);
        prop_assert_eq!(first.print(), data(&again).print());
        // And what does not mean the same has another.
        again.insert("location".to_owned(), json!("Room 5"));
        prop_assert_ne!(first.print(), data(&again).print());
    }

    #[test]
    fn every_change_that_matters_is_found_and_nothing_else(
        meant in meant(), asked in hands(), answered in hands(), turn: usize,
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let asked = data(&meant.asked(asked));
        let mut read = meant.answered(answered, turn);
        // Of two changes of one field the later counts; it may put right what the other did, so one is made of each.
        let mut changed = std::collections::BTreeSet::new();
        for change in changes {
            let mut tried = read.clone();
            if let Some(field) = change.apply(&meant, &mut tried)
                && changed.insert(field)
            {
                read = tried;
            }
        }
        let comparison = compare_whole(&asked.body().unwrap(), &read);
        prop_assert!(comparison == Comparison::default() || !is_plain(&asked, &read));
        let found: std::collections::BTreeSet<_> =
            comparison.critical.iter().map(|found| found.field.split('.').next().unwrap_or_default()).collect();
        prop_assert_eq!(found, changed, "{:?}", read);
    }

    #[test]
    fn what_google_only_adds_to_is_plain_and_no_change_that_matters_is(
        meant in meant(), asked in hands(), answered in hands(), change in prop::option::of(change()),
    ) {
        let asked = data(&meant.asked(asked));
        let mut read = asked.body().unwrap();
        read.insert("start".to_owned(), meant.time(meant.start, answered[0], 0));
        read.insert("end".to_owned(), meant.time(meant.start + meant.length, answered[1], 0));
        read.extend(object(json!({ "status": "confirmed", "etag": "\"1\"", "reminders": { "useDefault": true } })));
        let guests = read["attendees"].as_array_mut().unwrap();
        for guest in guests.iter_mut() {
            guest["responseStatus"] = json!("needsAction");
        }
        guests.push(json!({ "email": "owner@x.org", "organizer": true, "self": true }));
        prop_assert!(is_plain(&asked, &read), "{:?}", read);
        if let Some(change) = change && change.apply(&meant, &mut read).is_some() {
            let differs = compare_whole(&asked.body().unwrap(), &read) != Comparison::default();
            prop_assert!(!(differs && is_plain(&asked, &read)), "{:?}", read);
        }
    }

    #[test]
    fn a_change_of_anything_else_is_told_and_does_not_fail(
        meant in meant(), asked in hands(), answered in hands(), turn: usize,
    ) {
        let mut asked = meant.asked(asked);
        asked.insert("location".to_owned(), json!("Room 5"));
        let asked = data(&asked);
        let mut read = meant.answered(answered, turn);
        read.insert("description".to_owned(), json!(format!("{} too", meant.description)));
        read.insert("colorId".to_owned(), json!("3"));
        let comparison = compare_whole(&asked.body().unwrap(), &read);
        prop_assert!(comparison.is_equal_where_it_matters() && !is_plain(&asked, &read));
        let found: Vec<_> = comparison.advisory.iter().map(|found| found.field.as_str()).collect();
        prop_assert_eq!(found, ["description", "location"]);
    }
}
