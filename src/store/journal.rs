//! The journal: what every attempt intends, and what became of it, so that whatever a call leaves behind is known.
//!
//! One entry per attempt, under its claim. An entry is written before anything is sent, carries a lease, and its result
//! is one compare-and-set. No token and no event text is ever in it.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::held::Held;
use super::ledger::Ledger;
use super::plan::Plan;
use super::renewals::Renewals;
use super::{Expected, Keep, Record, Store};
use crate::clock::Clock;
use crate::model::ids::store_key;
use crate::model::{CalendarError, Claim, Claims, Code, Outcome};

/// How long a settled entry and an intent stay: longer than any put can be late, and long enough for the retries of a
/// client that keeps its idempotency key for a day.
pub(super) const RETENTION: Duration = Duration::from_hours(25);
/// The same for an attempt whose key was made for it alone: nobody else can ask for it again.
pub(super) const RETENTION_KEYLESS: Duration = Duration::from_hours(1);

/// What became of what an attempt wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Disposal {
    /// Nothing was ever sent that could be in the calendar, or that could still come there.
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
    /// Failed, and no write of it was ever acknowledged, nor anything seen at its id: only an insert that is late could be there.
    #[serde(default)]
    pub unseen: bool,
    /// Unix ms until which nobody else may take the entry over.
    pub lease_until: u64,
    /// Unix ms of the intent.
    pub since: u64,
    /// A transaction's steps. The entry is the group of the events that it makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
}

impl Entry {
    /// Whether it is a schedule's own entry, which no event belongs to.
    #[must_use]
    pub const fn is_group(&self) -> bool {
        self.event_id.is_empty() && self.plan.is_none()
    }

    /// Whether nothing is left to do about it. What a transaction notes after its success is still to be done.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match self.state {
            State::Running | State::Failed => false,
            State::Succeeded { .. } => !self.plan.as_ref().is_some_and(|plan| plan.open),
            State::Settled { .. } => true,
        }
    }
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
    /// This process holds it again: as failed, or as a transaction that succeeded and is not finished.
    Held(Arc<Held>),
    /// Its lease still runs: ask again later.
    Busy,
}

/// What became of beginning under a key.
pub enum Opening {
    /// It is this call's.
    Begun(Arc<Held>),
    /// Another call with the same key is at work, or its undo is: ask again.
    Busy,
    /// The key belongs to another request.
    Reused,
    /// It was done before, and this is what the journal kept of it.
    Done(Box<Entry>),
    /// A process that is no more left it: to be taken over and settled first.
    Left(String, Box<Record>),
}

/// What a schedule's entry says of all its events.
pub(super) enum Verdict {
    /// They failed.
    Failed,
    /// They were, or will be, told success.
    Succeeded {
        /// Whether all were read back.
        verified: bool,
    },
    /// It may still become either.
    Undecided,
    /// There is no such entry (any more).
    Forgotten,
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
    pub(super) ledger: Ledger,
    pub(super) lease: Duration,
    pub(super) renewals: Renewals,
}

