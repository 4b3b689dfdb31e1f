//! The Node boundary: parse, call, settle. Everything crosses as JSON text; a rejection's message is a
//! [`CalendarError`] as JSON text, which the facade turns into one. No other file names napi.

#![allow(clippy::needless_pass_by_value, reason = "napi hands over owned values")]

mod host;
mod outbox;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Either, FnArgs, Function, Promise, PromiseRaw, spawn, within_runtime_if_available};
use napi_derive::napi;
use serde_json::json;

use self::host::JsHost;
use self::outbox::{Batch, Outbox};
use crate::clock::Clock;
use crate::model::{CalendarError, Code, Outcome};
use crate::policy::Backoff;
use crate::service::{Cancel, Foundation, Listener, Service, own_verdict, to_text};

/// Threads of the runtime that all environments of a process share. Calls wait on the network, they do not compute; and where
/// there are two, waking one another and freeing what the other allocated costs a fifth of a call.
const WORKER_THREADS: usize = 1;

#[napi_derive::module_init]
fn init() {
    // The default hook prints the panic's payload, which can hold a value of the caller's.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        napi_log(&format!("surecal met an internal fault at {place}; the call it served is rejected with INTERNAL"));
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .thread_name("surecal")
        .enable_all()
        .build();
    if let Ok(runtime) = runtime {
        napi::bindgen_prelude::create_custom_tokio_runtime(runtime);
    }
}

#[expect(clippy::print_stderr, reason = "the only place a panic can be told to")]
fn napi_log(text: &str) {
    eprintln!("{text}");
}

fn rejection(error: &CalendarError) -> napi::Error {
    napi::Error::from_reason(to_text(error))
}

fn settle(result: Result<String, CalendarError>) -> napi::Result<String> {
    result.map_err(|error| rejection(&error))
}

/// An answer now, or a promise of it.
type AtOnce<'env> = Either<String, PromiseRaw<'env, String>>;

/// Begins `work` here and now: what needs not wait, such as a claim in the memory store, is spared two changes of
/// thread, which cost more than the work. What has to wait goes on in the runtime.
fn at_once<F>(env: &Env, work: F) -> napi::Result<AtOnce<'_>>
where
    F: Future<Output = Result<String, CalendarError>> + Send + 'static,
{
    let mut work = Box::pin(work);
    let begun = || {
        // The runtime's own waker takes over at the next poll.
        let mut nobody = Context::from_waker(Waker::noop());
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut nobody)))
    };
    match within_runtime_if_available(begun) {
        Ok(Poll::Ready(result)) => settle(result).map(Either::A),
        Ok(Poll::Pending) => env.spawn_future(async move { settle(work.await) }).map(Either::B),
        Err(_) => Err(rejection(&CalendarError::internal(Outcome::Unknown, "a panic"))),
    }
}

/// A service, as the facade holds it.
#[napi]
pub struct NativeService {
    service: Service,
    outbox: Arc<Outbox>,
}

#[napi]
impl NativeService {
    /// `configJson`: the configuration, every function replaced by `"[function]"`. `tell` gets lists of messages: of each
    /// the ticket of the call that it answers, negative if it failed, or 0 for a notice, and a JSON text. It is held
    /// weakly, so that an idle service does not keep the process; who waits for an answer does.
    ///
    /// `ask` answers one question per call with JSON text or null; the facade wraps it so that it always returns a
    /// promise of that.
    #[napi(constructor)]
    pub fn new(
        config_json: String,
        #[napi(ts_arg_type = "(messages: (number | string)[]) => void")] tell: Function<'_, Batch, ()>,
        ask: Function<'_, FnArgs<(String,)>, Promise<Option<String>>>,
    ) -> napi::Result<Self> {
        let outbox = Outbox::to(&tell)?;
        let notices = Arc::clone(&outbox);
        let listener: Listener = Arc::new(move |notice| notices.notice(to_text(&notice)));
        let host = Some(JsHost::asking(ask.build_threadsafe_function().weak::<true>().build()?));
        let foundation = Foundation { listener, host, ..Foundation::new(Clock::system()) };
        let service = Service::new(&config_json, foundation).map_err(|error| rejection(&error))?;
        within_runtime_if_available(|| service.watch_for_left_overs());
        Ok(Self { service, outbox })
    }

    /// Changes settings while calls run.
    #[napi]
    pub fn configure(&self, partial_json: String) -> napi::Result<()> {
        self.service.configure(&partial_json).map_err(|error| rejection(&error))
    }

    /// See `createEvent` in index.d.ts.
    #[napi]
    pub fn create_event(&self, args_json: String, event_json: String, ticket: i32) {
        self.begin(ticket, |service, cancel| async move {
            let made = service.create_event(&args_json, &event_json, cancel);
            drop((args_json, event_json));
            made.await
        });
    }

    /// See `createEvents` in index.d.ts.
    #[napi]
    pub fn create_events(&self, args_json: String, events_json: String, ticket: i32) {
        self.begin(
            ticket,
            |service, cancel| async move { service.create_events(&args_json, &events_json, cancel).await },
        );
    }

