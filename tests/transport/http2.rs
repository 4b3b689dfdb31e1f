//! HTTP/2: streams turned away, connections going away or going silent.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Method;
use surecal::google::transport::{Fate, FaultKind};

use crate::frames::Frames;
use crate::server::{Log, SECOND, http2, not_sent, post, send, server, status, unknown};

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
