//! The methods that make events.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::admission::{Answered, SETTLED, Seated, Told, scope_of};
use super::call::Call;
use super::cancel::Cancel;
use super::flight::{Leaving, Start};
use super::metrics::Ending;
use super::{Alike, Service, answer};
use crate::google::Credentials;
use crate::model::event::EventData;
use crate::model::{CalendarError, Outcome, Rollback};
use crate::operation::create::{self, Cleanup, CreateRequest, Created};
use crate::operation::create_many;
use crate::policy::Deadline;
use crate::store::Disposal;

/// Share of a schedule's time that is kept for undoing it.
const UNDO_SHARE: f64 = 0.3;
/// Events in one schedule, at most.
const SCHEDULE_AT_MOST: usize = 500;
/// Bytes of a schedule's JSON text, at most.
const SCHEDULE_BYTES: usize = 16 * 1024 * 1024;

/// A create, read and checked.
struct Asked {
    call: Call,
    data: EventData,
}

impl Service {
    /// `createEvent`. The texts are read at once, so that they need not be kept while the event is made.
    pub fn create_event<'s>(
        &'s self,
        args: &str,
        event: &str,
        cancel: Cancel,
    ) -> impl Future<Output = Result<String, CalendarError>> + Send + use<'s> {
        let asked = self.asked(args, event);
        self.counted(create::OPERATION, Box::pin(async move { self.share_create(asked?, cancel).await }))
    }

    fn asked(&self, args: &str, event: &str) -> Result<Box<Asked>, CalendarError> {
        let call = Call::parse(args, &self.config(), 1)?;
        let data = EventData::parse(event, call.time_zone.as_deref())?;
        Ok(Box::new(Asked { call, data }))
    }

    async fn share_create(&self, mut asked: Box<Asked>, cancel: Cancel) -> Answered {
        let hash = asked.data.hash();
        let seated = Box::pin(self.seat(create::OPERATION, &mut asked.call, &cancel)).await?;
        let (created, attempts) = self.begin_create(asked, &seated, cancel).await?;
        let ending = match &*created {
            Created::Done(creation) => Ending {
                verified: creation.verified,
                replayed: creation.replayed,
                repaired: creation.repaired,
                ..Ending::default()
            },
            Created::Unverified { cleanup, .. } => {
                let left = match cleanup {
                    Cleanup::Deleted => Outcome::Rejected,
                    Cleanup::Kept => Outcome::Applied,
                    Cleanup::Pending => Outcome::Unknown,
                };
                Ending { unverified: true, left: Some(left), ..Ending::default() }
            }
        };
        Ok((answer::created(&created, &hash, attempts)?, ending))
    }

    fn begin_create<'s>(
        &'s self,
        asked: Box<Asked>,
        seated: &Seated,
        cancel: Cancel,
    ) -> impl Future<Output = Result<(Arc<Created>, u32), CalendarError>> + Send + use<'s> {
        let call = &asked.call;
        let alike = call.key.clone().map(|key| Alike {
            user: call.target.user.clone(),
            key,
            print: asked.data.print(),
            params: call.params,
            verified: call.verification.is_some(),
            on_deleted: call.on_deleted,
        });
        let deadline = seated.deadline.clone();
        let leaving = Leaving { operation: create::OPERATION, deadline, cancel, then: SETTLED };
        let this = self.clone();
        let credentials = Arc::clone(&seated.credentials);
        let start = move |start| drop(tokio::spawn(this.attempt_create(asked, credentials, start)));
        self.shared.creates.fly(alike, leaving, start)
    }

    /// The attempt, apart from its callers.
    fn attempt_create(
        self,
        asked: Box<Asked>,
        credentials: Arc<dyn Credentials>,
        start: Start<(Arc<Created>, u32)>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let open = self.shared.open.begin();
        let scope = scope_of(&asked.call, create::OPERATION, &credentials, start.deadline.clone());
        let Asked { mut call, data } = *asked;
        let key = call.key.take();
        let request = Box::new(create_request(&call, data, key));
        async move {
            let watched = self.shared.background.watch(&start.exposure);
            let concluded = create::create(&self.shared.cx, scope, &request, &start.exposure).await;
            let closed = match concluded.open {
                // It is told of when it is closed.
                Some(held) => {
                    self.shared.background.adopt(held, credentials).await;
                    Vec::new()
                }
                None => vec![(concluded.event_id, disposal(&concluded.answer))],
            };
            drop(watched);
            if start.settle(concluded.answer.map(|created| (Arc::new(created), concluded.attempts))) {
                self.notify_closed(create::OPERATION, &request.target.user, closed);
            }
            drop(open);
        }
    }

    /// `createEvents`.
    pub async fn create_events(&self, args: &str, events: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = Box::pin(async {
            let config = self.config();
            let texts = schedule(events)?;
            let mut call = Call::parse(args, &config, texts.len())?;
            let zone = call.time_zone.clone();
            let parse = |(index, text): (usize, &&RawValue)| {
                EventData::parse(text.get(), zone.as_deref()).map_err(|error| at_index(error, index))
            };
            let events = texts.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
            let hashes: Vec<_> = events.iter().map(EventData::hash).collect();
            let key = call.key.take();
            let this = self.clone();
            self.alone(create_many::OPERATION, call, cancel, async move |call, credentials, deadline, exposure| {
                let key_of = |index| key.as_ref().map(|key| format!("{key}:{index}"));
                let requests: Vec<_> = events
                    .into_iter()
                    .enumerate()
                    .map(|(index, data)| create_request(&call, data, key_of(index)))
                    .collect();
                let work = deadline.first_part(1.0 - UNDO_SHARE);
                tokio::spawn(cancel_with(deadline.clone(), work.clone()));
                let scope = |deadline| scope_of(&call, create_many::OPERATION, &credentials, deadline);
                let concluded = create_many::create_many(
                    &this.shared.cx,
                    &call.target,
                    &requests,
                    &exposure,
                    &scope,
                    (work, deadline),
                )
                .await;
                for held in concluded.open {
                    this.shared.background.adopt(held, Arc::clone(&credentials)).await;
                }
                let closed = match &concluded.answer {
                    Ok(creations) => {
                        creations.iter().map(|creation| (creation.event_id.clone(), Disposal::Kept)).collect()
                    }
                    Err(refusal) => refusal.rolled_back.iter().map(|id| (id.clone(), Disposal::Deleted)).collect(),
                };
                let answer = match concluded.answer {
                    Ok(creations) => {
                        let verified = creations.iter().all(|creation| creation.verified);
                        let ending = Ending { verified, ..Ending::default() };
                        answer::created_many(&creations, &hashes, concluded.attempts).map(|text| (text, ending))
                    }
                    Err(refusal) => match &refusal.error {
                        None => {
                            let left = refusal.rollback_pending.is_empty().then_some(Outcome::Rejected);
                            let ending = Ending { unverified: true, left, ..Ending::default() };
                            answer::refused_many(&refusal).map(|text| (text, ending))
                        }
                        Some(error) => Err(CalendarError {
                            rollback: Box::new(Rollback {
                                done: refusal.rolled_back.clone(),
                                pending: refusal.rollback_pending.clone(),
                                ..Rollback::default()
                            }),
                            ..error.clone()
                        }),
                    },
                };
                Told { answer, closed }
            })
            .await
        });
        self.counted(create_many::OPERATION, work).await
    }
}

