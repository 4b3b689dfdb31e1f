//! Names that are computed, and checks of names that are given.
//!
//! An event's id is a function of who asks for what under which key, so that a second attempt meets the first one at
//! Google ("The requested identifier already exists") in place of making a second event.

use data_encoding::BASE32HEX_NOPAD;
use sha2::{Digest, Sha256};

use super::error::CalendarError;

/// The version of how names are made. Another value makes other ids for the same keys: never change it without need.
const VERSION: &str = "1";

/// The longest id Google takes (reference of `Event.id`); also the bound for calendar ids.
const MAX_ID: usize = 1024;

/// The longest idempotency key and user id, in bytes.
const MAX_KEY: usize = 512;

/// The id of the event that `key` makes: 52 characters of `0-9a-v`, the alphabet Google asks for. `generation` counts the
/// events deleted under this key before, from 0.
#[must_use]
pub fn event_id(operation: &str, user: &str, calendar: &str, key: &str, generation: u32) -> String {
    named(&[VERSION, operation, user, calendar, key, &generation.to_string()])
}

/// `conferenceData.createRequest.requestId` for the same event. Google ignores a request whose id it has seen, so a retry
/// makes no second conference.
#[must_use]
pub fn conference_request_id(operation: &str, user: &str, calendar: &str, key: &str, generation: u32) -> String {
    named(&["conference", VERSION, operation, user, calendar, key, &generation.to_string()])
}

/// A store key: `surecal:1:<kind>:` and a hash of `parts`, so that no address or user id is told to the store's operators.
#[must_use]
pub fn store_key(kind: &str, parts: &[&str]) -> String {
    let mut all = vec!["store", VERSION, kind];
    all.extend_from_slice(parts);
    format!("surecal:{VERSION}:{kind}:{}", named(&all))
}

/// Lower-case base32hex of a SHA-256 hash.
pub(crate) fn base32hex(hash: &[u8]) -> String {
    BASE32HEX_NOPAD.encode(hash).to_ascii_lowercase()
}

/// Each part is preceded by its length: no two lists of parts make the same bytes.
fn named(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    base32hex(&hasher.finalize())
}

/// A caller's event id, which becomes a segment of a URL's path. Ids of recurring instances hold `_` and capital letters,
/// those of imported events more, so only what could leave the segment, or is no id at all, is refused.
pub fn check_event_id(id: &str) -> Result<(), CalendarError> {
    check_segment("eventId", id)?;
    if id.chars().any(|c| !c.is_ascii_graphic()) {
        return Err(CalendarError::validation("eventId", "must be made of visible ASCII characters"));
    }
    Ok(())
}

/// A calendar id: `primary` or what looks like an address.
pub fn check_calendar_id(id: &str) -> Result<(), CalendarError> {
    check_segment("calendarId", id)
}

/// A caller's idempotency key: 1 to 512 bytes without control characters.
pub fn check_idempotency_key(key: &str) -> Result<(), CalendarError> {
    check_key("idempotencyKey", key)
}

/// The id by which the caller knows its user: 1 to 512 bytes without control characters.
pub fn check_user_id(user: &str) -> Result<(), CalendarError> {
    check_key("userId", user)
}

fn check_key(field: &str, key: &str) -> Result<(), CalendarError> {
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(CalendarError::validation(field, "must be text of 1 to 512 bytes"));
    }
    if key.chars().any(char::is_control) {
        return Err(CalendarError::validation(field, "must not hold control characters"));
    }
    Ok(())
}

