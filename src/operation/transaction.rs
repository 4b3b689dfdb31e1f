//! A transaction over attendees, events and steps of the application's own: all of it, or nothing.
//!
//! What it intends is in the journal before it is done, and each attendee's record names it before their event is read
//! ([`AttendeeRecords`]). Its success is one compare-and-set of its entry, before anybody hears of it; then the records are
//! told ([`finish`]). Anything else leads to the undo of what this transaction did, newest first ([`undo`]): by itself, by the
//! background, or by whichever process finds the entry.

pub mod finish;
pub mod opening;
mod party;
pub mod single;
pub mod undo;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use self::party::Adding;
use self::undo::{Here, Member};
use super::attempt::{Attempt, Failure, RESULT_GRACE};
use super::attendees::{AttendeeChange, ChangeRequest, Changed, LaneKey, Lanes, Party, Verb};
use super::create::{CreateRequest, Creation};
use super::exposure::Exposure;
use super::{Context, Target, timed_out};
use crate::google::{BoxFuture, Credentials, QuotaUser, Scope, SendUpdates};
use crate::model::attendee::Guest;
use crate::model::{CalendarError, Claim, Code, Outcome};
use crate::policy::Deadline;
use crate::store::{Act, AttendeeKey, AttendeeRecords, Change, Entry, Held, Plan, State, Step, was_being_removed};

/// What transactions are made with. Clones share it.
#[derive(Clone)]
pub struct Transactions {
    /// Calendar, journal, time.
    pub cx: Context,
    /// Who relies on whom.
    pub records: AttendeeRecords,
    /// What changes guest lists.
    pub lanes: Lanes,
    /// What undoes the application's own steps.
    pub app: Arc<dyn AppSteps>,
}

/// A step of the application's own that is to be undone.
pub enum AppStep<'a> {
    /// By the function that the living process holds.
    Held {
        /// The transaction's claim.
        transaction: &'a str,
        /// Its number in it.
        number: u32,
    },
    /// By the handler of this name.
    Named {
        /// The handler.
        name: &'a str,
        /// Its argument, as JSON text.
        args: &'a str,
    },
}

/// What undoes the application's own steps.
pub trait AppSteps: Send + Sync {
    /// Undoes one; again, if it is asked again.
    fn undo<'a>(&'a self, step: AppStep<'a>) -> BoxFuture<'a, Result<(), CalendarError>>;
}

/// On whose behalf a transaction, its undo or its finishing works.
#[derive(Clone)]
pub struct Caller {
    /// The method, as JS names it.
    pub operation: &'static str,
    /// The application's name of the user.
    pub user: String,
    /// What tells the credentials apart: changes of one identity may travel together.
    pub identity: String,
    /// Where the access token comes from.
    pub credentials: Arc<dyn Credentials>,
    /// The most one HTTP exchange may take.
    pub attempt_timeout: Duration,
    /// Repeats of one exchange, at most.
    pub max_retries: u32,
    /// The call's own `quotaUser`; `None`: the configuration's.
    pub quota_user: Option<QuotaUser>,
}

impl Caller {
    pub(super) fn scope(&self, deadline: Deadline) -> Scope {
        let mut scope = Scope::new(
            self.user.clone(),
            self.operation,
            Arc::clone(&self.credentials),
            deadline,
            self.attempt_timeout,
            self.max_retries,
        );
        scope.quota_user.clone_from(&self.quota_user);
        scope
    }
}

/// One attendee who is to be on one event.
#[derive(Clone)]
pub struct Place {
    /// Which calendar; `primary` means the user's.
    pub calendar: String,
    /// Which event.
    pub event_id: String,
    /// Who.
    pub guest: Guest,
    /// Whom Google mails.
    pub send_updates: SendUpdates,
}

impl Place {
    /// The step that puts them there.
    #[must_use]
    pub fn step(&self, number: u32) -> Step {
        Step {
            number,
            closed: false,
            act: Act::Attendee {
                calendar: self.calendar.clone(),
                event_id: self.event_id.clone(),
                email: self.guest.email.clone(),
                mailed: self.send_updates != SendUpdates::None,
                skipped: false,
                updated: None,
            },
        }
    }

