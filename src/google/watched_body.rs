//! A request body that can prove that it was never asked for.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

const FRESH: u8 = 0;
const STARTED: u8 = 1;
const SHUT: u8 = 2;

/// Decides once and for all whether a body left: either the connection takes it first, or we shut it first.
///
/// A flag that is merely read would not do: hyper's connection task may be about to take the body at the very moment
/// in which a timeout looks at the flag, and a request told as unsent would then be sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<AtomicU8>);

impl Gate {
    /// Shuts the gate. `true`: nothing of the body has left, nor ever will.
    pub(super) fn shut(&self) -> bool {
        self.move_to(SHUT)
    }

    fn start(&self) -> bool {
        self.move_to(STARTED)
    }

    fn move_to(&self, state: u8) -> bool {
        match self.0.compare_exchange(FRESH, state, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(found) => found == state,
        }
    }
}

/// A body of known length behind a [`Gate`]. Only a non-empty one is ever asked for its data.
pub(super) struct WatchedBody {
    data: Option<Bytes>,
    gate: Gate,
}

impl WatchedBody {
    pub(super) const fn new(data: Bytes, gate: Gate) -> Self {
        Self { data: Some(data), gate }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if !this.gate.start() {
            return Poll::Ready(Some(Err(std::io::Error::other("the request was given up before it was sent"))));
        }
        Poll::Ready(this.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    /// Exact, so that HTTP/1.1 gets a `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_body_that_was_taken_cannot_be_proved_unsent() {
        let gate = Gate::default();
        let body = WatchedBody::new(Bytes::from_static(b"event"), gate.clone());
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "event");
        assert!(!gate.shut());
    }

    #[tokio::test]
    async fn a_body_proved_unsent_can_never_leave_afterwards() {
        let gate = Gate::default();
        let body = WatchedBody::new(Bytes::from_static(b"event"), gate.clone());
        assert!(gate.shut());
        assert!(body.collect().await.is_err());
        assert!(gate.shut(), "asked again, the answer is the same");
    }
}
