//! What a failed request says about itself: reads the types in reqwest's error, never its text, which holds the URL.

use std::error::Error;

use super::transport::{FaultKind, TransportFault};
use super::watched_body::Gate;

/// The fault of a request to which no answer began.
pub(super) fn of_request(error: &reqwest::Error, body: Option<&Gate>) -> TransportFault {
    // No connection, no request.
    if error.is_connect() {
        let is_tls = chain(error).any(<dyn Error>::is::<rustls::Error>);
        return TransportFault::not_sent(if is_tls { FaultKind::Tls } else { FaultKind::Connect });
    }
    if chain(error).any(is_turned_away) {
        return TransportFault::not_sent(FaultKind::TurnedAway);
    }
    let kind = if error.is_timeout() { FaultKind::Timeout } else { FaultKind::Reset };
    of_body(kind, body)
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