fn check_segment(field: &str, id: &str) -> Result<(), CalendarError> {
    if id.is_empty() || id.len() > MAX_ID {
        return Err(CalendarError::validation(field, "must be text of 1 to 1024 bytes"));
    }
    if id.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(CalendarError::validation(field, "must not hold spaces or control characters"));
    }
    // Percent-encoding takes the meaning from most signs, but servers and proxies on the way may decode and fold these.
    if id == "." || id.contains("..") || id.contains(['/', '\\']) {
        return Err(CalendarError::validation(field, "must not hold a slash, a backslash or two dots in a row"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_event_id_stays_what_it_is_from_release_to_release() {
        // Pinned: other ids for old keys would make a retry across an upgrade a second event.
        assert_eq!(
            event_id("createEvent", "user-1", "primary", "key-1", 0),
            "ckhe9mb25hjsr112p266k8ogi01d3vcsg3t5lpdb4lf8s7ds1k30"
        );
        assert_eq!(
            conference_request_id("createEvent", "user-1", "primary", "key-1", 0),
            "i6abunb2bop3icu7l58r010dsgc04dv7fvl2htje8apblm8g2400"
        );
        assert_eq!(
            store_key("create", &["user-1", "key-1"]),
            "surecal:1:create:h0r0m6a1sbd33vhsciis4kqjbmna2h14ptofapahuo1p6gg44uug"
        );
    }

    #[test]
    fn moving_a_character_between_parts_makes_another_id() {
        let ids: BTreeSet<_> = [
            event_id("createEvent", "ab", "c", "k", 0),
            event_id("createEvent", "a", "bc", "k", 0),
            event_id("createEvent", "a", "b", "ck", 0),
            event_id("createEvent", "a", "b", "c", 10),
            event_id("createEvent", "a", "b", "c1", 0),
            event_id("createEvent", "a", "b", "c", 1),
            conference_request_id("createEvent", "a", "b", "c", 1),
            event_id("createEvents", "a", "b", "c", 1),
        ]
        .into();
        assert_eq!(ids.len(), 8);
    }

    #[test]
    fn a_store_key_tells_nothing_but_its_kind() {
        let key = store_key("create", &["ann@example.com", "primary"]);
        assert!(key.starts_with("surecal:1:create:") && !key.contains("ann"));
        assert_ne!(key, store_key("create", &["ann@example.comprimary"]));
        assert_ne!(key, store_key("create", &["ann@example.com", "primary", ""]));
    }

    #[test]
    fn an_id_that_could_leave_its_path_segment_is_refused_and_not_repeated() {
        for id in [
            "abc_20250101T100000Z",
            "_60q30c1g60o30e1i60o4ac1g60rj8gpl88rj2c1h84s34h9g60s30c1g60o30c1g",
            "a@b.c",
            "a%2Fb",
            "a:b",
        ] {
            assert!(check_event_id(id).is_ok(), "{id}");
        }
        let long = "a".repeat(1025);
        for id in ["", ".", "..", "a..b", "a/b", "../calendars", "a\\b", "a\r\nb", "a b", "\u{7f}", "ä", long.as_str()]
        {
            let error = check_event_id(id).unwrap_err();
            assert_eq!(error.code, crate::model::Code::ValidationFailed);
            assert!(id.len() < 4 || !error.message.contains(id), "{id}");
        }
        assert!(check_calendar_id("en.usa#holiday@group.v.calendar.google.com").is_ok());
        assert!(check_calendar_id("primary").is_ok());
        for id in ["", "a/b", "..", "a\nb", "a b"] {
            assert!(check_calendar_id(id).is_err(), "{id}");
        }
    }

    #[test]
    fn a_key_is_bounded_text() {
        assert!(check_idempotency_key("Kurs 7: jeden Dienstag, 10 Uhr, Zürich").is_ok());
        let long = "k".repeat(513);
        for key in ["", "a\nb", "a\u{0}", long.as_str()] {
            assert!(check_idempotency_key(key).is_err());
            assert!(check_user_id(key).is_err());
        }
    }

    proptest! {
        #[test]
        fn every_event_id_is_one_google_takes(user in "\\PC*", calendar in "\\PC*", key in "\\PC*", generation: u32) {
            let id = event_id("createEvent", &user, &calendar, &key, generation);
            prop_assert_eq!(id.len(), 52);
            prop_assert!(id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v')));
            prop_assert!(check_event_id(&id).is_ok());
        }
    }
}
