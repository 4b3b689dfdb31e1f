//! The guest list.

use serde_json::{Map, Value, json};

use crate::reply::Refusal;

const RESPONSES: [&str; 4] = ["needsAction", "declined", "tentative", "accepted"];

/// Checks a guest list and gives it as stored: one entry an address, an answer for each, the organizer marked.
pub(crate) fn normalise(given: &Value, organizer: &str) -> Result<Vec<Value>, Refusal> {
    let given = given.as_array().ok_or_else(|| Refusal::invalid("Invalid attendees."))?;
    let mut stored: Vec<Value> = Vec::with_capacity(given.len());
    for attendee in given {
        let attendee = attendee.as_object().ok_or_else(|| Refusal::invalid("Invalid attendees."))?;
        let email = attendee.get("email").and_then(Value::as_str).unwrap_or_default();
        if !is_address(email) {
            return Err(Refusal::invalid("Invalid attendee email."));
        }
        if !stored.iter().any(|other| is_same(other, email)) {
            stored.push(Value::Object(normalise_one(attendee, email, organizer)?));
        }
    }
    Ok(stored)
}

fn normalise_one(given: &Map<String, Value>, email: &str, organizer: &str) -> Result<Map<String, Value>, Refusal> {
    let mut entry = Map::from_iter([("email".to_owned(), json!(email))]);
    if let Some(name) = given.get("displayName").filter(|name| name.is_string()) {
        entry.insert("displayName".into(), name.clone());
    }
    let is_organizer = email.eq_ignore_ascii_case(organizer);
    if is_organizer {
        entry.insert("organizer".into(), json!(true));
        entry.insert("self".into(), json!(true));
    }
    for flag in ["optional", "resource"] {
        if given.get(flag) == Some(&json!(true)) {
            entry.insert(flag.into(), json!(true));
        }
    }
    let response = match given.get("responseStatus") {
        None | Some(Value::Null) => {
            if is_organizer {
                "accepted"
            } else {
                "needsAction"
            }
        }
        Some(Value::String(response)) if RESPONSES.contains(&response.as_str()) => response,
        Some(_) => return Err(Refusal::invalid("Invalid attendee response status.")),
    };
    entry.insert("responseStatus".into(), json!(response));
    for extra in ["comment", "additionalGuests"] {
        match given.get(extra) {
            None | Some(Value::Null) => {}
            Some(value) => {
                entry.insert(extra.into(), value.clone());
            }
        }
    }
    Ok(entry)
}

/// Whether Google takes this as an address: one `@` with something on both sides, and no spaces.
fn is_address(text: &str) -> bool {
    let sides = text.split_once('@');
    sides.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || ",;<>\"".contains(c))
}

pub(crate) fn is_same(attendee: &Value, email: &str) -> bool {
    attendee.get("email").and_then(Value::as_str).is_some_and(|other| other.eq_ignore_ascii_case(email))
}

/// The addresses of a stored event.
pub(crate) fn addresses(event: &Map<String, Value>) -> Vec<&str> {
    let attendees = event.get("attendees").and_then(Value::as_array);
    attendees.into_iter().flatten().filter_map(|attendee| attendee.get("email").and_then(Value::as_str)).collect()
}

/// `attendeesOmitted: true` in a request means "only my own answer": everybody else stays as stored.
/// Source: the reference of `Event.attendeesOmitted`.
pub(crate) fn answer_only(stored: Option<&Value>, given: Option<&Value>, participant: &str) -> Vec<Value> {
    let mut list: Vec<Value> = stored.and_then(Value::as_array).cloned().unwrap_or_default();
    let given = given.and_then(Value::as_array);
    let own = given.into_iter().flatten().find(|attendee| is_same(attendee, participant));
    if let Some(response) = own.and_then(|own| own.get("responseStatus"))
        && let Some(entry) = list.iter_mut().find(|attendee| is_same(attendee, participant))
    {
        entry["responseStatus"] = response.clone();
    }
    list
}

/// A list longer than `max` is told as the participant alone, and the event as `attendeesOmitted`.
pub(crate) fn omit(event: &mut Map<String, Value>, max: usize, participant: &str) {
    let Some(Value::Array(attendees)) = event.get_mut("attendees") else { return };
    if attendees.len() <= max {
        return;
    }
    attendees.retain(|attendee| is_same(attendee, participant));
    event.insert("attendeesOmitted".into(), json!(true));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_start_unanswered_and_the_organizer_has_accepted() {
        let list =
            normalise(&json!([{ "email": "g@x.test", "self": true }, { "email": "O@x.test" }]), "o@x.test").unwrap();
        assert_eq!(list[0], json!({ "email": "g@x.test", "responseStatus": "needsAction" }));
        assert_eq!(list[1]["responseStatus"], "accepted");
        assert_eq!(list[1]["organizer"], true);
    }

    #[test]
    fn one_address_is_one_guest_whatever_its_case() {
        let list = normalise(&json!([{ "email": "g@x.test" }, { "email": "G@X.test" }]), "o@x.test").unwrap();
        assert_eq!(list.len(), 1);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["", "a", "@x", "a@", "a b@x", "a@b@c", "a@x\r\n", "<a@x>"] {
            assert!(normalise(&json!([{ "email": bad }]), "o@x.test").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_request_with_attendees_omitted_changes_only_the_participants_answer() {
        let stored = json!([{ "email": "a@x", "responseStatus": "needsAction" }, { "email": "b@x", "responseStatus": "accepted" }]);
        let list = answer_only(Some(&stored), Some(&json!([{ "email": "a@x", "responseStatus": "declined" }])), "a@x");
        assert_eq!(list.len(), 2);
        assert_eq!(list[0]["responseStatus"], "declined");
    }
}
