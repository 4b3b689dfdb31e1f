//! The same over real sockets: what a client sees of each verdict.
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod stage;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use stage::{CALENDAR, Stage, class};
use surecal_emulator::{Fault, Rule, Server, When};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than anything here takes, short enough for "never".
const NEVER: Duration = Duration::from_millis(400);

async fn start() -> (Stage, Server, SocketAddr) {
    let stage = Stage::new();
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (server, address) = Server::start(stage.google.clone(), any_port).await.unwrap();
    (stage, server, address)
}

fn raw(stage: &Stage, method: &str, path: &str, body: &str) -> String {
    let token = &stage.owner.access_token;
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn raw_insert(stage: &Stage, id: &str) -> String {
    let path = format!("/calendar/v3/calendars/{CALENDAR}/events");
    raw(stage, "POST", &path, &class(json!({ "id": id })).to_string())
}

/// Sends on a new connection and reads what comes until the end, an error, or `NEVER`.
async fn exchange(address: SocketAddr, request: &str) -> (String, Option<ErrorKind>, bool) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = request.replacen("host: x", "host: x\r\nconnection: close", 1);
    stream.write_all(request.as_bytes()).await.unwrap();
    read(&mut stream).await
}

async fn read(stream: &mut TcpStream) -> (String, Option<ErrorKind>, bool) {
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match timeout(NEVER, stream.read(&mut buffer)).await {
            Err(_) => return (String::from_utf8_lossy(&received).into_owned(), None, true),
            Ok(Ok(0)) => return (String::from_utf8_lossy(&received).into_owned(), None, false),
            Ok(Ok(count)) => received.extend_from_slice(&buffer[..count]),
            Ok(Err(error)) => return (String::from_utf8_lossy(&received).into_owned(), Some(error.kind()), false),
        }
    }
}

fn split(reply: &str) -> (&str, &str) {
    reply.split_once("\r\n\r\n").unwrap()
}

#[tokio::test]
async fn a_reset_is_a_tcp_rst_without_a_byte_of_reply() {
    let (stage, _server, address) = start().await;
    stage.fault("events.insert", Fault::Reset { when: When::After });
    let (reply, error, _) = exchange(address, &raw_insert(&stage, "class001")).await;
    assert_eq!((reply.as_str(), error), ("", Some(ErrorKind::ConnectionReset)));
    assert_eq!(stage.google.live_events(CALENDAR).len(), 1);
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_its_head_says_and_the_connection_ends() {
    let (stage, _server, address) = start().await;
    stage.fault("events.insert", Fault::Truncate { when: When::After, keep_bytes: Some(25) });
    let (reply, _, waits) = exchange(address, &raw_insert(&stage, "class001")).await;
    let (head, body) = split(&reply);
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && length > 25 && !waits);
    assert_eq!(body.len(), 25);
}

#[tokio::test]
async fn a_hanging_request_is_never_answered_and_the_next_connection_is_well() {
    let (stage, _server, address) = start().await;
    stage.fault("events.insert", Fault::Hang { when: When::Before });
    let (reply, error, waits) = exchange(address, &raw_insert(&stage, "class001")).await;
    assert_eq!((reply.as_str(), error, waits), ("", None, true));
    let (reply, ..) = exchange(address, &raw_insert(&stage, "class001")).await;
    assert!(reply.starts_with("HTTP/1.1 200"));
    let records = stage.google.requests();
    assert_ne!(records[0].connection, records[1].connection);
    assert_eq!((records[0].http_version, records[0].committed, records[1].committed), ("1.1", false, true));
}

#[tokio::test]
async fn a_dripping_reply_arrives_whole_and_slowly() {
    let (stage, _server, address) = start().await;
    stage.fault("events.insert", Fault::drip(5, 64));
    let begin = std::time::Instant::now();
    let (reply, ..) = exchange(address, &raw_insert(&stage, "class001")).await;
    let (_, body) = split(&reply);
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["id"], "class001");
    assert!(begin.elapsed() >= Duration::from_millis(5 * (body.len() as u64 / 64)));
}

