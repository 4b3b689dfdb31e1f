//! What does this reply mean? The whole table in one place.

use crate::model::Code;

/// What a request does at Google's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Changes nothing: may be repeated freely.
    Read,
    /// Changes the calendar: repeated here only where the earlier send is known not to have been applied.
    Write,
}

/// How an exchange failed below HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The connection could not be opened: refused, no such host, unreachable.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The server's certificate is not trusted, or is for another host. Time does not heal that.
    Untrusted,
    /// The proxy wants other credentials (407). Time does not heal that either.
    ProxyAuth,
    /// No whole answer in the time of one attempt.
    Timeout,
    /// The connection ended before an answer began.
    Reset,
    /// The answer began and did not end.
    Cut,
    /// The answer is larger than we read.
    TooLarge,
    /// The server turned this stream away before looking at it (h2 `REFUSED_STREAM`, or GOAWAY below it).
    TurnedAway,
    /// An answer that is not HTTP, or 2xx with a body that is not what this endpoint answers.
    Garbled,
}

impl FaultKind {
    /// The name in metrics and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Untrusted => "untrusted",
            Self::ProxyAuth => "proxyAuth",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Cut => "cut",
            Self::TooLarge => "tooLarge",
            Self::TurnedAway => "turnedAway",
            Self::Garbled => "garbled",
        }
    }

    /// Whether only a change of the configuration mends it.
    #[must_use]
    pub const fn is_lasting(self) -> bool {
        matches!(self, Self::Untrusted | Self::ProxyAuth)
    }

    const fn code(self) -> Code {
        match self {
            Self::Timeout => Code::Timeout,
            _ => Code::NetworkError,
        }
    }
}

/// What may have become of a request whose exchange failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Proved: no server can have acted on it, nor will.
    NotSent,
    /// It may have been, or may still be, acted on.
    Unknown,
}

/// An exchange that brought no usable answer. Holds no text: library errors carry the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransportFault {
    /// How it failed.
    pub kind: FaultKind,
    /// What may have become of the request.
    pub fate: Fate,
}

impl TransportFault {
    /// A fault after which the request may have been applied.
    #[must_use]
    pub const fn unknown(kind: FaultKind) -> Self {
        Self { kind, fate: Fate::Unknown }
    }

    /// A fault that proves that the request reached nobody.
    #[must_use]
    pub const fn not_sent(kind: FaultKind) -> Self {
        Self { kind, fate: Fate::NotSent }
    }
}

/// What an exchange brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// An HTTP answer: its status, and Google's reason word if it had one.
    Reply(u16, Option<&'a str>),
    /// No usable answer.
    Fault(TransportFault),
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 2xx.
    Accept,
    /// 304: what we have is current.
    NotModified,
    /// Known not to have been applied: back off and repeat, writes as well.
    NotApplied(Code),
    /// A read that failed for now: back off and repeat.
    Transient(Code),
    /// A write of unknown fate: never repeated here; the operation reads before it decides.
    Unknown(Code),
    /// 401: get a fresh access token, once, and repeat (a refused write was not applied).
    RefreshToken,
    /// Google's usage limits, which last for hours: stop writing for this user.
    Park,
    /// Final: asking again changes nothing.
    Refuse(Code),
    /// 404: no such event or calendar, or not visible to this user.
    Missing,
    /// 409: the id is taken, perhaps by a deleted event.
    Taken,
    /// 410: deleted already.
    Gone,
    /// 412: somebody changed the event since it was read.
    Changed,
}

/// Reasons for "slower" under 403 and 429. The first two are documented (Calendar guide "Handle API errors"); the
/// others are the same in the newer error envelope.
const SLOWER: [&str; 4] = ["rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"];

/// Reasons for limits that last for hours. `dailyLimitExceeded` is gone from the current guide, but was documented.
const FOR_HOURS: [&str; 3] = ["quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"];

