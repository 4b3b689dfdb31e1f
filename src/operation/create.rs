//! Create: an event that is there once, as asked for, or not at all.
//!
//! The event's id is derived from the idempotency key, so that every attempt, in whatever process, writes to one place.
//! Each attempt stamps its *claim* on the event, and a clean-up takes out only its own. The order below is the
//! protocol: intent, insert, look, adopt or repair, result.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::exposure::Exposure;
use super::reconcile::reconcile;
use super::sight::Sight;
use super::{Context, Gaps, QUIET, Target, Verification, WriteParams, lease_lost, lease_of, timed_out};
use crate::google::{Fetched, Insert, InsertParams, Patch, Scope, SendUpdates};
use crate::model::compare::{Comparison, Difference, compare_whole};
use crate::model::event::{EventData, name_conference_request};
use crate::model::ids::{conference_request_id, event_id};
use crate::model::repair::repair_patch;
use crate::model::stamp::{claims_patch, stamped};
use crate::model::{CalendarError, Claim, Claims, Code, Outcome, Warning};
use crate::store::{Change, Disposal, Entry, Fate, Held, State};

/// The name under which ids are derived and errors speak.
pub const OPERATION: &str = "createEvent";
/// A result may be written this long after the deadline: what Google already holds must not be told as failed.
pub(super) const RESULT_GRACE: std::time::Duration = std::time::Duration::from_millis(500);

/// What to do at the tombstone of an event that this key made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnDeleted {
    /// Make it again, under the next generation of the id.
    Recreate,
    /// Reject with `CONFLICT`.
    Reject,
}

/// One event to be made.
pub struct CreateRequest {
    /// Where.
    pub target: Target,
    /// What.
    pub data: Arc<EventData>,
    /// The idempotency key; `None`: one is made for this call alone.
    pub key: Option<String>,
    /// How the writes are sent.
    pub params: WriteParams,
    /// `None`: the event is not read back (`skipVerification`).
    pub verification: Option<Verification>,
    /// What to do at a tombstone.
    pub on_deleted: OnDeleted,
    /// Inserts after the first.
    pub max_retries: u32,
}

/// An event that is in the calendar.
#[derive(Clone)]
pub struct Creation {
    /// Read back and compared.
    pub verified: bool,
    /// Google's own JSON text of it.
    pub event: Bytes,
    /// Its id.
    pub event_id: String,
    /// It was there before this attempt.
    pub replayed: bool,
    /// It was stored wrong at first and put right.
    pub repaired: bool,
    /// What the caller should know.
    pub warnings: Vec<Warning>,
}

/// What became of what a failed attempt wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Proved gone, or never there.
    Deleted,
    /// Left: others rely on it.
    Kept,
    /// Not done yet; it goes on in the background.
    Pending,
}

/// How an attempt ended without an error.
#[derive(Clone)]
pub enum Created {
    /// It is there.
    Done(Creation),
    /// Google did not store what it was asked for, twice; cleaned up.
    Unverified {
        /// Which fields; empty: it was never seen at all.
        mismatches: Vec<Difference>,
        /// What became of it.
        cleanup: Cleanup,
        /// The id it had.
        event_id: String,
    },
}

/// An attempt's end, and the entry that is still open, if any: somebody must go on with it.
pub struct Concluded<T> {
    /// What the caller is told.
    pub answer: Result<T, CalendarError>,
    /// What is not cleaned up yet.
    pub open: Option<Arc<Held>>,
    /// HTTP exchanges begun.
    pub attempts: u32,
}

/// Why an attempt does not succeed.
pub(super) enum Failure {
    Error(CalendarError),
    Mismatch(Vec<Difference>),
    Vanished,
}

impl From<CalendarError> for Failure {
    fn from(error: CalendarError) -> Self {
        Self::Error(error)
    }
}

/// What comes next.
enum Step {
    Insert,
    Look,
    Done(Creation),
}

