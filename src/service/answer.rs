//! Results as JSON text. An event that was read back goes through as the bytes Google sent.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::compare::Difference;
use crate::model::{CalendarError, Code, Outcome, Warning};
use crate::operation::attendees::{Changed, Verb};
use crate::operation::create::{Cleanup, Created, Creation};
use crate::operation::create_many::Refusal;
use crate::operation::enroll::{Enrolled, EnrolledEvent};
use crate::operation::update::Updated;
use crate::operation::verify::Verdict;

/// What the guide's verification says of a difference.
const MISMATCH: &str = "Event data does not match expected";
/// What it says of an event that is not there.
const NOT_FOUND: &str = "Event not found after creation";

/// What follows the event in the answer of a verb that found or wrote one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Success<'a> {
    event_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unchanged: Option<bool>,
    attempts: u32,
    warnings: &'a [Warning],
}

/// The guide's `verificationDetails`, and what `verifyEvent` resolves to when it is not so.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Seen<'a> {
    success: bool,
    verified: bool,
    error: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mismatches: &'a [Difference],
    event_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Unverified<'a> {
    success: bool,
    verified: bool,
    error: String,
    error_code: Code,
    verification_details: Seen<'a>,
    cleanup: Option<&'static str>,
    event_id: &'a str,
    attempts: u32,
}

fn text<T: Serialize>(value: &T) -> Result<String, CalendarError> {
    serde_json::to_string(value).map_err(|_| CalendarError::internal(Outcome::Applied, "a result could not be written"))
}

/// An answer with the event before the members of `rest`. The event was parsed when it came, as the verb's own: it is not
/// parsed again, and copied once.
fn with_event(verified: Option<bool>, event: &Bytes, rest: &impl Serialize) -> Result<String, CalendarError> {
    let before = match verified {
        Some(true) => r#"{"success":true,"verified":true,"event":"#,
        Some(false) => r#"{"success":true,"verified":false,"event":"#,
        None => r#"{"success":true,"event":"#,
    };
    let rest = text(rest)?;
    match (str::from_utf8(event), rest.strip_prefix('{')) {
        (Ok(event), Some(rest)) => Ok([before, event.trim_ascii(), ",", rest].concat()),
        _ => Err(CalendarError::internal(Outcome::Applied, "an event could not be passed on")),
    }
}

const fn cleanup_name(cleanup: Cleanup) -> &'static str {
    match cleanup {
        Cleanup::Deleted => "deleted",
        Cleanup::Kept => "kept",
        Cleanup::Pending => "pending",
    }
}

fn unverified(
    mismatches: &[Difference],
    event_id: &str,
    cleanup: Option<Cleanup>,
    attempts: u32,
) -> Result<String, CalendarError> {
    let why = if mismatches.is_empty() { NOT_FOUND } else { MISMATCH };
    text(&Unverified {
        success: false,
        verified: false,
        error: format!("Event verification failed: {why}"),
        error_code: Code::VerificationFailed,
        verification_details: Seen { success: false, verified: false, error: why, mismatches, event_id },
        cleanup: cleanup.map(cleanup_name),
        event_id,
        attempts,
    })
}

/// What `createEvent` resolves to.
pub(super) fn created(created: &Created, hash: &str, attempts: u32) -> Result<String, CalendarError> {
    match created {
        Created::Done(creation) => success(creation, hash, attempts),
        Created::Unverified { mismatches, cleanup, event_id } => {
            unverified(mismatches, event_id, Some(*cleanup), attempts)
        }
    }
}

fn success(creation: &Creation, hash: &str, attempts: u32) -> Result<String, CalendarError> {
    let rest = Success {
        event_id: &creation.event_id,
        event_hash: Some(hash),
        replayed: Some(creation.replayed),
        repaired: Some(creation.repaired),
        unchanged: None,
        attempts,
        warnings: &creation.warnings,
    };
    with_event(Some(creation.verified), &creation.event, &rest)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Many<'a> {
    success: bool,
    verified: bool,
    events: Vec<Box<RawValue>>,
    rolled_back: &'a [String],
    rollback_pending: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_index: Option<usize>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mismatches: &'a [Difference],
}

/// What `createEvents` resolves to when all are there.
pub(super) fn created_many(creations: &[Creation], hashes: &[String], attempts: u32) -> Result<String, CalendarError> {
    let mut events = Vec::with_capacity(creations.len());
    for (creation, hash) in creations.iter().zip(hashes) {
        let event = RawValue::from_string(success(creation, hash, attempts)?);
        events.push(event.map_err(|_| CalendarError::internal(Outcome::Applied, "a result could not be written"))?);
    }
    text(&Many {
        success: true,
        verified: creations.iter().all(|creation| creation.verified),
        events,
        rolled_back: &[],
        rollback_pending: &[],
        error: None,
        error_code: None,
        failed_index: None,
        mismatches: &[],
    })
}

/// What it resolves to when one of them could not be verified and all were undone.
pub(super) fn refused_many(refusal: &Refusal) -> Result<String, CalendarError> {
    let why = if refusal.mismatches.is_empty() { NOT_FOUND } else { MISMATCH };
    text(&Many {
        success: false,
        verified: false,
        events: Vec::new(),
        rolled_back: &refusal.rolled_back,
        rollback_pending: &refusal.rollback_pending,
        error: Some(format!("Event verification failed: {why}")),
        error_code: Some(Code::VerificationFailed),
        failed_index: Some(refusal.index),
        mismatches: &refusal.mismatches,
    })
}

