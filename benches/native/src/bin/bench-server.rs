//! `bench-server [--tls] [--hang-percent N]`: as much of Google Calendar as a create with a read back needs, and no more,
//! so that the clients are what is measured. One thread. Prints one line of JSON with its address (and the PEM of its
//! authority), and ends with its standard input.

use std::collections::HashMap;
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
use serde_json::{Map, Value, json};
use surecal_emulator::Identity;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpListener;

/// What is kept: a benchmark reads an event back at once, so old ones may go.
const KEPT_AT_MOST: usize = 20_000;

#[derive(Default)]
struct Server {
    events: Mutex<HashMap<String, Bytes>>,
    inserts: AtomicU64,
    requests: AtomicU64,
    connections: AtomicU64,
    /// Every so manieth exchange never gets an answer; 0: none.
    hang_every: u64,
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

    let hang_every = 100_u64.checked_div(hang_percent).unwrap_or_default();
    let server = Arc::new(Server { hang_every, ..Server::default() });
    tokio::spawn(async move {
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
    let (mut stdin, mut buffer) = (tokio::io::stdin(), [0; 256]);
    while stdin.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    std::process::exit(0)
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
        if path == "/counts" {
            let counts = json!({
                "requests": self.requests.load(Ordering::Relaxed),
                "connections": self.connections.load(Ordering::Relaxed),
            });
            return Ok(reply(StatusCode::OK, Bytes::from(counts.to_string())));
        }
        let Ok(body) = body.collect().await else { return Ok(reply(StatusCode::BAD_REQUEST, Bytes::new())) };
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let event = match head.method {
            Method::POST if path == "/token" => Some(Bytes::from_static(
                br#"{"access_token":"fresh","expires_in":3599,"token_type":"Bearer","scope":"https://www.googleapis.com/auth/calendar"}"#,
            )),
            Method::POST => self.insert(path, &body.to_bytes()),
            _ => path.rsplit_once('/').and_then(|(_, id)| self.events().get(id).cloned()),
        };
        if self.hang_every > 0 && number.is_multiple_of(self.hang_every) {
            // It was applied, and nobody will ever hear of it.
            std::future::pending::<()>().await;
        }
        Ok(match event {
            Some(event) => reply(StatusCode::OK, event),
            None => {
                reply(StatusCode::NOT_FOUND, Bytes::from_static(br#"{"error":{"code":404,"message":"Not Found"}}"#))
            }
        })
    }

    fn events(&self) -> std::sync::MutexGuard<'_, HashMap<String, Bytes>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event as Google's answers have it: what was sent, and what Google adds.
    fn insert(&self, path: &str, body: &[u8]) -> Option<Bytes> {
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
        let bytes = Bytes::from(serde_json::to_vec(&event).ok()?);
        let mut events = self.events();
        if events.len() >= KEPT_AT_MOST {
            events.clear();
        }
        events.insert(id, bytes.clone());
        Some(bytes)
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
