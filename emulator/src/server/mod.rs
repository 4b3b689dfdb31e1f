//! An emulator on real sockets: HTTP/1.1 and HTTP/2 on a loopback port, and the network's own tricks. In plain text (HTTP/2
//! by prior knowledge), or over TLS (by ALPN) with a certificate made at the start.
//!
//! A second port serves the control API alone, so that it can be reached while the first refuses connections.

mod line;
mod play;
mod service;
mod tls;

use std::fmt;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::emulator::Emulator;
use line::{Line, Lines, Order, Wire};
pub use tls::Identity;

/// Tries to keep the port for the time of an outage, 10 ms apart.
const REBIND_TRIES: u32 = 200;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// A running server. Dropping it closes every connection.
#[derive(Debug)]
pub struct Server {
    core: Arc<Core>,
    control_address: SocketAddr,
    control: JoinHandle<()>,
    authority: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) emulator: Emulator,
    address: SocketAddr,
    lines: Arc<Lines>,
    /// Of the main port.
    tls: Option<Tls>,
    /// What becomes of new connections. The lock is held over a whole change.
    door: tokio::sync::Mutex<Door>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// Takes TLS connections.
struct Tls(TlsAcceptor);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}

/// The main port.
#[derive(Debug)]
enum Door {
    /// The accept loop.
    Open(JoinHandle<()>),
    /// An outage. The port is bound and not listened on: connections are refused, and no other process is given it
    /// meanwhile, who would answer in our place.
    Shut(TcpSocket),
    /// Not held at all: before the start, and in an outage whose port could not be kept.
    Gone,
}

impl Server {
    /// Listens on `address` (port 0: any) and gives the address it got. Needs a tokio runtime with IO and time.
    pub async fn start(emulator: Emulator, address: SocketAddr) -> io::Result<(Self, SocketAddr)> {
        Self::start_with(emulator, address, None).await
    }

    /// The same over TLS, with HTTP/2 and HTTP/1.1 offered by ALPN. The certificate is for `localhost`, `127.0.0.1` and
    /// `::1`, and signed by an authority made for this server alone: [`Server::authority`]. The control port stays plain.
    pub async fn start_tls(emulator: Emulator, address: SocketAddr) -> io::Result<(Self, SocketAddr)> {
        let identity = Identity::new().map_err(io::Error::other)?;
        Self::start_with(emulator, address, Some(identity)).await
    }

    async fn start_with(
        emulator: Emulator,
        address: SocketAddr,
        identity: Option<Identity>,
    ) -> io::Result<(Self, SocketAddr)> {
        let (acceptor, authority) = match identity {
            Some(Identity { acceptor, authority }) => (Some(Tls(acceptor)), Some(authority)),
            None => (None, None),
        };
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let control_listener = TcpListener::bind((address.ip(), 0)).await?;
        let control_address = control_listener.local_addr()?;
        let core = Arc::new(Core {
            emulator,
            address,
            lines: Arc::default(),
            tls: acceptor,
            door: tokio::sync::Mutex::new(Door::Gone),
            tasks: Mutex::default(),
        });
        *core.door.lock().await = Door::Open(tokio::spawn(accept(Arc::clone(&core), listener, true)));
        let control = tokio::spawn(accept(Arc::clone(&core), control_listener, false));
        Ok((Self { core, control_address, control, authority }, address))
    }

    /// Where the control API alone is served, also during an outage.
    #[must_use]
    pub const fn control_address(&self) -> SocketAddr {
        self.control_address
    }

