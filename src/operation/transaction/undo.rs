//! Undoes a failed transaction, newest step first. Each step can be undone again: whoever repeats this does no harm.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout};

use super::party::Expelling;
use super::{AppStep, Caller, Place, Transactions};
use crate::google::SendUpdates;
use crate::model::attendee::Guest;
use crate::model::{CalendarError, Claim, Code, Outcome, Rollback};
use crate::operation::attempt::RESULT_GRACE;
use crate::operation::attendees::Verb;
use crate::operation::reconcile::reconcile;
use crate::operation::{lease_lost, lease_of, read};
use crate::policy::Deadline;
use crate::store::{Act, AttendeeKey, Change, Disposal, Failing, Held, Leaving, Resumed, State, Step};

/// Events in flight at once.
const AT_ONCE: usize = 4;
/// How long after the deadline functions of the program's own are still called and waited for, all together: of everything
/// else the undo is repeated, but a function dies with its transaction.
const FUNCTIONS_GRACE: Duration = Duration::from_millis(400);

/// What became of an undo, as far as it came.
#[derive(Default)]
pub struct Undone {
    /// Of each event and step.
    pub rollback: Rollback,
    /// How many of `rollback.failed` nobody repeats: functions of the program's own.
    pub given_up: usize,
    /// What the last error was.
    pub last_error: Option<CalendarError>,
    /// Something is left to do, or it is not known whether.
    pub open: bool,
}

impl Undone {
    /// What it means for the calendar, where the failure itself had this outcome.
    #[must_use]
    pub fn aftermath(&self, failure: Outcome) -> (Outcome, &'static str) {
        let Rollback { done, pending, failed, .. } = &self.rollback;
        let goes_on = pending.len() + failed.len() > self.given_up;
        match (goes_on, self.given_up > 0) {
            (true, false) => (
                Outcome::Unknown,
                "Not everything that was done is undone yet; the undo goes on in the background, and pending() lists it until then.",
            ),
            (true, true) => (
                Outcome::Unknown,
                "Not everything that was done is undone yet. Undo functions of the program's own that failed, or took too long, are not called again: rollbackFailed names their steps (step 1 is the first); undo these yourself. All other undo goes on in the background, and pending() lists it until then.",
            ),
            (false, true) => (
                Outcome::Unknown,
                "Undo functions of the program's own failed, or took too long, and are not called again: rollbackFailed names their steps (step 1 is the first); undo these yourself. Everything else that was done is undone again.",
            ),
            (false, false) if done.is_empty() && failure == Outcome::NotSent => {
                (Outcome::NotSent, "Nothing of it is in the calendar.")
            }
            (false, false) => (Outcome::Rejected, "Everything that was done is undone again."),
        }
    }
}

/// How one step ended.
enum Ended {
    /// Nothing of it was there.
    Nothing,
    /// It was there, and is not any more.
    Undone,
}

/// An event of a transaction, whose entry its process holds.
#[derive(Clone)]
pub struct Member {
    /// The entry.
    pub held: Arc<Held>,
    /// It is there, and was read back.
    pub verified: bool,
}

/// What only the process that made a transaction knows of it.
#[derive(Clone, Default)]
pub struct Here {
    /// Its events.
    pub members: Vec<Member>,
    /// Numbers of steps whose undo is a function of its program's.
    pub steps: Vec<u32>,
    /// Numbers of steps that took too long, and that it goes on without.
    pub skipped: Vec<u32>,
    /// `updated` of the event that each add was told by, by the numbers of their steps.
    pub updated: HashMap<u32, String>,
    /// Who had kept an attendee before an add of this transaction that was acknowledged.
    pub outdated: HashMap<AttendeeKey, Vec<Claim>>,
}

