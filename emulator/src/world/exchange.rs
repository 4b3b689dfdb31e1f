//! One exchange: the call is let in, meets its fault or none, and is written down.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, LOCATION};
use http::{Request, Response};
use serde_json::Value;

use super::oauth::{self, TokenForm};
use super::{Touched, World};
use crate::account::Principal;
use crate::call::Call;
use crate::fault::{Facts, Fault, When};
use crate::operation::Operation;
use crate::record::{ConnectionId, RequestRecord, version_name};
use crate::reply::{Refusal, html_reply, json_reply, set_header};
use crate::verdict::Verdict;

/// An answer, and whether it changed anything.
struct Answer {
    response: Response<Bytes>,
    touched: Option<Touched>,
}

impl World {
    /// Takes a request and says what the network does with it.
    pub(crate) fn receive(&mut self, request: &Request<Bytes>) -> Verdict {
        self.settle_due();
        let call = Call::of(request);
        let seq = self.open_record(request, call.as_ref());
        let Some(call) = call else {
            let response = html_reply(404, "Error 404 (Not Found)!!1");
            self.close_record(seq, Some(404), false, None);
            return Verdict::Respond(response);
        };
        let fault = self.fault_for(&call);
        let label = fault.as_ref().map(Fault::label);
        let (verdict, committed) = if call.operation == Operation::OauthToken {
            self.token_exchange(&call, fault)
        } else {
            self.calendar_exchange(seq, &call, fault)
        };
        let status = verdict.response().map(|response| response.status().as_u16());
        self.close_record(seq, status, committed, label);
        verdict.after(self.latency / 2)
    }

    fn fault_for(&mut self, call: &Call) -> Option<Fault> {
        let form = (call.operation == Operation::OauthToken).then(|| TokenForm::of(call));
        let user = match &form {
            Some(form) => form
                .get("refresh_token")
                .and_then(|token| self.accounts.grants.get(token))
                .map(|grant| grant.email.clone()),
            None => self.accounts.holder(call.authorization.as_deref()).map(str::to_owned),
        };
        let resolved =
            call.calendar_id.as_ref().map(|id| Self::resolve_calendar_id(id, user.as_deref().unwrap_or_default()));
        let facts = Facts {
            operation: call.operation,
            calendar_id: call.calendar_id.as_deref(),
            resolved_calendar_id: resolved.as_deref(),
            event_id: call.event_id.as_deref(),
            user: user.as_deref(),
            conditional: call.if_match.is_some(),
        };
        self.plan.choose(&facts, &mut self.rng)
    }

    /// Lets the call in and performs it.
    fn answer(&mut self, call: &Call) -> Answer {
        let done = self.admit(call).and_then(|principal| self.perform(call, &principal));
        match done {
            Ok(done) => Answer { response: done.response, touched: done.touched },
            Err(refusal) => Answer { response: refusal.reply(), touched: None },
        }
    }

    fn admit(&self, call: &Call) -> Result<Principal, Refusal> {
        self.accounts.admit(call, self.clock.wall())
    }

    /// The reply a call would get, with nothing stored and no mail sent.
    fn rehearse(&mut self, call: &Call) -> Response<Bytes> {
        let mails = self.mails.len();
        let before = self.admit(call).ok().and_then(|principal| {
            let id = Self::resolve_calendar_id(call.calendar_id.as_deref()?, &principal.email);
            self.calendars.get(&id)?.events.get(call.event_id.as_deref()?).cloned()
        });
        let answer = self.answer(call);
        self.mails.truncate(mails);
        if let Some(touched) = answer.touched {
            match (touched.event_id, before) {
                (None, _) => drop(self.calendars.remove(&touched.calendar_id)),
                (Some(id), before) => {
                    if let Some(calendar) = self.calendars.get_mut(&touched.calendar_id) {
                        match before {
                            Some(event) => calendar.events.insert(id, event),
                            None => calendar.events.remove(&id),
                        };
                    }
                }
            }
        }
        answer.response
    }

    /// Performs the call, or only says what it would answer.
    fn take_side(&mut self, call: &Call, when: When) -> Answer {
        match when {
            When::After => self.answer(call),
            When::Before => Answer { response: self.rehearse(call), touched: None },
        }
    }

    /// Performs the call if the fault strikes after the commit.
    fn commit_if_after(&mut self, call: &Call, when: When) -> bool {
        when == When::After && self.answer(call).touched.is_some()
    }

