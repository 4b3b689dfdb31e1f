//! What the network does with one exchange.

use std::time::Duration;

use bytes::Bytes;
use http::Response;

/// The fate of one request. Whatever the verdict, the write has been committed, or not, as the fault says by the
/// time it is given.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The whole reply arrives.
    Respond(Response<Bytes>),
    /// The head and the first `keep` bytes of the body arrive (the head promises them all), then the connection closes.
    Truncate {
        /// The whole reply, as it would have been.
        response: Response<Bytes>,
        /// Bytes of the body that arrive.
        keep: usize,
    },
    /// The body arrives in small pieces.
    Drip {
        /// The whole reply.
        response: Response<Bytes>,
        /// Bytes in one piece, at least 1.
        chunk: usize,
        /// Time before each piece.
        every: Duration,
    },
    /// No answer ever comes; the connection stays open.
    Hang,
    /// The connection is reset (HTTP/1.1: TCP RST; HTTP/2: the stream).
    Reset,
    /// HTTP/2: `RST_STREAM(REFUSED_STREAM)`, which promises that nothing was processed. HTTP/1.1: as [`Self::Reset`].
    RefuseStream,
    /// The same, later.
    Delay {
        /// How much later.
        by: Duration,
        /// What then happens.
        then: Box<Verdict>,
    },
}

impl Verdict {
    /// The reply the server made, if it made one: what arrives of it is another matter.
    #[must_use]
    pub fn response(&self) -> Option<&Response<Bytes>> {
        match self {
            Self::Respond(response) | Self::Truncate { response, .. } | Self::Drip { response, .. } => Some(response),
            Self::Delay { then, .. } => then.response(),
            Self::Hang | Self::Reset | Self::RefuseStream => None,
        }
    }

    pub(crate) fn after(self, by: Duration) -> Self {
        if by.is_zero() { self } else { Self::Delay { by, then: Box::new(self) } }
    }
}