/// Creates one event.
pub async fn create(cx: &Context, scope: Scope, request: &CreateRequest, exposure: &Exposure) -> Concluded<Created> {
    let mut attempt = match Attempt::begin(cx, scope, request, exposure, None).await {
        Ok(attempt) => attempt,
        Err(error) => return Concluded { answer: Err(error), open: None, attempts: 0 },
    };
    match attempt.run().await {
        Ok(creation) => attempt.commit(creation).await,
        Err(failure) => attempt.give_up(failure).await,
    }
}

/// One attempt at one event.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any combination can occur")]
pub(super) struct Attempt<'a> {
    cx: &'a Context,
    request: &'a CreateRequest,
    exposure: &'a Exposure,
    /// The call's scope, with this attempt's lease in it.
    scope: Scope,
    held: Arc<Held>,
    claim: Claim,
    key: String,
    print: String,
    calendar: String,
    generation: u32,
    id: String,

    inserts: u32,
    /// An insert of ours at this id was acknowledged.
    landed: bool,
    /// An insert or claim of ours may be there, or may still arrive.
    in_doubt: bool,
    /// Our claim was added to an event that was there.
    claimed: bool,
    /// The event was there before this attempt.
    adopted: bool,
    /// Something was seen at this id, or Google said it is taken.
    occupied: bool,
    repaired: bool,
    /// The `ETag` our last acknowledged write returned: another one means somebody else's write, or an old read.
    written: Option<String>,
    last_doubt: Option<CalendarError>,
    window_ends: Instant,
    gaps: Gaps,
}

impl<'a> Attempt<'a> {
    /// Journals the intent: before this is durable, nothing is sent.
    pub(super) async fn begin(
        cx: &'a Context,
        scope: Scope,
        request: &'a CreateRequest,
        exposure: &'a Exposure,
        group: Option<String>,
    ) -> Result<Self, CalendarError> {
        let user = request.target.user.as_str();
        let keyless = request.key.is_none();
        let (key, calendar, generation) = match &request.key {
            None => (cx.journal.random_key(), request.target.calendar.clone(), 0),
            Some(key) => {
                let intent = cx.journal.intent(user, key, &request.target.calendar, cx.left(&scope)).await?;
                (key.clone(), intent.calendar, intent.generation)
            }
        };
        let claim = cx.journal.claim();
        let id = event_id(OPERATION, user, &calendar, &key, generation);
        let print = request.data.print();
        let entry = Entry {
            operation: OPERATION.to_owned(),
            user: user.to_owned(),
            calendar: calendar.clone(),
            event_id: id.clone(),
            generation,
            claim: claim.clone(),
            print: print.clone(),
            state: State::Running,
            group,
            guests: request.data.has_guests() && request.params.send_updates != SendUpdates::None,
            keyless,
            lease_until: 0,
            since: 0,
        };
        let held = cx.journal.begin(entry, cx.left(&scope)).await?;
        let scope = scope.with_lease(lease_of(&held));
        let window_ends = cx.clock.now();
        Ok(Self {
            cx,
            request,
            exposure,
            scope,
            held,
            claim,
            key,
            print,
            calendar,
            generation,
            id,
            inserts: 0,
            landed: false,
            in_doubt: false,
            claimed: false,
            adopted: false,
            occupied: false,
            repaired: false,
            written: None,
            last_doubt: None,
            window_ends,
            gaps: Gaps::new(),
        })
    }

    /// The entry this attempt holds.
    pub(super) const fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// Up to the point where the event is known to be there. The result is not journalled yet.
    pub(super) async fn run(&mut self) -> Result<Creation, Failure> {
        let mut step = Step::Insert;
        loop {
            step = match step {
                Step::Insert => self.insert().await?,
                Step::Look => self.look().await?,
                Step::Done(creation) => return Ok(creation),
            };
        }
    }

