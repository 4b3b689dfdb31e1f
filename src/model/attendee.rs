//! An attendee is an e-mail address, in any case of letters.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

/// The longest address (RFC 5321, 4.5.3.1.3, less the angle brackets), in bytes.
const MAX_EMAIL: usize = 254;

/// Somebody to be invited. `Debug` prints no address.
#[derive(Clone, PartialEq, Eq)]
pub struct Guest {
    /// The address, as it is to be sent.
    pub email: String,
    /// The name shown with it; Google may show another.
    pub display_name: Option<String>,
    /// Whether they need not come.
    pub optional: bool,
}

impl Guest {
    /// A guest of whom only the address is known.
    #[must_use]
    pub fn new(email: impl Into<String>) -> Self {
        Self { email: email.into(), display_name: None, optional: false }
    }

    /// The entry of a guest who has not answered yet.
    #[must_use]
    pub fn entry(&self) -> Map<String, Value> {
        let mut entry = Map::from_iter([("email".to_owned(), Value::from(self.email.as_str()))]);
        if let Some(name) = &self.display_name {
            entry.insert("displayName".to_owned(), Value::from(name.as_str()));
        }
        if self.optional {
            entry.insert("optional".to_owned(), Value::Bool(true));
        }
        entry.insert("responseStatus".to_owned(), Value::from("needsAction"));
        entry
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guest(…)")
    }
}

/// The form in which addresses are compared. Google may change the case of an address; it promises nothing else.
#[must_use]
pub fn normal(email: &str) -> Cow<'_, str> {
    if email.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        Cow::Owned(email.to_lowercase())
    } else {
        Cow::Borrowed(email)
    }
}

/// Whether this can be an attendee's address: one `@` with something on both sides, no space, no control character, none
/// of the signs that could end a header or a list.
#[must_use]
pub fn check_email(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let local_fits = |c: char| c.is_alphanumeric() || (c.is_ascii_graphic() && !"<>()[],;:\\\"@".contains(c));
    let domain_fits = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    email.len() <= MAX_EMAIL
        && !local.is_empty()
        && local.len() <= 64
        && are_all(local, local_fits)
        && are_all(domain, domain_fits)
        && domain.split('.').all(|label| !label.is_empty())
}

/// Whether all characters are such. Most addresses are ASCII, which need not be decoded.
fn are_all(text: &str, fit: impl Fn(char) -> bool) -> bool {
    if text.is_ascii() { text.bytes().all(|byte| fit(char::from(byte))) } else { text.chars().all(fit) }
}

/// The addresses of an event's guest list, [`normal`].
#[must_use]
pub fn addresses(event: &Map<String, Value>) -> BTreeSet<Cow<'_, str>> {
    list(event).iter().filter_map(address).collect()
}

/// The guest list's entry with this address.
#[must_use]
pub fn find<'a>(event: &'a Map<String, Value>, email: &str) -> Option<&'a Value> {
    let wanted = normal(email);
    list(event).iter().find(|entry| address(entry).as_ref() == Some(&wanted))
}

/// The address of the event's organizer, [`normal`]: present whether or not the guest list names it.
#[must_use]
pub fn organizer(event: &Map<String, Value>) -> Option<Cow<'_, str>> {
    event.get("organizer").and_then(address)
}

/// The address in one entry, [`normal`].
pub(crate) fn address(entry: &Value) -> Option<Cow<'_, str>> {
    member(entry, "email").and_then(Value::as_str).filter(|email| !email.is_empty()).map(normal)
}

/// A member of one entry. An entry has a handful: looking at each is quicker than to hash the name.
pub(crate) fn member<'a>(entry: &'a Value, name: &str) -> Option<&'a Value> {
    entry.as_object()?.iter().find_map(|(there, value)| (there == name).then_some(value))
}

/// The entries of the guest list.
pub(crate) fn list(event: &Map<String, Value>) -> &[Value] {
    event.get("attendees").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_that_could_break_a_header_or_name_nobody_is_refused() {
        for email in
            ["a@example.com", "First.Last+tag@sub.example.org", "o'neil@example.ie", "jürg@example.ch", "a@localhost"]
        {
            assert!(check_email(email), "{email}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for email in [
            "",
            "a",
            "@example.com",
            "a@",
            "a@@example.com",
            "a@b@example.com",
            "a b@example.com",
            "a@exa mple.com",
            "a@example.com\r\nBcc: x@y.z",
            "a\u{0}@example.com",
            "a@example..com",
            "a@.com",
            "a@example.com.",
            "Ann <a@example.com>",
            "a@example.com, b@example.com",
            "a\u{200b}@example.com",
            &long,
        ] {
            assert!(!check_email(email), "{email:?}");
        }
    }

    #[test]
    fn the_guest_list_is_a_set_in_any_case_of_letters() {
        let event = json!({
            "organizer": { "email": "Owner@Example.com" },
            "attendees": [{ "email": "B@x.org" }, { "email": "a@x.org", "optional": true }, { "email": "b@X.org" }, {}, 5],
        });
        let event = event.as_object().unwrap();
        assert_eq!(addresses(event).into_iter().collect::<Vec<_>>(), ["a@x.org", "b@x.org"]);
        assert_eq!(find(event, "A@X.ORG").and_then(|entry| entry.get("optional")), Some(&json!(true)));
        assert!(find(event, "c@x.org").is_none());
        assert_eq!(organizer(event).as_deref(), Some("owner@example.com"));
        assert!(addresses(&Map::new()).is_empty());
    }
}
