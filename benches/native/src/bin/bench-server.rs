//! `bench-server [--tls] [--hang-percent N]`: as much of Google Calendar as a create with a read back needs, and no more,
//! so that the clients are what is measured. One thread. Prints one line of JSON with its address (and the PEM of its
//! authority), answers each line of its standard input with a line (see [`Asked`]), and ends with it.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use surecal_emulator::Identity;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What is kept: a benchmark reads an event back at once, so old ones may go.
const KEPT_AT_MOST: usize = 20_000;

/// What a line of standard input asks.
#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "camelCase")]
enum Asked {
    /// How many requests, connections and inserts there were since the start, and how many exchanges never got an answer.
    Counts,
    /// From now on answers are held back, until `Release`: what is under way then stays under way.
    Hold,
    /// Answered when so many answers are held back.
    Held { requests: u64 },
    /// Ends `Hold`.
    Release,
}

#[derive(Default)]
struct Events {
    by_id: HashMap<String, Bytes>,
    /// The oldest first.
    ids: VecDeque<String>,
}

struct Server {
    events: Mutex<Events>,
    inserts: AtomicU64,
    requests: AtomicU64,
    connections: AtomicU64,
    hung: AtomicU64,
    /// So many exchanges in ten thousand never get an answer.
    hang_per_10_000: u64,
    holding: watch::Sender<bool>,
    held: watch::Sender<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let tls = words.iter().any(|word| word == "--tls");
    let hang_percent = words
        .iter()
        .position(|word| word == "--hang-percent")
        .and_then(|at| words.get(at + 1)?.parse::<u64>().ok())
        .unwrap_or_default();
    let identity = if tls { Some(Identity::new().map_err(io::Error::other)?) } else { None };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let line = match &identity {
        Some(identity) => json!({ "url": format!("https://localhost:{port}"), "ca": identity.authority }),
        None => json!({ "url": format!("http://127.0.0.1:{port}") }),
    };
    writeln!(io::stdout(), "{line}")?;
    io::stdout().flush()?;

    let server = Arc::new(Server {
        events: Mutex::default(),
        inserts: AtomicU64::new(0),
        requests: AtomicU64::new(0),
        connections: AtomicU64::new(0),
        hung: AtomicU64::new(0),
        hang_per_10_000: hang_percent * 100,
        holding: watch::channel(false).0,
        held: watch::channel(0).0,
    });
    let listening = Arc::clone(&server);
    tokio::spawn(async move {
        let server = listening;
        while let Ok((stream, _)) = listener.accept().await {
            let _without_delay = stream.set_nodelay(true);
            server.connections.fetch_add(1, Ordering::Relaxed);
            let (server, acceptor) = (Arc::clone(&server), identity.as_ref().map(|identity| identity.acceptor.clone()));
            tokio::spawn(async move {
                match acceptor {
                    None => serve(server, stream).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            serve(server, stream).await;
                        }
                    }
                }
            });
        }
    });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = server.asked(serde_json::from_str(&line)?).await;
        writeln!(io::stdout(), "{answer}")?;
        io::stdout().flush()?;
    }
    std::process::exit(0)
}

/// Whether the exchange of this number is one that hangs: spread as by chance (`SplitMix64`), and the same ones each time.
fn is_struck(number: u64, per_10_000: u64) -> bool {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % 10_000 < per_10_000
}