    async fn insert(&mut self) -> Result<Step, Failure> {
        if self.inserts > self.request.max_retries {
            return Err(self.last_doubt.take().map_or(Failure::Vanished, Failure::Error));
        }
        if !self.exposure.expose() {
            return Err(timed_out(&self.scope).into());
        }
        self.inserts += 1;
        let mut body = stamped(self.request.data.body(), &self.print, &Claims::of(self.claim.clone()));
        body.insert("id".to_owned(), Value::String(self.id.clone()));
        self.name_conference(&mut body);
        let params = self.mailed();
        match self.cx.calendar.insert(&self.scope, &self.calendar, &body, params).await {
            Ok(Insert::Created(found)) => {
                self.landed = true;
                self.occupied = true;
                self.wrote(Some(found.etag.clone()));
                if self.request.verification.is_none() {
                    return Ok(self.done(found, false, Vec::new()));
                }
            }
            Ok(Insert::Taken) => {
                self.occupied = true;
                self.wrote(None);
            }
            Err(error) if error.outcome == Outcome::Unknown => {
                self.in_doubt = true;
                self.last_doubt = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Step::Look)
    }

    /// Meet ignores a request id it has seen, so a repeated insert can't make a second conference.
    fn name_conference(&self, body: &mut serde_json::Map<String, Value>) {
        if self.request.data.asks_for_conference() {
            let user = self.request.target.user.as_str();
            let id = conference_request_id(OPERATION, user, &self.calendar, &self.key, self.generation);
            name_conference_request(body, &id);
        }
    }

    async fn look(&mut self) -> Result<Step, Failure> {
        let found = self.cx.calendar.get(&self.scope, &self.calendar, &self.id, None).await?;
        match Sight::of(found, &self.print) {
            Sight::Absent => self.absent().await,
            Sight::Tombstone => self.tombstone().await,
            Sight::Fence(found) => self.lift_fence(&found).await,
            Sight::OtherRequest => Err(self.other_request().into()),
            Sight::Unstamped(found) => self.stamps_lost(found),
            Sight::Ours(found, claims) if claims.contains(&self.claim) => self.verify(found, &claims).await,
            Sight::Ours(found, claims) => self.adopt(found, &claims).await,
        }
    }

    /// Not found. After an acknowledgement or a 409 it may be an old read; for the whole window it is a silent drop, and the
    /// same insert heals it. After a send of unknown fate it is what allows the next one.
    async fn absent(&mut self) -> Result<Step, Failure> {
        if self.occupied && self.cx.clock.now() < self.window_ends {
            let gap = self.gaps.next();
            self.cx.pause(&self.scope, gap).await?;
            return Ok(Step::Look);
        }
        if !self.occupied {
            let gap = self.gaps.next();
            self.cx.pause(&self.scope, gap).await?;
        }
        Ok(Step::Insert)
    }

    /// The next generation's id is journalled before its insert: a crash in between must find it.
    async fn tombstone(&mut self) -> Result<Step, Failure> {
        self.forget_this_id();
        if self.request.on_deleted == OnDeleted::Reject {
            return Err(CalendarError::new(
                Code::Conflict,
                Outcome::Rejected,
                "The event that this idempotency key made was deleted, and onDeleted is 'reject'. Nothing was made; use a new key to make it again.",
            )
            .with_event(self.id.clone())
            .into());
        }
        let generation = self.generation + 1;
        let user = self.request.target.user.as_str();
        let id = event_id(OPERATION, user, &self.calendar, &self.key, generation);
        let next = id.clone();
        let change = self
            .held
            .change(self.cx.left(&self.scope), move |entry| {
                entry.generation = generation;
                entry.event_id = next;
            })
            .await;
        if change != Change::Applied {
            return Err(lease_lost(&self.scope).into());
        }
        self.generation = generation;
        self.id = id;
        if self.request.key.is_some() {
            self.cx.journal.advance(user, &self.key, generation, self.cx.left(&self.scope)).await;
        }
        Ok(Step::Insert)
    }

    async fn lift_fence(&mut self, found: &Fetched) -> Result<Step, Failure> {
        let none = SendUpdates::None;
        match self.cx.calendar.delete(&self.scope, &self.calendar, &self.id, Some(&found.etag), none).await {
            Ok(_) => {}
            Err(error) if error.outcome == Outcome::Unknown => {}
            Err(error) => return Err(error.into()),
        }
        let gap = self.gaps.next();
        self.cx.pause(&self.scope, gap).await?;
        Ok(Step::Look)
    }

    fn other_request(&mut self) -> CalendarError {
        // The id is another request's: no insert of ours can land there, and we never claimed it.
        self.forget_this_id();
        CalendarError::new(
            Code::IdempotencyKeyReused,
            Outcome::Rejected,
            "This idempotency key already made an event from other data. Nothing was changed; use a new key for a new event.",
        )
        .with_event(self.id.clone())
    }

    fn stamps_lost(&mut self, found: Fetched) -> Result<Step, Failure> {
        let comparison = self.compare(&found);
        self.forget_this_id();
        if !comparison.critical.is_empty() {
            let error = CalendarError::new(
                Code::Conflict,
                Outcome::Applied,
                "The event that this key made is in the calendar, but somebody has replaced it with other content. It was left as it is; read it and decide.",
            );
            return Err(error.with_event(self.id.clone()).into());
        }
        let mut warnings = comparison.warnings();
        warnings.push(Warning::new("STAMP_LOST", "Somebody replaced the event whole; surecal's marks on it are gone."));
        Ok(self.done(found, true, warnings))
    }

    /// The event of an earlier call with this key. Where the journal says that a listed claim succeeded, nothing deletes
    /// it and reading is enough; else our claim must be on it before we may rely on it.
    async fn adopt(&mut self, found: Fetched, claims: &Claims) -> Result<Step, Failure> {
        self.occupied = true;
        self.adopted = true;
        let comparison = self.compare(&found);
        let fates = self.cx.journal.fates(claims, &self.id, self.cx.left(&self.scope)).await;
        let verified = fates.iter().any(|(_, fate)| *fate == Fate::Succeeded { verified: true });
        let succeeded = fates.iter().any(|(_, fate)| matches!(fate, Fate::Succeeded { .. }));
        if verified || (succeeded && comparison.critical.is_empty()) {
            return Ok(self.done_with_owners_edit(found, &comparison));
        }
        let Some(claims) = claims.with(&self.claim) else {
            return Err(self.too_many_claims().into());
        };
        if !self.exposure.expose() {
            return Err(timed_out(&self.scope).into());
        }
        let params = QUIET;
        let patch = claims_patch(&claims);
        let etag = Some(found.etag.as_str());
        match self.cx.calendar.patch(&self.scope, &self.calendar, &self.id, etag, &patch, params).await {
            Ok(Patch::Done(found)) => {
                self.claimed = true;
                self.wrote(Some(found.etag));
            }
            Ok(Patch::Changed | Patch::Missing) => {
                let gap = self.gaps.next();
                self.cx.pause(&self.scope, gap).await?;
            }
            Err(error) if error.outcome == Outcome::Unknown => {
                self.in_doubt = true;
                self.last_doubt = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Step::Look)
    }

    fn too_many_claims(&self) -> CalendarError {
        CalendarError::new(
            Code::Conflict,
            Outcome::Applied,
            "The event is in the calendar, but too many unfinished attempts with this idempotency key are marked on it. Wait for their clean-up, or use a new key.",
        )
        .with_event(self.id.clone())
    }

    /// Our claim is on it: is it what was asked for?
    async fn verify(&mut self, found: Fetched, claims: &Claims) -> Result<Step, Failure> {
        self.occupied = true;
        self.landed = true;
        let comparison = self.compare(&found);
        if comparison.critical.is_empty() {
            let warnings = comparison.warnings();
            return Ok(self.done(found, true, warnings));
        }
        let Some(verification) = self.request.verification else {
            return Ok(self.done(found, false, comparison.warnings()));
        };
        let others = claims.without(&self.claim);
        if !others.is_empty() {
            let fates = self.cx.journal.fates(&others, &self.id, self.cx.left(&self.scope)).await;
            let any = |wanted: fn(&Fate) -> bool| fates.iter().any(|(_, fate)| wanted(fate));
            if any(|fate| *fate == Fate::Succeeded { verified: true }) {
                return Ok(self.done_with_owners_edit(found, &comparison));
            }
            if any(|fate| matches!(fate, Fate::Succeeded { .. })) {
                return Err(self.stands_otherwise("was told success without being read back").into());
            }
            if any(|fate| *fate == Fate::Running) {
                let gap = self.gaps.next();
                self.cx.pause(&self.scope, gap).await?;
                return Ok(Step::Look);
            }
            if any(|fate| *fate == Fate::Unknown) {
                return Err(self.stands_otherwise("is known only to another process or was forgotten").into());
            }
        }
        // An ETag that is not our last write's is an old read, or somebody's edit: let old reads pass first.
        let old = self.written.as_ref().is_some_and(|etag| *etag != found.etag);
        if old && self.cx.clock.now() < self.window_ends {
            let gap = self.gaps.next();
            self.cx.pause(&self.scope, gap).await?;
            return Ok(Step::Look);
        }
        if self.repaired || !verification.repair {
            return Err(Failure::Mismatch(comparison.critical));
        }
        self.repair(&found).await
    }

    async fn repair(&mut self, found: &Fetched) -> Result<Step, Failure> {
        let patch = repair_patch(self.request.data.body(), &found.event);
        let params = self.mailed();
        let etag = Some(found.etag.as_str());
        match self.cx.calendar.patch(&self.scope, &self.calendar, &self.id, etag, &patch, params).await {
            Ok(Patch::Done(found)) => {
                self.repaired = true;
                self.wrote(Some(found.etag));
            }
            Ok(Patch::Changed | Patch::Missing) => {
                let gap = self.gaps.next();
                self.cx.pause(&self.scope, gap).await?;
            }
            // If it landed, the next look finds the event right, or wrong at another ETag: that is repaired once more,
            // with If-Match, so a second arrival can do no harm.
            Err(error) if error.outcome == Outcome::Unknown => self.last_doubt = Some(error),
            Err(error) => return Err(error.into()),
        }
        Ok(Step::Look)
    }

    /// How the writes go that carry the event itself.
    fn mailed(&self) -> InsertParams {
        InsertParams {
            conference_data_version: self.request.params.conference_data_version,
            send_updates: self.request.params.send_updates,
            supports_attachments: self.request.data.has_attachments(),
        }
    }

    fn stands_otherwise(&self, whose: &str) -> CalendarError {
        CalendarError::new(
            Code::VerificationFailed,
            Outcome::Applied,
            format!("An event made with this key is in the calendar with other content, and the call that made it {whose}. It was left as it is; read it and decide."),
        )
        .with_event(self.id.clone())
    }

    fn compare(&self, found: &Fetched) -> Comparison {
        compare_whole(self.request.data.body(), &found.event)
    }

    fn done_with_owners_edit(&self, found: Fetched, comparison: &Comparison) -> Step {
        let mut warnings = comparison.warnings();
        if !comparison.critical.is_empty() {
            warnings.extend(comparison.critical.iter().map(|difference| {
                Warning::new("EDITED", "The event was made as asked and edited since; the edit was left.")
                    .of_field(difference.field.clone())
            }));
        }
        self.done(found, true, warnings)
    }

    fn done(&self, found: Fetched, verified: bool, mut warnings: Vec<Warning>) -> Step {
        warnings.extend_from_slice(self.request.data.warnings());
        Step::Done(Creation {
            verified,
            event: found.raw,
            event_id: self.id.clone(),
            replayed: self.adopted || !self.landed,
            repaired: self.repaired,
            warnings,
        })
    }

    fn wrote(&mut self, etag: Option<String>) {
        let window = self.request.verification.map(|verification| verification.window).unwrap_or_default();
        self.window_ends = self.cx.clock.now() + window;
        self.gaps = Gaps::new();
        self.written = etag;
    }

    /// Nothing of ours can be, or come to be, at this id.
    fn forget_this_id(&mut self) {
        self.landed = false;
        self.in_doubt = false;
        self.claimed = false;
        self.adopted = false;
        self.occupied = false;
        self.repaired = false;
        self.written = None;
    }

    /// The result is one compare-and-set, durable before the caller hears it.
    async fn commit(self, creation: Creation) -> Concluded<Created> {
        let verified = creation.verified;
        let attempts = self.scope.attempts();
        let left = self.cx.left(&self.scope).max(RESULT_GRACE);
        let change = self.held.change(left, |entry| entry.state = State::Succeeded { verified }).await;
        match change {
            Change::Applied => Concluded { answer: Ok(Created::Done(creation)), open: None, attempts },
            Change::Refused | Change::Unknown => {
                let error = CalendarError::new(
                    Code::StoreUnavailable,
                    Outcome::Unknown,
                    "The event is in the calendar, but it could not be recorded that it is yours: it may be removed again. Call again with the same idempotency key.",
                );
                Concluded { answer: Err(error.with_event(self.id)), open: Some(self.held), attempts }
            }
        }
    }

    /// The call fails: clean up, within what is left of its time, and tell exactly what is so.
    async fn give_up(self, failure: Failure) -> Concluded<Created> {
        let exposed = self.exposed();
        let (cleanup, open) = self.clean_up(&self.scope).await;
        let attempts = self.scope.attempts();
        let event_id = self.id;
        let answer = match failure {
            Failure::Mismatch(mismatches) => Ok(Created::Unverified { mismatches, cleanup, event_id }),
            Failure::Vanished => Ok(Created::Unverified { mismatches: Vec::new(), cleanup, event_id }),
            Failure::Error(error) if !exposed || error.outcome == Outcome::Applied => Err(error),
            Failure::Error(error) => {
                let error = error.with_event(event_id);
                Err(match cleanup {
                    Cleanup::Deleted => error.with_outcome(Outcome::Rejected),
                    Cleanup::Kept => error.with_outcome(Outcome::Applied),
                    Cleanup::Pending => error.with_outcome(Outcome::Unknown),
                })
            }
        };
        Concluded { answer, open, attempts }
    }

    /// The same within another deadline: the schedule this event belongs to fails.
    pub(super) async fn undo(self, scope: Scope) -> (Cleanup, Option<Arc<Held>>) {
        let scope = scope.with_lease(lease_of(&self.held));
        self.clean_up(&scope).await
    }

    /// HTTP exchanges begun.
    pub(super) fn attempts(&self) -> u32 {
        self.scope.attempts()
    }

    /// Whether anything of this attempt may be in the calendar, or may still arrive.
    pub(super) const fn exposed(&self) -> bool {
        self.landed || self.in_doubt || self.claimed
    }

    /// The id of this generation.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Undoes what this attempt may have left, as far as the time allows.
    async fn clean_up(&self, scope: &Scope) -> (Cleanup, Option<Arc<Held>>) {
        let left = self.cx.left(scope);
        let state = if self.exposed() { State::Failed } else { State::Settled { disposal: Disposal::Nothing } };
        let change = self.held.change(left.max(RESULT_GRACE), |entry| entry.state = state).await;
        if !self.exposed() {
            return (Cleanup::Deleted, None);
        }
        if change == Change::Refused {
            // Another process has taken over and does it.
            return (Cleanup::Pending, None);
        }
        match timeout(left, reconcile(self.cx, scope, &self.held)).await {
            Ok(Ok(Disposal::Deleted | Disposal::Nothing)) => (Cleanup::Deleted, None),
            Ok(Ok(Disposal::Kept)) => (Cleanup::Kept, None),
            Ok(Err(_)) | Err(_) => (Cleanup::Pending, Some(Arc::clone(&self.held))),
        }
    }
}
