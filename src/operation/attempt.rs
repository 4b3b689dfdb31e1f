//! One attempt at one event: the steps of a create up to the point where the event is known to be there.
//!
//! `confirm` tells whether what is there is what was asked for; `conclude` journals the result, or undoes.

mod conclude;
mod confirm;

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::create::{CreateRequest, Creation, OPERATION, OnDeleted};
use super::exposure::Exposure;
use super::prevented::Making;
use super::sight::{Found, Sight, Standing};
use super::{Context, Gaps, QUIET, lease_lost, lease_of, timed_out};
use crate::google::{Body, Fetched, HttpReply, Hurry, Insert, InsertParams, NAMED, Patch, Scope, SendUpdates};
use crate::model::compare::Difference;
use crate::model::ids::{conference_request_id, event_id};
use crate::model::stamp::{claims_patch, insert_text};
use crate::model::{CalendarError, Claim, Claims, Code, Outcome, Warning};
use crate::policy::Kind;
use crate::store::{Change, Entry, Fate, Held, State};

/// A result may be written this long after the deadline: what Google already holds must not be told as failed.
pub(super) const RESULT_GRACE: std::time::Duration = std::time::Duration::from_millis(500);

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

    /// Inserts at this id.
    inserts: u32,
    /// Patches whose answer was lost.
    lost_patches: u32,
    /// An insert of ours at this id was acknowledged.
    landed: bool,
    /// An insert or claim of ours may be there, or may still arrive.
    in_doubt: bool,
    /// An insert or claim of ours was refused, and nothing was seen at this id since. Where something on the way has sent it
    /// twice, the refusal is of the second copy, and the first one was applied.
    refused: bool,
    /// Our claim was added to an event that was there.
    claimed: bool,
    /// The event was there before this attempt.
    adopted: bool,
    /// Something was seen at this id, or Google said it is taken.
    occupied: bool,
    repaired: bool,
    /// An insert was acknowledged and not stored, and the next one was.
    restored: bool,
    /// Ours was found although no insert of it was answered.
    reply_lost: bool,
    /// A repair was sent. Whatever its reply: should the event be right at the next look, it was put right.
    repair_in_doubt: bool,
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
            unseen: false,
            lease_until: 0,
            since: 0,
            plan: None,
        };
        let held = cx.journal.begin(entry, cx.left(&scope)).await?;
        exposure.begun(&held);
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
            lost_patches: 0,
            landed: false,
            in_doubt: false,
            refused: false,
            claimed: false,
            adopted: false,
            occupied: false,
            repaired: false,
            restored: false,
            reply_lost: false,
            repair_in_doubt: false,
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
        let made = self.steps().await;
        match &made {
            Ok(creation) => self.cx.prevented.made(Making {
                adopted: creation.replayed,
                reply_lost: self.reply_lost,
                repaired: creation.repaired,
                restored: self.restored,
            }),
            Err(Failure::Mismatch(_) | Failure::Vanished) => self.cx.prevented.refused(),
            Err(Failure::Error(_)) => {}
        }
        made
    }

    async fn steps(&mut self) -> Result<Creation, Failure> {
        let mut step = Step::Insert;
        loop {
            step = match step {
                Step::Insert => self.insert().await?,
                Step::Look => Box::pin(self.look()).await?,
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
        let params = self.mailed();
        let probe = Arc::new(self.scope.beside());
        self.scope.hurry = Some(self.hurry(&probe));
        // What is read back anyway need not be sent twice.
        let fields = self.request.verification.map(|_| NAMED);
        let body = self.body()?;
        let sent = self.cx.calendar.insert(&self.scope, &self.calendar, &self.id, body, params, fields);
        let inserted = sent.await;
        self.scope.hurry = None;
        self.scope.count_beside(&probe);
        match inserted {
            Ok(Insert::Created(found)) => {
                // Acknowledged before: the second can only be made because the first was not stored.
                self.restored |= self.landed;
                self.landed = true;
                self.occupied = true;
                self.wrote(Some(found.etag.clone()));
                if self.request.verification.is_none() {
                    return Ok(self.done(found.raw, false, Vec::new()));
                }
            }
            Ok(Insert::Taken) => {
                self.occupied = true;
                self.refused = true;
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

    /// Ends an insert that is late once a read, made while it is still open, was answered: whatever that shows, the next look
    /// tells what to do, and it comes sooner than the insert's own time is up. Nothing is written twice at once: a second
    /// insert follows only after this one was given up and nothing is found. A read that fails says nothing, and the insert
    /// is waited for.
    fn hurry(&self, probe: &Arc<Scope>) -> Hurry {
        let (calendar, probe) = (self.cx.calendar.clone(), Arc::clone(probe));
        let (calendar_id, id) = (self.calendar.clone(), self.id.clone());
        Arc::new(move || {
            let (calendar, probe) = (calendar.clone(), Arc::clone(&probe));
            let (calendar_id, id) = (calendar_id.clone(), id.clone());
            Box::pin(async move {
                if let Some(late) = calendar.sender.late_after(Kind::Write, probe.attempt_timeout) {
                    sleep(late).await;
                    if Box::pin(calendar.get(&probe, &calendar_id, &id, Some("id,etag,status"))).await.is_ok() {
                        return;
                    }
                }
                std::future::pending::<()>().await;
            })
        })
    }

    /// What an insert sends. Meet ignores a request id it has seen, so a repeated insert can't make a second conference.
    fn body(&self) -> Result<Body, CalendarError> {
        let user = self.request.target.user.as_str();
        let request_id = || conference_request_id(OPERATION, user, &self.calendar, &self.key, self.generation);
        let claims = Claims::of(self.claim.clone());
        let (own, theirs) = insert_text(&self.request.data, &self.id, &self.print, &claims, request_id)?;
        Ok(Body::new(own, theirs))
    }

    async fn look(&mut self) -> Result<Step, Failure> {
        let seen = |reply: &HttpReply| Found::of(reply, &self.id, &self.print, &self.request.data);
        let found = self.cx.calendar.get_as(&self.scope, &self.calendar, &self.id, None, seen).await?;
        let refused = std::mem::take(&mut self.refused);
        // What seldom comes next is boxed: a look takes no room for it.
        let (standing, claims) = match found {
            Some(Found::AsAsked(standing, claims)) => (standing, claims),
            found => match Sight::of(found.and_then(Found::otherwise), &self.print) {
                Sight::Absent => {
                    self.refused = refused;
                    return Box::pin(self.absent()).await;
                }
                Sight::Tombstone => return Box::pin(self.tombstone()).await,
                Sight::Fence(found) => return Box::pin(self.lift_fence(&found)).await,
                Sight::OtherRequest => return Err(self.other_request().into()),
                Sight::Unstamped(found) => return self.stamps_lost(found),
                Sight::Ours(found, claims) => (Standing::of(found, &self.request.data)?, claims),
            },
        };
        if claims.contains(&self.claim) {
            self.in_doubt |= refused;
            self.verify(standing, &claims).await
        } else {
            Box::pin(self.adopt(standing, &claims)).await
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
        match change {
            Change::Applied => {}
            Change::Refused => return Err(lease_lost(&self.scope).into()),
            Change::Unknown => return Err(not_recorded().into()),
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
        let Standing { raw, comparison, .. } = Standing::of(found, &self.request.data)?;
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
        Ok(self.done(raw, true, warnings))
    }

    /// The event of an earlier call with this key. Where the journal says that a listed claim succeeded, nothing deletes
    /// it and reading is enough; else our claim must be on it before we may rely on it.
    async fn adopt(&mut self, found: Standing, claims: &Claims) -> Result<Step, Failure> {
        self.occupied = true;
        self.adopted = true;
        let fates = self.cx.journal.fates(claims, &self.id, self.cx.left(&self.scope)).await;
        let verified = fates.iter().any(|(_, fate)| *fate == Fate::Succeeded { verified: true });
        let succeeded = fates.iter().any(|(_, fate)| matches!(fate, Fate::Succeeded { .. }));
        if verified || (succeeded && found.comparison.critical.is_empty()) {
            return Ok(self.done_with_owners_edit(found));
        }
        let Some(claims) = claims.with(&self.claim) else {
            return Err(self.too_many_claims().into());
        };
        self.may_patch()?;
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
                self.refused = true;
                let gap = self.gaps.next();
                self.cx.pause(&self.scope, gap).await?;
            }
            Err(error) if error.outcome == Outcome::Unknown => {
                self.in_doubt = true;
                self.patch_lost(error).await?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Step::Look)
    }

    /// A patch is sent again only so often, however many answers are lost.
    fn may_patch(&mut self) -> Result<(), Failure> {
        if self.lost_patches <= self.request.max_retries {
            return Ok(());
        }
        Err(self.last_doubt.take().map_or(Failure::Vanished, Failure::Error))
    }

    /// With If-Match a second arrival can do no harm; the next look tells whether it landed.
    async fn patch_lost(&mut self, error: CalendarError) -> Result<(), Failure> {
        self.lost_patches += 1;
        self.last_doubt = Some(error);
        let gap = self.gaps.next();
        Ok(self.cx.pause(&self.scope, gap).await?)
    }

    fn too_many_claims(&self) -> CalendarError {
        CalendarError::new(
            Code::Conflict,
            Outcome::Applied,
            "The event is in the calendar, but too many unfinished attempts with this idempotency key are marked on it. Wait for their clean-up, or use a new key.",
        )
        .with_event(self.id.clone())
    }

    /// How the writes go that carry the event itself.
    fn mailed(&self) -> InsertParams {
        InsertParams {
            conference_data_version: self.request.params.conference_data_version,
            send_updates: self.request.params.send_updates,
            supports_attachments: self.request.data.has_attachments(),
        }
    }

    fn done_with_owners_edit(&self, found: Standing) -> Step {
        let comparison = &found.comparison;
        let mut warnings = comparison.warnings();
        if !comparison.critical.is_empty() {
            warnings.extend(comparison.critical.iter().map(|difference| {
                Warning::new("EDITED", "The event was made as asked and edited since; the edit was left.")
                    .of_field(difference.field.clone())
            }));
        }
        self.done(found.raw, true, warnings)
    }

    fn done(&self, event: Bytes, verified: bool, mut warnings: Vec<Warning>) -> Step {
        warnings.extend_from_slice(self.request.data.warnings());
        Step::Done(Creation {
            verified,
            event,
            event_id: self.id.clone(),
            replayed: self.adopted || !self.landed,
            repaired: self.repaired || self.repair_in_doubt,
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
        self.inserts = 0;
        self.lost_patches = 0;
        self.last_doubt = None;
        self.landed = false;
        self.in_doubt = false;
        self.refused = false;
        self.claimed = false;
        self.adopted = false;
        self.occupied = false;
        self.repaired = false;
        self.restored = false;
        self.reply_lost = false;
        self.repair_in_doubt = false;
        self.written = None;
    }

    /// HTTP exchanges begun.
    pub(super) fn attempts(&self) -> u32 {
        self.scope.attempts()
    }

    /// Whether anything of this attempt may be in the calendar, or may still arrive.
    pub(super) const fn exposed(&self) -> bool {
        self.landed || self.in_doubt || self.refused || self.claimed
    }

    /// The id of this generation.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

fn not_recorded() -> CalendarError {
    CalendarError::new(
        Code::StoreUnavailable,
        Outcome::NotSent,
        "The event of this idempotency key was deleted, and the store did not take the id of the next one: nothing was made. Call again when the store is back.",
    )
}