impl Journal {
    /// A journal whose entries are leased for `lease` (1 s and up); `random` gives 128 random bits.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock, lease: Duration, random: fn() -> u128) -> Self {
        let renewals = Renewals::new(clock.clone());
        Self { ledger: Ledger::new(store, clock, random), lease, renewals }
    }

    /// A new random claim.
    #[must_use]
    pub fn claim(&self) -> Claim {
        #[expect(clippy::cast_possible_truncation, reason = "a claim takes its 60 bits from the low end")]
        Claim::from_bits((self.ledger.random)() as u64)
    }

    /// A random key for a call that brought none.
    #[must_use]
    pub fn random_key(&self) -> String {
        HEXLOWER.encode(&(self.ledger.random)().to_be_bytes())
    }

    /// The intent of (user, key): the first call's calendar stands for all.
    pub async fn intent(&self, user: &str, key: &str, calendar: &str, left: Duration) -> Result<Intent, CalendarError> {
        let name = store_key("intent", &[user, key]);
        let first = Intent { calendar: calendar.to_owned(), generation: 0 };
        let value = to_text(&first)?;
        let keep = Keep::For(RETENTION);
        match self.ledger.put(&name, value, Expected::Absent, keep, left).await {
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
                let _ = self.ledger.put(&name, value, expected, Keep::For(RETENTION), left).await;
            }
        }
    }

    /// Writes an attempt's intent; on success it is durable and leased to this process.
    pub async fn begin(&self, mut entry: Entry, left: Duration) -> Result<Arc<Held>, CalendarError> {
        let now = self.ledger.clock.wall_ms();
        entry.since = now;
        entry.lease_until = now.saturating_add(millis(self.lease));
        let name = entry_name(entry.claim.as_str());
        let value = to_text(&entry)?;
        match self.ledger.put(&name, value, Expected::Absent, Keep::Open, left).await {
            (Change::Applied, version) => Ok(Held::keep(self.clone(), name, entry, version)),
            (Change::Refused | Change::Unknown, _) => Err(unavailable()),
        }
    }

    /// The same under a key: of all calls with it one is at work, and after a success none begins again.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`.
    pub async fn begin_keyed(&self, mut entry: Entry, key: &str, left: Duration) -> Result<Opening, CalendarError> {
        let hash = store_key("transaction", &[&entry.operation, &entry.user, key]);
        let name = entry_name(hash.rsplit(':').next().unwrap_or_default());
        let there = self.get(&name, left).await?;
        let now = self.ledger.clock.wall_ms();
        let mut expected = Expected::Absent;
        if let Some(record) = there {
            expected = Expected::Version(record.version.clone());
            if let Ok(other) = serde_json::from_str::<Entry>(&record.value)
                && !matches!(other.state, State::Settled { .. })
            {
                return Ok(match other.state {
                    _ if other.print != entry.print => Opening::Reused,
                    State::Succeeded { .. } => Opening::Done(Box::new(other)),
                    _ if other.lease_until > now => Opening::Busy,
                    _ => Opening::Left(name, Box::new(record)),
                });
            }
        }
        entry.since = now;
        entry.lease_until = now.saturating_add(millis(self.lease));
        let value = to_text(&entry)?;
        match self.ledger.put(&name, value, expected, Keep::Open, left).await {
            (Change::Applied, version) => Ok(Opening::Begun(Held::keep(self.clone(), name, entry, version))),
            (Change::Refused, _) => Ok(Opening::Busy),
            (Change::Unknown, _) => Err(unavailable()),
        }
    }

    /// Takes an entry over whose lease has run out, as failed. Only a put known to be applied makes it ours: until then
    /// its owner may still succeed.
    pub async fn take_over(&self, name: &str, record: &Record, left: Duration) -> Resumed {
        let Ok(mut entry) = serde_json::from_str::<Entry>(&record.value) else { return Resumed::Decided(None) };
        let now = self.ledger.clock.wall_ms();
        match entry.state {
            State::Succeeded { .. } if entry.is_closed() => return Resumed::Decided(Some(Disposal::Kept)),
            State::Settled { disposal } => return Resumed::Decided(Some(disposal)),
            _ if entry.lease_until > now => return Resumed::Busy,
            State::Running | State::Failed | State::Succeeded { .. } => {}
        }
        let mut keep = Keep::Open;
        if matches!(entry.state, State::Succeeded { .. }) {
            // A transaction: what follows its success is to be finished.
        } else if let (State::Running, Some(group)) = (entry.state, &entry.group) {
            // Its schedule must have failed before one of its events may.
            match self.fail_group(group, left).await {
                Verdict::Failed => entry.state = State::Failed,
                Verdict::Succeeded { verified } => entry.state = State::Succeeded { verified },
                // Forgotten, long after it was decided: perhaps it was a success.
                Verdict::Forgotten => entry.state = State::Settled { disposal: Disposal::Kept },
                Verdict::Undecided => return Resumed::Busy,
            }
            if entry.state != State::Failed {
                keep = Keep::For(RETENTION);
            }
        } else {
            entry.state = State::Failed;
        }
        entry.lease_until = now.saturating_add(millis(self.lease));
        let expected = Expected::Version(record.version.clone());
        let Ok(value) = to_text(&entry) else { return Resumed::Busy };
        match self.ledger.put(name, value, expected, keep, left).await {
            (Change::Applied, _) if entry.is_closed() => Resumed::Decided(Some(Disposal::Kept)),
            (Change::Applied, version) => Resumed::Held(Held::keep(self.clone(), name.to_owned(), entry, version)),
            _ => Resumed::Busy,
        }
    }

    /// Makes sure that a schedule which cannot succeed any more is failed.
    pub(super) async fn fail_group(&self, name: &str, left: Duration) -> Verdict {
        let Ok(record) = self.get(name, left).await else { return Verdict::Undecided };
        let Some(record) = record else { return Verdict::Forgotten };
        let Ok(mut entry) = serde_json::from_str::<Entry>(&record.value) else { return Verdict::Forgotten };
        match entry.state {
            State::Succeeded { verified } => Verdict::Succeeded { verified },
            State::Failed | State::Settled { .. } => Verdict::Failed,
            State::Running if entry.lease_until > self.ledger.clock.wall_ms() => Verdict::Undecided,
            State::Running => {
                entry.state = State::Failed;
                let expected = Expected::Version(record.version);
                let Ok(value) = to_text(&entry) else { return Verdict::Undecided };
                // Open until the last of its events is closed: they ask for it.
                let (change, _) = self.ledger.put(name, value, expected, Keep::Open, left).await;
                if change == Change::Applied { Verdict::Failed } else { Verdict::Undecided }
            }
        }
    }

    /// Learns what became of an entry whose last write was of unknown fate, and takes it over when it is still open.
    pub async fn resume(&self, name: &str, left: Duration) -> Result<Resumed, CalendarError> {
        match self.get(name, left).await? {
            Some(record) => Ok(self.take_over(name, &record, left).await),
            None => Ok(Resumed::Decided(None)),
        }
    }

    /// The same for the entry of an attempt, by its claim.
    pub async fn resume_attempt(&self, claim: &Claim, left: Duration) -> Result<Resumed, CalendarError> {
        self.resume(&entry_name(claim.as_str()), left).await
    }

    /// Closes a schedule's own entry when its owner is gone and no event of it is open any more.
    pub async fn close_group(&self, name: &str, left: Duration) {
        if !matches!(self.fail_group(name, left).await, Verdict::Failed) {
            return;
        }
        if let Ok(Some(record)) = self.get(name, left).await
            && let Ok(mut entry) = serde_json::from_str::<Entry>(&record.value)
            && entry.state == State::Failed
        {
            entry.state = State::Settled { disposal: Disposal::Nothing };
            if let Ok(value) = to_text(&entry) {
                let expected = Expected::Version(record.version);
                let _ = self.ledger.put(name, value, expected, Keep::For(RETENTION), left).await;
            }
        }
    }

    /// Every unfinished entry, with its name and record.
    pub async fn open(&self, left: Duration) -> Result<Vec<(String, Record, Entry)>, CalendarError> {
        let records = self.ledger.open(ENTRY_PREFIX, left).await.map_err(|_| unavailable())?;
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

    pub(super) async fn entry(&self, name: &str, left: Duration) -> Option<Entry> {
        let record = self.get(name, left).await.ok()??;
        serde_json::from_str(&record.value).ok()
    }

    async fn get(&self, name: &str, left: Duration) -> Result<Option<Record>, CalendarError> {
        self.ledger.get(name, left).await.map_err(|_| unavailable())
    }
}

const ENTRY_PREFIX: &str = "surecal:1:entry:";

fn entry_name(claim: &str) -> String {
    format!("{ENTRY_PREFIX}{claim}")
}

pub(super) fn to_text<T: Serialize>(value: &T) -> Result<String, CalendarError> {
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

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
