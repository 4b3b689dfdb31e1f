//! A Meet link: asked for on insert, pending for a while, then there.

use serde_json::{Map, Value, json};

use crate::reply::Refusal;

/// What a `createRequest` asks to be stored: itself, pending. Anything else is stored as given.
pub(crate) fn normalise(given: &Value) -> Result<Value, Refusal> {
    let given = given.as_object().ok_or_else(|| Refusal::invalid("Invalid conference data."))?;
    let Some(request) = given.get("createRequest").filter(|request| !request.is_null()) else {
        return Ok(Value::Object(given.clone()));
    };
    let id = request_id(request).ok_or_else(|| Refusal::invalid("Invalid conference create request id."))?;
    if request.get("status").is_some() {
        return Ok(Value::Object(given.clone()));
    }
    let key = request.get("conferenceSolutionKey").cloned().unwrap_or_else(|| json!({ "type": "hangoutsMeet" }));
    if key.get("type").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(Refusal::invalid("Invalid conference type value."));
    }
    let status = json!({ "statusCode": "pending" });
    Ok(json!({ "createRequest": { "requestId": id, "conferenceSolutionKey": key, "status": status } }))
}

fn request_id(request: &Value) -> Option<&str> {
    request.get("requestId").and_then(Value::as_str).filter(|id| !id.is_empty())
}

/// Whether `new` repeats the request of `old`: then it is ignored. Source: the reference of
/// `CreateConferenceRequest.requestId`.
pub(crate) fn is_repeat(old: Option<&Value>, new: &Value) -> bool {
    let id = |data: &Value| data.get("createRequest").and_then(request_id).map(str::to_owned);
    old.and_then(id).is_some_and(|old| id(new) == Some(old))
}

pub(crate) fn is_pending(data: &Value) -> bool {
    data.pointer("/createRequest/status/statusCode") == Some(&json!("pending"))
}

/// Ends the wait: with entry points and `hangoutLink`, or as `failure`, which carries neither.
pub(crate) fn complete(event: &mut Map<String, Value>, code: &str, succeeds: bool) {
    let Some(data) = event.get_mut("conferenceData").and_then(Value::as_object_mut) else { return };
    if let Some(status) = data.get_mut("createRequest").and_then(|request| request.get_mut("status")) {
        *status = json!({ "statusCode": if succeeds { "success" } else { "failure" } });
    }
    if !succeeds {
        return;
    }
    let key = data.get("createRequest").and_then(|request| request.get("conferenceSolutionKey")).cloned();
    let uri = format!("https://meet.google.com/{code}");
    let label = format!("meet.google.com/{code}");
    data.insert("entryPoints".into(), json!([{ "entryPointType": "video", "uri": uri, "label": label }]));
    data.insert("conferenceSolution".into(), json!({ "key": key, "name": "Google Meet" }));
    data.insert("conferenceId".into(), json!(code));
    event.insert("hangoutLink".into(), json!(uri));
}