/// What `updateEvent` resolves to.
pub(super) fn updated(updated: &Updated, event_id: &str, attempts: u32) -> Result<String, CalendarError> {
    match updated {
        Updated::Unverified { mismatches } => unverified(mismatches, event_id, None, attempts),
        Updated::Done { event, verified, unchanged, warnings } => {
            let rest = Success {
                event_id,
                event_hash: None,
                replayed: None,
                repaired: None,
                unchanged: Some(*unchanged),
                attempts,
                warnings,
            };
            with_event(Some(*verified), &event.raw, &rest)
        }
    }
}

/// What `verifyEvent` resolves to.
pub(super) fn verdict(verdict: &Verdict, event_id: &str, attempts: u32) -> Result<String, CalendarError> {
    match verdict {
        Verdict::Absent => text(&Seen { success: false, verified: false, error: NOT_FOUND, mismatches: &[], event_id }),
        Verdict::Mismatch(_, mismatches) => {
            text(&Seen { success: false, verified: false, error: MISMATCH, mismatches, event_id })
        }
        Verdict::Verified(event, warnings) => {
            let rest = Success {
                event_id,
                event_hash: None,
                replayed: None,
                repaired: None,
                unchanged: None,
                attempts,
                warnings,
            };
            with_event(Some(true), &event.raw, &rest)
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Read<'a> {
    event_id: &'a str,
}

/// What `getEvent` resolves to.
pub(super) fn read(event: &Bytes, event_id: &str) -> Result<String, CalendarError> {
    with_event(None, event, &Read { event_id })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gone<'a> {
    success: bool,
    verified: bool,
    already_deleted: bool,
    event_id: &'a str,
    attempts: u32,
}

/// What `deleteEvent` resolves to.
pub(super) fn deleted(
    deleted: crate::operation::delete::Deleted,
    event_id: &str,
    attempts: u32,
) -> Result<String, CalendarError> {
    text(&Gone { success: true, verified: deleted.verified, already_deleted: deleted.already, event_id, attempts })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Enrollment<'a> {
    success: bool,
    verified: bool,
    events: &'a [EnrolledEvent],
    skipped: Vec<&'a str>,
    replayed: bool,
    warnings: Vec<Warning>,
}

/// What `enroll` resolves to.
pub(super) fn enrolled(enrolled: &Enrolled) -> Result<String, CalendarError> {
    let skipped: Vec<_> =
        enrolled.events.iter().filter(|event| event.skipped).map(|event| event.event_id.as_str()).collect();
    let warning = || {
        Warning::new(
            Warning::SKIPPED,
            "Adding the attendee timed out for some events; the enrollment went on without them, and whether they arrived there is settled in the background.",
        )
    };
    text(&Enrollment {
        success: true,
        verified: enrolled.events.iter().all(|event| event.verified),
        events: &enrolled.events,
        warnings: if skipped.is_empty() { Vec::new() } else { vec![warning()] },
        skipped,
        replayed: enrolled.replayed,
    })
}

/// Above so many guests, "response status is not propagated to the guests" (API reference, `attendees[].responseStatus`).
const ANSWERS_SHOWN_AT_MOST: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttendeeChanged<'a> {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    already_added: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    already_removed: Option<bool>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    attendee_count: Option<usize>,
    verified: bool,
    event_id: &'a str,
    attempts: u32,
    warnings: Vec<Warning>,
}

/// What `addAttendeeToEvent` and `removeAttendeeFromEvent` resolve to.
pub(super) fn attendee(changed: &Changed, verb: Verb, event_id: &str) -> Result<String, CalendarError> {
    let many = Warning::new(
        Warning::ANSWERS_NOT_SHARED,
        "The event has more than 200 guests: Google does not tell the guests who comes any more.",
    );
    let adds = verb == Verb::Add;
    text(&AttendeeChanged {
        success: true,
        already_added: adds.then_some(changed.already),
        already_removed: (!adds).then_some(changed.already),
        skipped: false,
        attendee_count: Some(changed.attendee_count),
        verified: changed.verified,
        event_id,
        attempts: changed.attempts,
        warnings: (adds && changed.attendee_count > ANSWERS_SHOWN_AT_MOST).then_some(many).into_iter().collect(),
    })
}

/// What `tx.addAttendee` resolves to where its transaction goes on without it.
pub(super) fn attendee_skipped(event_id: &str, attempts: u32) -> Result<String, CalendarError> {
    let warning = Warning::new(
        Warning::SKIPPED,
        "Adding the attendee timed out; the transaction goes on without this event, and whether they arrived there is settled in the background.",
    );
    text(&AttendeeChanged {
        success: true,
        already_added: Some(false),
        already_removed: None,
        skipped: true,
        attendee_count: None,
        verified: false,
        event_id,
        attempts,
        warnings: vec![warning],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_goes_through_as_it_came_between_the_other_members() {
        let mut creation = Creation {
            verified: true,
            event: Bytes::from_static(b" {\n  \"id\": \"a\", \"x\": 1.0 }\r\n"),
            event_id: "a\"".to_owned(),
            replayed: false,
            repaired: true,
            warnings: Vec::new(),
        };
        assert_eq!(
            success(&creation, "h", 2).unwrap(),
            "{\"success\":true,\"verified\":true,\"event\":{\n  \"id\": \"a\", \"x\": 1.0 },\"eventId\":\"a\\\"\",\
             \"eventHash\":\"h\",\"replayed\":false,\"repaired\":true,\"attempts\":2,\"warnings\":[]}"
        );
        creation.verified = false;
        assert!(success(&creation, "h", 2).unwrap().starts_with("{\"success\":true,\"verified\":false,\"event\":{"));
        assert_eq!(read(&Bytes::from_static(b"{}"), "a").unwrap(), "{\"success\":true,\"event\":{},\"eventId\":\"a\"}");
        assert!(read(&Bytes::from_static(b"\"\xff\""), "a").is_err());
    }
}
