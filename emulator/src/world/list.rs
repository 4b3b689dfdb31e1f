//! `events.list`: filters, pages, sync tokens.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Done, World, present};
use crate::account::Principal;
use crate::call::Call;
use crate::event::StoredEvent;
use crate::event::time::{self, Written};
use crate::parameters::Parameters;
use crate::reply::{Refusal, json_reply_with_etag};

const DEFAULT_PAGE: usize = 250;
const MAX_PAGE: usize = 2500;

/// Filters that a sync token excludes. Source: the reference of `events.list`.
const NO_SYNC: [&str; 8] = [
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
];

/// Which events a list shows.
struct Filter<'a> {
    call: &'a Call,
    show_deleted: bool,
    time_min: Option<Timestamp>,
    time_max: Option<Timestamp>,
    updated_min: Option<Timestamp>,
    /// Only what changed after this value of the revision counter.
    since: Option<i64>,
}

impl<'a> Filter<'a> {
    fn of(call: &'a Call) -> Result<Self, Refusal> {
        let (time_min, time_max) = (bound(call, "timeMin")?, bound(call, "timeMax")?);
        if time_min.is_some() && time_max.is_some() && time_min >= time_max {
            return Err(Refusal::time_range_empty_parameter());
        }
        let since = match call.parameter("syncToken") {
            None => None,
            Some(_) if NO_SYNC.iter().any(|name| call.parameter(name).is_some()) => {
                let message = "Sync token cannot be used with the given query restrictions.";
                return Err(Refusal::invalid_parameter("syncToken", message));
            }
            Some(token) => Some(open_token("sync", token).ok_or_else(Refusal::full_sync_required)?),
        };
        for name in ["privateExtendedProperty", "sharedExtendedProperty"] {
            if call.parameters(name).any(|pair| !pair.contains('=')) {
                return Err(Refusal::invalid("Invalid value for: extended property constraint"));
            }
        }
        Ok(Self {
            call,
            show_deleted: call.is_on("showDeleted") || since.is_some(),
            time_min,
            time_max,
            updated_min: bound(call, "updatedMin")?,
            since,
        })
    }

    fn shows(&self, event: &StoredEvent, body: &Map<String, Value>, zone: &jiff::tz::TimeZone) -> bool {
        let text = |field: &str| body.get(field).and_then(Value::as_str);
        if !self.show_deleted && text("status") == Some("cancelled") {
            return false;
        }
        if self.since.is_some_and(|since| event.changed <= since) {
            return false;
        }
        if self.call.parameters("iCalUID").any(|wanted| text("iCalUID") != Some(wanted)) {
            return false;
        }
        let updated = text("updated").and_then(|text| text.parse::<Timestamp>().ok());
        if self.updated_min.is_some_and(|min| updated < Some(min)) {
            return false;
        }
        // A series has no end here: only its start can put it outside the range.
        let recurring = body.contains_key("recurrence");
        let end = time::instant_of(body.get("end"), zone);
        if self.time_min.is_some_and(|min| !recurring && end <= Some(min)) {
            return false;
        }
        let start = time::instant_of(body.get("start"), zone);
        if self.time_max.is_some_and(|max| start >= Some(max)) {
            return false;
        }
        if let Some(query) = self.call.parameter("q") {
            let query = query.to_lowercase();
            let says = |field| text(field).is_some_and(|text| text.to_lowercase().contains(&query));
            if !["summary", "description", "location"].into_iter().any(says) {
                return false;
            }
        }
        // Several constraints: all must hold, as the reference says (a guide says otherwise for two of one kind).
        [("privateExtendedProperty", "private"), ("sharedExtendedProperty", "shared")].iter().all(|(name, side)| {
            self.call.parameters(name).filter_map(|pair| pair.split_once('=')).all(|(key, value)| {
                let properties = body.get("extendedProperties").and_then(|all| all.get(side));
                properties.and_then(|properties| properties.get(key)).and_then(Value::as_str) == Some(value)
            })
        })
    }
}