    /// The PEM of the authority that signed the certificate; `None` in plain text.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The world behind it.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.core.emulator
    }

    /// Starts or ends an outage: connections are refused, and those there are reset when it starts.
    pub async fn outage(&self, on: bool) -> io::Result<()> {
        self.core.outage(on).await
    }

    /// Never reads from, or writes to, the connections there are now. New ones are well. Gives their number.
    #[allow(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn black_hole(&self) -> usize {
        self.core.lines.order(Order::BlackHole)
    }

    /// Closes connections on which nothing is under way (HTTP/2: GOAWAY, then closed when the streams have ended).
    /// Gives the number of connections told.
    #[allow(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn close_idle(&self) -> usize {
        self.core.lines.order(Order::Close)
    }

    /// Resets every connection there is now. Gives their number.
    #[allow(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn reset_connections(&self) -> usize {
        self.core.lines.order(Order::Reset)
    }

    /// Connections open on the main port now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.core.lines.count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.control.abort();
        if let Ok(mut door) = self.core.door.try_lock()
            && let Door::Open(task) = mem::replace(&mut *door, Door::Gone)
        {
            task.abort();
        }
        for task in self.core.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}

impl Core {
    pub(crate) async fn outage(self: &Arc<Self>, on: bool) -> io::Result<()> {
        let mut door = self.door.lock().await;
        match (on, mem::replace(&mut *door, Door::Gone)) {
            (true, Door::Open(task)) => {
                task.abort();
                // The listener is closed only when the task is gone.
                let _gone = task.await;
                *door = Door::Shut(self.rebind().await?);
                self.lines.order(Order::Reset);
            }
            (false, Door::Shut(socket)) => *door = self.open(socket)?,
            (false, Door::Gone) => *door = self.open(self.rebind().await?)?,
            (_, unchanged) => *door = unchanged,
        }
        Ok(())
    }

    fn open(self: &Arc<Self>, socket: TcpSocket) -> io::Result<Door> {
        let listener = socket.listen(BACKLOG)?;
        Ok(Door::Open(tokio::spawn(accept(Arc::clone(self), listener, true))))
    }

    /// Takes the port again, without listening.
    async fn rebind(&self) -> io::Result<TcpSocket> {
        for _ in 1..REBIND_TRIES {
            if let Ok(socket) = bind(self.address) {
                return Ok(socket);
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        bind(self.address)
    }

    pub(crate) fn order(&self, order: Order) -> usize {
        self.lines.order(order)
    }

    fn keep(&self, task: JoinHandle<()>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections that have just ended hold the port for a while. On Windows the option would let others take it.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Accepts until it is aborted. `main`: the whole server; else the control API alone.
async fn accept(core: Arc<Core>, listener: TcpListener, main: bool) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let task = tokio::spawn(serve(Arc::clone(&core), stream, main));
                core.keep(task);
            }
            // Out of descriptors, or a connection gone before it was taken: neither ends the server.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
        }
    }
}

async fn serve(core: Arc<Core>, stream: TcpStream, main: bool) {
    let _without_delay = stream.set_nodelay(true);
    let line = if main { core.lines.open() } else { Arc::new(Line::new(0)) };
    let wire = Wire::new(stream, Arc::clone(&line));
    match core.tls.as_ref().filter(|_| main) {
        None => converse(&core, &line, wire, main).await,
        Some(Tls(acceptor)) => tokio::select! {
            // A client that does not trust us leaves here: nobody's error.
            taken = acceptor.accept(wire) => if let Ok(stream) = taken {
                converse(&core, &line, stream, main).await;
            },
            () = told_to_end(&line) => {}
        },
    }
    core.lines.close(line.id());
}

/// An order to end, before a handshake is over.
async fn told_to_end(line: &Line) {
    if line.next_order().await == Order::Reset {
        line.reset_on_close();
    }
}

async fn converse<S>(core: &Arc<Core>, line: &Arc<Line>, stream: S, main: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service::Service::new(Arc::clone(core), Arc::clone(line), main);
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    loop {
        tokio::select! {
            // The end of a connection is nobody's error here: clients leave as they like.
            _ended = connection.as_mut() => break,
            order = line.next_order() => match order {
                Order::Close => connection.as_mut().graceful_shutdown(),
                Order::Reset => {
                    line.reset_on_close();
                    break;
                }
                Order::BlackHole => {}
            },
        }
    }
}