/// The table. Statuses and reasons are those of the guide "Handle API errors"; those it does not name are read in the
/// way that is safe for a write.
#[must_use]
#[expect(
    clippy::match_same_arms,
    reason = "an arm for each kind of answer: two that end alike do so for different reasons"
)]
pub fn classify(kind: Kind, seen: Seen<'_>) -> Verdict {
    match seen {
        // Nothing of it reached a server, and nothing will until somebody changes the configuration.
        Seen::Fault(TransportFault { kind: fault, fate: Fate::NotSent }) if fault.is_lasting() => {
            Verdict::Refuse(fault.code())
        }
        // Nothing of it reached a server, so a second send is the first one.
        Seen::Fault(TransportFault { kind: fault, fate: Fate::NotSent }) => Verdict::NotApplied(fault.code()),
        // The request may have arrived, and may even arrive later: only a read may be repeated blindly.
        Seen::Fault(TransportFault { kind: fault, fate: Fate::Unknown }) => in_doubt(kind, fault.code()),
        Seen::Reply(200..=299, _) => Verdict::Accept,
        Seen::Reply(304, _) => Verdict::NotModified,
        // Never followed: whoever answers is not the API we asked, and it may have passed the request on before.
        Seen::Reply(300..=399, _) => in_doubt(kind, Code::NetworkError),
        // Expired or revoked. Google refuses before it acts.
        Seen::Reply(401, _) => Verdict::RefreshToken,
        // Anti-abuse and daily limits; the guide gives no backoff advice, and hammering makes them last.
        Seen::Reply(403 | 429, Some(word)) if FOR_HOURS.contains(&word) => Verdict::Park,
        // "Not a fatal error and we expect you to retry the request after a short interval."
        Seen::Reply(429, _) => Verdict::NotApplied(Code::RateLimited),
        Seen::Reply(403, Some(word)) if SLOWER.contains(&word) => Verdict::NotApplied(Code::RateLimited),
        // Scope, permission, API not enabled, changing another's event: only a person can change that.
        Seen::Reply(403, _) => Verdict::Refuse(Code::PermissionDenied),
        // May be replication delay after our own write; the operation knows, we do not.
        Seen::Reply(404, _) => Verdict::Missing,
        // A gateway gave up waiting, perhaps for an answer to a request it had passed on.
        Seen::Reply(408, _) => in_doubt(kind, Code::Timeout),
        // Not a taken id: two changes met and this one lost. The guide: "retry".
        Seen::Reply(409, Some("conflict")) => Verdict::NotApplied(Code::Conflict),
        Seen::Reply(409, _) => Verdict::Taken,
        Seen::Reply(410, _) => Verdict::Gone,
        Seen::Reply(412, _) => Verdict::Changed,
        // The server would not risk a request that might be replayed (RFC 8470): not processed.
        Seen::Reply(425, _) => Verdict::NotApplied(Code::NetworkError),
        // The request itself is wrong; the same bytes would be refused again.
        Seen::Reply(400..=499, _) => Verdict::Refuse(Code::ValidationFailed),
        // `backendError`: the commit may have happened before the failure.
        Seen::Reply(500..=599, _) => in_doubt(kind, Code::ServerError),
        // No status of HTTP's: treat the answer as none.
        Seen::Reply(..) => in_doubt(kind, Code::NetworkError),
    }
}

const fn in_doubt(kind: Kind, code: Code) -> Verdict {
    match kind {
        Kind::Read => Verdict::Transient(code),
        Kind::Write => Verdict::Unknown(code),
    }
}

#[cfg(test)]
mod tests {
    use Verdict::{Accept, Changed, Gone, Missing, NotApplied, NotModified, Park, RefreshToken, Refuse, Taken};

    use super::*;

    fn both(status: u16, reason: Option<&str>) -> (Verdict, Verdict) {
        (classify(Kind::Read, Seen::Reply(status, reason)), classify(Kind::Write, Seen::Reply(status, reason)))
    }

    #[test]
    fn what_is_in_doubt_is_repeated_for_reads_and_handed_up_for_writes() {
        for (status, code) in [
            (500, Code::ServerError),
            (502, Code::ServerError),
            (503, Code::ServerError),
            (504, Code::ServerError),
            (408, Code::Timeout),
            (301, Code::NetworkError),
            (302, Code::NetworkError),
            (307, Code::NetworkError),
            (100, Code::NetworkError),
            (999, Code::NetworkError),
        ] {
            assert_eq!(both(status, None), (Verdict::Transient(code), Verdict::Unknown(code)), "{status}");
        }
    }

