//! Events: what clients may write, how it is stored, how it is told.

pub(crate) mod attendees;
pub(crate) mod conference;
pub(crate) mod draft;
pub(crate) mod field_names;
pub(crate) mod merge;
pub(crate) mod properties;
pub(crate) mod stored;
pub(crate) mod time;

pub(crate) use stored::StoredEvent;

/// Whether a client may choose this id: base32hex in lower case, 5 to 1024. Source: the reference of `Event.id`.
pub(crate) fn is_client_id(id: &str) -> bool {
    (5..=1024).contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b'a'..=b'v' | b'0'..=b'9'))
}
