//! The Calendar API's endpoints, as verbs. Each says what may have become of the calendar; none retries or waits.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::path::{self, Query};
use super::scope::Scope;
use super::send::{Answer, Exchange, Reply, Sender};
use super::transport::{Body, HttpReply, HttpRequest};
use crate::model::{CalendarError, Code, Outcome};
use crate::policy::Kind;

/// Whom Google mails about a change (`sendUpdates`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SendUpdates {
    /// All guests. The default of `createEvent`.
    #[default]
    All,
    /// Guests who do not use Google Calendar.
    ExternalOnly,
    /// Nobody. "Some emails might still be sent" (API reference).
    None,
}

impl SendUpdates {
    /// The parameter's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::ExternalOnly => "externalOnly",
            Self::None => "none",
        }
    }
}

/// Query parameters of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InsertParams {
    /// 0 or 1. With 0 Google silently ignores `conferenceData`.
    pub conference_data_version: u8,
    /// Whom Google mails.
    pub send_updates: SendUpdates,
    /// Whether the body may hold attachments; without it they are ignored.
    pub supports_attachments: bool,
}

/// Query parameters of a patch: those of an insert.
pub type PatchParams = InsertParams;

/// An event as Google sent it. `Debug` prints no content.
#[derive(Clone, PartialEq)]
pub struct Fetched {
    /// The `ETag`, with its quotes, as `If-Match` wants it. Empty if Google sent none.
    pub etag: String,
    /// The body, byte for byte.
    pub raw: Bytes,
    /// The body, parsed.
    pub event: Map<String, Value>,
}

impl Fetched {
    /// The event `id` in a 2xx, if it is that.
    #[must_use]
    pub fn of(reply: &HttpReply, id: &str) -> Option<Self> {
        event(reply, Some(id), false)
    }

    /// Whether this is a tombstone: a deleted event, whose id stays taken.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.event.get("status").and_then(Value::as_str) == Some("cancelled")
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetched({} bytes, {})", self.raw.len(), if self.cancelled() { "cancelled" } else { "live" })
    }
}

/// An event as Google says that it wrote it, not looked into. `Debug` prints no content.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// The `ETag`, with its quotes, as `If-Match` wants it. Empty if Google sent none.
    pub etag: String,
    /// The body, byte for byte.
    pub raw: Bytes,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Written({} bytes)", self.raw.len())
    }
}

/// How an insert ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Insert {
    /// Google says that it created this event.
    Created(Written),
    /// 409: the id is taken, by a live or by a deleted event. Read it to learn by which.
    Taken,
}

/// How a patch ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// The event as it is now.
    Done(Fetched),
    /// 412: it changed since `etag` was read. Nothing was written.
    Changed,
    /// 404 or 410: there is no such event (any more).
    Missing,
}

/// How a delete ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delete {
    /// Deleted by this call.
    Done,
    /// 410: it was deleted before.
    Gone,
    /// 404: never existed, or this user cannot see the calendar.
    Missing,
    /// 412: it changed since `etag` was read. Nothing was deleted.
    Changed,
}

/// One page of a list.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// The body, byte for byte.
    pub raw: Bytes,
    /// The next page's `pageToken`; `None` on the last page. A page may be empty and not be the last.
    pub next_page_token: Option<String>,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({} bytes, {})", self.raw.len(), if self.next_page_token.is_some() { "more" } else { "last" })
    }
}

/// The partial response mask of an event that is known but for its `ETag`.
pub const NAMED: &str = "id,etag";

/// The events of Google's calendars.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// What sends, waits and repeats.
    pub sender: Arc<Sender>,
}

impl Calendar {
    /// The endpoints over `sender`.
    #[must_use]
    pub const fn new(sender: Arc<Sender>) -> Self {
        Self { sender }
    }