async fn serve(server: Arc<Server>, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let answer = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { server.answer(request).await }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Google's own setting lies in this range; hyper's default of 200 would be one more thing that is measured.
    builder.http2().max_concurrent_streams(1000);
    let _closed = builder.serve_connection(TokioIo::new(stream), answer).await;
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let Ok(body) = body.collect().await else { return Ok(reply(StatusCode::BAD_REQUEST, Bytes::new())) };
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let event = match head.method {
            Method::POST if path == "/token" => Some(Bytes::from_static(
                br#"{"access_token":"fresh","expires_in":3599,"token_type":"Bearer","scope":"https://www.googleapis.com/auth/calendar"}"#,
            )),
            Method::POST => self.insert(path, &body.to_bytes()).map(|(named, event)| {
                let asks_for_less = head.uri.query().is_some_and(|query| query.contains("fields=id%2Cetag"));
                if asks_for_less { named } else { event }
            }),
            _ => path.rsplit_once('/').and_then(|(_, id)| self.events().by_id.get(id).cloned()),
        };
        if is_struck(number, self.hang_per_10_000) {
            // It was applied, and nobody will ever hear of it.
            self.hung.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
        }
        self.hold_back().await;
        Ok(match event {
            Some(event) => reply(StatusCode::OK, event),
            None => {
                reply(StatusCode::NOT_FOUND, Bytes::from_static(br#"{"error":{"code":404,"message":"Not Found"}}"#))
            }
        })
    }

    async fn asked(&self, asked: Asked) -> Value {
        match asked {
            Asked::Counts => json!({
                "requests": self.requests.load(Ordering::Relaxed),
                "connections": self.connections.load(Ordering::Relaxed),
                "inserts": self.inserts.load(Ordering::Relaxed),
                "hung": self.hung.load(Ordering::Relaxed),
            }),
            Asked::Hold => json!({ "was": self.holding.send_replace(true) }),
            Asked::Held { requests } => {
                let mut held = self.held.subscribe();
                drop(held.wait_for(|held| *held >= requests).await);
                json!({ "held": *self.held.borrow() })
            }
            Asked::Release => json!({ "was": self.holding.send_replace(false) }),
        }
    }

    async fn hold_back(&self) {
        if !*self.holding.borrow() {
            return;
        }
        self.held.send_modify(|held| *held += 1);
        let mut holding = self.holding.subscribe();
        drop(holding.wait_for(|holding| !holding).await);
        self.held.send_modify(|held| *held -= 1);
    }

    fn events(&self) -> std::sync::MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event as Google's answers have it: what was sent, and what Google adds. Before it the partial answer
    /// `fields=id,etag`, the only one that is asked for here.
    fn insert(&self, path: &str, body: &[u8]) -> Option<(Bytes, Bytes)> {
        let mut asked: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let number = self.inserts.fetch_add(1, Ordering::Relaxed);
        let given = asked.shift_remove("id").and_then(|id| id.as_str().map(str::to_owned));
        let id = given.unwrap_or_else(|| format!("made{number:016}"));
        let owner = path.split('/').nth(4).unwrap_or_default();
        let mut event = Map::new();
        let mut set = |name: &str, value: Value| event.insert(name.to_owned(), value);
        set("kind", json!("calendar#event"));
        set("etag", json!(format!("\"{}\"", 3_400_000_000_000_000_u64 + number)));
        set("id", json!(id));
        set("status", json!("confirmed"));
        set("htmlLink", json!(format!("https://www.google.com/calendar/event?eid={id}")));
        set("created", json!("2026-09-01T10:00:00.000Z"));
        set("updated", json!("2026-09-01T10:00:00.123Z"));
        set("creator", json!({ "email": "teacher@school.example", "self": true }));
        set("organizer", json!({ "email": owner, "self": true }));
        for (name, mut value) in asked {
            if name == "attendees" {
                for attendee in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                    attendee.entry("responseStatus").or_insert_with(|| json!("needsAction"));
                }
            }
            set(&name, value);
        }
        set("iCalUID", json!(format!("{id}@google.com")));
        set("sequence", json!(0));
        set("eventType", json!("default"));
        let named = json!({ "etag": event["etag"], "id": id });
        let bytes = Bytes::from(serde_json::to_vec(&event).ok()?);
        let mut events = self.events();
        if events.ids.len() >= KEPT_AT_MOST
            && let Some(oldest) = events.ids.pop_front()
        {
            events.by_id.remove(&oldest);
        }
        events.ids.push_back(id.clone());
        events.by_id.insert(id, bytes.clone());
        Some((Bytes::from(named.to_string()), bytes))
    }
}

fn reply(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}
