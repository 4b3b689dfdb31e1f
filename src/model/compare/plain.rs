//! Whether what was read back is plainly what was asked for.
//!
//! Most answers are: the same members hold the same, and Google has added its own. That is told from the two texts, with
//! trees that borrow from them and are gone at once. What is not plain is for [`compare_whole`](super::compare_whole) to
//! judge, by meaning; whatever is plain here has no difference and no warning there.

use serde_json_borrow::{ObjectAsVec as Object, Value};

use super::same_time;
use crate::model::claim::Claims;
use crate::model::stamp::{CLAIMS, FENCE, PRINT};

/// What is to be known of an event that is plainly the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsAsked {
    /// As Google wrote it into the body.
    pub etag: Option<String>,
    /// Who holds it.
    pub claims: Claims,
}

/// Looks at `answer`, the JSON text of what was read, for the event `id` that was made with `print` from the checked data
/// `asked`, also JSON text. `None` says nothing.
#[must_use]
pub fn as_asked(asked: &[u8], answer: &[u8], id: &str, print: &str) -> Option<AsAsked> {
    let asked: Value<'_> = serde_json::from_str(std::str::from_utf8(asked).ok()?).ok()?;
    let answer: Value<'_> = serde_json::from_str(std::str::from_utf8(answer).ok()?).ok()?;
    let (asked, found) = (asked.as_object()?, answer.as_object()?);
    if text(found, "id") != Some(id) || text(found, "status").is_none_or(|status| status == "cancelled") {
        return None;
    }
    let private = only(found, "extendedProperties")?.as_object().and_then(|all| only(all, "private"))?.as_object()?;
    if text(private, PRINT) != Some(print) || private.get(FENCE).is_some() {
        return None;
    }
    // A summary or a recurrence that nobody asked for is a difference.
    let unasked = ["summary", "recurrence"].iter().any(|name| asked.get(name).is_none() && found.get(name).is_some());
    if unasked || !asked.iter().all(|(name, value)| only(found, name).is_some_and(|found| holds(name, value, found))) {
        return None;
    }
    Some(AsAsked {
        etag: text(found, "etag").map(str::to_owned),
        claims: text(private, CLAIMS).map(Claims::parse).unwrap_or_default(),
    })
}

/// Whether the field `name`, asked for as `asked`, is plainly so.
fn holds(name: &str, asked: &Value<'_>, found: &Value<'_>) -> bool {
    match (name, asked, found) {
        ("start" | "end", _, _) => is_time(asked, found),
        ("attendees", Value::Array(asked), Value::Array(found)) => are_guests(asked, found),
        ("extendedProperties", Value::Object(asked), Value::Object(found)) => asked.iter().all(|(group, asked)| {
            let (Some(asked), Some(found)) = (asked.as_object(), only(found, group).and_then(Value::as_object)) else {
                return false;
            };
            asked.iter().all(|(key, text)| only(found, key) == Some(text))
        }),
        // What became of a request is for the other comparison.
        ("conferenceData", _, _) => false,
        _ => is_same(asked, found),
    }
}

/// The same text, or the same moment with the same zone.
fn is_time(asked: &Value<'_>, found: &Value<'_>) -> bool {
    let (Some(wanted), Some(read)) = (asked.as_object(), found.as_object()) else { return false };
    let is_kept = |name| match (wanted.get(name), read.get(name)) {
        (Some(asked), Some(_)) => only(read, name) == Some(asked),
        (asked, found) => asked.is_none() && found.is_none(),
    };
    let is_there = |name| text(wanted, name).is_some() == text(read, name).is_some();
    let has_zone = wanted.get("timeZone").is_some();
    if is_kept("date") && is_kept("dateTime") && is_kept("timeZone") {
        return true;
    }
    (is_kept("timeZone") || !has_zone && only(read, "timeZone").is_some())
        && is_there("date")
        && is_there("dateTime")
        && same_time(&asked.into(), &found.into())
}

/// The guests that were asked for, each at their place; more may follow.
fn are_guests(asked: &[Value<'_>], found: &[Value<'_>]) -> bool {
    asked.len() <= found.len()
        && asked.iter().zip(found).all(|(asked, found)| {
            let (Some(asked), Some(found)) = (asked.as_object(), found.as_object()) else { return false };
            let is_kept = |name| match (asked.get(name), only(found, name)) {
                (Some(asked), Some(found)) => is_same(asked, found),
                (asked, _) => asked.is_none(),
            };
            asked.get("email").is_some() && ["email", "optional", "additionalGuests"].into_iter().all(is_kept)
        })
}

fn is_same(asked: &Value<'_>, found: &Value<'_>) -> bool {
    match (asked, found) {
        (Value::Object(asked), Value::Object(found)) => {
            asked.len() == found.len()
                && asked.iter().all(|(name, asked)| only(found, name).is_some_and(|found| is_same(asked, found)))
        }
        (Value::Array(asked), Value::Array(found)) => {
            asked.len() == found.len() && asked.iter().zip(found).all(|(asked, found)| is_same(asked, found))
        }
        (asked, found) => asked == found,
    }
}