/// Undoes what the entry says, which this process holds.
pub async fn undo(parts: &Transactions, caller: &Caller, held: &Arc<Held>, here: &Here, deadline: &Deadline) -> Undone {
    let left = || deadline.left(parts.cx.clock.now());
    let mut told = Undone { open: true, ..Undone::default() };
    let entry = held.entry().await;
    let claim = entry.claim.clone();
    let mut steps = entry.plan.map(|plan| plan.steps).unwrap_or_default();
    steps.retain(|step| !step.closed);
    // Before the failure is durable another process could still find a success, except for what only we can undo:
    // the success would have had to come from us.
    let failed = held.fail(left().max(RESULT_GRACE)).await == Failing::Failed;
    let own = here.steps.iter().map(|number| Work::Held(*number));
    let noted = steps.into_iter().map(Work::Noted);
    let mut work: Vec<_> = own.chain(noted).collect();
    work.sort_by_key(|work| std::cmp::Reverse(work.number()));

    let functions_end = deadline.end().max(parts.cx.clock.now()) + FUNCTIONS_GRACE;
    let undoing = Undoing { parts, caller, held, here, claim: &claim, since: entry.since, deadline, functions_end };
    let mut functions = u32::try_from(here.steps.len()).unwrap_or(u32::MAX);
    let mut closed = Vec::new();
    for run in runs(&work) {
        let run: Vec<_> = run
            .iter()
            .filter(|work| failed || matches!(work, Work::Held(_)))
            .map(|work| {
                let undoing = &undoing;
                async move { (work, undoing.one(work, functions).await) }
            })
            .collect();
        let ended: Vec<_> = stream::iter(run).buffered(AT_ONCE).collect().await;
        for (work, ended) in ended {
            let is_function = matches!(work, Work::Held(_));
            functions -= u32::from(is_function);
            match ended {
                Ok(ended) => {
                    closed.push(work.number());
                    if let (Ended::Undone, Work::Noted(step)) = (ended, work)
                        && !matches!(step.act, Act::App { .. })
                    {
                        told.rollback.done.push(undoing.name(work).await);
                    }
                }
                Err(error) => {
                    let name = undoing.name(work).await;
                    let goes_on = left().is_zero() && !is_function;
                    if goes_on { &mut told.rollback.pending } else { &mut told.rollback.failed }.push(name);
                    told.given_up += usize::from(is_function);
                    told.last_error = Some(error);
                }
            }
        }
    }
    if !failed {
        for work in work.iter().filter(|work| matches!(work, Work::Noted(_))) {
            told.rollback.pending.push(undoing.name(work).await);
        }
        return told;
    }
    let all = work.iter().all(|work| closed.contains(&work.number()) || matches!(work, Work::Held(_)));
    let disposal = if told.rollback.done.is_empty() { Disposal::Nothing } else { Disposal::Deleted };
    let change = held
        .change(left().max(RESULT_GRACE), |entry| {
            let Some(plan) = &mut entry.plan else { return };
            for number in &closed {
                plan.close(*number);
            }
            if all {
                plan.finish();
                entry.state = State::Settled { disposal };
            }
        })
        .await;
    told.open = !(all && change == Change::Applied);
    told
}

/// A step to be undone.
enum Work {
    Noted(Step),
    Held(u32),
}

impl Work {
    const fn number(&self) -> u32 {
        match self {
            Self::Noted(step) => step.number,
            Self::Held(number) => *number,
        }
    }

    const fn is_attendee(&self) -> bool {
        matches!(self, Self::Noted(Step { act: Act::Attendee { .. }, .. }))
    }
}

/// Attendees that follow one another are undone together: their events do not know of each other. All else is undone one
/// by one.
fn runs(work: &[Work]) -> impl Iterator<Item = &[Work]> {
    work.chunk_by(|one, next| one.is_attendee() && next.is_attendee())
}

struct Undoing<'a> {
    parts: &'a Transactions,
    caller: &'a Caller,
    held: &'a Arc<Held>,
    here: &'a Here,
    claim: &'a Claim,
    since: u64,
    deadline: &'a Deadline,
    /// Until when functions of the program's own are waited for.
    functions_end: Instant,
}

