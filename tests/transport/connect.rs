//! Before there is a connection nothing can be sent.

use std::net::SocketAddr;

use http::Method;
use surecal::google::transport::FaultKind;
use surecal::google::{HttpTransport, TransportConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::server::{OK, SECOND, not_sent, post, read_request, send, server, transport, unknown};

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

#[tokio::test]
async fn a_tls_handshake_that_fails_or_hangs_is_not_sent() {
    let (address, log) = server(async |mut stream, number, log| {
        if number == 1 {
            stream.write_all(OK).await.ok()?;
        } else {
            tokio::time::sleep(10 * SECOND).await;
        }
        read_request(&mut stream, &log).await
    })
    .await;
    let config = TransportConfig { connect_timeout: SECOND / 2, ..TransportConfig::new(format!("https://{address}")) };
    let transport = HttpTransport::new(&config).unwrap();
    assert_eq!(post(&transport).await, not_sent(FaultKind::Tls));
    assert_eq!(send(&transport, Method::DELETE, "", SECOND).await, not_sent(FaultKind::Connect));
    assert_eq!(log.requests(), 0);
}
