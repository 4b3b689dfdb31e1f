//! What a Rust user holds: a service over one configuration. The Node binding is one such user.
//!
//! Arguments and results are JSON text, as they cross to JS: an event is parsed once on each side.

mod admission;
mod answer;
mod background;
mod call;
mod cancel;
pub mod config;
mod flight;
pub mod host;
mod metrics;
mod notice;
mod open_work;
mod own_retry;
mod reader;
mod tokens;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use self::background::Background;
use self::call::Call;
use self::flight::{Flights, Leaving};
use self::host::Host;
use self::metrics::{Ending, Metrics};
use self::open_work::OpenWork;
use self::tokens::Keyring;
use crate::clock::Clock;
use crate::google::{
    Calendar, Credentials, HttpTokenEndpoint, HttpTransport, Scope, Sender, SenderConfig, TokenEndpoint, Transport,
    TransportConfig,
};
use crate::model::event::{EventChanges, EventData, Expected};
use crate::model::{CalendarError, Outcome};
use crate::operation::create::{self, CreateRequest, Created, OnDeleted};
use crate::operation::exposure::Exposure;
use crate::operation::{Context, create_many, delete, read, update, verify};
use crate::policy::Deadline;
use crate::store::{Journal, MemoryStore, Store};

pub use self::background::Pending;
pub use self::cancel::Cancel;
pub use self::config::Config;
pub use self::metrics::{MetricsSnapshot, OperationCount};
pub use self::notice::{Level, Listener, Notice};
pub use self::own_retry::{OwnVerdict, own_verdict};
pub use self::tokens::Grants;

/// Share of a schedule's time that is kept for undoing it.
const UNDO_SHARE: f64 = 0.3;
/// A token that lives shorter than this is about to expire (google-auth-library's own eager refresh).
const SOON: Duration = Duration::from_mins(5);
/// Events in one schedule, at most.
const SCHEDULE_AT_MOST: usize = 500;
/// Bytes of a schedule's JSON text, at most.
const SCHEDULE_BYTES: usize = 16 * 1024 * 1024;

/// A service. Clones share everything.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    config: RwLock<Arc<Config>>,
    cx: Context,
    creates: Flights<Alike, (Arc<Created>, u32)>,
    others: Flights<(), String>,
    background: Background,
    open: OpenWork,
    seats: Arc<Semaphore>,
    closed: AtomicBool,
    metrics: Metrics,
    settled: Arc<std::sync::atomic::AtomicU64>,
    keyring: Arc<Keyring>,
    listener: Listener,
}

/// What calls that share an attempt have in common.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Alike {
    user: String,
    key: String,
    print: String,
    verified: bool,
    on_deleted: OnDeleted,
}

/// What a service is built on; everything but the transport has a default.
pub struct Foundation {
    /// What carries requests; `None`: HTTP to `rootUrl`.
    pub transport: Option<Arc<dyn Transport>>,
    /// Where claims and journal live; `None`: this process's memory.
    pub store: Option<Arc<dyn Store>>,
    /// Time.
    pub clock: Clock,
    /// Where notices go.
    pub listener: Listener,
    /// Who keeps the users' tokens; `None`: nobody.
    pub host: Option<Arc<dyn Host>>,
    /// Where grants are exchanged; `None`: HTTP to `tokenUrl`.
    pub endpoint: Option<Arc<dyn TokenEndpoint>>,
    /// Which grants share one refresh; [`Grants::of_process`] but in tests.
    pub grants: Grants,
}