    fn calendar_exchange(&mut self, seq: u64, call: &Call, fault: Option<Fault>) -> (Verdict, bool) {
        let Some(fault) = fault else {
            let answer = self.answer(call);
            return (Verdict::Respond(answer.response), answer.touched.is_some());
        };
        match fault {
            Fault::Reset { when } => (Verdict::Reset, self.commit_if_after(call, when)),
            Fault::Hang { when } => (Verdict::Hang, self.commit_if_after(call, when)),
            Fault::RefusedStream => (Verdict::RefuseStream, false),
            Fault::Status { when, status, reason, retry_after_seconds, domain, message } => {
                let committed = self.commit_if_after(call, when);
                let refusal = Refusal::of_status(status, reason.as_deref());
                let refusal = refusal.with_words(domain.as_deref(), message.as_deref(), retry_after_seconds);
                (Verdict::Respond(refusal.reply()), committed)
            }
            Fault::Html { when } => {
                let committed = self.commit_if_after(call, when);
                (Verdict::Respond(html_reply(200, "Sign in to the network")), committed)
            }
            Fault::Redirect { location, when } => {
                let committed = self.commit_if_after(call, when);
                (Verdict::Respond(redirect(&location)), committed)
            }
            Fault::Truncate { when, keep_bytes } => {
                let answer = self.take_side(call, when);
                (truncate(answer.response, keep_bytes), answer.touched.is_some())
            }
            Fault::Drip { when, every_ms, chunk_bytes } => {
                let answer = self.take_side(call, when);
                (drip(answer.response, every_ms, chunk_bytes), answer.touched.is_some())
            }
            Fault::BigBody { bytes, when } => {
                let answer = self.take_side(call, when);
                (Verdict::Respond(pad(answer.response, bytes)), answer.touched.is_some())
            }
            Fault::Drop => (Verdict::Respond(self.rehearse(call)), false),
            Fault::Precondition => (Verdict::Respond(Refusal::condition_not_met().reply()), false),
            Fault::Latency { ms } => {
                let answer = self.answer(call);
                let verdict = Verdict::Respond(answer.response).after(Duration::from_millis(ms));
                (verdict, answer.touched.is_some())
            }
            Fault::Late { after_ms } => {
                // Somebody without a valid token is not kept waiting on the way in; the write itself comes later.
                match self.admit(call) {
                    Ok(principal) => self.hold(seq, after_ms.map(Duration::from_millis), call.clone(), principal),
                    Err(refusal) => return (Verdict::Respond(refusal.reply()), false),
                }
                (Verdict::Hang, false)
            }
            Fault::Corrupt { .. } | Fault::DelayedVisibility { .. } | Fault::Stale { .. } => self.spoil(call, &fault),
            Fault::InvalidGrant | Fault::Rotate => {
                let answer = self.answer(call);
                (Verdict::Respond(answer.response), answer.touched.is_some())
            }
        }
    }

    /// Answers well, and spoils what is stored or seen.
    fn spoil(&mut self, call: &Call, fault: &Fault) -> (Verdict, bool) {
        let now = self.clock.elapsed();
        if let (Fault::Stale { ms }, Operation::EventsGet) = (fault, call.operation)
            && let Some(email) = self.accounts.holder(call.authorization.as_deref()).map(str::to_owned)
        {
            let id = Self::resolve_calendar_id(call.calendar_id.as_deref().unwrap_or_default(), &email);
            if let Some(event) = self.event_mut(&id, call.event_id.as_deref().unwrap_or_default()) {
                event.lag_reads(now + Duration::from_millis(*ms));
            }
        }
        let answer = self.answer(call);
        let committed = answer.touched.is_some();
        let target = answer.touched.and_then(|touched| Some((touched.calendar_id, touched.event_id?)));
        if let Some(event) = target.and_then(|(calendar_id, id)| self.event_mut(&calendar_id, &id)) {
            match fault {
                Fault::Corrupt { fields } => event.corrupt(fields.as_ref()),
                Fault::DelayedVisibility { ms } => event.hide(now + Duration::from_millis(*ms)),
                Fault::Stale { ms } => event.lag(now + Duration::from_millis(*ms)),
                _ => {}
            }
        }
        (Verdict::Respond(answer.response), committed)
    }