/// The member of that name, if there is just one: of two, parsers take one or the other.
fn only<'a, 'text>(object: &'a Object<'text>, name: &str) -> Option<&'a Value<'text>> {
    let mut named = object.iter().filter(|(there, _)| *there == name);
    named.next().filter(|_| named.next().is_none()).map(|(_, value)| value)
}

fn text<'a>(object: &'a Object<'_>, name: &str) -> Option<&'a str> {
    only(object, name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::EventData;

    fn lesson() -> serde_json::Value {
        json!({
            "summary": "Class 7",
            "start": { "dateTime": "2025-01-07T10:00:00+01:00" },
            "end": { "dateTime": "2025-01-07T11:00:00+01:00", "timeZone": "Europe/Zurich" },
            "attendees": [{ "email": "a@x.org", "optional": true }, { "email": "b@x.org" }],
            "reminders": { "useDefault": false, "overrides": [{ "method": "popup", "minutes": 10 }] },
            "extendedProperties": { "private": { "class": "7" } },
        })
    }

    /// `lesson` as Google answers: with its own members, and in the calendar's zone.
    fn answer() -> serde_json::Value {
        let mut answer = lesson();
        answer["id"] = json!("abcde");
        answer["etag"] = json!("\"5\"");
        answer["status"] = json!("confirmed");
        answer["start"] = json!({ "dateTime": "2025-01-07T09:00:00Z", "timeZone": "Europe/London" });
        answer["attendees"][1]["responseStatus"] = json!("needsAction");
        answer["extendedProperties"]["private"] = json!({ "class": "7", PRINT: "print", CLAIMS: "000000000005" });
        answer
    }

    fn judged(answer: &str) -> Option<AsAsked> {
        let asked = EventData::parse(&lesson().to_string(), None).unwrap();
        as_asked(asked.text(), answer.as_bytes(), "abcde", "print")
    }

    #[test]
    fn what_is_asked_for_and_what_google_adds_is_plain() {
        let found = judged(&answer().to_string()).unwrap();
        assert_eq!(found.etag.as_deref(), Some("\"5\""));
        assert_eq!(found.claims, Claims::parse("000000000005"));
        assert!(!found.claims.is_empty());
        assert!(judged(&serde_json::to_string_pretty(&answer()).unwrap()).is_some(), "as Google lays it out");
    }

    #[test]
    fn one_thing_that_is_otherwise_is_not_plain() {
        for (pointer, value) in [
            ("/id", json!("other")),
            ("/status", json!("cancelled")),
            ("/summary", json!("Class 8")),
            ("/recurrence", json!(["RRULE:FREQ=DAILY"])),
            ("/start", json!({ "dateTime": "2025-01-07T09:00:01Z", "timeZone": "Europe/London" })),
            ("/start", json!({ "date": "2025-01-07" })),
            ("/start/date", json!("2025-01-07")),
            ("/end/timeZone", json!("Europe/Berlin")),
            ("/end", json!(null)),
            ("/attendees", json!([{ "email": "b@x.org" }, { "email": "a@x.org", "optional": true }])),
            ("/attendees", json!([{ "email": "a@x.org", "optional": true }])),
            ("/attendees/0/optional", json!(false)),
            ("/attendees/1/email", json!("c@x.org")),
            ("/reminders/overrides/0/minutes", json!(11)),
            ("/reminders/overrides", json!([])),
            ("/extendedProperties/private/class", json!("8")),
            ("/extendedProperties/private/surecalPrint", json!("other")),
            ("/extendedProperties/private/surecalFence", json!("1")),
            ("/extendedProperties", json!(5)),
        ] {
            let mut otherwise = answer();
            let (within, name) = pointer.rsplit_once('/').unwrap();
            if let Some(there) = otherwise.pointer_mut(pointer) {
                *there = value;
            } else {
                let object = otherwise.pointer_mut(within).unwrap().as_object_mut().unwrap();
                object.insert(name.to_owned(), value);
            }
            assert!(judged(&otherwise.to_string()).is_none(), "{pointer}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_plain() {
        let whole = answer().to_string();
        for twice in [
            r#""summary":"Class 7""#,
            r#""email":"b@x.org""#,
            r#""class":"7""#,
            r#""minutes":10"#,
            r#""id":"abcde""#,
            r#""status":"confirmed""#,
        ] {
            let doubled = whole.replacen(twice, &format!("{twice},{twice}"), 1);
            assert!(doubled.len() > whole.len() && judged(&doubled).is_none(), "{twice}");
        }
        for broken in ["", "null", "[]", &whole[1..], &whole[..whole.len() - 1], &format!("{whole}x")] {
            assert!(judged(broken).is_none());
        }
    }

    #[test]
    fn what_became_of_a_request_for_a_conference_is_for_the_other_comparison() {
        let mut asked = lesson();
        asked["conferenceData"] = json!({ "createRequest": { "requestId": "r" } });
        let mut answer = answer();
        answer["conferenceData"] = asked["conferenceData"].clone();
        let asked = EventData::parse(&asked.to_string(), None).unwrap();
        assert!(as_asked(asked.text(), answer.to_string().as_bytes(), "abcde", "print").is_none());
    }
}
