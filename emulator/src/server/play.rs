//! A reply's body as the network delivers it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// Long enough for what was written before a cut to leave the machine.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// The body stops here.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body was cut on purpose")
    }
}

impl std::error::Error for Cut {}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Pieces, each after a wait; then the end, or a cut.
#[derive(Debug)]
pub(crate) struct Play {
    pieces: VecDeque<Bytes>,
    every: Duration,
    cut: bool,
    /// Known only when the whole body comes at once; else the head's `content-length` says it.
    exact: bool,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Play {
    /// All at once.
    pub(crate) fn whole(body: Bytes) -> Self {
        let pieces = if body.is_empty() { VecDeque::new() } else { VecDeque::from([body]) };
        Self { pieces, every: Duration::ZERO, cut: false, exact: true, wait: None }
    }

    /// The first `keep` bytes, and then an error.
    pub(crate) fn cut(body: &Bytes, keep: usize) -> Self {
        let first = body.slice(..keep.min(body.len()));
        let pieces = if first.is_empty() { VecDeque::new() } else { VecDeque::from([first]) };
        Self { pieces, every: Duration::ZERO, cut: true, exact: false, wait: None }
    }

    /// `chunk` bytes at a time.
    pub(crate) fn drip(body: &Bytes, chunk: usize, every: Duration) -> Self {
        let chunk = chunk.max(1);
        let starts = (0..body.len()).step_by(chunk);
        let pieces = starts.map(|start| body.slice(start..(start + chunk).min(body.len()))).collect();
        Self { pieces, every, cut: false, exact: false, wait: None }
    }

    fn pause(&self) -> Duration {
        if self.pieces.is_empty() && self.cut { BEFORE_CUT } else { self.every }
    }
}

impl Body for Play {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if self.pieces.is_empty() && !self.cut {
            return Poll::Ready(None);
        }
        let pause = self.pause();
        if !pause.is_zero() {
            let wait = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        if self.exact {
            return SizeHint::with_exact(self.pieces.iter().map(|piece| piece.len() as u64).sum());
        }
        SizeHint::default()
    }
}
