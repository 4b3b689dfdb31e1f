//! A Redis store that does not answer in the middle of a create: no hang, and the truth is told or found out.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use surecal::clock::Clock;
use surecal::google::{BoxFuture, HttpReply, HttpRequest, Token, Transport};
use surecal::model::{Code, Outcome};
use surecal::policy::TransportFault;
use surecal::service::Service;
use surecal::store::RedisStore;
use tokio::time::{Instant, sleep};

use crate::program::{create, service};
use crate::redis_server::RedisServer;
use crate::support::{Google, InMemory, class};

const TIMEOUT: Duration = Duration::from_secs(3);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(3);

fn options() -> Value {
    json!({ "idempotencyKey": "k", "timeoutMs": 3000 })
}

fn process(network: Arc<dyn Transport>, server: &RedisServer) -> Service {
    let store = Arc::new(RedisStore::new(&server.url(), "app:").unwrap());
    service(network, store, Clock::system(), &json!({ "leaseMs": 4000 }))
}

async fn until_nothing_is_open(process: &Service) {
    let began = Instant::now();
    loop {
        if process.recover().await.is_ok_and(|pending| pending.is_empty()) && process.open_work() == 0 {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it stays open");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_whose_store_does_not_answer_sends_nothing_and_says_so_within_its_deadline() {
    let Some(server) = RedisServer::start() else { return };
    let google = Google::new();
    let process = process(Arc::new(InMemory(google.emulator.clone())), &server);
    server.pause();
    let began = Instant::now();
    let error = create(&process, &class(), &options()).await.unwrap_err();
    assert!(began.elapsed() < TIMEOUT + SLACK, "{:?}", began.elapsed());
    assert_eq!(error.outcome, Outcome::NotSent, "{error:?}");
    assert!(matches!(error.code, Code::StoreUnavailable | Code::Timeout), "{error:?}");
    assert_eq!(google.requests("events.insert"), 0);
    server.resume();
    // The intents land now, and hold nothing up for longer than a lease.
    sleep(Duration::from_millis(4500)).await;
    until_nothing_is_open(&process).await;
    assert!(google.live().is_empty());
    assert_eq!(create(&process, &class(), &options()).await.unwrap()["success"], true);
    google.only_live();
}

/// Pauses the server when the event is read back: all that is left to do is to write the result.
struct PausesAtTheRead(InMemory, Arc<RedisServer>);

impl Transport for PausesAtTheRead {
    fn exchange(
        &self,
        request: HttpRequest,
        token: &Token,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        if request.method == http::Method::GET {
            self.1.pause();
        }
        self.0.exchange(request, token, timeout)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_whose_result_cannot_be_written_is_told_unknown_in_time_and_settled_by_what_the_journal_then_says() {
    let Some(server) = RedisServer::start() else { return };
    let server = Arc::new(server);
    let google = Google::new();
    let network = PausesAtTheRead(InMemory(google.emulator.clone()), Arc::clone(&server));
    let dies = process(Arc::new(network), &server);
    let began = Instant::now();
    let error = create(&dies, &class(), &options()).await.unwrap_err();
    assert!(began.elapsed() < TIMEOUT + SLACK, "{:?}", began.elapsed());
    assert_eq!(error.outcome, Outcome::Unknown, "{error:?}");
    server.resume();
    // The result's put was sent, and a paused server does what it was sent: the event stands.
    let other = process(Arc::new(InMemory(google.emulator.clone())), &server);
    drop(dies);
    sleep(Duration::from_secs(5)).await;
    until_nothing_is_open(&other).await;
    let live = google.live().len();
    let told = create(&other, &class(), &options()).await.unwrap();
    assert_eq!((&told["success"], &told["replayed"]), (&json!(true), &json!(live == 1)), "{told}");
    google.only_live();
    assert_eq!(live, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_told_within_the_deadline_and_pending_says_that_it_does_not_know() {
    let Some(mut server) = RedisServer::start() else { return };
    let google = Google::new();
    let process = process(Arc::new(InMemory(google.emulator.clone())), &server);
    server.stop();
    let began = Instant::now();
    let error = create(&process, &class(), &options()).await.unwrap_err();
    assert!(began.elapsed() < TIMEOUT + SLACK, "{:?}", began.elapsed());
    assert_eq!(error.outcome, Outcome::NotSent, "{error:?}");
    assert_eq!(process.pending().await.unwrap_err().code, Code::StoreUnavailable);
    assert_eq!(process.recover().await.unwrap_err().code, Code::StoreUnavailable);
    server.restart();
    assert_eq!(create(&process, &class(), &options()).await.unwrap()["success"], true);
    google.only_live();
}
