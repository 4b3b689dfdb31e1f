//! What a client may write of an event, checked and in the form in which it is stored.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::{attendees, conference, field_names, properties, time};
use crate::reply::Refusal;

/// Written by the server alone, although it lies among the writable ones.
const READ_ONLY: [&str; 4] = ["hangoutLink", "locked", "privateCopy", "attendeesOmitted"];

/// Words that are left out of a reply because they are the documented default.
const DEFAULT_WORDS: [(&str, &[&str]); 2] =
    [("transparency", &["opaque", "transparent"]), ("visibility", &["default", "public", "private", "confidential"])];

/// Flags with their documented default, which is left out of a reply.
const FLAGS: [(&str, bool); 4] = [
    ("anyoneCanAddSelf", false),
    ("guestsCanInviteOthers", true),
    ("guestsCanModify", false),
    ("guestsCanSeeOtherGuests", true),
];

const MAX_ATTACHMENTS: usize = 25;
const MAX_REMINDERS: usize = 5;
const MAX_REMINDER_MINUTES: u64 = 40_320;

/// What a check needs to know of the calendar and the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) zone: &'a TimeZone,
    pub(crate) organizer: &'a str,
    /// `conferenceDataVersion=1`; without it, conference data in the body is ignored.
    pub(crate) conference: bool,
    /// `supportsAttachments=true`; without it, attachments in the body are ignored.
    pub(crate) attachments: bool,
    /// A service account without delegation may invite nobody.
    pub(crate) may_invite: bool,
}

/// Checks `given` and gives the writable fields as stored, defaults left out.
pub(crate) fn normalise(given: &Map<String, Value>, context: Context<'_>) -> Result<Map<String, Value>, Refusal> {
    let mut draft = Map::new();
    let recurrence = recurrence(given.get("recurrence"))?;
    let recurring = recurrence.is_some();
    let start = time::normalise("start", given.get("start"), context.zone, recurring)?;
    let end = time::normalise("end", given.get("end"), context.zone, recurring)?;
    if start.contains_key("date") != end.contains_key("date") {
        return Err(Refusal::invalid("Start and end times must either both be date or both be dateTime."));
    }
    let (start, end) = (Value::Object(start), Value::Object(end));
    if time::instant_of(Some(&end), context.zone) < time::instant_of(Some(&start), context.zone) {
        return Err(Refusal::time_range_empty());
    }
    for name in field_names::writable() {
        let stored = match name {
            "start" => Some(start.clone()),
            "end" => Some(end.clone()),
            "recurrence" => recurrence.clone(),
            _ if READ_ONLY.contains(&name) => None,
            _ => match given.get(name) {
                None | Some(Value::Null) => None,
                Some(value) => one(name, value, context)?,
            },
        };
        if let Some(stored) = stored {
            draft.insert(name.into(), stored);
        }
    }
    draft.entry("status").or_insert_with(|| json!("confirmed"));
    draft.entry("reminders").or_insert_with(|| json!({ "useDefault": true }));
    Ok(draft)
}

fn one(name: &str, value: &Value, context: Context<'_>) -> Result<Option<Value>, Refusal> {
    let wrong = || Refusal::invalid(format!("Invalid value for: {name}"));
    if let Some((_, words)) = DEFAULT_WORDS.iter().find(|(field, _)| *field == name) {
        let word = value.as_str().filter(|word| words.contains(word)).ok_or_else(wrong)?;
        return Ok((Some(&word) != words.first()).then(|| json!(word)));
    }
    if let Some((_, default)) = FLAGS.iter().find(|(field, _)| *field == name) {
        let flag = value.as_bool().ok_or_else(wrong)?;
        return Ok((flag != *default).then(|| json!(flag)));
    }
    match name {
        "summary" | "description" | "location" | "colorId" => {
            let text = value.as_str().ok_or_else(wrong)?;
            Ok((!text.is_empty()).then(|| json!(text)))
        }
        "status" => match value.as_str() {
            Some("confirmed" | "tentative") => Ok(Some(value.clone())),
            _ => Err(wrong()),
        },
        "attendees" => {
            let list = attendees::normalise(value, context.organizer)?;
            if !list.is_empty() && !context.may_invite {
                return Err(Refusal::service_account());
            }
            Ok((!list.is_empty()).then(|| list.into()))
        }
        "extendedProperties" => properties::normalise(value),
        "conferenceData" if context.conference => conference::normalise(value).map(Some),
        "conferenceData" => Ok(None),
        "attachments" => match value.as_array() {
            None => Err(wrong()),
            Some(list) if list.len() > MAX_ATTACHMENTS => Err(wrong()),
            Some(list) => Ok((context.attachments && !list.is_empty()).then(|| value.clone())),
        },
        "reminders" => reminders(value).map(Some),
        _ => {
            if value.is_object() {
                Ok(Some(value.clone()))
            } else {
                Err(wrong())
            }
        }
    }
}

fn recurrence(given: Option<&Value>) -> Result<Option<Value>, Refusal> {
    let wrong = || Refusal::invalid("Invalid recurrence rule.");
    let lines = match given {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value.as_array().ok_or_else(wrong)?,
    };
    for line in lines {
        let line = line.as_str().ok_or_else(wrong)?;
        let known = ["RRULE:FREQ=", "EXRULE:FREQ=", "RDATE:", "RDATE;", "EXDATE:", "EXDATE;"];
        let ruled = line.starts_with("RRULE:") && line.contains("FREQ=");
        if !ruled && !known.iter().any(|start| line.starts_with(start)) {
            return Err(wrong());
        }
    }
    Ok((!lines.is_empty()).then(|| Value::Array(lines.clone())))
}

fn reminders(given: &Value) -> Result<Value, Refusal> {
    let wrong = || Refusal::invalid("Invalid reminders.");
    let given = given.as_object().ok_or_else(wrong)?;
    let overrides = match given.get("overrides") {
        None | Some(Value::Null) => Vec::new(),
        Some(list) => list.as_array().ok_or_else(wrong)?.clone(),
    };
    let sound = |reminder: &Value| {
        matches!(reminder.get("method").and_then(Value::as_str), Some("popup" | "email"))
            && reminder.get("minutes").and_then(Value::as_u64).is_some_and(|minutes| minutes <= MAX_REMINDER_MINUTES)
    };
    if overrides.len() > MAX_REMINDERS || !overrides.iter().all(sound) {
        return Err(wrong());
    }
    let use_default = match given.get("useDefault") {
        None | Some(Value::Null) => overrides.is_empty() && !given.contains_key("overrides"),
        Some(flag) => flag.as_bool().ok_or_else(wrong)?,
    };
    if use_default && !overrides.is_empty() {
        return Err(Refusal::new(
            400,
            "calendar",
            "cannotUseDefaultRemindersAndSpecifyOverride",
            "Cannot specify both default reminders and overrides at the same time.",
        ));
    }
    let mut stored = Map::from_iter([("useDefault".to_owned(), json!(use_default))]);
    if !overrides.is_empty() {
        stored.insert("overrides".into(), overrides.into());
    }
    Ok(stored.into())
}