    /// See `verifyEvent` in index.d.ts.
    #[napi]
    pub fn verify_event(&self, args_json: String, expected_json: String, ticket: i32) {
        self.begin(
            ticket,
            |service, cancel| async move { service.verify_event(&args_json, &expected_json, cancel).await },
        );
    }

    /// See `getEvent` in index.d.ts.
    #[napi]
    pub fn get_event(&self, args_json: String, ticket: i32) {
        self.begin(ticket, |service, cancel| async move { service.get_event(&args_json, cancel).await });
    }

    /// One page of `listEvents`.
    #[napi]
    pub fn list_page(&self, args_json: String, ticket: i32) {
        self.begin(ticket, |service, cancel| async move { service.list_page(&args_json, cancel).await });
    }

    /// See `updateEvent` in index.d.ts.
    #[napi]
    pub fn update_event(&self, args_json: String, changes_json: String, ticket: i32) {
        self.begin(
            ticket,
            |service, cancel| async move { service.update_event(&args_json, &changes_json, cancel).await },
        );
    }

    /// See `deleteEvent` in index.d.ts.
    #[napi]
    pub fn delete_event(&self, args_json: String, ticket: i32) {
        self.begin(ticket, |service, cancel| async move { service.delete_event(&args_json, cancel).await });
    }

    /// See `enroll` in index.d.ts.
    #[napi]
    pub fn enroll(&self, args_json: String, body_json: String, ticket: i32) {
        self.begin(ticket, |service, cancel| async move { service.enroll(&args_json, &body_json, cancel).await });
    }

    /// Begins a transaction; see `Service::transaction_begin`.
    #[napi]
    pub fn transaction_begin(&self, args_json: String, ticket: i32) {
        self.begin(ticket, |service, cancel| async move { service.transaction_begin(&args_json, cancel).await });
    }

    /// `tx.addAttendee`.
    #[napi]
    pub fn transaction_add(&self, id: u32, body_json: String, ticket: i32) {
        self.begin(ticket, |service, _| async move { service.transaction_add(id, &body_json).await });
    }

    /// `tx.createEvent`.
    #[napi]
    pub fn transaction_create(&self, id: u32, args_json: String, event_json: String, ticket: i32) {
        self.begin(ticket, |service, _| async move { service.transaction_create(id, &args_json, &event_json).await });
    }

    /// `tx.step`: its number.
    #[napi]
    pub fn transaction_step(&self, id: u32, body_json: String, ticket: i32) {
        self.begin(ticket, |service, _| async move { service.transaction_step(id, &body_json).await });
    }

    /// All of it stays.
    #[napi]
    pub fn transaction_commit(&self, id: u32, ticket: i32) {
        self.begin(ticket, |service, _| async move { service.transaction_commit(id).await });
    }

    /// All of it back.
    #[napi]
    pub fn transaction_roll_back(&self, id: u32, ticket: i32) {
        self.begin(ticket, |service, _| async move { service.transaction_roll_back(id).await });
    }

    /// See `addAttendeeToEvent` in index.d.ts.
    #[napi]
    pub fn add_attendee(&self, args_json: String, attendee_json: String, ticket: i32) {
        self.begin(
            ticket,
            |service, cancel| async move { service.add_attendee(&args_json, &attendee_json, cancel).await },
        );
    }

    /// See `removeAttendeeFromEvent` in index.d.ts.
    #[napi]
    pub fn remove_attendee(&self, args_json: String, attendee_json: String, ticket: i32) {
        self.begin(ticket, |service, cancel| async move {
            service.remove_attendee(&args_json, &attendee_json, cancel).await
        });
    }

    /// The `AbortSignal` of a call fired.
    #[napi]
    pub fn cancel(&self, ticket: i32) {
        self.outbox.cancel(ticket);
    }

    /// The user's tokens, fresh, as JSON text.
    #[napi]
    pub fn refresh_tokens(&self, args_json: String, ticket: i32) {
        self.begin(ticket, |service, cancel| async move { service.refresh_tokens(&args_json, cancel).await });
    }

    /// New tokens for the facade's auth object `authRef`, once.
    #[napi]
    #[must_use]
    pub fn take_tokens(&self, auth_ref: u32) -> Option<String> {
        self.service.take_tokens(auth_ref)
    }

    /// What is not cleaned up yet.
    #[napi]
    pub fn pending<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, String>> {
        let service = self.service.clone();
        env.spawn_future(async move { settle(service.pending().await.map(|pending| to_text(&pending))) })
    }

    /// One round with everything that is open; what is still open after it.
    #[napi]
    pub fn recover<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, String>> {
        let service = self.service.clone();
        env.spawn_future(async move { settle(service.recover().await.map(|pending| to_text(&pending))) })
    }

