//! Servers that run a script, and requests to them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use surecal::google::transport::{FaultKind, TransportFault};
use surecal::google::{HttpReply, HttpRequest, HttpTransport, Token, Transport, TransportConfig};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

/// What a server saw.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) connections: AtomicUsize,
    /// Whole requests, as text.
    pub(crate) requests: Mutex<Vec<String>>,
}

impl Log {
    pub(crate) fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Starts a server that hands each connection, with its number from 1, to `serve`.
pub(crate) async fn server<F>(
    serve: impl Fn(TcpStream, usize, Arc<Log>) -> F + Send + 'static,
) -> (SocketAddr, Arc<Log>)
where
    F: Future<Output = Option<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, log) = (listener.local_addr().unwrap(), Arc::new(Log::default()));
    let seen = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let number = seen.connections.fetch_add(1, Ordering::SeqCst) + 1;
            tokio::spawn(serve(stream, number, Arc::clone(&seen)));
        }
    });
    (address, log)
}

/// One whole HTTP/1.1 request, logged; `None` when the client closed.
pub(crate) async fn read_request(stream: &mut TcpStream, log: &Log) -> Option<()> {
    let mut data = Vec::new();
    loop {
        if let Some(end) = data.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&data[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if data.len() >= end + 4 + length {
                log.requests.lock().unwrap().push(String::from_utf8_lossy(&data).into_owned());
                return Some(());
            }
        }
        if stream.read_buf(&mut data).await.ok()? == 0 {
            return None;
        }
    }
}

pub(crate) fn transport(address: SocketAddr) -> HttpTransport {
    HttpTransport::new(&TransportConfig::new(format!("http://{address}"))).unwrap()
}

pub(crate) fn http2(address: SocketAddr) -> HttpTransport {
    let config = TransportConfig { http2_prior_knowledge: true, ..TransportConfig::new(format!("http://{address}")) };
    HttpTransport::new(&config).unwrap()
}

pub(crate) async fn send(
    transport: &HttpTransport,
    method: Method,
    body: &str,
    timeout: Duration,
) -> Result<HttpReply, TransportFault> {
    let token = Token::new("secret-token").unwrap();
    let request = HttpRequest {
        body: Bytes::copy_from_slice(body.as_bytes()).into(),
        ..HttpRequest::new(method, "/calendar/v3/calendars/c/events".into())
    };
    transport.exchange(request, &token, timeout).await
}

pub(crate) async fn post(transport: &HttpTransport) -> Result<HttpReply, TransportFault> {
    send(transport, Method::POST, "event", 3 * SECOND).await
}

pub(crate) async fn status(transport: &HttpTransport) -> u16 {
    post(transport).await.unwrap().status
}

pub(crate) fn unknown(kind: FaultKind) -> Result<HttpReply, TransportFault> {
    Err(TransportFault::unknown(kind))
}

pub(crate) fn not_sent(kind: FaultKind) -> Result<HttpReply, TransportFault> {
    Err(TransportFault::not_sent(kind))
}