    fn token_exchange(&mut self, call: &Call, fault: Option<Fault>) -> (Verdict, bool) {
        let form = TokenForm::of(call);
        let rotate = matches!(fault, Some(Fault::Rotate));
        let answers = match &fault {
            None => true,
            Some(Fault::InvalidGrant | Fault::RefusedStream | Fault::Drop | Fault::Late { .. }) => false,
            Some(fault) => fault.when() != Some(When::Before),
        };
        let issued = answers.then(|| self.issue(&form, rotate));
        let outcome = match (&fault, &issued) {
            (None | Some(Fault::Rotate), Some(reply)) => match error_word(reply) {
                Some(word) => word,
                None if rotate => "rotated".to_owned(),
                None => "ok".to_owned(),
            },
            (Some(fault), _) => fault.label(),
            (None, None) => "none".to_owned(),
        };
        self.record_token(&form, &outcome);
        let reply = issued.unwrap_or_else(oauth::invalid_grant);
        let verdict = match fault {
            Some(Fault::Reset { .. }) => Verdict::Reset,
            Some(Fault::Hang { .. } | Fault::Late { .. }) => Verdict::Hang,
            Some(Fault::RefusedStream) => Verdict::RefuseStream,
            Some(Fault::Status { status, reason, retry_after_seconds, message, .. }) => {
                Verdict::Respond(token_status(status, reason.as_deref(), message.as_deref(), retry_after_seconds))
            }
            Some(Fault::Html { .. }) => Verdict::Respond(html_reply(200, "Sign in to the network")),
            Some(Fault::Redirect { location, .. }) => Verdict::Respond(redirect(&location)),
            Some(Fault::Truncate { keep_bytes, .. }) => truncate(reply, keep_bytes),
            Some(Fault::Drip { every_ms, chunk_bytes, .. }) => drip(reply, every_ms, chunk_bytes),
            Some(Fault::BigBody { bytes, .. }) => Verdict::Respond(pad(reply, bytes)),
            Some(Fault::Latency { ms }) => Verdict::Respond(reply).after(Duration::from_millis(ms)),
            _ => Verdict::Respond(reply),
        };
        (verdict, false)
    }

    fn open_record(&mut self, request: &Request<Bytes>, call: Option<&Call>) -> u64 {
        let user = call.and_then(|call| self.accounts.holder(call.authorization.as_deref())).map(str::to_owned);
        let calendar_id = call.and_then(|call| call.calendar_id.as_deref());
        let calendar_id = calendar_id.map(|id| Self::resolve_calendar_id(id, user.as_deref().unwrap_or(id)));
        let record = RequestRecord {
            seq: 0,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            operation: call.map(|call| call.operation.name()),
            calendar_id,
            event_id: call.and_then(|call| call.event_id.clone()),
            user,
            if_match: call.and_then(|call| call.if_match.clone()),
            status: None,
            committed: false,
            fault: None,
            http_version: version_name(request.version()),
            connection: request.extensions().get::<ConnectionId>().map_or(0, |id| id.0),
            at_ms: self.now_ms(),
            body_bytes: request.body().len(),
        };
        self.log.open(record, call.map(|call| call.operation), self.behaviour.log_limit)
    }

    fn close_record(&mut self, seq: u64, status: Option<u16>, committed: bool, fault: Option<String>) {
        if let Some(record) = self.log.get_mut(seq) {
            record.status = status;
            record.committed = committed;
            record.fault = fault;
        }
    }
}

fn error_word(reply: &Response<Bytes>) -> Option<String> {
    let body: Value = serde_json::from_slice(reply.body()).ok()?;
    body.get("error")?.as_str().map(str::to_owned)
}

/// A failing token endpoint still speaks OAuth: `{"error": …}`.
fn token_status(status: u16, reason: Option<&str>, message: Option<&str>, retry_after: Option<u64>) -> Response<Bytes> {
    let usual = match status {
        429 => "rate_limit_exceeded",
        400 => "invalid_request",
        401 => "invalid_client",
        403 => "access_denied",
        503 => "temporarily_unavailable",
        _ => "internal_failure",
    };
    let mut response = oauth::refuse(status, reason.unwrap_or(usual), message.unwrap_or("Backend Error"));
    if let Some(seconds) = retry_after {
        set_header(&mut response, http::header::RETRY_AFTER, &seconds.to_string());
    }
    response
}

fn redirect(location: &str) -> Response<Bytes> {
    let mut response = json_reply(302, &Value::Null);
    set_header(&mut response, LOCATION, location);
    response
}

/// A reply without a body cannot be cut: its connection is lost instead.
fn truncate(response: Response<Bytes>, keep: Option<usize>) -> Verdict {
    let length = response.body().len();
    if length == 0 {
        return Verdict::Reset;
    }
    let keep = keep.unwrap_or(length / 2).min(length - 1);
    Verdict::Truncate { response, keep }
}

fn drip(response: Response<Bytes>, every_ms: u64, chunk: usize) -> Verdict {
    Verdict::Drip { response, chunk: chunk.max(1), every: Duration::from_millis(every_ms) }
}

fn pad(response: Response<Bytes>, bytes: usize) -> Response<Bytes> {
    let (mut head, body) = response.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    let mut padded = BytesMut::from(&body[..]);
    if padded.len() < bytes {
        padded.resize(bytes, b' ');
    }
    Response::from_parts(head, padded.freeze())
}
