//! What an event of ours carries in its private extended properties, and the fence that keeps an id free of late inserts.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::claim::Claims;
use super::error::CalendarError;
use super::event::{EventData, name_conference_request};
use super::instant::{When, read_time};
use super::outcome::Outcome;

/// The fingerprint of the request that made the event.
pub const PRINT: &str = "surecalPrint";
/// The calls that hold the event, as [`Claims`].
pub const CLAIMS: &str = "surecalClaims";
/// Marks a fence.
pub const FENCE: &str = "surecalFence";
/// A value that changes only so that the `ETag` does.
pub const TOUCH: &str = "surecalTouch";

/// Keys that start so, in any case of letters, are ours.
pub(crate) const RESERVED_PREFIX: &str = "surecal";
/// All our keys.
pub(crate) const STAMPS: [&str; 4] = [PRINT, CLAIMS, FENCE, TOUCH];

/// The start and the end of a fence, in Unix seconds.
const FENCE_TIME: (i64, i64) = (0, 60);

/// The stamp of an event as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The fingerprint of the request that made it. `None`: not ours, or somebody's PUT wiped it.
    pub print: Option<String>,
    /// Who holds it.
    pub claims: Claims,
    /// It is a fence: whoever meets it deletes it.
    pub fence: bool,
    /// The mark of the last attempt that left it to others.
    pub touch: Option<String>,
}

impl Stamp {
    /// Reads an event's stamp. A fence is known by its mark, and by its minute of 1970 as well, for a PUT can wipe marks.
    #[must_use]
    pub fn of(event: &Map<String, Value>) -> Self {
        let private = event.get("extendedProperties").and_then(|all| all.get("private"));
        let text =
            |key: &str| private.and_then(|texts| texts.get(key)).and_then(Value::as_str).filter(|t| !t.is_empty());
        Self {
            print: text(PRINT).map(str::to_owned),
            claims: text(CLAIMS).map(Claims::parse).unwrap_or_default(),
            fence: text(FENCE).is_some() || has_fence_time(event),
            touch: text(TOUCH).map(str::to_owned),
        }
    }

    /// Whether the event carries nothing of ours.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.print.is_none() && self.claims.is_empty() && !self.fence
    }
}

/// The JSON text of an insert: the checked data, under the event's `id`, with our stamp beside the caller's own private
/// properties. A request for a conference gets `request_id`. In two pieces, of which the second shares the data's own text.
pub fn insert_text(
    data: &EventData,
    id: &str,
    print: &str,
    claims: &Claims,
    request_id: impl FnOnce() -> String,
) -> Result<(Bytes, Bytes), CalendarError> {
    // Most data holds nothing that we add to, and goes as it is, behind our own members.
    let goes_whole = !data.has_properties() && !data.asks_for_conference();
    let mut body = if goes_whole { Map::new() } else { data.body()? };
    body.insert("id".to_owned(), Value::from(id));
    set_private(&mut body, [(PRINT, print.to_owned()), (CLAIMS, claims.text())]);
    if data.asks_for_conference()
        && let Some(conference) = body.get_mut("conferenceData")
    {
        name_conference_request(conference, &request_id());
    }
    let mut text = serde_json::to_vec(&body)
        .map_err(|_| CalendarError::internal(Outcome::NotSent, "an event could not be written as JSON"))?;
    if !goes_whole {
        return Ok((text.into(), Bytes::new()));
    }
    text.pop();
    text.push(b',');
    Ok((text.into(), data.text().slice(1..)))
}

/// The body of a PATCH that changes the claims and nothing else.
#[must_use]
pub fn claims_patch(claims: &Claims) -> Map<String, Value> {
    private_patch(CLAIMS, &claims.text())
}

/// The body of a PATCH by which a failed attempt leaves an event to others: it takes the attempt's claim out, `claims`
/// being the others', or changes nothing but the `ETag`. A read that shows `nonce` proves that it was applied.
#[must_use]
pub fn leave_patch(claims: Option<&Claims>, nonce: &str) -> Map<String, Value> {
    let mut body = claims.map(claims_patch).unwrap_or_default();
    set_private(&mut body, [(TOUCH, nonce.to_owned())]);
    body
}

