//! `transaction`: a program's own function over attendees, events and steps. The program drives it step by step; what
//! becomes of it is decided here.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{RwLock, RwLockReadGuard};
use tokio::time::sleep_until;

use super::admission::Seated;
use super::attendees::read_guest;
use super::call::Call;
use super::cancel::Cancel;
use super::creating::create_request;
use super::enrolling::{caller_of, failed_to_add, place_of, terms_of, work_of};
use super::open_work::Open;
use super::refreshing::aborted;
use super::{Service, answer};
use crate::google::SendUpdates;
use crate::model::event::EventData;
use crate::model::ids::store_key;
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::attendees::Verb;
use crate::operation::create::Created;
use crate::operation::exposure::Exposure;
use crate::operation::transaction::opening::{Opened, open};
use crate::operation::transaction::{Added, Caller, Transaction, Transactions, intent, skipped_events};
use crate::policy::Deadline;
use crate::store::{Act, Step};

/// The name errors speak under.
pub(super) const OPERATION: &str = "transaction";
/// How long after its deadline a transaction that nobody ended is undone: its program is gone.
const FORGOTTEN: Duration = Duration::from_secs(1);
/// Bytes of a step's argument, at most.
const ARGS_BYTES: usize = 64 * 1024;

/// Transactions whose program is at work on them, by the number that it knows them by.
#[derive(Default)]
pub(super) struct AtWork {
    all: DashMap<u32, Arc<Live>>,
    last: AtomicU32,
}

struct Live {
    transaction: Transaction,
    call: Call,
    seated: Seated,
    work: Deadline,
    steps: AtomicU32,
    /// The first step that failed: after it there is only the way back.
    failed: Mutex<Option<CalendarError>>,
    exposure: Arc<Exposure>,
    /// Steps go in while it is open; who ends the transaction waits for them and shuts it.
    gate: RwLock<Gate>,
    started: tokio::time::Instant,
    _open: Open,
}

#[derive(PartialEq, Eq)]
enum Gate {
    Open,
    Shut,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Begun<'a> {
    id: u32,
    claim: &'a str,
    replayed: bool,
    /// What is left for the work, in milliseconds.
    work_ms: u64,
    /// Of one that is replayed: the events it went on without.
    skipped: Vec<String>,
}