fn bound(call: &Call, name: &'static str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = call.parameter(name) else { return Ok(None) };
    match time::parse_date_time(text) {
        Ok(Written::Instant(instant)) => Ok(Some(instant)),
        _ => Err(Refusal::new(400, "global", "badRequest", "Bad Request")),
    }
}

fn seal_token(kind: &str, value: i64) -> String {
    BASE64URL_NOPAD.encode(format!("{kind}:{value}").as_bytes())
}

fn open_token(kind: &str, token: &str) -> Option<i64> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix(kind)?.strip_prefix(':')?.parse().ok()
}

impl World {
    pub(super) fn list_events(&mut self, call: &Call, principal: &Principal) -> Result<Done, Refusal> {
        let parameters = Parameters::of(call)?;
        let filter = Filter::of(call)?;
        let bad_page = || Refusal::invalid_parameter("pageToken", "Invalid page token value.");
        let after = match call.parameter("pageToken") {
            None => 0,
            Some(token) => open_token("page", token).and_then(|seq| u64::try_from(seq).ok()).ok_or_else(bad_page)?,
        };
        let bad_count = || Refusal::invalid_parameter("maxResults", "Invalid value for: maxResults");
        let page = match call.parameter("maxResults").map(str::parse::<usize>) {
            None => DEFAULT_PAGE,
            Some(Ok(count)) if count > 0 => count.min(MAX_PAGE),
            Some(_) => return Err(bad_count()),
        };
        let page = page.min(self.behaviour.page_limit.unwrap_or(MAX_PAGE)).max(1);

        let (calendar, role) = self.calendar_of(call, principal)?;
        let (calendar_id, now) = (calendar.id.clone(), self.clock.elapsed());
        let rest = calendar.in_order().into_iter().filter(|event| event.seq > after);
        let mut ids: Vec<(u64, String)> = rest
            .filter(|event| event.view(now).is_some_and(|body| filter.shows(event, body, &calendar.zone)))
            .take(page + 1)
            .map(|event| (event.seq, event.text("id").to_owned()))
            .collect();
        let more = ids.len() > page;
        ids.truncate(page);
        for (_, id) in &ids {
            self.let_conference_come(&calendar_id, id);
        }

        let calendar = self.calendars.get(&calendar_id).ok_or_else(Refusal::not_found)?;
        let mut items: Vec<Value> = ids
            .iter()
            .filter_map(|(_, id)| calendar.events.get(id)?.view(now))
            .map(|body| present::event(body, calendar, &parameters, &principal.email))
            .collect();
        match call.parameter("orderBy") {
            Some("updated") => items.sort_by_key(|item| item["updated"].as_str().unwrap_or_default().to_owned()),
            Some("startTime") => items.sort_by_key(|item| time::instant_of(item.get("start"), &calendar.zone)),
            _ => {}
        }
        let etag = format!("\"p{}\"", self.last_revision);
        let mut list = json!({
            "kind": "calendar#events",
            "etag": etag,
            "summary": calendar.summary,
            "updated": time::write_stamp(self.clock.wall(), true),
            "timeZone": parameters.zone.as_ref().and_then(|zone| zone.iana_name()).unwrap_or(&calendar.time_zone),
            "accessRole": role.name(),
            "defaultReminders": [],
        });
        match ids.last() {
            Some((seq, _)) if more => {
                list["nextPageToken"] = json!(seal_token("page", i64::try_from(*seq).unwrap_or(i64::MAX)));
            }
            _ if NO_SYNC.iter().all(|name| call.parameter(name).is_none()) => {
                list["nextSyncToken"] = json!(seal_token("sync", self.last_revision));
            }
            _ => {}
        }
        list["items"] = items.into();
        let list = match &parameters.selection {
            Some(selection) => selection.apply(list),
            None => list,
        };
        Ok(Done { response: json_reply_with_etag(&list, &etag), touched: None })
    }
}