#[tokio::test]
async fn an_outage_refuses_connections_and_ends_on_the_same_port() {
    let (stage, server, address) = start().await;
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(raw(&stage, "GET", "/_control/counts", "").as_bytes()).await.unwrap();
    assert!(read(&mut open).await.0.starts_with("HTTP/1.1 200"));
    let control = server.control_address();
    let (reply, ..) = exchange(control, &raw(&stage, "POST", "/_control/outage", "{\"on\":true}")).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(read(&mut open).await.1, Some(ErrorKind::ConnectionReset));
    assert!(exchange(control, &raw_insert(&stage, "class001")).await.0.starts_with("HTTP/1.1 404"));
    exchange(control, &raw(&stage, "POST", "/_control/outage", "{\"on\":false}")).await;
    assert!(exchange(address, &raw_insert(&stage, "class001")).await.0.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_black_hole_swallows_the_connections_there_are_and_no_others() {
    let (stage, server, address) = start().await;
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(raw_insert(&stage, "class001").as_bytes()).await.unwrap();
    assert!(read(&mut open).await.0.starts_with("HTTP/1.1 200"));
    assert_eq!(server.black_hole(), 1);
    open.write_all(raw_insert(&stage, "class002").as_bytes()).await.unwrap();
    assert_eq!(read(&mut open).await, (String::new(), None, true));
    assert!(exchange(address, &raw_insert(&stage, "class003")).await.0.starts_with("HTTP/1.1 200"));
    assert_eq!(stage.google.requests().len(), 2);
}

#[tokio::test]
async fn idle_connections_can_be_closed() {
    let (stage, server, address) = start().await;
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(raw_insert(&stage, "class001").as_bytes()).await.unwrap();
    assert!(read(&mut open).await.2, "kept alive");
    server.close_idle();
    assert_eq!(read(&mut open).await, (String::new(), None, false));
}

#[tokio::test]
async fn http2_is_served_without_tls_and_faults_touch_one_stream() {
    let (stage, _server, address) = start().await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = |stage: &Stage, id: &str| {
        let mut request = stage.request(Method::POST, "", None, &class(json!({ "id": id })));
        *request.version_mut() = Version::HTTP_2;
        let uri = format!("http://{address}{}", request.uri());
        *request.uri_mut() = uri.parse().unwrap();
        request.map(Full::<Bytes>::new)
    };
    for (fault, reason) in [
        (Fault::Reset { when: When::After }, h2::Reason::INTERNAL_ERROR),
        (Fault::RefusedStream, h2::Reason::REFUSED_STREAM),
    ] {
        stage.fault("events.insert", fault);
        let error = client.send_request(request(&stage, "class001")).await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.downcast_ref::<h2::Error>().unwrap().reason(), Some(reason));
    }
    stage.fault("events.insert", Fault::truncate());
    let cut = client.send_request(request(&stage, "class002")).await.unwrap();
    assert!(cut.into_body().collect().await.is_err());
    stage.fault("events.insert", Fault::Hang { when: When::Before });
    assert!(timeout(NEVER, client.send_request(request(&stage, "class003"))).await.is_err());
    let whole = client.send_request(request(&stage, "class003")).await.unwrap();
    assert_eq!((whole.status(), whole.version()), (http::StatusCode::OK, Version::HTTP_2));
    assert!(stage.google.requests().iter().all(|record| record.http_version == "2" && record.connection == 1));
}

#[tokio::test]
async fn a_body_that_never_ends_is_refused_with_memory_bounded() {
    let (stage, _server, address) = start().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let path = format!("/calendar/v3/calendars/{CALENDAR}/events");
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", 1_u64 << 40);
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b' '; 1 << 20];
    let mut sent = 0;
    while sent < 64 && stream.write_all(&piece).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 64, "all of it was taken");
    assert!(stage.google.requests().is_empty());
}

#[tokio::test]
async fn the_control_api_is_served_beside_the_calendar_and_knows_no_faults() {
    let (stage, _server, address) = start().await;
    stage.google.fault(Rule::always("*", Fault::status(500))).unwrap();
    let ask = async |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (reply, ..) = exchange(address, &raw(&stage, method, path, &body)).await;
        let (head, body) = split(&reply);
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str::<Value>(body).unwrap())
    };
    let (status, user) = ask("POST", "/_control/users", json!({ "email": "b@x.test", "expiresInSeconds": 10 })).await;
    assert_eq!((status, &user["email"]), (200, &json!("b@x.test")));
    let rule = json!({ "operation": "events.get", "nth": 1, "fault": { "kind": "hang" } });
    assert_eq!(ask("POST", "/_control/faults", rule.clone()).await.0, 200);
    assert_eq!(ask("POST", "/_control/faults", json!([rule])).await.0, 200);
    let (status, refused) =
        ask("POST", "/_control/faults", json!({ "operation": "*", "fault": { "kind": "nope" } })).await;
    assert_eq!(status, 400);
    assert!(refused["error"].as_str().unwrap().contains("nope"));
    assert_eq!(ask("DELETE", "/_control/faults", Value::Null).await.0, 200);
    let raw_event = json!({ "calendarId": CALENDAR, "event": { "id": "raw01", "summary": "Raw" } });
    assert_eq!(ask("POST", "/_control/events/raw", raw_event).await.1["summary"], "Raw");
    let edit = json!({ "calendarId": CALENDAR, "eventId": "raw01", "fields": { "start": { "date": "2027-01-01" }, "end": { "date": "2027-01-02" } } });
    assert_eq!(ask("POST", "/_control/events/edit", edit).await.1["start"]["date"], "2027-01-01");
    let (_, behaviour) = ask("POST", "/_control/behaviour", json!({ "logLimit": 5 })).await;
    assert_eq!((&behaviour["logLimit"], &behaviour["reviveCancelled"]), (&json!(5), &json!(false)));
    let (_, truth) = ask("GET", "/_control/state", Value::Null).await;
    assert_eq!(truth["calendars"][CALENDAR]["events"][0]["id"], "raw01");
    let (_, live) = ask("GET", &format!("/_control/events?calendarId={CALENDAR}&live=true"), Value::Null).await;
    assert_eq!(live.as_array().unwrap().len(), 1);
    assert_eq!(ask("GET", "/_control/counts", Value::Null).await.1["liveEvents"], 1);
    assert_eq!(ask("POST", "/_control/nothing", json!({})).await.0, 404);
    assert_eq!(ask("POST", "/_control/reset", json!({})).await.0, 200);
    assert_eq!(stage.google.counts().live_events, 0);
}
