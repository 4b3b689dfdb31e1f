//! What a Rust user holds: a service over one configuration. The Node binding is one such user.
//!
//! Arguments and results are JSON text, as they cross to JS: an event is parsed once on each side.

mod admission;
mod answer;
mod app_steps;
mod attendees;
mod background;
mod call;
mod cancel;
mod claims;
pub mod config;
mod creating;
mod enrolling;
mod events;
mod flight;
mod health;
pub mod host;
mod host_store;
mod metrics;
mod network;
mod notice;
mod open_store;
mod open_work;
mod own_retry;
mod reader;
mod recovery;
mod refreshing;
mod seats;
mod tokens;
mod transacting;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::background::Background;
use self::config::StoreChoice;
use self::flight::Flights;
use self::host::Host;
use self::metrics::{Elsewhere, Ending, Metrics};
use self::open_store::open_store;
use self::open_work::OpenWork;
use self::recovery::Recovery;
use self::seats::Seats;
use self::tokens::{Keyring, TokenTally};
use crate::clock::Clock;
use crate::google::{
    Allotter, Calendar, HttpTokenEndpoint, HttpTransport, OauthClient, Sender, SenderConfig, TokenEndpoint, Transport,
    TransportConfig,
};
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::attendees::Lanes;
use crate::operation::create::{Created, OnDeleted};
use crate::operation::transaction::Transactions;
use crate::operation::{Context, WriteParams};
use crate::store::{Allotments, AttendeeRecords, IdempotencyClaims, Journal, RefreshLeases, Store};

pub use self::background::Pending;
pub use self::cancel::Cancel;
pub use self::config::Config;
pub use self::health::{Health, Status};
pub use self::host_store::HostStore;
pub use self::metrics::{MetricsSnapshot, OperationCount, Part, Success};
pub use self::notice::{Level, Listener, Notice};
pub use self::own_retry::{OwnVerdict, own_verdict};
pub use self::tokens::{Grants, TokenCount};

/// What a store may take to tidy up when a service closes.
const TIDYING_AT_MOST: Duration = Duration::from_secs(1);

/// A service. Clones share everything.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    config: RwLock<Arc<Config>>,
    cx: Context,
    store: Arc<dyn Store>,
    creates: Flights<Alike, (Arc<Created>, u32)>,
    others: Flights<(), (String, Ending)>,
    background: Background,
    open: OpenWork,
    recovery: Arc<Recovery>,
    seats: Seats,
    closing: AtomicBool,
    closed: AtomicBool,
    metrics: Metrics,
    settled: Arc<std::sync::atomic::AtomicU64>,
    keyring: Arc<Keyring>,
    desk: claims::Desk,
    transactions: Transactions,
    at_work: transacting::AtWork,
    listener: Listener,
}

/// What calls that share an attempt have in common.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Alike {
    user: String,
    key: String,
    print: String,
    params: WriteParams,
    verified: bool,
    on_deleted: OnDeleted,
}

/// What a service is built on; everything but the transport has a default.
pub struct Foundation {
    /// What carries requests; `None`: HTTP to `rootUrl`.
    pub transport: Option<Arc<dyn Transport>>,
    /// Where claims and journal live; `None`: where the configuration says.
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

impl Foundation {
    /// The defaults: HTTP, this process's memory, nobody who listens or keeps tokens.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            transport: None,
            store: None,
            clock,
            listener: Arc::new(|_| {}),
            host: None,
            endpoint: None,
            grants: Grants::of_process(),
        }
    }
}

