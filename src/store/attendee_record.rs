//! Which transactions rely on an attendee's place on an event, so that an undo takes off only whom nobody else relies on.
//!
//! One record for each (calendar, event, attendee). A transaction adds its claim before it reads, notes `added` before a
//! PATCH that adds, and leaves with `kept` when it succeeded. Who takes an attendee off sets `removing` first: new claims
//! wait then, so that nobody is told "already there" of somebody who is about to go. Every change is one compare-and-set,
//! known to be applied before anything relies on it; a record that nobody needs is overwritten with an empty one.
//!
//! Google's reads may lag, and each process lags for itself. So a record also keeps how new the event was when somebody was
//! told of the attendee, and whoever comes later believes no read that is older.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::journal::{RETENTION_KEYLESS, to_text};
use super::lane::KeyLanes;
use super::ledger::Ledger;
use super::{Change, Expected, Held, Journal, Keep};
use crate::model::attendee::normal;
use crate::model::ids::store_key;
use crate::model::{CalendarError, Claim, Code, Outcome};

/// Gaps between looks at a record that others change or block, at random up to this and doubling.
const FIRST_GAP: Duration = Duration::from_millis(40);
const LAST_GAP: Duration = Duration::from_millis(400);

/// The reason word of a change that waited for a removal until its time was over.
const BEING_REMOVED: &str = "beingRemoved";

/// Whether a change failed because all its time went on waiting for another call, which takes the attendee off.
#[must_use]
pub fn was_being_removed(error: &CalendarError) -> bool {
    error.code == Code::Conflict && error.reason.as_deref() == Some(BEING_REMOVED)
}

/// One record. Without any claim and mark it is as good as none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttendeeRecord {
    /// The transactions that rely on the attendee and are not over.
    claims: Vec<Claim>,
    /// The transactions whose PATCH may have put the attendee on the list, or still may; also some that have left.
    added: Vec<Claim>,
    /// The transactions that succeeded where somebody may have put them there.
    kept: Vec<Claim>,
    /// Who is taking the attendee off.
    removing: Option<Claim>,
    /// `updated` of the newest state of the event that a call was answered by, or that the attendee was taken off in. Stays
    /// when all else is forgotten; records of old have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
}

impl AttendeeRecord {
    fn is_needed(&self) -> bool {
        !self.claims.is_empty() || self.removing.is_some()
    }

    fn has(&self, claim: &Claim) -> bool {
        self.claims.contains(claim)
    }

    /// A claim leaves; what was noted for claims goes with the last one.
    fn leave(&mut self, claim: &Claim) {
        self.claims.retain(|other| other != claim);
        if self.claims.is_empty() {
            self.forget();
        }
    }

    /// Somebody is told of the event in this state. Google's `updated` compares as text does.
    fn seen(&mut self, updated: Option<&str>) {
        if self.newest.as_deref() < updated {
            self.newest = updated.map(str::to_owned);
        }
    }

    /// The attendee is off the list, or nobody asks any more who put them there.
    fn forget(&mut self) {
        self.added.clear();
        self.kept.clear();
    }
}

/// Which record. Holds no address: the key is a hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttendeeKey(String);

impl AttendeeKey {
    /// The record of an attendee of an event. A calendar is the same for all its users; `primary` is another for each.
    #[must_use]
    pub fn new(user: &str, calendar: &str, event_id: &str, email: &str) -> Self {
        let owner = if calendar == "primary" { user } else { "" };
        Self(store_key("attendee", &[owner, calendar, event_id, &normal(email)]))
    }
}

/// What an undo has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// Nothing: others rely on the attendee, or this transaction did not put them there.
    Left,
    /// Take the attendee off, then [`AttendeeRecords::removed`].
    Remove,
}

/// What a removal finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removing {
    /// Transactions rely on the attendee, whose adds may still be under way.
    pub relied_on: bool,
    /// `updated` of the newest state that is known of: an older read is not to be believed.
    pub newest: Option<String>,
}

/// All records of a store. Clones share it.
#[derive(Clone)]
pub struct AttendeeRecords {
    ledger: Ledger,
    lanes: KeyLanes,
}

/// What is to be done with a record that was read.
enum Edit<T> {
    Put(AttendeeRecord, T),
    Nothing(T),
    Wait,
    /// Another process has taken the transaction over.
    Lost,
}

impl AttendeeRecords {
    /// The records beside a journal.
    #[must_use]
    pub fn beside(journal: &Journal) -> Self {
        Self { ledger: journal.ledger.clone(), lanes: KeyLanes::default() }
    }