    pub(super) fn key(&self, user: &str) -> AttendeeKey {
        AttendeeKey::new(user, &self.calendar, &self.event_id, &self.guest.email)
    }
}

/// How attendees are added.
#[derive(Clone, Copy)]
pub struct AddTerms {
    /// The most one of them may take.
    pub timeout: Duration,
    /// Who takes longer is left out.
    pub skip_late: bool,
    /// Whether adds are read back.
    pub verify: bool,
}

/// How an add ended that leaves the transaction its way on.
pub enum Added {
    /// The attendee is there.
    There(Box<Changed>),
    /// It took too long; whether they arrive is settled after the transaction's success.
    Skipped {
        /// HTTP exchanges begun.
        attempts: u32,
    },
}

/// The events that a transaction which succeeded went on without, each once.
#[must_use]
pub fn skipped_events(plan: Option<&Plan>) -> Vec<String> {
    plan.map(|plan| plan.event_ids(Step::is_skipped)).unwrap_or_default()
}

/// A transaction at work.
pub struct Transaction {
    parts: Transactions,
    caller: Caller,
    held: Arc<Held>,
    claim: Claim,
    exposure: Arc<Exposure>,
    /// The work is over: nothing more is sent for it.
    over: Arc<AtomicBool>,
    here: Mutex<Here>,
    /// A step was answered without having been read back.
    unread: AtomicBool,
}

/// The entry of a transaction that begins with these steps.
#[must_use]
pub fn intent(cx: &Context, operation: &str, target: &Target, print: String, steps: Vec<Step>, keyless: bool) -> Entry {
    Entry {
        operation: operation.to_owned(),
        user: target.user.clone(),
        calendar: target.calendar.clone(),
        event_id: String::new(),
        generation: 0,
        claim: cx.journal.claim(),
        print,
        state: State::Running,
        group: None,
        guests: false,
        keyless,
        unseen: false,
        lease_until: 0,
        since: 0,
        plan: Some(Plan { steps, open: true, ..Plan::default() }),
    }
}

impl Transaction {
    /// A transaction whose intent is in the journal, held by this process.
    pub async fn over(parts: Transactions, caller: Caller, held: Arc<Held>, exposure: Arc<Exposure>) -> Self {
        exposure.begun(&held);
        Self {
            parts,
            caller,
            claim: held.entry().await.claim,
            held,
            exposure,
            over: Arc::default(),
            here: Mutex::default(),
            unread: AtomicBool::new(false),
        }
    }

    /// Its entry.
    #[must_use]
    pub const fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// Its claim, by which its steps are known.
    #[must_use]
    pub const fn claim(&self) -> &Claim {
        &self.claim
    }

    fn left(&self, deadline: &Deadline) -> Duration {
        deadline.left(self.parts.cx.clock.now())
    }

    /// Notes a step before it is taken.
    pub async fn register(&self, step: Step, deadline: &Deadline) -> Result<(), CalendarError> {
        let noted = self
            .held
            .change(self.left(deadline), |entry| {
                if let Some(plan) = &mut entry.plan {
                    plan.steps.push(step);
                }
            })
            .await;
        if noted == Change::Applied {
            return Ok(());
        }
        Err(CalendarError::new(
            Code::StoreUnavailable,
            Outcome::NotSent,
            "The step could not be noted in the journal, so it was not taken.",
        ))
    }

    /// Notes a step that only this process can undo: its number in the transaction.
    pub fn hold_step(&self, number: u32) {
        self.here().steps.push(number);
    }

