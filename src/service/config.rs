//! Plain data: every setting, its default and its bounds, in one place.

use std::time::Duration;

use super::network;
use super::reader::Reader;
use crate::google::transport::Network;
use crate::google::transport::check_address;
use crate::google::{OauthClient, QuotaUser};
use crate::model::CalendarError;
use crate::model::instant::known_zone;
use crate::policy::{Backoff, Limits};
use crate::store::Synchronous;

/// What to do with an option whose name is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownOptions {
    /// Refuse the call.
    Refuse,
    /// Log a warning and go on.
    Warn,
}

/// What an enrollment does with an event whose attendee could not be added in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// The enrollment fails.
    Fail,
    /// It goes on without this event, and says so.
    Skip,
}

/// Where claims and journal live.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreChoice {
    /// This process's memory.
    Memory,
    /// A file on this machine.
    Sqlite {
        /// Where.
        path: String,
        /// When a write counts as done.
        synchronous: Synchronous,
    },
    /// A Redis server. `Debug` is not implemented: the URL can hold a password.
    Redis {
        /// `redis://` or `rediss://`.
        url: String,
        /// What all keys begin with.
        prefix: String,
    },
    /// An object of the program's own.
    Host,
}

/// A service's configuration. `Debug` is not implemented: it holds client credentials.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, and any combination can be meant")]
pub struct Config {
    /// Google's address, or an emulator's.
    pub root_url: String,
    /// A whole call.
    pub timeout: Duration,
    /// One HTTP exchange; `None`: 0.4 of the call.
    pub attempt_timeout: Option<Duration>,
    /// Connecting.
    pub connect_timeout: Duration,
    /// Proxy, extra authorities, and what is added to our user agent.
    pub network: Network,
    /// Whom Google counts a request against when a service account acts for many users.
    pub quota_user: QuotaUser,
    /// The zone of a time without offset or zone.
    pub time_zone: Option<String>,
    /// Repeats and their delays.
    pub backoff: Backoff,
    /// Whether writes are read back.
    pub verify: bool,
    /// How long an acknowledged write may stay invisible.
    pub window: Duration,
    /// Whether a difference is repaired once.
    pub repair: bool,
    /// Where claims and journal live.
    pub store: StoreChoice,
    /// Whether the Express middleware keeps answers; only the facade reads it.
    pub idempotency: bool,
    /// How long a stored answer is given again.
    pub idempotency_ttl: Duration,
    /// How long a silent owner keeps a journal entry.
    pub lease: Duration,
    /// Whether crash left-overs are worked off without being asked.
    pub recover_by_itself: bool,
    /// A whole change of one attendee.
    pub attendee_timeout: Duration,
    /// What an enrollment does with an event whose change timed out.
    pub on_attendee_timeout: OnTimeout,
    /// Requests per minute.
    pub limits: Limits,
    /// Calls at work at once.
    pub max_in_flight: u32,
    /// Google's token endpoint, or an emulator's.
    pub token_url: String,
    /// The app's OAuth client.
    pub client: Option<OauthClient>,
    /// Whether the program keeps its users' tokens: reads them, saves them.
    pub token_store: (bool, bool),
    /// An access token that lives shorter than this is renewed before an operation begins.
    pub min_validity: Duration,
    /// Whether `requireGoogleAuth` refuses requests of users without a working token; only the facade reads it.
    pub throw_on_failure: bool,
    /// Options with unknown names.
    pub unknown_options: UnknownOptions,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root_url: "https://www.googleapis.com".to_owned(),
            timeout: Duration::from_secs(10),
            attempt_timeout: None,
            connect_timeout: Duration::from_secs(2),
            network: Network::default(),
            quota_user: QuotaUser::Unsaid,
            time_zone: None,
            backoff: Backoff::default(),
            verify: true,
            window: Duration::from_secs(3),
            repair: true,
            store: StoreChoice::Memory,
            idempotency: true,
            idempotency_ttl: Duration::from_hours(1),
            lease: Duration::from_secs(30),
            recover_by_itself: true,
            attendee_timeout: Duration::from_secs(5),
            on_attendee_timeout: OnTimeout::Fail,
            limits: Limits::default(),
            max_in_flight: 256,
            token_url: "https://oauth2.googleapis.com/token".to_owned(),
            client: None,
            token_store: (false, false),
            min_validity: Duration::from_mins(10),
            throw_on_failure: true,
            unknown_options: UnknownOptions::Refuse,
        }
    }
}

