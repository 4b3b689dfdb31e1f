//! Whether a function of the caller's own may be run again: the same policies for call sites that are not moved yet.

use serde::{Deserialize, Serialize};

use super::reader::Reader;
use crate::model::CalendarError;
use crate::policy::{Backoff, Fate, FaultKind, Kind, Seen, TransportFault, Verdict, classify};

/// What the facade read off the caller's error: words and numbers, no values.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Facts {
    code: Option<String>,
    status: Option<u16>,
    reason: Option<String>,
}

/// The answer.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnVerdict {
    /// Run it again.
    pub retry: bool,
    /// After this many milliseconds.
    pub delay_ms: u64,
    /// The code of what went wrong, or why not.
    pub why: &'static str,
}

/// Node's words for a connection that was never made: nothing was sent.
const NOT_CONNECTED: &[&str] =
    &["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"];
/// Its words for a reply that was lost: what was sent may have been done.
const LOST: &[&str] = &[
    "ECONNRESET",
    "ECONNABORTED",
    "EPIPE",
    "ETIMEDOUT",
    "ESOCKETTIMEDOUT",
    "TIMEOUT",
    "ERR_NETWORK",
    "NETWORK_ERROR",
    "UND_ERR_SOCKET",
    "UND_ERR_HEADERS_TIMEOUT",
    "UND_ERR_BODY_TIMEOUT",
    "ERR_STREAM_PREMATURE_CLOSE",
];

/// `attempt` counts from 0; `idempotent`: running it twice can do no harm; `unit_random` is in `0.0..1.0`.
pub fn own_verdict(
    facts: &str,
    attempt: u32,
    idempotent: bool,
    retry: Option<&str>,
    unit_random: f64,
) -> Result<OwnVerdict, CalendarError> {
    let facts: Facts = serde_json::from_str(facts).unwrap_or_default();
    let mut backoff = Backoff::default();
    if let Some(text) = retry {
        let mut reader = Reader::config(text)?;
        super::config::read_backoff(&mut backoff, &mut reader)?;
        reader.finish()?;
    }
    let kind = if idempotent { Kind::Read } else { Kind::Write };
    let code = facts.code.as_deref().unwrap_or_default();
    let fault = |fate, kind| Seen::Fault(TransportFault { kind, fate });
    let seen = match facts.status {
        Some(status) => Seen::Reply(status, facts.reason.as_deref()),
        None if NOT_CONNECTED.contains(&code) => fault(Fate::NotSent, FaultKind::Connect),
        None if LOST.contains(&code) => fault(Fate::Unknown, FaultKind::Reset),
        None => return Ok(OwnVerdict { retry: false, delay_ms: 0, why: "not a network or HTTP error" }),
    };
    let stop = |why| OwnVerdict { retry: false, delay_ms: 0, why };
    Ok(match classify(kind, seen) {
        Verdict::NotApplied(code) | Verdict::Transient(code) => {
            let delay = backoff.delay(attempt, unit_random, None);
            OwnVerdict { retry: true, delay_ms: crate::clock::millis(delay), why: code.name() }
        }
        Verdict::Unknown(_) => stop("outcome unknown: pass { idempotent: true } if running it twice can do no harm"),
        Verdict::Refuse(code) => stop(code.name()),
        Verdict::Park => stop("QUOTA_EXCEEDED"),
        Verdict::RefreshToken => stop("GOOGLE_AUTH_FAILED"),
        Verdict::Missing => stop("NOT_FOUND"),
        Verdict::Taken | Verdict::Gone | Verdict::Changed | Verdict::NotModified | Verdict::Accept => stop("settled"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retries(facts: &str, idempotent: bool) -> bool {
        own_verdict(facts, 0, idempotent, None, 0.5).unwrap().retry
    }

    #[test]
    fn a_write_of_unknown_fate_is_run_again_only_when_that_can_do_no_harm() {
        for facts in [r#"{"code":"ECONNRESET"}"#, r#"{"code":"TIMEOUT"}"#, r#"{"status":503}"#] {
            assert!(!retries(facts, false), "{facts}");
            assert!(retries(facts, true), "{facts}");
        }
    }

    #[test]
    fn what_was_not_applied_is_run_again_and_what_was_refused_is_not() {
        assert!(retries(r#"{"code":"ECONNREFUSED"}"#, false));
        assert!(retries(r#"{"status":429}"#, false));
        assert!(retries(r#"{"status":403,"reason":"rateLimitExceeded"}"#, false));
        assert!(!retries(r#"{"status":403,"reason":"quotaExceeded"}"#, false));
        assert!(!retries(r#"{"status":400}"#, true));
        assert!(!retries(r#"{"message":"timed out"}"#, true), "no word decides");
    }
}