#[derive(Serialize)]
struct Committed {
    success: bool,
    verified: bool,
    skipped: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddBody {
    event_id: String,
    calendar_id: Option<String>,
    attendee: Box<RawValue>,
    send_updates: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StepBody {
    name: Option<String>,
    args: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WayBack {
    outcome: &'static str,
    message: &'static str,
    rolled_back: Vec<String>,
    rollback_failed: Vec<String>,
    rollback_pending: Vec<String>,
}

impl Service {
    /// Begins a transaction: `{ id, claim, replayed, workMs, skipped }`.
    pub async fn transaction_begin(&self, args: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let begin = async {
            let config = self.config();
            let mut call = Call::parse(args, &config, 1)?;
            let identity = call.auth.identity();
            let seated = self.seat(OPERATION, &mut call, &cancel).await?;
            let work = work_of(&seated.deadline);
            let parts = self.shared.transactions.clone();
            let left = || work.left(self.shared.clock.now());
            let caller = caller_of(&call, OPERATION, identity, &seated.credentials);
            let held = match opened(&parts, &caller, &call, &work, &cancel).await? {
                Opened::Begun(held) => held,
                Opened::Done(entry) => {
                    let skipped = skipped_events(entry.plan.as_ref());
                    return Ok(super::to_text(&Begun { id: 0, claim: "", replayed: true, work_ms: 0, skipped }));
                }
                Opened::Undoing(held, error) => {
                    self.shared.background.adopt(held, seated.credentials).await;
                    return Err(error);
                }
            };
            let exposure: Arc<Exposure> = Arc::default();
            let transaction = Transaction::over(parts, caller, held, Arc::clone(&exposure)).await;
            let id = self.shared.at_work.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            let text = super::to_text(&Begun {
                id,
                claim: transaction.claim().as_str(),
                replayed: false,
                work_ms: crate::clock::millis(left()),
                skipped: Vec::new(),
            });
            let end = seated.deadline.end();
            let live = Live {
                transaction,
                call,
                seated,
                work,
                steps: AtomicU32::new(0),
                failed: Mutex::default(),
                exposure,
                gate: RwLock::new(Gate::Open),
                started: self.shared.clock.now(),
                _open: self.shared.open.begin(),
            };
            self.shared.at_work.all.insert(id, Arc::new(live));
            let this = self.clone();
            tokio::spawn(async move {
                sleep_until(end + FORGOTTEN).await;
                if this.shared.at_work.all.contains_key(&id) {
                    let _ = this.transaction_roll_back(id).await;
                }
            });
            Ok(text)
        };
        begin.await.map_err(|mut error: CalendarError| {
            error.operation = Some(OPERATION);
            error
        })
    }

    /// `tx.addAttendee`: `{ eventId, calendarId?, attendee: { email, … }, sendUpdates? }`.
    pub async fn transaction_add(&self, id: u32, body: &str) -> Result<String, CalendarError> {
        let live = self.live(id)?;
        let gate = live.enter().await?;
        let added = async {
            let body: AddBody = serde_json::from_str(body).map_err(|_| {
                CalendarError::validation("tx.addAttendee", "takes { eventId, calendarId?, attendee, sendUpdates? }")
            })?;
            let send_updates = match body.send_updates.as_deref() {
                None => live.call.params.send_updates,
                Some("all") => SendUpdates::All,
                Some("externalOnly") => SendUpdates::ExternalOnly,
                Some("none") => SendUpdates::None,
                Some(_) => {
                    return Err(CalendarError::validation("sendUpdates", "must be 'all', 'externalOnly' or 'none'"));
                }
            };
            let guest = read_guest(body.attendee.get())?;
            let place = place_of(body.event_id, body.calendar_id, &live.call.target.calendar, guest, send_updates)?;
            let number = live.next();
            live.transaction.register(place.step(number), &live.work).await?;
            let terms = terms_of(&live.call, &self.config());
            match live.transaction.add_in_time(number, &place, terms, &live.work).await? {
                Added::There(changed) => answer::attendee(&changed, Verb::Add, &place.event_id),
                Added::Skipped { attempts } => answer::attendee_skipped(&place.event_id, attempts),
            }
        };
        let told = live.told(added.await.map_err(failed_to_add));
        drop(gate);
        told
    }

    /// `tx.createEvent`; `args` as those of `createEvent`.
    pub async fn transaction_create(&self, id: u32, args: &str, event: &str) -> Result<String, CalendarError> {
        let live = self.live(id)?;
        let gate = live.enter().await?;
        let created = async {
            let call = Call::parse(args, &self.config(), 1)?;
            let data = EventData::parse(event, call.time_zone.as_deref())?;
            let hash = data.hash();
            let request = create_request(&call, data, call.key.clone());
            let (creation, attempts) = live.transaction.create(live.next(), &request, live.work.clone()).await?;
            answer::created(&Created::Done(creation), &hash, attempts)
        };
        let told = live.told(created.await);
        drop(gate);
        told
    }

    /// `tx.step`: notes a step before the program takes it, `{ name, args }` for one that a handler undoes, `{}` for one
    /// whose function the program holds. Its number.
    pub async fn transaction_step(&self, id: u32, body: &str) -> Result<String, CalendarError> {
        let live = self.live(id)?;
        let gate = live.enter().await?;
        let noted = async {
            let body: StepBody = serde_json::from_str(body)
                .map_err(|_| CalendarError::validation("tx.step", "takes (run, undo) or (name, args, run)"))?;
            let number = live.next();
            match body.name {
                None => live.transaction.hold_step(number),
                Some(name) => {
                    let args = body.args.unwrap_or_else(|| "null".to_owned());
                    if args.len() > ARGS_BYTES {
                        return Err(CalendarError::validation("args", "must be at most 64 KiB of JSON text"));
                    }
                    let step = Step { number, closed: false, act: Act::App { name, args } };
                    live.transaction.register(step, &live.work).await?;
                }
            }
            Ok(number.to_string())
        };
        let told = live.told(noted.await);
        drop(gate);
        told
    }

    /// All of it stays: one compare-and-set. `{ success, verified, skipped: [eventId] }`.
    ///
    /// # Errors
    /// The first step's error, if one failed: then it is to be rolled back. `unknown`: the journal decides.
    pub async fn transaction_commit(&self, id: u32) -> Result<String, CalendarError> {
        let live = self.live(id)?;
        // First: a step that is still under way may fail.
        live.shut().await;
        if let Some(error) = live.failure() {
            return Err(error);
        }
        self.shared.at_work.all.remove(&id).ok_or_else(over)?;
        let deadline = &live.seated.deadline;
        match live.transaction.commit(deadline, |_| {}).await {
            Ok(()) => {
                if let Some(held) = live.transaction.finish(deadline).await {
                    self.shared.background.adopt(held, Arc::clone(&live.seated.credentials)).await;
                }
                let skipped = skipped_events(live.transaction.held().entry().await.plan.as_ref());
                for event_id in &skipped {
                    self.warn_of_skipped(OPERATION, event_id);
                }
                Ok(super::to_text(&Committed { success: true, verified: live.transaction.is_verified(), skipped }))
            }
            Err(mut error) => {
                error.operation = Some(OPERATION);
                let held = Arc::clone(live.transaction.held());
                self.shared.background.adopt(held, Arc::clone(&live.seated.credentials)).await;
                Err(error)
            }
        }
    }

    /// All of it back: `{ outcome, message, rolledBack, rollbackFailed, rollbackPending }`.
    pub async fn transaction_roll_back(&self, id: u32) -> Result<String, CalendarError> {
        let Some((_, live)) = self.shared.at_work.all.remove(&id) else { return Err(over()) };
        live.work.cancel();
        live.shut().await;
        let undone = live.transaction.roll_back(&live.seated.deadline).await;
        if undone.open {
            let held = Arc::clone(live.transaction.held());
            self.shared.background.adopt(held, Arc::clone(&live.seated.credentials)).await;
        }
        let (outcome, message) = undone.aftermath(live.exposure.withdraw());
        Ok(super::to_text(&WayBack {
            outcome: outcome.name(),
            message,
            rolled_back: undone.rollback.done,
            rollback_failed: undone.rollback.failed,
            rollback_pending: undone.rollback.pending,
        }))
    }

    fn live(&self, id: u32) -> Result<Arc<Live>, CalendarError> {
        self.shared.at_work.all.get(&id).map(|live| Arc::clone(&live)).ok_or_else(over)
    }
}

impl Live {
    async fn enter(&self) -> Result<RwLockReadGuard<'_, Gate>, CalendarError> {
        let gate = self.gate.read().await;
        if *gate == Gate::Open { Ok(gate) } else { Err(over()) }
    }

    async fn shut(&self) {
        *self.gate.write().await = Gate::Shut;
    }

    fn next(&self) -> u32 {
        self.steps.fetch_add(1, Ordering::Relaxed)
    }

    /// A step that failed leaves only the way back, whatever its program makes of the error.
    fn told(&self, told: Result<String, CalendarError>) -> Result<String, CalendarError> {
        told.map_err(|mut error| {
            error.operation = Some(OPERATION);
            error.elapsed_ms = crate::clock::millis(self.started.elapsed());
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.get_or_insert_with(|| error.clone());
            drop(failed);
            error
        })
    }

    fn failure(&self) -> Option<CalendarError> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Journals the intent, if the caller does not leave before it is its turn.
async fn opened(
    parts: &Transactions,
    caller: &Caller,
    call: &Call,
    work: &Deadline,
    cancel: &Cancel,
) -> Result<Opened, CalendarError> {
    let print = store_key("enrollment", &[OPERATION]);
    let keyless = call.key.is_none();
    let intent = || intent(&parts.cx, OPERATION, &call.target, print.clone(), Vec::new(), keyless);
    let mut opening = std::pin::pin!(open(parts, caller, intent, call.key.as_deref(), work));
    tokio::select! {
        opened = &mut opening => opened,
        // Not dropped: an intent whose put is on its way would block the key until its lease runs out.
        () = cancel.cancelled() => {
            work.cancel();
            opening.await.map_err(|_| aborted(OPERATION))
        }
    }
}

fn over() -> CalendarError {
    CalendarError::new(
        Code::ValidationFailed,
        Outcome::NotSent,
        "The transaction is over: this step came after it ended, and nothing was done. Await every step inside the transaction's function.",
    )
}
