//! The journal: what every attempt intends, and what became of it, so that whatever a call leaves behind is known.
//!
//! One entry per attempt, under its claim. An entry is written before anything is sent, carries a lease, and its result
//! is one compare-and-set. No token and no event text is ever in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::{Expected, Keep, Put, Record, Store, StoreFault, Version, Written};
use crate::clock::Clock;
use crate::model::ids::store_key;
use crate::model::{CalendarError, Claim, Claims, Code, Outcome};

/// How long a settled entry and an intent stay: longer than any put can be late, and long enough for the retries of a
/// client that keeps its idempotency key for a day.
const RETENTION: Duration = Duration::from_hours(25);
/// The same for an attempt whose key was made for it alone: nobody else can ask for it again.
const RETENTION_KEYLESS: Duration = Duration::from_hours(1);
/// What one attempt to reach the store may take before it is asked again.
const STORE_PATIENCE: Duration = Duration::from_secs(1);

/// What became of what an attempt wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Disposal {
    /// Nothing was ever sent that could be in the calendar.
    Nothing,
    /// Proved gone: the id is a tombstone.
    Deleted,
    /// Left in the calendar: others rely on it, or it is not ours any more.
    Kept,
}

/// An attempt's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum State {
    /// The call goes on, or its process died.
    Running,
    /// The call failed; what it may have left is being cleaned up.
    Failed,
    /// The caller was, or will be, told success. Final.
    Succeeded {
        /// Whether the event was read back and compared.
        verified: bool,
    },
    /// Failed and cleaned up.
    Settled {
        /// What became of it.
        disposal: Disposal,
    },
}

/// One attempt, as the store keeps it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The method, as JS names it.
    pub operation: String,
    /// Whose calendar.
    pub user: String,
    /// Which; `primary` means that user's.
    pub calendar: String,
    /// The event's derived id in this generation.
    pub event_id: String,
    /// How many tombstones came before.
    pub generation: u32,
    /// The claim this attempt stamps on the event; its entry's name.
    pub claim: Claim,
    /// The request's fingerprint.
    pub print: String,
    /// Where it stands.
    pub state: State,
    /// The entry whose result is this one's too: all of a schedule succeed, or none.
    pub group: Option<String>,
    /// Whether guests may have been mailed, so that a clean-up must mail them too.
    pub guests: bool,
    /// Whether the key was made for this attempt alone.
    pub keyless: bool,
    /// Unix ms until which nobody else may take the entry over.
    pub lease_until: u64,
    /// Unix ms of the intent.
    pub since: u64,
}

/// What the first call with a key fixed for all its retries.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// The calendar.
    pub calendar: String,
    /// The generation known to be the newest.
    pub generation: u32,
}

/// What the journal knows of a claim listed on an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Told success.
    Succeeded {
        /// Whether it was read back.
        verified: bool,
    },
    /// Not decided yet.
    Running,
    /// Told failure.
    Failed,
    /// Nothing known: the memory store of another process, or long ago.
    Unknown,
}

/// What an entry that this process lost hold of turns out to be.
pub enum Resumed {
    /// It is closed; `None`: another process goes on with it, or it is forgotten.
    Decided(Option<Disposal>),
    /// This process holds it again, as failed.
    Held(Arc<Held>),
    /// Its lease still runs: ask again later.
    Busy,
}

/// What became of a change to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Durable.
    Applied,
    /// Somebody else has taken the entry over.
    Refused,
    /// The store did not say before the time was over; it may be applied later.
    Unknown,
}

/// The journal on one store.
#[derive(Clone)]
pub struct Journal {
    store: Arc<dyn Store>,
    clock: Clock,
    lease: Duration,
    random: fn() -> u128,
}

