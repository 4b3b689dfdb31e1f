//! One connection as the network sees it, and all of them.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// What a connection is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// End when nothing is under way.
    Close,
    /// End now, with a TCP RST.
    Reset,
    /// Never read or write again.
    BlackHole,
}

/// The switches of one connection.
#[derive(Debug)]
pub(crate) struct Line {
    id: u64,
    dark: AtomicBool,
    reset: AtomicBool,
    orders: watch::Sender<Option<Order>>,
}

impl Line {
    pub(crate) fn new(id: u64) -> Self {
        Self { id, dark: AtomicBool::new(false), reset: AtomicBool::new(false), orders: watch::Sender::new(None) }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The socket sends a RST instead of a FIN when it is closed.
    pub(crate) fn reset_on_close(&self) {
        self.reset.store(true, Ordering::SeqCst);
    }

    fn order(&self, order: Order) {
        if order == Order::BlackHole {
            self.dark.store(true, Ordering::SeqCst);
        }
        self.orders.send_replace(Some(order));
    }

    pub(crate) async fn next_order(&self) -> Order {
        let mut orders = self.orders.subscribe();
        // An order given before anybody listened counts too.
        orders.mark_changed();
        loop {
            if orders.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            // Copied out first: the borrow would lock out the write below.
            let given = *orders.borrow_and_update();
            if let Some(order) = given.filter(|order| *order != Order::BlackHole) {
                self.orders.send_if_modified(|pending| pending.take().is_some());
                return order;
            }
        }
    }
}

/// The open connections of the main port.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    open: Mutex<(u64, HashMap<u64, Arc<Line>>)>,
}

impl Lines {
    /// A new connection, numbered from 1.
    pub(crate) fn open(&self) -> Arc<Line> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.0 += 1;
        let line = Arc::new(Line::new(open.0));
        open.1.insert(line.id, Arc::clone(&line));
        line
    }

    pub(crate) fn close(&self, id: u64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&id);
    }

    pub(crate) fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).1.len()
    }

    /// Gives every connection an order, and says how many there are.
    pub(crate) fn order(&self, order: Order) -> usize {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.1.values().for_each(|line| line.order(order));
        open.1.len()
    }
}

/// The socket, obeying its switches.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    line: Arc<Line>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, line: Arc<Line>) -> Self {
        Self { stream, line }
    }

    fn is_dark(&self) -> bool {
        self.line.dark.load(Ordering::SeqCst)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.line.reset.load(Ordering::SeqCst) {
            let _linger = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_dark() { Poll::Pending } else { Pin::new(&mut self.stream).poll_read(cx, buf) }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_dark() { Poll::Pending } else { Pin::new(&mut self.stream).poll_write(cx, buf) }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_dark() { Poll::Pending } else { Pin::new(&mut self.stream).poll_flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A FIN before the RST would tell the peer of an orderly end.
        if self.line.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