impl Undoing<'_> {
    /// `functions`: how many of the program's own functions are still to be called, this one included.
    async fn one(&self, work: &Work, functions: u32) -> Result<Ended, CalendarError> {
        let now = self.parts.cx.clock.now();
        let mut left = self.deadline.left(now);
        if matches!(work, Work::Held(_)) {
            // One that does not end must not keep the others from being called.
            left = left.max(self.functions_end.saturating_duration_since(now) / functions.max(1));
        }
        let scope = || self.caller.scope(self.deadline.clone());
        let undone = async {
            match work {
                Work::Held(number) => {
                    self.app(AppStep::Held { transaction: self.claim.as_str(), number: *number }).await
                }
                Work::Noted(step) => match &step.act {
                    Act::App { name, args } => self.app(AppStep::Named { name, args }).await,
                    Act::Event { claim } => self.event(claim).await,
                    Act::Attendee { calendar, event_id, email, mailed, .. } => {
                        let place = place_of(calendar, event_id, email, *mailed);
                        self.expel(&place).await
                    }
                },
            }
        };
        timeout(left, undone).await.unwrap_or_else(|_| Err(super::timed_out(&scope())))
    }

    async fn app(&self, step: AppStep<'_>) -> Result<Ended, CalendarError> {
        self.parts.app.undo(step).await.map(|()| Ended::Undone)
    }

    /// An event of this transaction's: as the clean-up of a create.
    async fn event(&self, claim: &Claim) -> Result<Ended, CalendarError> {
        let cx = &self.parts.cx;
        let left = self.deadline.left(cx.clock.now());
        let mut member = None;
        for Member { held, .. } in &self.here.members {
            if held.entry().await.claim == *claim && held.alive() {
                member = Some(Arc::clone(held));
            }
        }
        let member = match member {
            Some(member) => member,
            None => match cx.journal.resume_attempt(claim, left).await? {
                Resumed::Held(held) => held,
                Resumed::Decided(_) => return Ok(Ended::Nothing),
                Resumed::Busy => return Err(undecided()),
            },
        };
        match member.entry().await.state {
            State::Settled { .. } => return Ok(Ended::Nothing),
            State::Succeeded { .. } | State::Failed | State::Running => {}
        }
        if member.fail(left).await != Failing::Failed {
            return Err(undecided());
        }
        let scope = self.caller.scope(self.deadline.clone()).with_lease(lease_of(&member));
        reconcile(cx, &scope, &member).await.map(|_| Ended::Undone)
    }

    /// Takes an attendee off whom nobody else relies on, so that no late add of ours can bring them back.
    async fn expel(&self, place: &Place) -> Result<Ended, CalendarError> {
        let Self { parts, caller, held, claim, since, deadline, .. } = self;
        let key = AttendeeKey::new(&caller.user, &place.calendar, &place.event_id, &place.guest.email);
        let left = || deadline.left(parts.cx.clock.now());
        let lost = || lease_lost(&caller.scope((*deadline).clone()));
        if !held.alive() {
            return Err(lost());
        }
        let outdated = self.here.outdated.get(&key).map(Vec::as_slice).unwrap_or_default();
        if parts.records.leave(&key, claim, outdated, left()).await? == Leaving::Left {
            return Ok(Ended::Nothing);
        }
        let party = Arc::new(Expelling {
            records: parts.records.clone(),
            held: Arc::clone(held),
            key: key.clone(),
            claim: (*claim).clone(),
        });
        let updated = match parts.lanes.change(caller.change(place, Verb::Expel, party, (*deadline).clone())).await {
            Ok(changed) if changed.left => return Err(lost()),
            Ok(changed) => changed.updated,
            // With the event its guest list is gone, and a deleted event's ETag is another one.
            Err(error) if read::is_gone(&parts.cx, &error, *since) => None,
            Err(error) => return Err(error),
        };
        parts.records.removed(&key, claim, updated.as_deref(), left().max(RESULT_GRACE)).await?;
        parts.cx.prevented.cleaned_up(Disposal::Deleted);
        Ok(Ended::Undone)
    }

    /// How a step is told of: an event's id, or the name of a step.
    async fn name(&self, work: &Work) -> String {
        match work {
            Work::Held(number) => format!("step {}", number + 1),
            Work::Noted(step) => match &step.act {
                Act::App { name, .. } => name.clone(),
                Act::Attendee { event_id, .. } => event_id.clone(),
                Act::Event { claim } => {
                    for Member { held, .. } in &self.here.members {
                        let entry = held.entry().await;
                        if entry.claim == *claim {
                            return entry.event_id;
                        }
                    }
                    claim.as_str().to_owned()
                }
            },
        }
    }
}

/// Where an undo of an attendee works: guests may have been mailed that they are invited.
pub(in crate::operation) fn place_of(calendar: &str, event_id: &str, email: &str, mailed: bool) -> Place {
    Place {
        calendar: calendar.to_owned(),
        event_id: event_id.to_owned(),
        guest: Guest::new(email),
        send_updates: if mailed { SendUpdates::ExternalOnly } else { SendUpdates::None },
    }
}

fn undecided() -> CalendarError {
    CalendarError::new(Code::StoreUnavailable, Outcome::Unknown, "An event's own entry is not decided yet.")
}