impl Journal {
    /// A journal whose entries are leased for `lease` (1 s and up); `random` gives 128 random bits.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock, lease: Duration, random: fn() -> u128) -> Self {
        Self { store, clock, lease, random }
    }

    /// A new random claim.
    #[must_use]
    pub fn claim(&self) -> Claim {
        #[expect(clippy::cast_possible_truncation, reason = "a claim takes its 60 bits from the low end")]
        Claim::from_bits((self.random)() as u64)
    }

    /// A random key for a call that brought none.
    #[must_use]
    pub fn random_key(&self) -> String {
        format!("{:032x}", (self.random)())
    }

    /// The intent of (user, key): the first call's calendar stands for all.
    pub async fn intent(&self, user: &str, key: &str, calendar: &str, left: Duration) -> Result<Intent, CalendarError> {
        let name = store_key("intent", &[user, key]);
        let first = Intent { calendar: calendar.to_owned(), generation: 0 };
        let value = to_text(&first)?;
        let keep = Keep::For(RETENTION);
        match self.put_known(&name, value, Expected::Absent, keep, left).await {
            (Change::Applied, _) => Ok(first),
            (Change::Refused, _) => {
                let there = self.get(&name, left).await?;
                there.and_then(|record| serde_json::from_str(&record.value).ok()).map_or(Ok(first), Ok)
            }
            (Change::Unknown, _) => Err(unavailable()),
        }
    }

    /// Notes a newer generation for later calls. Best effort: without it they find the tombstones one by one.
    pub async fn advance(&self, user: &str, key: &str, generation: u32, left: Duration) {
        let name = store_key("intent", &[user, key]);
        if let Ok(Some(record)) = self.get(&name, left).await
            && let Ok(mut intent) = serde_json::from_str::<Intent>(&record.value)
            && intent.generation < generation
        {
            intent.generation = generation;
            if let Ok(value) = to_text(&intent) {
                let expected = Expected::Version(record.version);
                let _ = self.put_known(&name, value, expected, Keep::For(RETENTION), left).await;
            }
        }
    }

    /// Writes an attempt's intent; on success it is durable and leased to this process.
    pub async fn begin(&self, mut entry: Entry, left: Duration) -> Result<Arc<Held>, CalendarError> {
        let now = self.clock.wall_ms();
        entry.since = now;
        entry.lease_until = now.saturating_add(millis(self.lease));
        let name = entry_name(entry.claim.as_str());
        let value = to_text(&entry)?;
        match self.put_known(&name, value, Expected::Absent, Keep::Open, left).await {
            (Change::Applied, version) => Ok(Held::keep(self.clone(), name, entry, version)),
            (Change::Refused | Change::Unknown, _) => Err(unavailable()),
        }
    }

    /// Takes an entry over whose lease has run out. `None`: somebody else was quicker, or its owner lives.
    pub async fn take_over(&self, name: &str, record: &Record, left: Duration) -> Option<Arc<Held>> {
        let mut entry: Entry = serde_json::from_str(&record.value).ok()?;
        let now = self.clock.wall_ms();
        if entry.lease_until > now {
            return None;
        }
        if let (State::Running, Some(group)) = (entry.state, &entry.group) {
            // Its schedule must have failed before one of its events may.
            self.fail_group(group, left).await?;
        }
        entry.lease_until = now.saturating_add(millis(self.lease));
        entry.state = State::Failed;
        let expected = Expected::Version(record.version.clone());
        match self.put_known(name, to_text(&entry).ok()?, expected, Keep::Open, left).await {
            (Change::Applied, version) => Some(Held::keep(self.clone(), name.to_owned(), entry, version)),
            _ => None,
        }
    }

    /// Makes sure that a group is failed; `None`: it may still succeed, or has.
    async fn fail_group(&self, name: &str, left: Duration) -> Option<()> {
        let record = self.get(name, left).await.ok()??;
        let mut entry: Entry = serde_json::from_str(&record.value).ok()?;
        match entry.state {
            State::Succeeded { .. } => None,
            State::Failed | State::Settled { .. } => Some(()),
            State::Running if entry.lease_until > self.clock.wall_ms() => None,
            State::Running => {
                entry.state = State::Failed;
                let expected = Expected::Version(record.version);
                let value = to_text(&entry).ok()?;
                let (change, _) = self.put_known(name, value, expected, Keep::For(RETENTION), left).await;
                (change == Change::Applied).then_some(())
            }
        }
    }

    /// Learns what became of an entry whose last write was of unknown fate, and takes it over when it is still open.
    pub async fn resume(&self, name: &str, left: Duration) -> Result<Resumed, CalendarError> {
        let Some(record) = self.get(name, left).await? else { return Ok(Resumed::Decided(None)) };
        let Ok(entry) = serde_json::from_str::<Entry>(&record.value) else { return Ok(Resumed::Decided(None)) };
        if let State::Settled { disposal } = entry.state {
            return Ok(Resumed::Decided(Some(disposal)));
        }
        Ok(match self.standing(&entry, left).await {
            Fate::Succeeded { .. } => Resumed::Decided(Some(Disposal::Kept)),
            _ if entry.lease_until > self.clock.wall_ms() => Resumed::Busy,
            _ => self.take_over(name, &record, left).await.map_or(Resumed::Busy, Resumed::Held),
        })
    }

    /// Every unfinished entry, with its name and record.
    pub async fn open(&self, left: Duration) -> Result<Vec<(String, Record, Entry)>, CalendarError> {
        let records = within(left, self.store.open(ENTRY_PREFIX)).await.map_err(|_| unavailable())?;
        let parse = |(name, record): (String, Record)| {
            serde_json::from_str(&record.value).ok().map(|entry| (name, record, entry))
        };
        Ok(records.into_iter().filter_map(parse).collect())
    }

    /// What became of the claims on the event `event_id`. A store that does not answer knows nothing.
    pub async fn fates(&self, claims: &Claims, event_id: &str, left: Duration) -> Vec<(Claim, Fate)> {
        let mut fates = Vec::new();
        for claim in claims.iter() {
            fates.push((claim.clone(), self.fate(claim, event_id, left).await));
        }
        fates
    }

    async fn fate(&self, claim: &Claim, event_id: &str, left: Duration) -> Fate {
        let Some(entry) = self.entry(&entry_name(claim.as_str()), left).await else { return Fate::Unknown };
        if entry.event_id != event_id {
            // It went on to another generation: on this event it stands for nothing.
            return Fate::Failed;
        }
        self.standing(&entry, left).await
    }

    /// What an entry says of itself, or its group for it.
    async fn standing(&self, entry: &Entry, left: Duration) -> Fate {
        let group = match (entry.state, &entry.group) {
            (State::Running, Some(group)) => self.entry(group, left).await.map(|entry| entry.state),
            (state, _) => Some(state),
        };
        match group {
            Some(State::Succeeded { verified }) => Fate::Succeeded { verified },
            Some(State::Running) => Fate::Running,
            Some(State::Failed | State::Settled { .. }) => Fate::Failed,
            None => Fate::Unknown,
        }
    }

    async fn entry(&self, name: &str, left: Duration) -> Option<Entry> {
        let record = self.get(name, left).await.ok()??;
        serde_json::from_str(&record.value).ok()
    }

    async fn get(&self, name: &str, left: Duration) -> Result<Option<Record>, CalendarError> {
        within(left, self.store.get(name)).await.map_err(|_| unavailable())
    }

    /// A put whose fate is known, as far as `left` allows: after a fault the nonce is looked for, and the same put is
    /// sent again, which can do no harm, since whichever of the two lands second is refused.
    async fn put_known(
        &self,
        key: &str,
        value: String,
        expected: Expected,
        keep: Keep,
        left: Duration,
    ) -> (Change, Version) {
        let version = Version::from_bits((self.random)());
        let put = Put { key: key.to_owned(), value, expected, version: version.clone(), keep };
        let mut gap = Duration::from_millis(20);
        let ends = self.clock.now() + left;
        loop {
            let left = ends.saturating_duration_since(self.clock.now());
            match within(left.min(STORE_PATIENCE), self.store.put(put.clone())).await {
                Ok(Written::Applied) => return (Change::Applied, version),
                Ok(Written::Refused) | Err(_) => {}
            }
            let left = ends.saturating_duration_since(self.clock.now());
            match within(left.min(STORE_PATIENCE), self.store.get(key)).await {
                Ok(Some(record)) if record.version == version => return (Change::Applied, version),
                Ok(there) if !expectation_holds(&put.expected, there.as_ref()) => return (Change::Refused, version),
                Ok(_) | Err(_) => {}
            }
            if ends.saturating_duration_since(self.clock.now()) <= gap {
                return (Change::Unknown, version);
            }
            sleep(gap).await;
            gap = (gap * 2).min(Duration::from_secs(1));
        }
    }
}

