//! The transport over real sockets, against servers that misbehave. Each test counts what the server saw.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use surecal::clock::Clock;
use surecal::google::transport::{Fate, FaultKind, TransportFault};
use surecal::google::{HttpReply, HttpRequest, HttpTransport, Token, Transport, TransportConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

const SECOND: Duration = Duration::from_secs(1);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

/// What a server saw.
#[derive(Default)]
struct Log {
    connections: AtomicUsize,
    /// Whole requests, as text.
    requests: Mutex<Vec<String>>,
}

impl Log {
    fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Starts a server that hands each connection, with its number from 1, to `serve`.
async fn server<F>(serve: impl Fn(TcpStream, usize, Arc<Log>) -> F + Send + 'static) -> (SocketAddr, Arc<Log>)
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
async fn read_request(stream: &mut TcpStream, log: &Log) -> Option<()> {
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

fn transport(address: SocketAddr) -> HttpTransport {
    HttpTransport::new(&TransportConfig::new(format!("http://{address}"))).unwrap()
}

fn http2(address: SocketAddr) -> HttpTransport {
    let config = TransportConfig { http2_prior_knowledge: true, ..TransportConfig::new(format!("http://{address}")) };
    HttpTransport::new(&config).unwrap()
}

async fn send(
    transport: &HttpTransport,
    method: Method,
    body: &str,
    timeout: Duration,
) -> Result<HttpReply, TransportFault> {
    let token = Token::new("secret-token").unwrap();
    let request = HttpRequest {
        body: Bytes::copy_from_slice(body.as_bytes()),
        ..HttpRequest::new(method, "/calendar/v3/calendars/c/events".into())
    };
    transport.exchange(request, &token, timeout).await
}

async fn post(transport: &HttpTransport) -> Result<HttpReply, TransportFault> {
    send(transport, Method::POST, "event", 3 * SECOND).await
}

async fn status(transport: &HttpTransport) -> u16 {
    post(transport).await.unwrap().status
}

fn unknown(kind: FaultKind) -> Result<HttpReply, TransportFault> {
    Err(TransportFault::unknown(kind))
}

fn not_sent(kind: FaultKind) -> Result<HttpReply, TransportFault> {
    Err(TransportFault::not_sent(kind))
}

// --- Connecting ---

#[tokio::test]
async fn a_refused_port_is_not_sent_with_and_without_a_body() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let transport = transport(address);
    assert_eq!(post(&transport).await, not_sent(FaultKind::Connect));
    assert_eq!(send(&transport, Method::DELETE, "", SECOND).await, not_sent(FaultKind::Connect));
}

/// A port that answers no SYN: its queue of waiting connections is full.
async fn silent_port() -> (SocketAddr, tokio::net::TcpListener, Vec<tokio::task::JoinHandle<()>>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let filler = (0..8).map(|_| {
        tokio::spawn(async move {
            let stream = TcpStream::connect(address).await;
            std::future::pending::<()>().await;
            drop(stream);
        })
    });
    let filler = filler.collect();
    tokio::time::sleep(SECOND / 5).await;
    (address, listener, filler)
}

#[tokio::test]
async fn a_connection_that_does_not_open_is_not_sent_whichever_timeout_ends_it() {
    let (address, _listener, _filler) = silent_port().await;
    let quick = TransportConfig { connect_timeout: SECOND / 5, ..TransportConfig::new(format!("http://{address}")) };
    let quick = HttpTransport::new(&quick).unwrap();
    assert_eq!(post(&quick).await, not_sent(FaultKind::Connect));
    assert_eq!(send(&quick, Method::DELETE, "", SECOND).await, not_sent(FaultKind::Connect));
    assert_eq!(send(&transport(address), Method::POST, "event", SECOND / 5).await, not_sent(FaultKind::Timeout));
    // Without a body there is nothing to prove it with.
    assert_eq!(send(&transport(address), Method::DELETE, "", SECOND / 5).await, unknown(FaultKind::Timeout));
}

// --- HTTP/1.1 ---

#[tokio::test]
async fn a_request_says_who_we_are_and_how_long_it_is() {
    let (address, log) = server(async |mut stream, _, log| {
        read_request(&mut stream, &log).await?;
        stream.write_all(OK).await.ok()
    })
    .await;
    assert_eq!(status(&transport(address)).await, 200);
    let request = log.requests.lock().unwrap()[0].to_lowercase();
    for line in [
        "post /calendar/v3/calendars/c/events http/1.1",
        "authorization: bearer secret-token",
        "content-length: 5",
        "accept-encoding: gzip",
        &format!("user-agent: surecal/{}", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(request.lines().any(|found| found == line), "{line} in {request}");
    }
    assert!(request.ends_with("\r\n\r\nevent"));
}

#[tokio::test]
async fn a_pooled_connection_closed_under_a_post_is_unknown_and_nothing_is_sent_twice() {
    let (address, log) = server(async |mut stream, number, log| {
        read_request(&mut stream, &log).await?;
        stream.write_all(OK).await.ok()?;
        read_request(&mut stream, &log).await?;
        if number > 1 {
            stream.write_all(OK).await.ok()?;
        }
        Some(())
    })
    .await;
    let transport = transport(address);
    assert_eq!(status(&transport).await, 200);
    assert_eq!(post(&transport).await, unknown(FaultKind::Reset));
    assert_eq!(log.requests(), 2);
    assert_eq!(status(&transport).await, 200);
    assert_eq!((log.requests(), log.connections()), (3, 2));
}

#[tokio::test]
async fn a_reset_after_the_request_was_read_is_unknown() {
    let (address, log) = server(async |mut stream, _, log| {
        read_request(&mut stream, &log).await?;
        stream.set_zero_linger().ok()
    })
    .await;
    assert_eq!(post(&transport(address)).await, unknown(FaultKind::Reset));
    assert_eq!(log.requests(), 1);
}

#[tokio::test]
async fn a_server_that_never_answers_is_unknown_and_does_not_poison_the_next_call() {
    let (address, log) = server(async |mut stream, number, log| {
        read_request(&mut stream, &log).await?;
        if number == 1 {
            tokio::time::sleep(60 * SECOND).await;
        }
        stream.write_all(OK).await.ok()
    })
    .await;
    let transport = transport(address);
    assert_eq!(send(&transport, Method::POST, "event", SECOND / 5).await, unknown(FaultKind::Timeout));
    assert_eq!(status(&transport).await, 200);
    assert_eq!((log.requests(), log.connections()), (2, 2));
}

#[tokio::test]
async fn an_answer_cut_short_is_unknown() {
    let (address, log) = server(async |mut stream, _, log| {
        read_request(&mut stream, &log).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\"").await.ok()
    })
    .await;
    assert_eq!(post(&transport(address)).await, unknown(FaultKind::Cut));
    assert_eq!(log.requests(), 1);
}

#[tokio::test]
async fn an_answer_that_drips_ends_with_the_attempt() {
    let (address, _) = server(async |mut stream, _, log| {
        read_request(&mut stream, &log).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n").await.ok()?;
        loop {
            stream.write_all(b" ").await.ok()?;
            tokio::time::sleep(SECOND / 50).await;
        }
    })
    .await;
    let clock = Clock::system();
    let begun = clock.now();
    let dripped = send(&transport(address), Method::POST, "event", SECOND / 2).await;
    assert_eq!(dripped, unknown(FaultKind::Timeout));
    assert!(clock.now() - begun < SECOND);
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_unknown() {
    let (address, _) = server(async |mut stream, _, log| {
        read_request(&mut stream, &log).await?;
        stream.write_all(b"220 mail.example.com ESMTP\r\n\r\n").await.ok()
    })
    .await;
    assert_eq!(post(&transport(address)).await.unwrap_err().fate, Fate::Unknown);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (elsewhere, evil) = server(async |mut stream, _, log| {
        read_request(&mut stream, &log).await?;
        stream.write_all(OK).await.ok()
    })
    .await;
    for status in [301, 302, 303, 307, 308] {
        let (address, log) = server(move |mut stream, _, log| async move {
            read_request(&mut stream, &log).await?;
            let answer = format!("HTTP/1.1 {status} Go\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.ok()
        })
        .await;
        assert_eq!(post(&transport(address)).await.unwrap().status, status);
        assert_eq!((log.requests(), evil.requests()), (1, 0));
    }
}

#[tokio::test]
async fn a_huge_answer_is_given_up_early_whether_or_not_it_tells_its_size() {
    for head in ["Content-Length: 209715200", "Connection: close"] {
        let written = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&written);
        let (address, _) = server(move |mut stream, _, log| {
            let count = Arc::clone(&count);
            async move {
                read_request(&mut stream, &log).await?;
                stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes()).await.ok()?;
                let chunk = vec![b'x'; 1 << 20];
                for _ in 0..200 {
                    stream.write_all(&chunk).await.ok()?;
                    count.fetch_add(chunk.len(), Ordering::SeqCst);
                }
                Some(())
            }
        })
        .await;
        assert_eq!(post(&transport(address)).await, unknown(FaultKind::TooLarge));
        tokio::time::sleep(SECOND / 10).await;
        assert!(written.load(Ordering::SeqCst) < 32 << 20, "{head}");
    }
}

#[tokio::test]
async fn an_idle_close_that_races_a_post_is_never_told_as_unsent_when_it_was_read() {
    let (address, log) = server(async |mut stream, _, log| {
        read_request(&mut stream, &log).await?;
        stream.write_all(OK).await.ok()?;
        tokio::task::yield_now().await;
        Some(())
    })
    .await;
    let transport = transport(address);
    let mut answered = 0;
    let mut unsent = HashSet::new();
    for id in 0..300 {
        let body = format!("event {id};");
        match send(&transport, Method::POST, &body, 3 * SECOND).await {
            Ok(_) => answered += 1,
            Err(fault) if fault.fate == Fate::NotSent => _ = unsent.insert(body),
            Err(_) => {}
        }
    }
    assert_nothing_unsent_was_seen(&log, &unsent);
    assert!(answered > 0 && log.requests() >= answered);
}

fn assert_nothing_unsent_was_seen(log: &Log, unsent: &HashSet<String>) {
    let requests = log.requests.lock().unwrap();
    let seen: Vec<_> = requests.iter().filter_map(|text| text.find("event ").map(|at| text[at..].to_owned())).collect();
    let distinct: HashSet<_> = seen.iter().cloned().collect();
    assert_eq!(seen.len(), distinct.len(), "something was sent twice");
    assert!(distinct.is_disjoint(unsent), "something was sent after it was told as unsent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_a_timeout_strikes_what_is_told_as_unsent_never_arrives() {
    let (address, log) = server(async |mut stream, _, log| {
        loop {
            read_request(&mut stream, &log).await?;
            stream.write_all(OK).await.ok()?;
        }
    })
    .await;
    let transport = transport(address);
    let unsent = Arc::new(Mutex::new(HashSet::new()));
    let unknown = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..8 {
        let (transport, unsent, unknown) = (transport.clone(), Arc::clone(&unsent), Arc::clone(&unknown));
        tasks.spawn(async move {
            for step in 0..150_u64 {
                let body = format!("event {lane}-{step};");
                let timeout = Duration::from_micros(step * 10);
                match send(&transport, Method::POST, &body, timeout).await {
                    Err(fault) if fault.fate == Fate::NotSent => _ = unsent.lock().unwrap().insert(body),
                    Err(_) => _ = unknown.fetch_add(1, Ordering::SeqCst),
                    Ok(_) => {}
                }
            }
        });
    }
    tasks.join_all().await;
    tokio::time::sleep(SECOND / 5).await;
    let unsent = unsent.lock().unwrap();
    assert!(!unsent.is_empty() && log.requests() > 0, "{} unsent, {} seen", unsent.len(), log.requests());
    assert_nothing_unsent_was_seen(&log, &unsent);
}

// --- HTTP/2, frame by frame ---

const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
const DATA: u8 = 0;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
/// `:status: 200` in HPACK's static table.
const STATUS_200: &[u8] = &[0x88];

/// An HTTP/2 server's side of a connection.
struct Frames {
    stream: TcpStream,
}

impl Frames {
    async fn accept(mut stream: TcpStream) -> Option<Self> {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.ok()?;
        let mut frames = Self { stream };
        frames.write(SETTINGS, 0, 0, &[]).await?;
        Some(frames)
    }

    async fn write(&mut self, kind: u8, flags: u8, id: u32, payload: &[u8]) -> Option<()> {
        let length = u32::try_from(payload.len()).ok()?.to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(id.to_be_bytes());
        frame.extend(payload);
        self.stream.write_all(&frame).await.ok()
    }

    /// The next whole request's stream.
    async fn request(&mut self, log: &Log) -> Option<u32> {
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).await.ok()?;
            match head[3] {
                SETTINGS if head[4] & ACK == 0 => self.write(SETTINGS, ACK, 0, &[]).await?,
                DATA | HEADERS if head[4] & END_STREAM != 0 => {
                    log.requests.lock().unwrap().push(String::from_utf8_lossy(&payload).into_owned());
                    return Some(id);
                }
                _ => {}
            }
        }
    }

    async fn answer(&mut self, id: u32) -> Option<()> {
        self.write(HEADERS, 4 | END_STREAM, id, STATUS_200).await
    }

    async fn go_away(&mut self, last: u32) -> Option<()> {
        let payload = [last.to_be_bytes(), 0_u32.to_be_bytes()].concat();
        self.write(GOAWAY, 0, 0, &payload).await
    }

    async fn reset(&mut self, id: u32, code: u32) -> Option<()> {
        self.write(RST_STREAM, 0, id, &code.to_be_bytes()).await
    }

    /// Reads on until the client closes, as a server that closes gracefully does.
    async fn linger(&mut self) {
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(SECOND, self.stream.read_to_end(&mut rest)).await;
    }
}

#[tokio::test]
async fn a_refused_stream_is_not_sent_and_not_resent_behind_our_back() {
    let (address, log) = server(async |stream, _, log| {
        let mut frames = Frames::accept(stream).await?;
        loop {
            let id = frames.request(&log).await?;
            if id == 1 { frames.reset(id, 7).await? } else { frames.answer(id).await? }
        }
    })
    .await;
    let transport = http2(address);
    assert_eq!(post(&transport).await, not_sent(FaultKind::TurnedAway));
    assert_eq!(log.requests(), 1);
    assert_eq!(status(&transport).await, 200);
    assert_eq!((log.requests(), log.connections()), (2, 1));
}

#[tokio::test]
async fn a_stream_reset_for_any_other_reason_is_unknown() {
    for code in [0, 1, 2, 8, 11] {
        let (address, log) = server(move |stream, _, log| async move {
            let mut frames = Frames::accept(stream).await?;
            let id = frames.request(&log).await?;
            frames.reset(id, code).await?;
            frames.linger().await;
            Some(())
        })
        .await;
        assert_eq!(post(&http2(address)).await.unwrap_err().fate, Fate::Unknown, "code {code}");
        assert_eq!(log.requests(), 1);
    }
}

#[tokio::test]
async fn a_goaway_below_our_stream_is_not_sent_and_the_next_call_opens_a_new_connection() {
    let (address, log) = server(async |stream, number, log| {
        let mut frames = Frames::accept(stream).await?;
        let id = frames.request(&log).await?;
        if number == 1 {
            frames.go_away(0).await?;
        } else {
            frames.answer(id).await?;
        }
        frames.linger().await;
        Some(())
    })
    .await;
    let transport = http2(address);
    assert_eq!(post(&transport).await, not_sent(FaultKind::TurnedAway));
    assert_eq!(log.requests(), 1);
    assert_eq!(status(&transport).await, 200);
    assert_eq!((log.requests(), log.connections()), (2, 2));
}

#[tokio::test]
async fn a_goaway_at_or_above_our_stream_and_then_a_close_is_unknown() {
    for last in [1, i32::MAX.unsigned_abs()] {
        let (address, log) = server(move |stream, number, log| async move {
            let mut frames = Frames::accept(stream).await?;
            let id = frames.request(&log).await?;
            if number == 1 {
                frames.go_away(last).await?;
                return Some(());
            }
            frames.answer(id).await?;
            frames.linger().await;
            Some(())
        })
        .await;
        let transport = http2(address);
        assert_eq!(post(&transport).await.unwrap_err().fate, Fate::Unknown, "last {last}");
        assert_eq!(log.requests(), 1);
        assert_eq!(status(&transport).await, 200);
    }
}

#[tokio::test]
async fn a_stream_that_a_goaway_let_live_is_answered() {
    let (address, log) = server(async |stream, _, log| {
        let mut frames = Frames::accept(stream).await?;
        let id = frames.request(&log).await?;
        frames.go_away(id).await?;
        tokio::time::sleep(SECOND / 10).await;
        frames.answer(id).await?;
        frames.linger().await;
        Some(())
    })
    .await;
    let transport = http2(address);
    assert_eq!(status(&transport).await, 200);
    assert_eq!(status(&transport).await, 200);
    assert_eq!((log.requests(), log.connections()), (2, 2));
}

/// Answers the first request of its first connection, then never reads it again. Later connections are healthy.
async fn black_hole() -> (SocketAddr, Arc<Log>) {
    server(async |stream, number, log| {
        let mut frames = Frames::accept(stream).await?;
        loop {
            let id = frames.request(&log).await?;
            frames.answer(id).await?;
            if number == 1 {
                tokio::time::sleep(30 * SECOND).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_black_holed_connection_costs_one_call_and_not_the_next() {
    let (address, log) = black_hole().await;
    let transport = http2(address);
    assert_eq!(status(&transport).await, 200);
    assert_eq!(send(&transport, Method::POST, "event", SECOND / 2).await, unknown(FaultKind::Timeout));
    assert_eq!(status(&transport).await, 200);
    assert_eq!((log.requests(), log.connections()), (2, 2));
}

#[tokio::test]
async fn an_idle_connection_that_went_silent_is_found_out_by_its_pings() {
    let (address, log) = black_hole().await;
    let transport = http2(address);
    assert_eq!(status(&transport).await, 200);
    tokio::time::sleep(8 * SECOND).await;
    assert_eq!(status(&transport).await, 200);
    assert_eq!(log.connections(), 2);
}

#[tokio::test]
async fn a_slow_call_beside_answered_ones_does_not_cost_the_connection() {
    let (address, log) = server(async |stream, _, log| {
        let mut frames = Frames::accept(stream).await?;
        loop {
            let id = frames.request(&log).await?;
            if id != 1 {
                frames.answer(id).await?;
            }
        }
    })
    .await;
    let transport = http2(address);
    let (slow, ()) = tokio::join!(send(&transport, Method::POST, "event", SECOND / 2), async {
        tokio::time::sleep(SECOND / 10).await;
        assert_eq!(status(&transport).await, 200);
    });
    assert_eq!(slow, unknown(FaultKind::Timeout));
    assert_eq!(status(&transport).await, 200);
    assert_eq!(log.connections(), 1);
}

#[tokio::test]
async fn a_burst_over_http2_shares_one_connection() {
    let (address, log) = server(async |stream, _, log| {
        let mut frames = Frames::accept(stream).await?;
        loop {
            let id = frames.request(&log).await?;
            frames.answer(id).await?;
        }
    })
    .await;
    let transport = http2(address);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let transport = transport.clone();
        tasks.spawn(async move { status(&transport).await });
    }
    assert!(tasks.join_all().await.iter().all(|status| *status == 200));
    assert_eq!((log.requests(), log.connections()), (50, 1));
}