    /// Puts an attendee on an event, as the step of this number says, which is in the journal. It has a time of its own,
    /// which ends with `work`.
    pub async fn add_in_time(
        &self,
        number: u32,
        place: &Place,
        terms: AddTerms,
        work: &Deadline,
    ) -> Result<Added, CalendarError> {
        let clock = &self.parts.cx.clock;
        let now = clock.now();
        let own = Deadline::starts(now, terms.timeout.min(work.left(now)));
        let mut adding = std::pin::pin!(self.add(number, place, terms.verify, own.clone()));
        let told = tokio::select! {
            told = &mut adding => told,
            () = work.cancelled() => {
                own.cancel();
                adding.await
            }
        };
        match told {
            Ok(changed) => Ok(Added::There(Box::new(changed))),
            Err(error) if terms.skip_late && was_late(&error) && !work.is_cancelled() && !self.left(work).is_zero() => {
                self.here().skipped.push(number);
                Ok(Added::Skipped { attempts: error.attempts })
            }
            Err(error) => Err(error.with_event(place.event_id.clone())),
        }
    }

    /// Puts an attendee on an event. The step of this number, which says so, is in the journal.
    pub async fn add(
        &self,
        number: u32,
        place: &Place,
        verify: bool,
        deadline: Deadline,
    ) -> Result<Changed, CalendarError> {
        let key = place.key(&self.caller.user);
        let claimed = tokio::select! {
            claimed = self.parts.records.claim(&key, &self.claim, &self.held, self.left(&deadline)) => claimed,
            () = deadline.cancelled() => Err(timed_out(&self.caller.scope(deadline.clone()))),
        };
        let newest = claimed?;
        let party = Arc::new(Adding {
            records: self.parts.records.clone(),
            held: Arc::clone(&self.held),
            key: key.clone(),
            claim: self.claim.clone(),
            over: Arc::clone(&self.over),
            begun: AtomicBool::new(false),
            noted: OnceLock::new(),
            exposure: Arc::clone(&self.exposure),
            scope: self.caller.scope(deadline.clone()),
            clock: self.parts.cx.clock.clone(),
        });
        let told = self
            .parts
            .lanes
            .change(ChangeRequest {
                verify,
                newest,
                ..self.caller.change(place, Verb::Add, Arc::clone(&party) as Arc<dyn Party>, deadline)
            })
            .await;
        if let Ok(Changed { updated: Some(updated), .. }) = &told {
            self.here().updated.insert(number, updated.clone());
        }
        // Acknowledged: the ETag of the read that showed them absent still held.
        if told.as_ref().is_ok_and(|changed| changed.acknowledged && !changed.already)
            && let Some(kept) = party.noted.get()
        {
            self.here().outdated.insert(key.clone(), kept.clone());
        }
        let certainly_not_added = match &told {
            Ok(changed) => changed.already,
            Err(error) => matches!(error.outcome, Outcome::NotSent | Outcome::Rejected),
        };
        // Where this is not noted, an undo takes them off whoever added them, or finds that it may not.
        if certainly_not_added && party.begun.load(Ordering::Acquire) {
            let _ = self.parts.records.never_added(&key, &self.claim, RESULT_GRACE).await;
        }
        if !told.as_ref().is_ok_and(|changed| changed.verified) {
            self.unread.store(true, Ordering::Release);
        }
        told
    }

    /// Makes an event that belongs to this transaction; also how many HTTP exchanges were begun for it.
    pub async fn create(
        &self,
        number: u32,
        request: &CreateRequest,
        deadline: Deadline,
    ) -> Result<(Creation, u32), CalendarError> {
        let scope = self.caller.scope(deadline.clone());
        let group = self.held.name().to_owned();
        let mut attempt = Attempt::begin(&self.parts.cx, scope, request, &self.exposure, Some(group)).await?;
        let held = Arc::clone(attempt.held());
        let claim = held.entry().await.claim;
        self.here().members.push(Member { held: Arc::clone(&held), verified: false });
        self.register(Step { number, closed: false, act: Act::Event { claim } }, &deadline).await?;
        match attempt.run().await {
            Ok(creation) => {
                self.made(&held, creation.verified);
                Ok((creation, attempt.attempts()))
            }
            Err(failure) => {
                let error = failed_create(failure, attempt.attempts(), attempt.exposed());
                // Else the undo would fence an id at which nothing can be: a needless write, and an open end where it is
                // refused as the create was.
                if !attempt.exposed() {
                    attempt.close_untouched().await;
                }
                Err(error)
            }
        }
    }

