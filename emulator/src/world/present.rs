//! How an event is told to the one who asks.

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value};

use crate::calendar::Calendar;
use crate::event::{attendees, time};
use crate::parameters::Parameters;
use crate::reply::json_reply_with_etag;

/// The event in the zone asked for, with as many guests as asked for.
pub(super) fn event(body: &Map<String, Value>, calendar: &Calendar, parameters: &Parameters, reader: &str) -> Value {
    let mut told = body.clone();
    let zone = parameters.zone.as_ref().unwrap_or(&calendar.zone);
    for point in ["start", "end"] {
        if let Some(point) = told.get_mut(point) {
            time::tell_in(point, zone);
        }
    }
    if let Some(max) = parameters.max_attendees {
        attendees::omit(&mut told, max, reader);
    }
    told.into()
}

/// The same as a whole reply.
pub(super) fn reply(
    body: &Map<String, Value>,
    calendar: &Calendar,
    parameters: &Parameters,
    reader: &str,
) -> Response<Bytes> {
    let etag = body.get("etag").and_then(Value::as_str).unwrap_or_default().to_owned();
    let told = event(body, calendar, parameters, reader);
    let told = match &parameters.selection {
        Some(selection) => selection.apply(told),
        None => told,
    };
    json_reply_with_etag(&told, &etag)
}