    #[test]
    fn google_s_documented_answers_mean_what_the_guide_says() {
        for (status, reason, verdict) in [
            (200, None, Accept),
            (204, None, Accept),
            (304, None, NotModified),
            (400, Some("timeRangeEmpty"), Refuse(Code::ValidationFailed)),
            (401, Some("authError"), RefreshToken),
            (403, Some("rateLimitExceeded"), NotApplied(Code::RateLimited)),
            (403, Some("userRateLimitExceeded"), NotApplied(Code::RateLimited)),
            (403, Some("RATE_LIMIT_EXCEEDED"), NotApplied(Code::RateLimited)),
            (403, Some("quotaExceeded"), Park),
            (403, Some("dailyLimitExceeded"), Park),
            (403, Some("forbiddenForNonOrganizer"), Refuse(Code::PermissionDenied)),
            (403, Some("forbiddenForServiceAccounts"), Refuse(Code::PermissionDenied)),
            (403, Some("insufficientPermissions"), Refuse(Code::PermissionDenied)),
            (403, Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), Refuse(Code::PermissionDenied)),
            (403, None, Refuse(Code::PermissionDenied)),
            (404, Some("notFound"), Missing),
            (409, Some("duplicate"), Taken),
            (409, None, Taken),
            (409, Some("conflict"), NotApplied(Code::Conflict)),
            (410, Some("deleted"), Gone),
            (412, Some("conditionNotMet"), Changed),
            (413, None, Refuse(Code::ValidationFailed)),
            (429, Some("rateLimitExceeded"), NotApplied(Code::RateLimited)),
            (429, None, NotApplied(Code::RateLimited)),
            (429, Some("quotaExceeded"), Park),
        ] {
            assert_eq!(both(status, reason), (verdict, verdict), "{status} {reason:?}");
        }
    }

    #[test]
    fn a_fault_is_repeated_for_a_write_only_with_proof_that_nothing_was_sent() {
        let read_write = |fault| (classify(Kind::Read, Seen::Fault(fault)), classify(Kind::Write, Seen::Fault(fault)));
        for kind in [FaultKind::Connect, FaultKind::Reset, FaultKind::TurnedAway, FaultKind::Tls] {
            let again = NotApplied(Code::NetworkError);
            assert_eq!(read_write(TransportFault::not_sent(kind)), (again, again));
            let doubt = (Verdict::Transient(Code::NetworkError), Verdict::Unknown(Code::NetworkError));
            assert_eq!(read_write(TransportFault::unknown(kind)), doubt);
        }
        let doubt = (Verdict::Transient(Code::Timeout), Verdict::Unknown(Code::Timeout));
        assert_eq!(read_write(TransportFault::unknown(FaultKind::Timeout)), doubt);
    }

    #[test]
    fn a_certificate_that_is_not_trusted_and_a_proxy_that_refuses_us_are_not_asked_again() {
        for kind in [FaultKind::Untrusted, FaultKind::ProxyAuth] {
            let seen = Seen::Fault(TransportFault::not_sent(kind));
            assert_eq!(classify(Kind::Read, seen), Refuse(Code::NetworkError));
            assert_eq!(classify(Kind::Write, seen), Refuse(Code::NetworkError));
        }
    }

    #[test]
    fn no_status_of_a_write_is_repeated_unless_google_refused_it() {
        for status in 0..1_000 {
            for reason in [None, Some("backendError"), Some("rateLimitExceeded"), Some("conflict"), Some("whatever")] {
                let verdict = classify(Kind::Write, Seen::Reply(status, reason));
                let is_repeated = matches!(verdict, NotApplied(_) | Verdict::Transient(_) | RefreshToken);
                assert!(!is_repeated || (400..500).contains(&status), "{status} {reason:?}");
            }
        }
    }
}
