//! HTTP/1.1: what is told when the server closes, hangs, cuts, drips, redirects, floods.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use surecal::clock::Clock;
use surecal::google::transport::{Fate, FaultKind, HttpTransport, Network, TransportConfig};
use tokio::io::AsyncWriteExt;

use crate::server::{Log, OK, SECOND, post, read_request, send, server, status, transport, unknown};

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
async fn what_the_program_calls_itself_is_said_after_our_own_name() {
    let (address, log) = server(async |mut stream, _, log| {
        read_request(&mut stream, &log).await?;
        stream.write_all(OK).await.ok()
    })
    .await;
    let network = Network { user_agent: Some("school/2 (ops)".into()), ..Network::default() };
    let config = TransportConfig { network, ..TransportConfig::new(format!("http://{address}")) };
    assert_eq!(status(&HttpTransport::new(&config).unwrap()).await, 200);
    let ours = format!("user-agent: surecal/{} school/2 (ops)", env!("CARGO_PKG_VERSION"));
    assert!(log.requests.lock().unwrap()[0].lines().any(|line| line == ours));
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
    // A busy machine: on an idle one every request is on its way before the shortest timeout.
    let mut busy = tokio::task::JoinSet::new();
    for _ in 0..4 {
        busy.spawn(async {
            loop {
                std::thread::sleep(Duration::from_millis(2));
                tokio::task::yield_now().await;
            }
        });
    }
    tasks.join_all().await;
    drop(busy);
    tokio::time::sleep(SECOND / 5).await;
    let unsent = unsent.lock().unwrap();
    assert!(!unsent.is_empty() && log.requests() > 0, "{} unsent, {} seen", unsent.len(), log.requests());
    assert_nothing_unsent_was_seen(&log, &unsent);
}