/// The member of a PATCH's JSON text that moves the `ETag` on: `"extendedProperties":{…}`. A read that shows `nonce` (our own
/// letters and digits) proves that it was applied.
#[must_use]
pub fn touch_member(nonce: &str) -> String {
    format!(r#""extendedProperties":{{"private":{{"{TOUCH}":"{nonce}"}}}}"#)
}

/// The body of a fence: a minute of 1970 that nobody sees or is reminded of.
#[must_use]
pub fn fence_body(id: &str) -> Map<String, Value> {
    let fence = json!({
        "id": id,
        "start": { "dateTime": "1970-01-01T00:00:00Z" },
        "end": { "dateTime": "1970-01-01T00:01:00Z" },
        "visibility": "private",
        "transparency": "transparent",
        "reminders": { "useDefault": false, "overrides": [] },
        "extendedProperties": { "private": { FENCE: "1" } },
    });
    match fence {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

/// Whether these are the times of a fence.
pub(crate) fn is_fence_time(start: When, end: When) -> bool {
    (start, end) == (When::Instant(FENCE_TIME.0), When::Instant(FENCE_TIME.1))
}

fn has_fence_time(event: &Map<String, Value>) -> bool {
    let time = |name: &str| event.get(name).and_then(|time| read_time(time, None).ok());
    !event.contains_key("recurrence")
        && matches!((time("start"), time("end")), (Some(a), Some(b)) if is_fence_time(a, b))
}

fn private_patch(key: &str, text: &str) -> Map<String, Value> {
    let mut body = Map::new();
    set_private(&mut body, [(key, text.to_owned())]);
    body
}

fn set_private<const N: usize>(body: &mut Map<String, Value>, entries: [(&str, String); N]) {
    let mut all = taken(body, "extendedProperties");
    let mut private = taken(&mut all, "private");
    private.extend(entries.map(|(key, text)| (key.to_owned(), Value::String(text))));
    all.insert("private".to_owned(), Value::Object(private));
    body.insert("extendedProperties".to_owned(), Value::Object(all));
}

/// The object at `key`, taken out; an empty one if there is none.
fn taken(map: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match map.shift_remove(key) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Claim;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    /// What is sent of this data, read.
    fn sent(data: &Value) -> Map<String, Value> {
        let data = EventData::parse(&data.to_string(), None).unwrap();
        let claims = Claims::of(Claim::from_bits(5));
        let text = insert_text(&data, "abcde", "print", &claims, || "ours".to_owned()).unwrap();
        object(serde_json::from_slice(&[text.0, text.1].concat()).unwrap())
    }

    #[test]
    fn a_stamp_is_read_as_it_was_written_beside_what_the_caller_gave() {
        let lesson = json!({
            "summary": "x", "start": { "dateTime": "2025-01-07T10:00:00Z" }, "end": { "dateTime": "2025-01-07T11:00:00Z" },
        });
        let own = json!({ "extendedProperties": { "private": { "own": "1" }, "shared": { "s": "2" } } });
        let meet = json!({ "conferenceData": { "createRequest": { "requestId": "theirs" } } });
        for added in [json!({}), own, meet] {
            let mut asked = lesson.clone();
            asked.as_object_mut().unwrap().extend(object(added));
            let sent = sent(&asked);
            let claims = Claims::of(Claim::from_bits(5));
            assert_eq!(
                Stamp::of(&sent),
                Stamp { print: Some("print".to_owned()), claims: claims.clone(), fence: false, touch: None }
            );
            // Beside it, what was asked for, and nothing else.
            let mut wanted = object(asked.clone());
            wanted.insert("id".to_owned(), json!("abcde"));
            set_private(&mut wanted, [(PRINT, "print".to_owned()), (CLAIMS, claims.text())]);
            if let Some(conference) = wanted.get_mut("conferenceData") {
                conference["createRequest"]["requestId"] = json!("ours");
            }
            assert_eq!(sent, wanted);
            assert!(Stamp::of(&object(asked)).is_absent());
        }
    }

    #[test]
    fn a_fence_is_known_by_its_mark_and_by_its_minute() {
        let fence = fence_body("abcde");
        assert!(Stamp::of(&fence).fence && !Stamp::of(&fence).is_absent());
        let wiped = object(json!({
            "start": { "dateTime": "1969-12-31T19:00:00-05:00" }, "end": { "dateTime": "1969-12-31T19:01:00-05:00" },
        }));
        assert!(Stamp::of(&wiped).fence);
    }

    #[test]
    fn a_birthday_in_1970_is_no_fence() {
        let all_day = object(json!({ "start": { "date": "1970-01-01" }, "end": { "date": "1970-01-02" } }));
        let hour = object(json!({
            "start": { "dateTime": "1970-01-01T00:00:00Z" }, "end": { "dateTime": "1970-01-01T01:00:00Z" },
        }));
        let mut yearly = fence_body("abcde");
        yearly.shift_remove("extendedProperties");
        yearly.insert("recurrence".to_owned(), json!(["RRULE:FREQ=YEARLY"]));
        assert!(![all_day, hour, yearly].iter().any(|event| Stamp::of(event).fence));
    }

    #[test]
    fn a_patch_of_one_stamp_names_no_other_field() {
        let patch = claims_patch(&Claims::of(Claim::from_bits(1)));
        assert_eq!(Value::Object(patch), json!({ "extendedProperties": { "private": { CLAIMS: "100000000000" } } }));
        assert_eq!(
            Value::Object(leave_patch(None, "n")),
            json!({ "extendedProperties": { "private": { TOUCH: "n" } } })
        );
        assert_eq!(
            Value::Object(leave_patch(Some(&Claims::parse("b")), "n")),
            json!({ "extendedProperties": { "private": { CLAIMS: "b", TOUCH: "n" } } })
        );
    }
}