impl Service {
    /// A service from its configuration's JSON text.
    pub fn new(config: &str, foundation: Foundation) -> Result<Self, CalendarError> {
        let config = Config::parse(config)?;
        let transport = match foundation.transport {
            Some(transport) => transport,
            None => Arc::new(HttpTransport::new(&TransportConfig {
                connect_timeout: config.connect_timeout,
                ..TransportConfig::new(config.root_url.as_str())
            })?),
        };
        let clock = foundation.clock;
        let store = foundation.store.unwrap_or_else(|| Arc::new(MemoryStore::new(clock.clone())));
        let sender = Sender::new(SenderConfig {
            backoff: config.backoff,
            limits: config.limits,
            ..SenderConfig::new(transport, clock.clone())
        });
        let cx = Context {
            calendar: Calendar::new(Arc::new(sender)),
            journal: Journal::new(store, clock.clone(), config.lease, rand::random::<u128>),
            clock: clock.clone(),
        };
        let settled = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let listener = counting(foundation.listener, Arc::clone(&settled));
        let open = OpenWork::default();
        let endpoint = match foundation.endpoint {
            Some(endpoint) => endpoint,
            None => Arc::new(HttpTokenEndpoint::new(&config.token_url, config.connect_timeout)?),
        };
        let keyring = Keyring {
            clock: clock.clone(),
            endpoint,
            client: config.client.clone(),
            host: foundation.host.unwrap_or_else(host::none),
            loads: config.token_store.0,
            saves: config.token_store.1,
            grants: foundation.grants,
            listener: Arc::clone(&listener),
            open: open.clone(),
            fresh: dashmap::DashMap::new(),
        };
        let shared = Shared {
            background: Background::new(cx.clone(), Arc::clone(&listener), open.clone()),
            seats: Arc::new(Semaphore::new(config.max_in_flight as usize)),
            config: RwLock::new(Arc::new(config)),
            creates: Flights::default(),
            others: Flights::default(),
            closed: AtomicBool::new(false),
            metrics: Metrics::default(),
            clock,
            cx,
            open,
            settled,
            keyring: Arc::new(keyring),
            listener,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Changes settings while calls run; calls under way keep theirs.
    pub fn configure(&self, partial: &str) -> Result<(), CalendarError> {
        let mut config = self.shared.config.write().unwrap_or_else(PoisonError::into_inner);
        let changed = config.changed(partial)?;
        self.shared.cx.calendar.sender.set_backoff(changed.backoff);
        self.shared.cx.calendar.sender.throttle().set_limits(changed.limits);
        let (before, after) = (config.max_in_flight as usize, changed.max_in_flight as usize);
        if after > before {
            self.shared.seats.add_permits(after - before);
        } else {
            self.shared.seats.forget_permits(before - after);
        }
        *config = Arc::new(changed);
        drop(config);
        Ok(())
    }

    /// `createEvent`.
    pub async fn create_event(&self, args: &str, event: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = async {
            let config = self.config();
            let call = Call::parse(args, &config, 1)?;
            let data = EventData::parse(event, call.time_zone.as_deref())?;
            let hash = data.hash();
            let (created, attempts) = self.share_create(call, data, cancel).await?;
            let ending = match &*created {
                Created::Done(creation) => Ending {
                    verified: creation.verified,
                    replayed: creation.replayed,
                    repaired: creation.repaired,
                    ..Ending::default()
                },
                Created::Unverified { .. } => Ending { unverified: true, ..Ending::default() },
            };
            Ok((answer::created(&created, &hash, attempts)?, ending))
        };
        self.counted(create::OPERATION, work).await
    }

    async fn share_create(
        &self,
        mut call: Call,
        data: EventData,
        cancel: Cancel,
    ) -> Result<(Arc<Created>, u32), CalendarError> {
        let seated = self.seat(create::OPERATION, &mut call, &cancel).await?;
        let alike = call.key.clone().map(|key| Alike {
            user: call.target.user.clone(),
            key,
            print: data.print(),
            verified: call.verification.is_some(),
            on_deleted: call.on_deleted,
        });
        let leaving = Leaving { operation: create::OPERATION, deadline: seated.deadline.clone(), cancel };
        let this = self.clone();
        let credentials = Arc::clone(&seated.credentials);
        let start = move |start: flight::Start<_>| {
            let open = this.shared.open.begin();
            tokio::spawn(async move {
                let scope = scope_of(&call, create::OPERATION, &credentials, start.deadline.clone());
                let request = create_request(&call, data, call.key.clone());
                let concluded = create::create(&this.shared.cx, scope, &request, &start.exposure).await;
                if let Some(held) = concluded.open {
                    this.shared.background.adopt(held, credentials).await;
                }
                start.settle(concluded.answer.map(|created| (Arc::new(created), concluded.attempts)));
                drop(open);
            });
        };
        self.shared.creates.fly(alike, leaving, start).await
    }

    /// `createEvents`.
    pub async fn create_events(&self, args: &str, events: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = async {
            let config = self.config();
            let texts = schedule(events)?;
            let mut call = Call::parse(args, &config, texts.len())?;
            let zone = call.time_zone.clone();
            let parse = |(index, text): (usize, &&RawValue)| {
                EventData::parse(text.get(), zone.as_deref()).map_err(|error| at_index(error, index))
            };
            let events = texts.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
            let hashes: Vec<_> = events.iter().map(EventData::hash).collect();
            let key = call.key.take();
            let this = self.clone();
            let text = self
                .alone(create_many::OPERATION, call, cancel, async move |call, credentials, deadline, exposure| {
                    let key_of = |index| key.as_ref().map(|key| format!("{key}:{index}"));
                    let requests: Vec<_> = events
                        .into_iter()
                        .enumerate()
                        .map(|(index, data)| create_request(&call, data, key_of(index)))
                        .collect();
                    let whole = deadline.end() - deadline.started();
                    let work = Deadline::starts(deadline.started(), whole.mul_f64(1.0 - UNDO_SHARE));
                    tokio::spawn(cancel_with(deadline.clone(), work.clone()));
                    let scope = |deadline| scope_of(&call, create_many::OPERATION, &credentials, deadline);
                    let concluded = create_many::create_many(
                        &this.shared.cx,
                        &call.target,
                        &requests,
                        &exposure,
                        &scope,
                        (work, deadline),
                    )
                    .await;
                    for held in concluded.open {
                        this.shared.background.adopt(held, Arc::clone(&credentials)).await;
                    }
                    match concluded.answer {
                        Ok(creations) => answer::created_many(&creations, &hashes, concluded.attempts),
                        Err(refusal) => match &refusal.error {
                            None => answer::refused_many(&refusal),
                            Some(error) => Err(CalendarError {
                                rolled_back: refusal.rolled_back.clone(),
                                rollback_pending: refusal.rollback_pending.clone(),
                                ..error.clone()
                            }),
                        },
                    }
                })
                .await?;
            let unverified = text.starts_with(r#"{"success":false"#);
            Ok((text, Ending { verified: !unverified, unverified, ..Ending::default() }))
        };
        self.counted(create_many::OPERATION, work).await
    }

    /// `verifyEvent`. Rejections become its answer in the facade: it never rejects.
    pub async fn verify_event(&self, args: &str, expected: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = async {
            let config = self.config();
            let call = Call::parse(args, &config, 1)?;
            let expected = Expected::parse(expected, call.time_zone.as_deref())?;
            let id = call.event_id()?.to_owned();
            let verification = crate::operation::Verification { window: config.window, repair: false };
            let cx = self.shared.cx.clone();
            let text = self
                .alone("verifyEvent", call, cancel, async move |call, credentials, deadline, _| {
                    let scope = scope_of(&call, "verifyEvent", &credentials, deadline);
                    let verdict = verify::verify(&cx, &scope, &call.target, &id, expected.body(), verification).await?;
                    answer::verdict(&verdict, &id, scope.attempts())
                })
                .await?;
            let unverified = text.starts_with(r#"{"success":false"#);
            Ok((text, Ending { verified: !unverified, unverified, ..Ending::default() }))
        };
        self.counted("verifyEvent", work).await
    }

    /// `getEvent`.
    pub async fn get_event(&self, args: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = async {
            let call = Call::parse(args, &self.config(), 1)?;
            let id = call.event_id()?.to_owned();
            let cx = self.shared.cx.clone();
            let text = self
                .alone("getEvent", call, cancel, async move |call, credentials, deadline, _| {
                    let scope = scope_of(&call, "getEvent", &credentials, deadline);
                    let found = read::get(&cx, &scope, &call.target, &id).await?;
                    answer::read(&found.raw, &id)
                })
                .await?;
            Ok((text, Ending::default()))
        };
        self.counted("getEvent", work).await
    }

    /// One page of `listEvents`, as Google sent it.
    pub async fn list_page(&self, args: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = async {
            let call = Call::parse(args, &self.config(), 1)?;
            let cx = self.shared.cx.clone();
            let text = self
                .alone("listEvents", call, cancel, async move |call, credentials, deadline, _| {
                    let scope = scope_of(&call, "listEvents", &credentials, deadline);
                    let query: Vec<_> = call.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                    let page = read::list(&cx, &scope, &call.target, &query).await?;
                    String::from_utf8(page.raw.to_vec())
                        .map_err(|_| CalendarError::internal(Outcome::Rejected, "a page was not UTF-8"))
                })
                .await?;
            Ok((text, Ending::default()))
        };
        self.counted("listEvents", work).await
    }

    /// `updateEvent`.
    pub async fn update_event(&self, args: &str, changes: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = async {
            let call = Call::parse(args, &self.config(), 1)?;
            let changes = EventChanges::parse(changes, call.time_zone.as_deref())?;
            let id = call.event_id()?.to_owned();
            let cx = self.shared.cx.clone();
            let text = self
                .alone("updateEvent", call, cancel, async move |call, credentials, deadline, exposure| {
                    let scope = scope_of(&call, "updateEvent", &credentials, deadline);
                    let params = (call.params, call.verification);
                    let updated = update::update(&cx, &scope, &call.target, &id, &changes, params, &exposure).await?;
                    answer::updated(&updated, &id, scope.attempts())
                })
                .await?;
            let unverified = text.starts_with(r#"{"success":false"#);
            let verified = text.starts_with(r#"{"success":true,"verified":true"#);
            Ok((text, Ending { verified, unverified, ..Ending::default() }))
        };
        self.counted("updateEvent", work).await
    }

    /// `deleteEvent`.
    pub async fn delete_event(&self, args: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = async {
            let call = Call::parse(args, &self.config(), 1)?;
            let id = call.event_id()?.to_owned();
            let cx = self.shared.cx.clone();
            let text = self
                .alone("deleteEvent", call, cancel, async move |call, credentials, deadline, exposure| {
                    let scope = scope_of(&call, "deleteEvent", &credentials, deadline);
                    let params = (call.params.send_updates, call.verification);
                    let deleted = delete::delete(&cx, &scope, &call.target, &id, params, &exposure).await?;
                    answer::deleted(deleted, &id, scope.attempts())
                })
                .await?;
            let verified = text.starts_with(r#"{"success":true,"verified":true"#);
            Ok((text, Ending { verified, ..Ending::default() }))
        };
        self.counted("deleteEvent", work).await
    }

    /// The user's tokens, fresh: `getRefreshedOAuthClient`.
    pub async fn refresh_tokens(&self, args: &str, cancel: Cancel) -> Result<String, CalendarError> {
        const OPERATION: &str = "getRefreshedOAuthClient";
        let work = async {
            let mut call = Call::parse(args, &self.config(), 1)?;
            let least = if call.require_fresh { self.config().min_validity } else { SOON };
            let tokens = self.tokens_of(OPERATION, &mut call, least, &cancel).await?;
            Ok((tokens.to_value().to_string(), Ending::default()))
        };
        self.counted(OPERATION, work).await
    }

    /// New tokens for a caller's auth object, as JSON text, once.
    #[must_use]
    pub fn take_tokens(&self, auth_ref: u32) -> Option<String> {
        self.shared.keyring.fresh.remove(&auth_ref).map(|(_, tokens)| tokens.to_value().to_string())
    }

    /// What is not cleaned up yet, oldest first.
    pub async fn pending(&self) -> Vec<Pending> {
        self.shared.background.pending().await
    }

    /// Makes one round with everything that is open, now, and tells what is still open after it.
    pub async fn recover(&self) -> Vec<Pending> {
        self.shared.background.recover().await;
        self.pending().await
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        let config = self.config();
        MetricsSnapshot {
            operations: self.shared.metrics.operations(),
            google: self.shared.cx.calendar.sender.tally().snapshot(),
            in_flight: (config.max_in_flight as usize).saturating_sub(self.shared.seats.available_permits()),
            open_work: self.open_work(),
            settled: self.shared.settled.load(Ordering::Relaxed),
        }
    }

    /// Attempts and clean-ups that are open now.
    #[must_use]
    pub fn open_work(&self) -> usize {
        self.shared.open.count()
    }

    /// Waits until nothing is open, at most `most`.
    pub async fn drained(&self, most: Duration) -> bool {
        self.shared.open.drained(most).await
    }

    /// Takes no new calls, and waits at most `drain` for what is open. What is left is returned.
    pub async fn close(&self, drain: Duration) -> Vec<Pending> {
        self.shared.closed.store(true, Ordering::Release);
        self.drained(drain).await;
        self.pending().await
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.shared.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a call that shares with nobody.
    async fn alone<W, F>(
        &self,
        operation: &'static str,
        mut call: Call,
        cancel: Cancel,
        work: W,
    ) -> Result<String, CalendarError>
    where
        W: FnOnce(Call, Arc<dyn Credentials>, Deadline, Arc<Exposure>) -> F + Send + 'static,
        F: Future<Output = Result<String, CalendarError>> + Send + 'static,
    {
        let seated = self.seat(operation, &mut call, &cancel).await?;
        let leaving = Leaving { operation, deadline: seated.deadline.clone(), cancel };
        let open = self.shared.open.begin();
        let credentials = Arc::clone(&seated.credentials);
        let start = move |start: flight::Start<String>| {
            tokio::spawn(async move {
                let answer = work(call, credentials, start.deadline.clone(), Arc::clone(&start.exposure)).await;
                start.settle(answer);
                drop(open);
            });
        };
        self.shared.others.fly(None, leaving, start).await
    }

    /// Counts how a call ended and completes its error.
    async fn counted(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<(String, Ending), CalendarError>>,
    ) -> Result<String, CalendarError> {
        let started = self.shared.clock.now();
        let result = work.await;
        let took = self.shared.clock.now() - started;
        match result {
            Ok((text, ending)) => {
                self.shared.metrics.count(operation, ending, took);
                Ok(text)
            }
            Err(mut error) => {
                let ending = Ending { failed: Some(error.code), ..Ending::default() };
                self.shared.metrics.count(operation, ending, took);
                error.operation = Some(operation);
                error.elapsed_ms = crate::clock::millis(took);
                Err(error)
            }
        }
    }
}

fn counting(listener: Listener, settled: Arc<std::sync::atomic::AtomicU64>) -> Listener {
    Arc::new(move |notice| {
        if matches!(notice, Notice::Settled { .. }) {
            settled.fetch_add(1, Ordering::Relaxed);
        }
        listener(notice);
    })
}

fn scope_of(call: &Call, operation: &'static str, credentials: &Arc<dyn Credentials>, deadline: Deadline) -> Scope {
    let user = call.target.user.clone();
    Scope::new(user, operation, Arc::clone(credentials), deadline, call.attempt_timeout, call.max_retries)
}

fn create_request(call: &Call, data: EventData, key: Option<String>) -> CreateRequest {
    CreateRequest {
        target: call.target.clone(),
        data: Arc::new(data),
        key,
        params: call.params,
        verification: call.verification,
        on_deleted: call.on_deleted,
        max_retries: call.max_retries,
    }
}

/// The texts of a schedule's events.
fn schedule(text: &str) -> Result<Vec<&RawValue>, CalendarError> {
    let what = format!("must be an array of 1 to {SCHEDULE_AT_MOST} events");
    let fits = |events: &Vec<&RawValue>| (1..=SCHEDULE_AT_MOST).contains(&events.len());
    let events = if text.len() > SCHEDULE_BYTES { None } else { serde_json::from_str(text).ok() };
    events.filter(fits).ok_or_else(|| CalendarError::validation("eventsData", &what))
}

/// `eventData.start` of the third event is `eventsData[2].start`.
fn at_index(mut error: CalendarError, index: usize) -> CalendarError {
    let name = format!("eventsData[{index}]");
    error.message = error.message.replacen("eventData", &name, 1);
    error.field = error.field.map(|field| field.replacen("eventData", &name, 1));
    error
}

/// The work's own deadline ends with the call's.
async fn cancel_with(call: Deadline, work: Deadline) {
    tokio::select! {
        () = call.cancelled() => work.cancel(),
        () = tokio::time::sleep_until(work.end()) => {}
    }
}

/// A JSON value's text; for the binding.
#[must_use]
pub fn to_text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| Value::Null.to_string())
}