    /// Before a transaction reads the event. Waits while the attendee is being taken off. Returns `updated` of the newest
    /// state that is known of: an older read is not to be believed.
    ///
    /// # Errors
    /// `CONFLICT`, retryable: they were being taken off all the time, or `held` is held no more. `STORE_UNAVAILABLE`: the
    /// claim may be there.
    pub async fn claim(
        &self,
        key: &AttendeeKey,
        claim: &Claim,
        held: &Held,
        left: Duration,
    ) -> Result<Option<String>, CalendarError> {
        self.edit(key, left, |mut record| {
            // Asked after the read: who takes over writes the record again, and this put is refused. A claim of a
            // transaction that is settled would stay for ever.
            if !held.alive() {
                return Edit::Lost;
            }
            if record.removing.is_some() {
                return Edit::Wait;
            }
            let newest = record.newest.clone();
            if record.has(claim) {
                return Edit::Nothing(newest);
            }
            record.claims.push(claim.clone());
            Edit::Put(record, newest)
        })
        .await
    }

    /// Before a PATCH that adds. Who has kept the attendee so far: should the PATCH be acknowledged, the attendee was off the
    /// list after that.
    ///
    /// # Errors
    /// As [`Self::claim`].
    pub async fn adding(
        &self,
        key: &AttendeeKey,
        claim: &Claim,
        held: &Held,
        left: Duration,
    ) -> Result<Vec<Claim>, CalendarError> {
        self.edit(key, left, |mut record| {
            let kept = record.kept.clone();
            if !record.has(claim) || !held.alive() {
                return Edit::Lost;
            }
            if record.removing.is_some() {
                return Edit::Wait;
            }
            if record.added.contains(claim) {
                return Edit::Nothing(kept);
            }
            record.added.push(claim.clone());
            Edit::Put(record, kept)
        })
        .await
    }

    /// It is certain that no PATCH of this transaction added the attendee or ever will.
    pub async fn never_added(&self, key: &AttendeeKey, claim: &Claim, left: Duration) -> Result<(), CalendarError> {
        self.edit(key, left, |mut record| {
            if !record.added.contains(claim) {
                return Edit::Nothing(());
            }
            record.added.retain(|other| other != claim);
            Edit::Put(record, ())
        })
        .await
    }

    /// The transaction succeeded without the attendee: they are not on the list through it, and no late add can come.
    /// `updated`: of the state in which that was seen.
    pub async fn went_without(
        &self,
        key: &AttendeeKey,
        claim: &Claim,
        updated: Option<&str>,
        left: Duration,
    ) -> Result<(), CalendarError> {
        self.edit(key, left, |mut record| {
            record.added.retain(|other| other != claim);
            record.seen(updated);
            record.leave(claim);
            Edit::Put(record, ())
        })
        .await
    }

    /// The transaction succeeded: if it may have put the attendee there, they stay, whoever else fails. `updated`: of the
    /// state that it was answered by.
    pub async fn keep(
        &self,
        key: &AttendeeKey,
        claim: &Claim,
        updated: Option<&str>,
        left: Duration,
    ) -> Result<(), CalendarError> {
        self.edit(key, left, |mut record| {
            if !record.has(claim) {
                return Edit::Nothing(());
            }
            record.seen(updated);
            if !record.added.is_empty() {
                record.kept.push(claim.clone());
            }
            record.leave(claim);
            Edit::Put(record, ())
        })
        .await
    }

    /// The transaction failed. Only the last claim on an attendee that was added and that nobody keeps leads to a removal.
    /// A claim that is not found may still come: the record is written again, so that it will be refused.
    ///
    /// `outdated`: who had kept them before this transaction's add, which was acknowledged. Their owner had taken them off by
    /// hand then, so these protect them no more; who kept them later relies on that very add.
    pub async fn leave(
        &self,
        key: &AttendeeKey,
        claim: &Claim,
        outdated: &[Claim],
        left: Duration,
    ) -> Result<Leaving, CalendarError> {
        self.edit(key, left, |mut record| {
            record.kept.retain(|kept| !outdated.contains(kept));
            if record.removing.as_ref() == Some(claim) {
                return Edit::Nothing(Leaving::Remove);
            }
            let alone = record.claims == std::slice::from_ref(claim);
            // Who takes the attendee off for good makes a late add of ours impossible too.
            if alone && !record.added.is_empty() && record.kept.is_empty() && record.removing.is_none() {
                record.removing = Some(claim.clone());
                return Edit::Put(record, Leaving::Remove);
            }
            record.leave(claim);
            Edit::Put(record, Leaving::Left)
        })
        .await
    }