    /// An event of it is there. Whether it was read back decides whether a difference may be called its owner's edit.
    fn made(&self, held: &Arc<Held>, verified: bool) {
        for member in self.here().members.iter_mut().filter(|member| Arc::ptr_eq(&member.held, held)) {
            member.verified = verified;
        }
        if !verified {
            self.unread.store(true, Ordering::Release);
        }
    }

    /// Whether each of its steps was read back, so far.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        !self.unread.load(Ordering::Acquire)
    }

    /// One compare-and-set is the result of all, verified if each step was. `note` adds to the plan what is known only now.
    ///
    /// # Errors
    /// `unknown`: the journal decides; the entry is to be worked on.
    pub async fn commit(&self, deadline: &Deadline, note: impl FnOnce(&mut Plan)) -> Result<(), CalendarError> {
        self.over.store(true, Ordering::Release);
        let verified = self.is_verified();
        let left = self.left(deadline).max(RESULT_GRACE);
        let Here { skipped: late, updated: seen, .. } = self.here().clone();
        let change = self
            .held
            .change(left, |entry| {
                entry.state = State::Succeeded { verified };
                let Some(plan) = &mut entry.plan else { return };
                plan.answer = None;
                for step in &mut plan.steps {
                    if let Act::Attendee { skipped, updated, .. } = &mut step.act {
                        *skipped = late.contains(&step.number);
                        *updated = seen.get(&step.number).cloned();
                    }
                }
                note(plan);
            })
            .await;
        if change == Change::Applied {
            let members = self.here().members.clone();
            for Member { held, verified } in members {
                // Should this not be written, the transaction's entry still says it.
                let _ = held.change(RESULT_GRACE, |entry| entry.state = State::Succeeded { verified }).await;
            }
            return Ok(());
        }
        Err(CalendarError::new(
            Code::StoreUnavailable,
            Outcome::Unknown,
            "All of it is in the calendar, but whether that could be recorded is not known: it may be taken back. pending() lists it until that is settled.",
        ))
    }

    /// After the success: the records are told. What cannot be done in this time is left to the background.
    pub async fn finish(&self, deadline: &Deadline) -> Option<Arc<Held>> {
        let finished = finish::finish(&self.parts, &self.caller, &self.held, deadline, false).await;
        finished.open.then(|| Arc::clone(&self.held))
    }

    /// Everything back, newest first, as far as the time allows.
    pub async fn roll_back(&self, deadline: &Deadline) -> undo::Undone {
        self.over.store(true, Ordering::Release);
        let here = self.here().clone();
        undo::undo(&self.parts, &self.caller, &self.held, &here, deadline).await
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller {
    /// A change of this caller's, read back, with an exposure of its own.
    pub(super) fn change(&self, place: &Place, verb: Verb, party: Arc<dyn Party>, deadline: Deadline) -> ChangeRequest {
        ChangeRequest {
            operation: self.operation,
            lane: LaneKey {
                target: Target { user: self.user.clone(), calendar: place.calendar.clone() },
                event_id: place.event_id.clone(),
                identity: self.identity.clone(),
                send_updates: place.send_updates,
            },
            change: AttendeeChange { guest: place.guest.clone(), verb },
            credentials: Arc::clone(&self.credentials),
            deadline,
            attempt_timeout: self.attempt_timeout,
            max_retries: self.max_retries,
            quota_user: self.quota_user.clone(),
            verify: true,
            newest: None,
            party,
            exposure: Arc::default(),
        }
    }
}

/// Whether a step took longer than it may, be it that Google did not answer, or that another call stood in its way.
fn was_late(error: &CalendarError) -> bool {
    error.code == Code::Timeout || was_being_removed(error)
}

fn failed_create(failure: Failure, attempts: u32, exposed: bool) -> CalendarError {
    let mut error = match failure {
        Failure::Error(error) => error,
        Failure::Mismatch(_) | Failure::Vanished => CalendarError::new(
            Code::VerificationFailed,
            Outcome::Unknown,
            "Event verification failed: what was written could not be read back as it was asked for.",
        ),
    };
    error.attempts = attempts;
    if exposed {
        error.outcome = Outcome::Unknown;
    }
    error
}
