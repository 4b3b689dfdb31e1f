//! The control API: `/_control/…`, JSON in, JSON out. Faults never touch it, and the log does not know it.
//!
//! | GET | |
//! |---|---|
//! | `state`, `counts`, `requests`, `mails`, `tokenRequests`, `behaviour` | the truth, whole or in parts |
//! | `events?calendarId=…&live=true`, `history?calendarId=…&eventId=…` | the same of one calendar or event |
//!
//! | POST | body |
//! |---|---|
//! | `users` (also `tokens`), `calendars` | [`NewUser`], [`NewCalendar`] |
//! | `tokens/expire`, `tokens/revoke` | `{ email?, accessToken?, refreshToken? }` |
//! | `client` | `{ clientId, clientSecret }` |
//! | `faults` (DELETE: no faults any more), `profile` | [`Rule`] or a list of them; [`Profile`] or null |
//! | `release`, `reset` | |
//! | `latency`, `behaviour` | `{ ms }`; some fields of [`Behaviour`] |
//! | `events/edit`, `events/delete`, `events/purge` | `{ calendarId, eventId, fields?, put? }` |
//! | `events/raw` | `{ calendarId, event }` |
//! | `outage` (server alone) | `{ on }` |
//! | `blackHole`, `closeIdle`, `resetConnections` (server alone) | |

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::account::NewUser;
use crate::emulator::Emulator;
use crate::fault::{Profile, Rule};
use crate::reply::json_reply;
use crate::world::{Behaviour, NewCalendar};

/// Where it lives.
pub(crate) const PREFIX: &str = "/_control/";

/// Whether a path belongs to the control API.
pub(crate) fn is_control(path: &str) -> bool {
    path.starts_with(PREFIX)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenTarget {
    email: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Client {
    client_id: String,
    client_secret: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Latency {
    ms: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EventTarget {
    calendar_id: String,
    event_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Edit {
    calendar_id: String,
    event_id: String,
    #[serde(default)]
    fields: Map<String, Value>,
    #[serde(default)]
    put: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawEvent {
    calendar_id: String,
    event: Map<String, Value>,
}

/// Answers a control request: 200 with its result, 400 with `{ error }`, 404 for a path nobody lives at.
pub(crate) fn answer(emulator: &Emulator, request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    let parameter = |name: &str| {
        let query = request.uri().query().unwrap_or_default().as_bytes();
        form_urlencoded::parse(query).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let result = match (request.method().as_str(), path) {
        ("GET", _) => read(emulator, path, parameter),
        ("POST", _) => change(emulator, path, request.body()),
        ("DELETE", "faults") => {
            emulator.clear_faults();
            Some(Ok(json!({})))
        }
        _ => None,
    };
    match result {
        Some(Ok(value)) => json_reply(200, &value),
        Some(Err(error)) => json_reply(400, &json!({ "error": error })),
        None => json_reply(404, &json!({ "error": "no such control" })),
    }
}

fn read(emulator: &Emulator, path: &str, parameter: impl Fn(&str) -> Option<String>) -> Option<Result<Value, String>> {
    let calendar_id = || parameter("calendarId").ok_or_else(|| "calendarId is missing".to_owned());
    Some(match path {
        "state" => Ok(emulator.state()),
        "counts" => Ok(json!(emulator.counts())),
        "requests" => Ok(json!(emulator.requests())),
        "mails" => Ok(json!(emulator.mails())),
        "tokenRequests" => Ok(json!(emulator.token_requests())),
        "behaviour" => Ok(json!(emulator.behaviour())),
        "events" => calendar_id().map(|id| {
            let live = parameter("live").as_deref() == Some("true");
            json!(if live { emulator.live_events(&id) } else { emulator.events(&id) })
        }),
        "history" => calendar_id().map(|id| json!(emulator.history(&id, &parameter("eventId").unwrap_or_default()))),
        _ => return None,
    })
}

fn change(emulator: &Emulator, path: &str, body: &[u8]) -> Option<Result<Value, String>> {
    Some(match path {
        "users" | "tokens" => parse::<NewUser>(body).and_then(|user| emulator.add_user(user)).map(|tokens| json!(tokens)),
        "calendars" => {
            parse::<NewCalendar>(body).and_then(|new| emulator.add_calendar(new)).map(|id| json!({ "id": id }))
        }
        "tokens/expire" => parse::<TokenTarget>(body).map(|target| {
            json!({ "count": emulator.expire_tokens(target.email.as_deref(), target.access_token.as_deref()) })
        }),
        "tokens/revoke" => parse::<TokenTarget>(body).map(|target| {
            json!({ "count": emulator.revoke_grants(target.email.as_deref(), target.refresh_token.as_deref()) })
        }),
        "client" => parse::<Client>(body).map(|client| {
            emulator.set_client(&client.client_id, &client.client_secret);
            json!({})
        }),
        "faults" => parse_rules(body).and_then(|rules| {
            rules.into_iter().try_for_each(|rule| emulator.fault(rule))?;
            Ok(json!({}))
        }),
        "profile" => {
            parse::<Option<Profile>>(body).and_then(|profile| emulator.profile(profile)).map(|()| json!({}))
        }
        "release" => Ok(json!({ "released": emulator.release() })),
        "latency" => parse::<Latency>(body).map(|latency| {
            emulator.set_latency(Duration::from_millis(latency.ms));
            json!({})
        }),
        "behaviour" => merge_behaviour(emulator, body),
        "events/edit" => parse::<Edit>(body)
            .and_then(|edit| emulator.owner_edit(&edit.calendar_id, &edit.event_id, &edit.fields, edit.put)),
        "events/delete" => parse::<EventTarget>(body)
            .and_then(|target| emulator.owner_delete(&target.calendar_id, &target.event_id))
            .map(|()| json!({})),
        "events/raw" => parse::<RawEvent>(body).and_then(|raw| emulator.put_event(&raw.calendar_id, raw.event)),
        "events/purge" => parse::<EventTarget>(body)
            .map(|target| json!({ "purged": emulator.purge_event(&target.calendar_id, &target.event_id) })),
        "reset" => {
            emulator.reset();
            Ok(json!({}))
        }
        _ => return None,
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// One rule or several. Told apart by hand, for the error of an untagged enum names no field.
fn parse_rules(body: &[u8]) -> Result<Vec<Rule>, String> {
    if body.first() == Some(&b'[') { parse(body) } else { parse(body).map(|rule| vec![rule]) }
}

/// What is given changes, the rest stays.
fn merge_behaviour(emulator: &Emulator, body: &[u8]) -> Result<Value, String> {
    let changes: Map<String, Value> = parse(body)?;
    let mut merged = json!(emulator.behaviour());
    if let Value::Object(all) = &mut merged {
        all.extend(changes);
    }
    let behaviour: Behaviour = serde_json::from_value(merged.clone()).map_err(|error| error.to_string())?;
    emulator.set_behaviour(behaviour);
    Ok(merged)
}