    /// Whether it is still this transaction that takes the attendee off, asked after the event was read.
    pub async fn is_removing(&self, key: &AttendeeKey, claim: &Claim, left: Duration) -> Result<bool, CalendarError> {
        self.edit(key, left, |record| Edit::Nothing(record.removing.as_ref() == Some(claim))).await
    }

    /// The attendee is off, and no late add can come: nothing more is known of them but `updated` of the state in which that
    /// was seen.
    pub async fn removed(
        &self,
        key: &AttendeeKey,
        claim: &Claim,
        updated: Option<&str>,
        left: Duration,
    ) -> Result<(), CalendarError> {
        self.edit(key, left, |mut record| {
            if record.removing.as_ref() != Some(claim) {
                return Edit::Nothing(());
            }
            record.removing = None;
            record.seen(updated);
            record.forget();
            record.leave(claim);
            Edit::Put(record, ())
        })
        .await
    }

    /// Before an attendee is taken off for good. Waits while somebody else does.
    ///
    /// # Errors
    /// As [`Self::claim`].
    pub async fn removing(&self, key: &AttendeeKey, claim: &Claim, left: Duration) -> Result<Removing, CalendarError> {
        self.edit(key, left, |mut record| {
            let found = Removing { relied_on: !record.claims.is_empty(), newest: record.newest.clone() };
            match &record.removing {
                Some(other) if other != claim => Edit::Wait,
                Some(_) => Edit::Nothing(found),
                None => {
                    record.removing = Some(claim.clone());
                    Edit::Put(record, found)
                }
            }
        })
        .await
    }

    /// The attendee was not taken off: what was known of them stands.
    pub async fn not_removed(&self, key: &AttendeeKey, claim: &Claim, left: Duration) -> Result<(), CalendarError> {
        self.edit(key, left, |mut record| {
            if record.removing.as_ref() != Some(claim) {
                return Edit::Nothing(());
            }
            record.removing = None;
            Edit::Put(record, ())
        })
        .await
    }

    async fn edit<T>(
        &self,
        key: &AttendeeKey,
        left: Duration,
        mut edit: impl FnMut(AttendeeRecord) -> Edit<T> + Send,
    ) -> Result<T, CalendarError> {
        let name = key.0.as_str();
        let ends = self.ledger.clock.now() + left;
        let left = || ends.saturating_duration_since(self.ledger.clock.now());
        let mut gap = FIRST_GAP;
        loop {
            // Held for one try only: who waits must not hold up those who are waited for.
            let turn = self.lanes.enter(name).await;
            let there = self.ledger.get(name, left()).await.map_err(|_| unavailable())?;
            let (expected, record) = match there {
                None => (Expected::Absent, AttendeeRecord::default()),
                Some(there) => {
                    let record = serde_json::from_str(&there.value).map_err(|_| unreadable())?;
                    (Expected::Version(there.version), record)
                }
            };
            match edit(record) {
                Edit::Nothing(told) => return Ok(told),
                Edit::Put(record, told) => {
                    let keep = if record.is_needed() { Keep::Open } else { Keep::For(RETENTION_KEYLESS) };
                    match self.ledger.put(name, to_text(&record)?, expected, keep, left()).await.0 {
                        Change::Applied => return Ok(told),
                        Change::Unknown => return Err(unavailable()),
                        Change::Refused => {}
                    }
                }
                Edit::Lost => return Err(busy("another process has taken this call over")),
                Edit::Wait => {}
            }
            drop(turn);
            if left() <= gap {
                let mut error = busy("they are being taken off the event by another call, which is not over yet");
                error.reason = Some(BEING_REMOVED.to_owned());
                return Err(error);
            }
            sleep(gap.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
            gap = (gap * 2).min(LAST_GAP);
        }
    }
}

fn busy(why: &str) -> CalendarError {
    let message = format!("Nothing was written for this attendee: {why}. Call again.");
    let mut error = CalendarError::new(Code::Conflict, Outcome::NotSent, message);
    error.retryable = true;
    error
}

fn unreadable() -> CalendarError {
    CalendarError::internal(Outcome::NotSent, "a record of an attendee could not be read")
}

fn unavailable() -> CalendarError {
    CalendarError::new(
        Code::StoreUnavailable,
        Outcome::NotSent,
        "The store of the attendees' records did not answer. Nothing was written for this attendee; call again when the store is back.",
    )
}
