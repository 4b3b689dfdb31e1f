//! What a failed request says about itself: reads the types in reqwest's error, never its text, which holds the URL.

use std::error::Error;

use super::transport::{FaultKind, TransportFault};
use super::watched_body::Gate;

/// The fault of a request to which no answer began.
pub(super) fn of_request(error: &reqwest::Error, body: Option<&Gate>) -> TransportFault {
    // No connection, no request.
    if error.is_connect() {
        return TransportFault::not_sent(of_connect(error));
    }
    if chain(error).any(is_turned_away) {
        return TransportFault::not_sent(FaultKind::TurnedAway);
    }
    let kind = if error.is_timeout() { FaultKind::Timeout } else { FaultKind::Reset };
    of_body(kind, body)
}

fn of_connect(error: &reqwest::Error) -> FaultKind {
    // hyper-util does not let its type be named; this is the whole text of one variant, and holds no value.
    if chain(error).any(|cause| cause.to_string() == "tunnel error: proxy authorization required") {
        return FaultKind::ProxyAuth;
    }
    match chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => FaultKind::Untrusted,
        Some(_) => FaultKind::Tls,
        None => FaultKind::Connect,
    }
}

/// What happened, in words for a message.
#[must_use]
pub const fn describe(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Connect => "the connection to Google could not be opened",
        FaultKind::Tls => "no secure connection to Google could be made",
        FaultKind::Untrusted => {
            "the certificate that was shown for Google is not trusted here; if a proxy of your network shows its own, name its authority in the option ca or in NODE_EXTRA_CA_CERTS"
        }
        FaultKind::ProxyAuth => {
            "the proxy refused our user and password (HTTP 407); give them in the option proxy or in HTTPS_PROXY"
        }
        FaultKind::Timeout => "Google did not answer in the time of one attempt",
        FaultKind::Reset => "the connection broke before an answer came",
        FaultKind::Cut => "the answer was cut short",
        FaultKind::TooLarge => "the answer was too large to be read",
        FaultKind::TurnedAway => "the server turned the request away unseen",
        FaultKind::Garbled => "the answer was not one of Google Calendar's",
    }
}

/// A fault whose fate depends on whether the body can be proved never to have left. Without a body there is no proof.
pub(super) fn of_body(kind: FaultKind, body: Option<&Gate>) -> TransportFault {
    match body {
        Some(gate) if gate.shut() => TransportFault::not_sent(kind),
        _ => TransportFault::unknown(kind),
    }
}

/// The server's own word that it has not looked at this stream: `REFUSED_STREAM` (RFC 9113, 8.7), or a GOAWAY without
/// an error, which h2 hands to those streams only that lie above the last one the server will process (6.8); streams
/// below it fail with the connection's own end, and that proves nothing.
fn is_turned_away(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<h2::Error>().is_some_and(|error| {
        error.is_remote()
            && match error.reason() {
                Some(h2::Reason::REFUSED_STREAM) => error.is_reset(),
                Some(h2::Reason::NO_ERROR) => error.is_go_away(),
                _ => false,
            }
    })
}

/// An error and its causes. What an `io::Error` wraps is a cause as well; its own `source` skips it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error: &&'a (dyn Error + 'static)| {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