impl Service {
    /// A service from its configuration's JSON text.
    pub fn new(config: &str, foundation: Foundation) -> Result<Self, CalendarError> {
        let config = Config::parse(config)?;
        let transport = match foundation.transport {
            Some(transport) => transport,
            None => Arc::new(HttpTransport::new(&TransportConfig {
                connect_timeout: config.connect_timeout,
                network: config.network.clone(),
                ..TransportConfig::new(config.root_url.as_str())
            })?),
        };
        let clock = foundation.clock;
        let host = foundation.host.unwrap_or_else(host::none);
        let shared = foundation.store.is_some() || config.store != StoreChoice::Memory;
        let store = match foundation.store {
            Some(store) => store,
            None => open_store(&config.store, &clock, &host, &config.network.trust)?,
        };
        let claims = IdempotencyClaims::new(Arc::clone(&store), clock.clone(), rand::random::<u128>);
        let leases = shared.then(|| RefreshLeases::new(Arc::clone(&store), clock.clone(), rand::random::<u128>));
        let sender = Sender::new(SenderConfig {
            backoff: config.backoff,
            limits: config.limits,
            quota_user: config.quota_user.clone(),
            shared: shares_limits(&config).then(|| {
                let allotments = Allotments::new(Arc::clone(&store), clock.clone(), rand::random::<u128>);
                (Arc::new(allotments) as Arc<dyn Allotter>, project_of(&config))
            }),
            ..SenderConfig::new(transport, clock.clone())
        });
        let cx = Context {
            calendar: Calendar::new(Arc::new(sender)),
            journal: Journal::new(Arc::clone(&store), clock.clone(), config.lease, rand::random::<u128>),
            clock: clock.clone(),
            prevented: Arc::default(),
        };
        let settled = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let listener = counting(foundation.listener, Arc::clone(&settled));
        let open = OpenWork::default();
        let endpoint = match foundation.endpoint {
            Some(endpoint) => endpoint,
            None => Arc::new(HttpTokenEndpoint::new(&config.token_url, config.connect_timeout, &config.network)?),
        };
        let keyring = Arc::new(Keyring {
            clock: clock.clone(),
            endpoint,
            client: config.client.clone(),
            host,
            loads: config.token_store.0,
            saves: config.token_store.1,
            grants: foundation.grants,
            leases,
            listener: Arc::clone(&listener),
            open: open.clone(),
            fresh: dashmap::DashMap::new(),
            tally: TokenTally::default(),
        });
        let transactions = Transactions {
            records: AttendeeRecords::beside(&cx.journal),
            lanes: Lanes::new(cx.clone()),
            app: app_steps::asked_of(&keyring.host),
            cx: cx.clone(),
        };
        let background = Background::new(transactions.clone(), Arc::clone(&listener), open.clone());
        let shared = Shared {
            recovery: Arc::new(Recovery::new(
                cx.clone(),
                background.clone(),
                Arc::clone(&keyring),
                config.min_validity,
            )),
            background,
            seats: Seats::new(config.max_in_flight),
            config: RwLock::new(Arc::new(config)),
            creates: Flights::default(),
            others: Flights::default(),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            metrics: Metrics::new(&clock),
            clock,
            cx,
            store,
            open,
            settled,
            keyring,
            desk: claims::Desk::new(claims),
            transactions,
            at_work: transacting::AtWork::default(),
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
        self.shared.seats.resize(changed.max_in_flight);
        *config = Arc::new(changed);
        drop(config);
        Ok(())
    }

    /// Looks for what crashed processes left in a store that outlives them, now and every `leaseMs` while this service
    /// lives, unless the configuration says otherwise. To be called within a runtime; once is enough.
    pub fn watch_for_left_overs(&self) {
        let config = self.config();
        if config.recover_by_itself && config.store != StoreChoice::Memory {
            Recovery::start(&self.shared.recovery, config.lease);
        }
    }

    /// What is not cleaned up yet, oldest first: here, and in the store by processes that are gone or elsewhere.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`.
    pub async fn pending(&self) -> Result<Vec<Pending>, CalendarError> {
        let mut pending = self.shared.background.pending().await;
        pending.extend(self.shared.recovery.pending().await?);
        pending.sort_by_key(|entry| entry.since);
        Ok(pending)
    }

    /// Makes one round with everything that is open, now: also with what other processes left, with the tokens that the
    /// program keeps or that a call of that user has brought. Tells what is still open after it.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`.
    pub async fn recover(&self) -> Result<Vec<Pending>, CalendarError> {
        self.shared.recovery.sweep().await;
        self.shared.background.recover().await;
        self.pending().await
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        let shared = &self.shared;
        shared.metrics.snapshot(Elsewhere {
            prevented: shared.cx.prevented.snapshot(),
            shared: shared.creates.shared(),
            tokens: shared.keyring.tally.count(),
            google: shared.cx.calendar.sender.tally().snapshot(),
            in_flight: shared.seats.taken(),
            open_work: self.open_work(),
            open_clean_ups: shared.background.count() as u64,
            settled: shared.settled.load(Ordering::Relaxed),
        })
    }

    /// Counts what ended in the facade: a call refused before it came here, or a transaction. `ended`: whether it was
    /// verified, or the error's code and outcome.
    pub fn ended_outside(&self, operation: &str, ended: Result<bool, (&str, &str)>, took: Duration) {
        let known = |(code, outcome): (&str, &str)| {
            let code = Code::ALL.iter().copied().find(|known| known.name() == code).unwrap_or(Code::Internal);
            let outcomes = [Outcome::NotSent, Outcome::Rejected, Outcome::Unknown, Outcome::Applied];
            let outcome = outcomes.into_iter().find(|known| known.name() == outcome).unwrap_or(Outcome::NotSent);
            (code, outcome)
        };
        let (verified, failed) = (ended.unwrap_or_default(), ended.err().map(known));
        let ending = Ending { verified, failed, ..Ending::default() };
        self.shared.metrics.count(operation, ending, took);
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

    /// Is about to be closed: it is not ready any more, and takes up nothing that others left. Calls are still let in, for
    /// the facade has calls on their way here that were begun before.
    pub fn closing(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.recovery.stop();
    }

    /// Takes no new calls, and waits at most `drain` for what is open. What is left is returned.
    pub async fn close(&self, drain: Duration) -> Vec<Pending> {
        self.closing();
        self.shared.closed.store(true, Ordering::Release);
        self.drained(drain).await;
        // A store that does not answer must not hold up the end: what is known here is told.
        let pending = match self.pending().await {
            Ok(pending) => pending,
            Err(_) => self.shared.background.pending().await,
        };
        let _ = tokio::time::timeout(TIDYING_AT_MOST, self.shared.store.tidy()).await;
        pending
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.shared.config.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Limits are Google's for a whole project: machines that share a Redis share them. What a store of the program's own costs
/// is not known, so it is not asked for each block.
fn shares_limits(config: &Config) -> bool {
    matches!(config.store, StoreChoice::Redis { .. })
}

/// What the store calls the project. Several may share a Redis; an OAuth client belongs to one.
fn project_of(config: &Config) -> String {
    let client = config.client.as_ref().map(OauthClient::id).unwrap_or_default();
    HEXLOWER.encode(&Sha256::digest(client.as_bytes()))
}

fn counting(listener: Listener, settled: Arc<std::sync::atomic::AtomicU64>) -> Listener {
    Arc::new(move |notice| {
        if matches!(notice, Notice::Settled { .. }) {
            settled.fetch_add(1, Ordering::Relaxed);
        }
        listener(notice);
    })
}

/// A JSON value's text; for the binding.
#[must_use]
pub fn to_text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| Value::Null.to_string())
}