/// An entry this process holds the lease of. The lease is renewed in the background until the entry is settled or this
/// is dropped.
pub struct Held {
    journal: Journal,
    name: String,
    inner: Mutex<(Entry, Version)>,
    lease_until: AtomicU64,
    lost: AtomicBool,
    /// No more writes: the result is in.
    finished: AtomicBool,
}

impl Held {
    fn keep(journal: Journal, name: String, entry: Entry, version: Version) -> Arc<Self> {
        let lease_until = AtomicU64::new(entry.lease_until);
        let lease = journal.lease;
        let held = Arc::new(Self {
            journal,
            name,
            inner: Mutex::new((entry, version)),
            lease_until,
            lost: AtomicBool::new(false),
            finished: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&held);
        tokio::spawn(async move {
            loop {
                sleep(lease / 3).await;
                let Some(held) = weak.upgrade() else { return };
                if held.finished.load(Ordering::Acquire) || held.lost.load(Ordering::Acquire) {
                    return;
                }
                held.renew().await;
            }
        });
        held
    }

    /// The entry's name in the store.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the lease still holds: asked before every send. An unconfirmed renewal extends nothing.
    #[must_use]
    pub fn alive(&self) -> bool {
        !self.lost.load(Ordering::Acquire) && self.lease_until.load(Ordering::Acquire) > self.journal.clock.wall_ms()
    }

    /// The entry as last known.
    pub async fn entry(&self) -> Entry {
        self.inner.lock().await.0.clone()
    }

    /// Changes the entry by one compare-and-set on the fencing token, and renews the lease with it.
    pub async fn change(&self, left: Duration, edit: impl FnOnce(&mut Entry)) -> Change {
        let mut inner = self.inner.lock().await;
        if !self.alive() || self.finished.load(Ordering::Acquire) {
            return Change::Refused;
        }
        let mut entry = inner.0.clone();
        edit(&mut entry);
        entry.lease_until = self.journal.clock.wall_ms().saturating_add(millis(self.journal.lease));
        let final_state = matches!(entry.state, State::Succeeded { .. } | State::Settled { .. });
        let keep = match (final_state, entry.keyless) {
            (false, _) => Keep::Open,
            (true, false) => Keep::For(RETENTION),
            (true, true) => Keep::For(RETENTION_KEYLESS),
        };
        let Ok(value) = to_text(&entry) else { return Change::Unknown };
        let expected = Expected::Version(inner.1.clone());
        let (change, version) = self.journal.put_known(&self.name, value, expected, keep, left).await;
        match change {
            Change::Applied => {
                self.lease_until.store(entry.lease_until, Ordering::Release);
                self.finished.store(final_state, Ordering::Release);
                *inner = (entry, version);
            }
            // Whether it lands is the store's secret now: nothing more may be sent on this lease.
            Change::Refused | Change::Unknown => self.lost.store(true, Ordering::Release),
        }
        change
    }

    async fn renew(&self) {
        let left = Duration::from_millis(
            self.lease_until.load(Ordering::Acquire).saturating_sub(self.journal.clock.wall_ms()),
        );
        let _ = self.change(left, |_| {}).await;
    }

    /// What the store says of this entry now; for a call that could not learn whether its result was journalled.
    pub async fn recorded(&self, left: Duration) -> Option<State> {
        self.journal.entry(&self.name, left).await.map(|entry| entry.state)
    }
}

const ENTRY_PREFIX: &str = "surecal:1:entry:";

fn entry_name(claim: &str) -> String {
    format!("{ENTRY_PREFIX}{claim}")
}

fn expectation_holds(expected: &Expected, there: Option<&Record>) -> bool {
    match (expected, there) {
        (Expected::Absent, None) => true,
        (Expected::Version(version), Some(record)) => record.version == *version,
        _ => false,
    }
}

async fn within<T>(left: Duration, work: impl Future<Output = Result<T, StoreFault>>) -> Result<T, StoreFault> {
    timeout(left, work).await.unwrap_or(Err(StoreFault { what: "no answer in time" }))
}

fn to_text<T: Serialize>(value: &T) -> Result<String, CalendarError> {
    serde_json::to_string(value)
        .map_err(|_| CalendarError::internal(Outcome::NotSent, "a journal entry could not be written as JSON"))
}

fn unavailable() -> CalendarError {
    CalendarError::new(
        Code::StoreUnavailable,
        Outcome::NotSent,
        "The store of claims and journal did not answer. Nothing was sent to Google; call again when the store is back.",
    )
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