pub(super) fn create_request(call: &Call, data: EventData, key: Option<String>) -> CreateRequest {
    CreateRequest {
        target: call.target.clone(),
        data: Arc::new(data),
        key,
        params: call.params,
        verification: call.verification,
        on_deleted: call.on_deleted,
        max_retries: call.max_retries,
    }
}

/// What became of the event of an attempt that is closed.
const fn disposal(answer: &Result<Created, CalendarError>) -> Disposal {
    match answer {
        Ok(Created::Done(_) | Created::Unverified { cleanup: Cleanup::Kept, .. }) => Disposal::Kept,
        Err(error) if matches!(error.outcome, Outcome::Applied) => Disposal::Kept,
        Ok(Created::Unverified { .. }) | Err(_) => Disposal::Deleted,
    }
}

/// The texts of a schedule's events.
fn schedule(text: &str) -> Result<Vec<&RawValue>, CalendarError> {
    let what = format!("must be an array of 1 to {SCHEDULE_AT_MOST} events");
    let fits = |events: &Vec<&RawValue>| (1..=SCHEDULE_AT_MOST).contains(&events.len());
    let events = if text.len() > SCHEDULE_BYTES { None } else { serde_json::from_str(text).ok() };
    events.filter(fits).ok_or_else(|| CalendarError::validation("eventsData", &what))
}

/// `eventData.start` of the third event is `eventsData[2].start`.
fn at_index(mut error: CalendarError, index: usize) -> CalendarError {
    let name = format!("eventsData[{index}]");
    error.message = error.message.replacen("eventData", &name, 1);
    error.field = error.field.map(|field| field.replacen("eventData", &name, 1));
    error
}

/// The work's own deadline ends with the call's.
pub(super) async fn cancel_with(call: Deadline, work: Deadline) {
    tokio::select! {
        () = call.cancelled() => work.cancel(),
        () = tokio::time::sleep_until(work.end()) => {}
    }
}