/// What `configure` may not change while calls run.
const FIXED: &[&str] = &[
    "rootUrl",
    "tokenUrl",
    "clientId",
    "clientSecret",
    "redirectUri",
    "store",
    "leaseMs",
    "connectTimeoutMs",
    "proxy",
    "ca",
    "userAgent",
    "quotaUser",
];

impl Config {
    /// Reads a configuration; keys that are absent have their default.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let mut config = Self::default();
        config.read(Reader::config(text)?)?;
        Ok(config)
    }

    /// This configuration with the given keys changed.
    pub fn changed(&self, text: &str) -> Result<Self, CalendarError> {
        let reader = Reader::config(text)?;
        if let Some(key) = FIXED.iter().find(|key| reader.has(key)) {
            return Err(reader.fault(key, "cannot be changed while the service runs: make a new CalendarService"));
        }
        let mut config = self.clone();
        config.read(reader)?;
        Ok(config)
    }

    fn read(&mut self, mut top: Reader) -> Result<(), CalendarError> {
        for key in ["rootUrl", "tokenUrl"] {
            let Some(url) = top.string(key)? else { continue };
            // Tokens and secrets go there.
            check_address(&url).map_err(|what| top.fault(key, what))?;
            *(if key == "rootUrl" { &mut self.root_url } else { &mut self.token_url }) = url;
        }
        network::read(&mut self.network, &mut top)?;
        set(&mut self.quota_user, network::read_quota_user(&mut top)?);
        top.string("redirectUri")?;
        match (top.string("clientId")?, top.string("clientSecret")?) {
            (Some(id), Some(secret)) => self.client = Some(OauthClient::new(id, secret)),
            (None, None) => {}
            (Some(_), None) => return Err(top.fault("clientSecret", "must be given along with clientId")),
            (None, Some(_)) => return Err(top.fault("clientId", "must be given along with clientSecret")),
        }
        for callback in ["resolveCalendar", "resolveCalendarForEvent", "onOperation"] {
            top.function(callback)?;
        }
        if top.has("tokenStore") {
            let mut token_store = top.object("tokenStore")?;
            self.token_store = (token_store.function("load")?, token_store.function("save")?);
            token_store.finish()?;
        }
        let mut tokens = top.object("tokens")?;
        set(&mut self.min_validity, tokens.millis("minValidityMs", 0.0)?);
        set(&mut self.throw_on_failure, tokens.bool("throwOnFailure")?);
        tokens.finish()?;
        let mut logger = top.object("logger")?;
        for level in ["debug", "info", "warn", "error"] {
            logger.function(level)?;
        }

        set(&mut self.timeout, top.millis("timeoutMs", 1.0)?);
        self.attempt_timeout = top.millis("attemptTimeoutMs", 1.0)?.or(self.attempt_timeout);
        set(&mut self.connect_timeout, top.millis("connectTimeoutMs", 1.0)?);
        if let Some(zone) = top.string("timeZone")? {
            if !known_zone(&zone) {
                return Err(top.fault("timeZone", "must be an IANA time zone such as 'Europe/Berlin'"));
            }
            self.time_zone = Some(zone);
        }

        let mut retry = top.object("retry")?;
        read_backoff(&mut self.backoff, &mut retry)?;
        retry.finish()?;

        let mut verification = top.object("verification")?;
        set(&mut self.verify, verification.bool("enabled")?);
        set(&mut self.window, verification.millis("windowMs", 0.0)?);
        set(&mut self.repair, verification.bool("repair")?);
        verification.finish()?;

        top.functions("undo")?;

        set(&mut self.store, read_store(&mut top)?);
        let mut idempotency = top.object("idempotency")?;
        set(&mut self.idempotency, idempotency.bool("enabled")?);
        set(&mut self.idempotency_ttl, idempotency.millis("ttlMs", 0.0)?);
        idempotency.finish()?;
        set(&mut self.lease, top.millis("leaseMs", 1000.0)?);
        set(&mut self.recover_by_itself, top.word("recovery", &[("auto", true), ("manual", false)])?);

        let mut attendees = top.object("attendees")?;
        set(&mut self.attendee_timeout, attendees.millis("timeoutMs", 1.0)?);
        let words = [("fail", OnTimeout::Fail), ("skip", OnTimeout::Skip)];
        set(&mut self.on_attendee_timeout, attendees.word("onTimeout", &words)?);
        attendees.finish()?;

        let mut limits = top.object("limits")?;
        set(&mut self.limits.per_user_per_minute, limits.whole("perUserPerMinute", 1, 1_000_000)?);
        set(&mut self.limits.per_project_per_minute, limits.whole("perProjectPerMinute", 1, 10_000_000)?);
        set(&mut self.max_in_flight, limits.whole("maxInFlight", 1, 100_000)?);
        limits.finish()?;

        let unknown = [("refuse", UnknownOptions::Refuse), ("warn", UnknownOptions::Warn)];
        set(&mut self.unknown_options, top.word("unknownOptions", &unknown)?);
        if self.unknown_options == UnknownOptions::Refuse { top.finish() } else { Ok(()) }
    }

    /// This configuration as the change of one attendee goes by it.
    #[must_use]
    pub fn for_attendees(&self) -> Self {
        Self { timeout: self.attendee_timeout, ..self.clone() }
    }

    /// One exchange of a call that lasts `timeout`.
    #[must_use]
    pub fn attempt_timeout_of(&self, timeout: Duration) -> Duration {
        self.attempt_timeout.unwrap_or_else(|| timeout.mul_f64(0.4)).min(timeout)
    }
}