    /// Begins a request under an idempotency key; see `Service::claim_begin`.
    #[napi]
    pub fn claim_begin<'env>(&self, env: &'env Env, claim_json: String) -> napi::Result<AtOnce<'env>> {
        let service = self.service.clone();
        at_once(env, async move { service.claim_begin(&claim_json).await })
    }

    /// Stores its answer: `applied`, `refused` or `unknown`.
    #[napi]
    pub fn claim_finish<'env>(&self, env: &'env Env, id: u32, answer_json: String) -> napi::Result<AtOnce<'env>> {
        let service = self.service.clone();
        at_once(env, async move { service.claim_finish(id, &answer_json).await.map(str::to_owned) })
    }

    /// Gives its key back.
    #[napi]
    pub fn claim_release<'env>(&self, env: &'env Env, id: u32) -> napi::Result<PromiseRaw<'env, ()>> {
        let service = self.service.clone();
        env.spawn_future(async move {
            service.claim_release(id).await;
            Ok(())
        })
    }

    /// Forgets every stored answer.
    #[napi]
    pub fn clear_idempotency<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let service = self.service.clone();
        env.spawn_future(async move { service.clear_idempotency().await.map_err(|error| rejection(&error)) })
    }

    /// The counters.
    #[napi]
    #[must_use]
    pub fn metrics(&self) -> String {
        to_text(&self.service.metrics())
    }

    /// The counters in Prometheus's text format.
    #[napi]
    #[must_use]
    pub fn prometheus(&self) -> String {
        self.service.metrics().prometheus()
    }

    /// Counts what ended in the facade: a call refused before it came here, or a transaction. Without `code`: well, and
    /// `verified` or not.
    #[napi]
    pub fn ended_outside(
        &self,
        operation: String,
        code: Option<String>,
        outcome: Option<String>,
        elapsed_ms: f64,
        verified: Option<bool>,
    ) {
        let ended = match code.as_deref() {
            Some(code) => Err((code, outcome.as_deref().unwrap_or_default())),
            None => Ok(verified.unwrap_or_default()),
        };
        self.service.ended_outside(&operation, ended, millis(elapsed_ms));
    }

    /// Whether this process is fit for traffic.
    #[napi]
    pub fn health<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, String>> {
        let service = self.service.clone();
        env.spawn_future(async move { Ok(to_text(&service.health().await)) })
    }

    /// Attempts and clean-ups that are open now.
    #[napi]
    #[must_use]
    pub fn open_work(&self) -> u32 {
        u32::try_from(self.service.open_work()).unwrap_or(u32::MAX)
    }

    /// Resolves when nothing is open, or after `maxMs`. While it is pending, Node's event loop stays up.
    #[napi]
    pub fn settled<'env>(&self, env: &'env Env, max_ms: f64) -> napi::Result<PromiseRaw<'env, ()>> {
        let service = self.service.clone();
        env.spawn_future(async move {
            service.drained(millis(max_ms)).await;
            Ok(())
        })
    }

    /// Says that `close` comes soon: not ready any more, but calls that were begun are still let in.
    #[napi]
    pub fn closing(&self) {
        self.service.closing();
    }

    /// Takes no new calls and waits at most `drainMs` for what is open; what is left.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env, drain_ms: f64) -> napi::Result<PromiseRaw<'env, String>> {
        let service = self.service.clone();
        env.spawn_future(async move { Ok(to_text(&service.close(millis(drain_ms)).await)) })
    }

    /// Runs a call, which is answered by its ticket. The future owns what it needs: a method's `async fn(&self)` would
    /// borrow from the JS object, which is gone when a worker is terminated, while the future goes on in the runtime that
    /// all environments share.
    fn begin<F>(&self, ticket: i32, work: impl FnOnce(Service, Cancel) -> F)
    where
        F: Future<Output = Result<String, CalendarError>> + Send + 'static,
    {
        let ticket = self.outbox.ticket(ticket);
        let work = work(self.service.clone(), ticket.cancel.clone());
        spawn(async move { ticket.answered(work.await) });
    }
}

/// Whether a function of the caller's own may be run again, and when.
#[napi]
pub fn retry_verdict(
    error_json: String,
    attempt: u32,
    idempotent: bool,
    retry_json: Option<String>,
) -> napi::Result<String> {
    let verdict = own_verdict(&error_json, attempt, idempotent, retry_json.as_deref(), rand::random());
    settle(verdict.map(|verdict| to_text(&verdict)))
}

/// The tables that JS shows: error codes and retry defaults.
#[napi]
#[must_use]
pub fn constants() -> String {
    let codes: Vec<_> = Code::ALL
        .iter()
        .map(|code| json!({ "code": code.name(), "http": code.http_status(), "retryable": code.retryable() }))
        .collect();
    let retry = Backoff::default();
    json!({
        "errorCodes": codes,
        "retry": {
            "maxRetries": retry.max_retries,
            "baseDelayMs": retry.base.as_millis(),
            "backoffMultiplier": retry.multiplier,
            "maxDelayMs": retry.max.as_millis(),
        },
    })
    .to_string()
}

fn millis(time: f64) -> Duration {
    Duration::try_from_secs_f64(time / 1000.0).unwrap_or(Duration::MAX)
}