    /// `events.insert` of the event `id`, which is in `body` as well: without one, an insert of unknown fate could not be
    /// looked for.
    ///
    /// A 2xx whose body is not this event (cut short by a proxy, HTML) is an error with [`Outcome::Unknown`]. `fields` is a
    /// partial response mask that asks for [`NAMED`] at least; Google takes one "with any request that returns response data"
    /// ("Performance tips" of its guides).
    pub fn insert<'a>(
        &'a self,
        scope: &'a Scope,
        calendar: &str,
        id: &'a str,
        body: Body,
        params: InsertParams,
        fields: Option<&str>,
    ) -> impl Future<Output = Result<Insert, CalendarError>> + Send + use<'a> {
        let exchange = path::events(calendar).map(|path| {
            let path = path + &write_query(params).maybe("fields", fields).finish();
            write(calendar, Method::POST, path, body)
        });
        async move {
            let reply = self.sender.send(scope, exchange?, |reply| written(reply, id)).await?;
            match reply.answer {
                Answer::Accepted(written) => Ok(Insert::Created(written)),
                Answer::Taken => Ok(Insert::Taken),
                Answer::Missing => Err(self.no_calendar(scope, &reply)),
                _ => Err(self.unexpected(scope, &reply)),
            }
        }
    }

    /// `events.get`; `None` is a 404. A deleted event is found, [`Fetched::cancelled`]. `fields` is a partial
    /// response mask; it should ask for `id`, `etag` and `status`.
    pub async fn get(
        &self,
        scope: &Scope,
        calendar: &str,
        id: &str,
        fields: Option<&str>,
    ) -> Result<Option<Fetched>, CalendarError> {
        self.get_as(scope, calendar, id, fields, |reply| event(reply, Some(id), fields.is_some())).await
    }

    /// [`Calendar::get`] of what `seen` makes of an answer; `None`: it is not the event.
    pub async fn get_as<T: Send>(
        &self,
        scope: &Scope,
        calendar: &str,
        id: &str,
        fields: Option<&str>,
        seen: impl Fn(&HttpReply) -> Option<T> + Send,
    ) -> Result<Option<T>, CalendarError> {
        let path = path::event(calendar, id)? + &Query::new().maybe("fields", fields).finish();
        let reply = self.sender.send(scope, read(calendar, path), seen).await?;
        match reply.answer {
            Answer::Accepted(event) => Ok(Some(event)),
            // 410 is not documented for events.get; it can only mean that there is nothing to read.
            Answer::Missing | Answer::Gone => Ok(None),
            _ => Err(self.unexpected(scope, &reply)),
        }
    }

    /// `events.patch`: fields present are replaced (arrays as a whole), `null` deletes, the rest stays. With `etag`
    /// only if the event is still the one that was read.
    pub async fn patch(
        &self,
        scope: &Scope,
        calendar: &str,
        id: &str,
        etag: Option<&str>,
        body: &Map<String, Value>,
        params: PatchParams,
    ) -> Result<Patch, CalendarError> {
        self.patch_text(scope, calendar, id, etag, json(body)?, params).await
    }

    /// [`Calendar::patch`] with a body that is JSON text already, for what must go back byte for byte.
    pub async fn patch_text(
        &self,
        scope: &Scope,
        calendar: &str,
        id: &str,
        etag: Option<&str>,
        body: Bytes,
        params: PatchParams,
    ) -> Result<Patch, CalendarError> {
        let path = path::event(calendar, id)? + &write_query(params).finish();
        let mut exchange = write(calendar, Method::PATCH, path, body.into());
        only_if(&mut exchange.request, etag)?;
        let reply = self.sender.send(scope, exchange, |reply| event(reply, Some(id), false)).await?;
        match reply.answer {
            Answer::Accepted(event) => Ok(Patch::Done(event)),
            Answer::Changed => Ok(Patch::Changed),
            Answer::Missing | Answer::Gone => Ok(Patch::Missing),
            _ => Err(self.unexpected(scope, &reply)),
        }
    }

    /// `events.delete`. With `etag` only if the event is still the one that was read.
    pub async fn delete(
        &self,
        scope: &Scope,
        calendar: &str,
        id: &str,
        etag: Option<&str>,
        send_updates: SendUpdates,
    ) -> Result<Delete, CalendarError> {
        let query = Query::new().pair("sendUpdates", send_updates.name());
        let mut exchange =
            write(calendar, Method::DELETE, path::event(calendar, id)? + &query.finish(), Body::default());
        only_if(&mut exchange.request, etag)?;
        let reply = self.sender.send(scope, exchange, |_| Some(())).await?;
        match reply.answer {
            Answer::Accepted(()) => Ok(Delete::Done),
            Answer::Gone => Ok(Delete::Gone),
            Answer::Missing => Ok(Delete::Missing),
            Answer::Changed => Ok(Delete::Changed),
            _ => Err(self.unexpected(scope, &reply)),
        }
    }

    /// `events.list`: one page. `query` holds Google's own parameters, not yet encoded.
    pub async fn list(&self, scope: &Scope, calendar: &str, query: &[(&str, &str)]) -> Result<Page, CalendarError> {
        let query = query.iter().fold(Query::new(), |query, (name, value)| query.pair(name, value));
        let exchange = read(calendar, path::events(calendar)? + &query.finish());
        let reply = self.sender.send(scope, exchange, page).await?;
        match reply.answer {
            Answer::Accepted(page) => Ok(page),
            Answer::Missing => Err(self.no_calendar(scope, &reply)),
            _ => Err(self.unexpected(scope, &reply)),
        }
    }

    fn no_calendar<T>(&self, scope: &Scope, reply: &Reply<T>) -> CalendarError {
        let message = format!(
            "{} failed: Google knows no such calendar, or this user may not see it. Nothing was written; check the \
             calendar id and the account.",
            scope.operation
        );
        let error = self.sender.failure(scope, Code::NotFound, Outcome::Rejected, message);
        error.with_reply(reply.status, reply.reason.clone())
    }

    /// A status that is documented, but not for this endpoint.
    fn unexpected<T>(&self, scope: &Scope, reply: &Reply<T>) -> CalendarError {
        let code = match reply.answer {
            Answer::Changed => Code::PreconditionFailed,
            Answer::Missing | Answer::Gone => Code::NotFound,
            _ => Code::Conflict,
        };
        let message = format!(
            "{} failed: Google refused the request with HTTP {}, which it does not document here. Nothing was written.",
            scope.operation, reply.status
        );
        self.sender.failure(scope, code, Outcome::Rejected, message).with_reply(reply.status, reply.reason.clone())
    }
}