/// The `retry` object.
pub(super) fn read_backoff(backoff: &mut Backoff, retry: &mut Reader) -> Result<(), CalendarError> {
    set(&mut backoff.max_retries, retry.whole("maxRetries", 0, 100)?);
    set(&mut backoff.base, retry.millis("baseDelayMs", 1.0)?);
    set(&mut backoff.multiplier, retry.number("backoffMultiplier", 1.0, 10.0)?);
    set(&mut backoff.max, retry.millis("maxDelayMs", 1.0)?);
    Ok(())
}

/// `'memory'`, `{ sqlite, synchronous? }`, `{ redis, prefix? }`, or `{ custom: true }` for an object of the program's.
fn read_store(top: &mut Reader) -> Result<Option<StoreChoice>, CalendarError> {
    const WRONG: &str =
        "must be 'memory', { sqlite: path }, { redis: url } or an object with get, put, delete and open";
    if !top.holds_object("store") {
        return Ok(top.word("store", &[("memory", ())])?.map(|()| StoreChoice::Memory));
    }
    let mut store = top.object("store")?;
    let levels = [("normal", Synchronous::Normal), ("full", Synchronous::Full)];
    let choice = match (store.string("sqlite")?, store.string("redis")?, store.bool("custom")?) {
        (Some(path), None, None) if !path.is_empty() && !path.starts_with(':') => {
            let synchronous = store.word("synchronous", &levels)?.unwrap_or_default();
            StoreChoice::Sqlite { path, synchronous }
        }
        (Some(_), None, None) => return Err(store.fault("sqlite", "must be the path of a file")),
        (None, Some(url), None) => StoreChoice::Redis { url, prefix: store.string("prefix")?.unwrap_or_default() },
        (None, None, Some(true)) => StoreChoice::Host,
        _ => return Err(top.fault("store", WRONG)),
    };
    store.finish()?;
    Ok(Some(choice))
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
