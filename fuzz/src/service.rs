//! A service whose every request meets the same answer, under a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use surecal::clock::Clock;
use surecal::google::{BoxFuture, HttpReply, HttpRequest, Token, TokenEndpoint, Transport};
use surecal::model::CalendarError;
use surecal::policy::TransportFault;
use surecal::service::{Cancel, Foundation, Grants, Service};
use surecal::store::Store;

/// 2027-01-01, in Unix milliseconds.
const NOW_MS: u64 = 1_798_761_600_000;

/// Answers everything with one reply, and counts.
pub(crate) struct OneAnswer {
    reply: HttpReply,
    asked: AtomicUsize,
}

impl OneAnswer {
    pub(crate) fn new(status: u16, retry_after_s: Option<u32>, body: &str) -> Arc<Self> {
        let retry_after = retry_after_s.map(|seconds| Duration::from_secs(seconds.into()));
        let body = Bytes::copy_from_slice(body.as_bytes());
        let reply = HttpReply { status, etag: Some("\"1\"".to_owned()), retry_after, body };
        Arc::new(Self { reply, asked: AtomicUsize::new(0) })
    }

    /// Requests so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn answer(&self) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            // An exchange takes time: without it nothing would ever bring a deadline nearer.
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(self.reply.clone())
        })
    }
}

impl Transport for OneAnswer {
    fn exchange(
        &self,
        _request: HttpRequest,
        _token: &Token,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        self.answer()
    }
}

impl TokenEndpoint for OneAnswer {
    fn post(&self, _form: Bytes, _timeout: Duration) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        self.answer()
    }
}

/// A runtime whose clock stands still while something is to be done, and else moves on at once.
pub(crate) fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// Time for the services of one input; to be made within its runtime.
pub(crate) fn clock() -> Clock {
    Clock::paused(NOW_MS)
}

/// A service with the defaults, and its clock; to be made within a runtime.
pub(crate) fn serve(google: &Arc<OneAnswer>, store: Option<Arc<dyn Store>>) -> (Service, Clock) {
    let clock = clock();
    let foundation = Foundation {
        transport: Some(Arc::clone(google) as Arc<dyn Transport>),
        endpoint: Some(Arc::clone(google) as Arc<dyn TokenEndpoint>),
        store,
        grants: Grants::default(),
        ..Foundation::new(clock.clone())
    };
    (Service::new("{}", foundation).expect("the defaults"), clock)
}

/// Calls one method of a new service, and sees that it settles. `None`: there is no method of this name.
pub(crate) fn call(
    google: &Arc<OneAnswer>,
    method: &str,
    args: &str,
    more: &str,
) -> Option<Result<String, CalendarError>> {
    paused().block_on(async {
        let (service, clock) = serve(google, None);
        let began = clock.now();
        let told = settled(&service, method, args, more).await;
        // A day is the longest that an option may name.
        assert!(clock.now() - began <= Duration::from_hours(25), "{method} hung");
        told
    })
}

/// Calls a method by its name in JS. `None`: there is none.
pub(crate) async fn settled(
    service: &Service,
    method: &str,
    args: &str,
    more: &str,
) -> Option<Result<String, CalendarError>> {
    let cancel = Cancel::default();
    Some(match method {
        "createEvent" => service.create_event(args, more, cancel).await,
        "createEvents" => service.create_events(args, more, cancel).await,
        "updateEvent" => service.update_event(args, more, cancel).await,
        "deleteEvent" => service.delete_event(args, cancel).await,
        "getEvent" => service.get_event(args, cancel).await,
        "verifyEvent" => service.verify_event(args, more, cancel).await,
        "listEvents" => service.list_page(args, cancel).await,
        "addAttendeeToEvent" => service.add_attendee(args, more, cancel).await,
        "removeAttendeeFromEvent" => service.remove_attendee(args, more, cancel).await,
        "enroll" => service.enroll(args, more, cancel).await,
        "getRefreshedOAuthClient" => service.refresh_tokens(args, cancel).await,
        "transaction" => service.transaction_begin(args, cancel).await,
        "idempotency" => service.claim_begin(args).await,
        _ => return None,
    })
}