/// Boxed, as is what is written: the futures of a call would each have a place for it.
fn read(calendar: &str, path_and_query: String) -> Box<Exchange> {
    let request = HttpRequest::new(Method::GET, path_and_query);
    Box::new(Exchange { request, kind: Kind::Read, lane: calendar.to_owned() })
}

fn write(calendar: &str, method: Method, path_and_query: String, body: Body) -> Box<Exchange> {
    let request = HttpRequest { body, ..HttpRequest::new(method, path_and_query) };
    Box::new(Exchange { request, kind: Kind::Write, lane: calendar.to_owned() })
}

fn write_query(params: InsertParams) -> Query {
    let query = Query::new()
        .pair("conferenceDataVersion", if params.conference_data_version == 0 { "0" } else { "1" })
        .pair("sendUpdates", params.send_updates.name());
    if params.supports_attachments { query.pair("supportsAttachments", "true") } else { query }
}

/// The JSON text of a body.
pub fn json(body: &impl Serialize) -> Result<Bytes, CalendarError> {
    match serde_json::to_vec(body) {
        Ok(bytes) => Ok(Bytes::from(bytes)),
        Err(_) => Err(CalendarError::internal(Outcome::NotSent, "an event could not be written as JSON")),
    }
}

fn only_if(request: &mut HttpRequest, etag: Option<&str>) -> Result<(), CalendarError> {
    if let Some(etag) = etag {
        let value = HeaderValue::from_str(etag)
            .map_err(|_| CalendarError::internal(Outcome::NotSent, "an ETag cannot stand in a header"))?;
        request.headers.insert(header::IF_MATCH, value);
    }
    Ok(())
}

/// The event in a 2xx, if it is one and has the id asked for; `partial`: the id may be masked out.
fn event(reply: &HttpReply, id: Option<&str>, partial: bool) -> Option<Fetched> {
    let event: Map<String, Value> = serde_json::from_slice(&reply.body).ok()?;
    let is_ours = match (event.get("id").and_then(Value::as_str), id) {
        (Some(found), Some(wanted)) => found == wanted,
        (Some(_), None) => true,
        (None, _) => partial,
    };
    let etag = event.get("etag").and_then(Value::as_str).or(reply.etag.as_deref()).unwrap_or_default().to_owned();
    is_ours.then(|| Fetched { etag, raw: reply.body.clone(), event })
}

/// The event in a 2xx, if it is whole JSON and the event `id`. Its members are skipped over: it is read back anyway.
fn written(reply: &HttpReply, id: &str) -> Option<Written> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
        #[serde(borrow)]
        etag: Option<Cow<'a, str>>,
    }
    let named: Named<'_> = serde_json::from_slice(&reply.body).ok().filter(|_| is_object(&reply.body))?;
    let etag = named.etag.as_deref().or(reply.etag.as_deref()).unwrap_or_default().to_owned();
    (named.id == id).then(|| Written { etag, raw: reply.body.clone() })
}

/// A struct is read from an array as well.
fn is_object(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

fn page(reply: &HttpReply) -> Option<Page> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Listed {
        next_page_token: Option<String>,
    }
    let listed: Listed = serde_json::from_slice(&reply.body).ok().filter(|_| is_object(&reply.body))?;
    Some(Page { raw: reply.body.clone(), next_page_token: listed.next_page_token.filter(|token| !token.is_empty()) })
}
