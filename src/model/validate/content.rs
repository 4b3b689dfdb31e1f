//! Checks of what fields hold, after their shapes were found right.

use serde_json::{Map, Value};

use crate::model::attendee::{check_email, list, member, normal};
use crate::model::error::CalendarError;
use crate::model::fields::{given, text_of};
use crate::model::path::Path;
use crate::model::stamp::RESERVED_PREFIX;

/// Limits of extended properties, from the guide "Extended properties": longer keys are dropped, longer values cut,
/// without an error.
const MAX_PROPERTY_KEY: usize = 44;
const MAX_PROPERTY_VALUE: usize = 1024;
/// Google: 300 properties and 32 kB. Four properties and 1.2 kB of that are for our own stamps.
const MAX_PROPERTIES: usize = 296;
const MAX_PROPERTIES_BYTES: usize = 30_800;

/// Guests have valid addresses, each once.
pub(super) fn check_guests(body: &Map<String, Value>, root: &Path<'_>) -> Result<(), CalendarError> {
    let path = root.member("attendees");
    let guests = list(body);
    let mut seen = Vec::with_capacity(guests.len());
    for (index, guest) in guests.iter().enumerate() {
        let at = path.item(index);
        let at = at.member("email");
        let Some(email) = member(guest, "email").and_then(Value::as_str) else { return Err(at.fault("is required")) };
        if !check_email(email) {
            return Err(at.fault("must be an e-mail address"));
        }
        seen.push((normal(email), index));
    }
    // Sorting a list is quicker than hashing addresses, short and long.
    seen.sort_unstable();
    let twice = seen.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1).min();
    twice.map_or(Ok(()), |index| Err(path.item(index).member("email").fault("must not name the same attendee twice")))
}

/// Extended properties that Google would keep, none of them ours.
pub(super) fn check_properties(body: &Map<String, Value>, root: &Path<'_>) -> Result<(), CalendarError> {
    let path = root.member("extendedProperties");
    let (mut count, mut bytes) = (0, 0);
    for kind in ["private", "shared"] {
        let at = path.member(kind);
        let texts = body.get("extendedProperties").and_then(|all| all.get(kind)).and_then(Value::as_object);
        for (key, value) in texts.into_iter().flatten() {
            if key.is_empty() || key.encode_utf16().count() > MAX_PROPERTY_KEY {
                return Err(at.fault("must have keys of 1 to 44 characters: Google silently drops longer ones"));
            }
            if key.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX)) {
                return Err(at.fault("must not have keys that start with surecal: they are reserved"));
            }
            let value = value.as_str().unwrap_or_default();
            if value.encode_utf16().count() > MAX_PROPERTY_VALUE {
                return Err(at.fault("must have values of at most 1024 characters: Google silently cuts longer ones"));
            }
            count += 1;
            bytes += key.len() + value.len();
        }
    }
    if count > MAX_PROPERTIES || bytes > MAX_PROPERTIES_BYTES {
        return Err(path.fault("must be at most 296 properties and 30800 bytes in all"));
    }
    Ok(())
}

/// Rules of single fields that the table of shapes cannot say.
pub(super) fn check_words(body: &Map<String, Value>, root: &Path<'_>) -> Result<(), CalendarError> {
    if text_of(body, "status") == Some("cancelled") {
        return Err(root.member("status").fault("must not be cancelled: deleteEvent deletes an event"));
    }
    if let Some(reminders) = body.get("reminders").and_then(Value::as_object) {
        let path = root.member("reminders");
        let overrides = reminders.get("overrides").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if reminders.get("useDefault") == Some(&Value::Bool(true)) && !overrides.is_empty() {
            return Err(path.fault("must not have overrides together with useDefault: true"));
        }
        let at = path.member("overrides");
        for (index, reminder) in overrides.iter().enumerate() {
            for name in ["method", "minutes"] {
                if reminder.get(name).is_none_or(Value::is_null) {
                    return Err(at.item(index).member(name).fault("is required"));
                }
            }
        }
    }
    let path = root.member("attachments");
    for (index, attachment) in body.get("attachments").and_then(Value::as_array).into_iter().flatten().enumerate() {
        if attachment.get("fileUrl").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(path.item(index).member("fileUrl").fault("is required"));
        }
    }
    let Some(request) =
        body.get("conferenceData").and_then(|data| data.as_object()).and_then(|data| given(data, "createRequest"))
    else {
        return Ok(());
    };
    let path = root.member("conferenceData");
    let path = path.member("createRequest");
    if !request.is_object() {
        return Err(path.fault("must be an object"));
    }
    if given_in(request, "requestId").is_some_and(|id| !id.is_string()) {
        return Err(path.member("requestId").fault("must be text"));
    }
    if given_in(request, "conferenceSolutionKey").is_some_and(|key| !key.get("type").is_some_and(Value::is_string)) {
        return Err(path.member("conferenceSolutionKey").fault("must be an object with a type, as hangoutsMeet"));
    }
    Ok(())
}

fn given_in<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object().and_then(|object| given(object, name))
}
