//! How a call is let in, run apart from its caller, and counted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::timeout_at;

use super::Service;
use super::call::Call;
use super::cancel::Cancel;
use super::flight::{Leaving, Start};
use super::metrics::{AtWork, Ending};
use super::notice::{Level, Notice};
use super::recovery::Recovery;
use super::refreshing;
use super::seats::Seat;
use crate::google::{Credentials, Scope};
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::exposure::Exposure;
use crate::operation::transaction::single;
use crate::operation::{create_many, enroll, removal};
use crate::policy::Deadline;
use crate::store::Disposal;

/// What a call is told that leaves a change of its own behind.
const READ_IT: &str =
    "whether it is in the calendar is not known; what was sent is not taken back. Read the event to learn.";
/// What one is told that leaves a create behind.
pub(super) const SETTLED: &str = "whether it is in the calendar is not known yet; it is settled in the background and listed by pending() until then.";

/// A call that was let in.
pub(super) struct Seated {
    pub(super) deadline: Deadline,
    pub(super) credentials: Arc<dyn Credentials>,
    _seat: Seat,
    _at_work: AtWork,
}

/// An answer's text, and how the call ended.
pub(super) type Answered = Result<(String, Ending), CalendarError>;

/// An answer, and what became of events, for callers who left before.
pub(super) struct Told {
    pub(super) answer: Answered,
    pub(super) closed: Vec<(String, Disposal)>,
}

impl From<Answered> for Told {
    fn from(answer: Answered) -> Self {
        Self { answer, closed: Vec::new() }
    }
}

impl Service {
    /// Runs a call that shares with nobody.
    pub(super) async fn alone<W, F>(&self, operation: &'static str, mut call: Call, cancel: Cancel, work: W) -> Answered
    where
        W: FnOnce(Call, Arc<dyn Credentials>, Deadline, Arc<Exposure>) -> F + Send + 'static,
        F: Future + Send + 'static,
        F::Output: Into<Told> + Send,
    {
        let seated = Box::pin(self.seat(operation, &mut call, &cancel)).await?;
        let settled =
            [create_many::OPERATION, enroll::OPERATION, single::OPERATION, removal::OPERATION].contains(&operation);
        let then = if settled { SETTLED } else { READ_IT };
        let open = self.shared.open.begin();
        let leaving = Leaving { operation, deadline: seated.deadline.clone(), cancel, then };
        let credentials = Arc::clone(&seated.credentials);
        let this = self.clone();
        let start = move |start: Start<(String, Ending)>| {
            tokio::spawn(async move {
                let watched = this.shared.background.watch(&start.exposure);
                let user = call.target.user.clone();
                let told = work(call, credentials, start.deadline.clone(), Arc::clone(&start.exposure)).await.into();
                drop(watched);
                if start.settle(told.answer) {
                    this.notify_closed(operation, &user, told.closed);
                }
                drop(open);
            });
        };
        self.shared.others.fly(None, leaving, start).await
    }

    /// Lets a call in: the service is open, the user's token is fresh, and one of `maxInFlight` seats is free in time.
    pub(super) async fn seat(
        &self,
        operation: &'static str,
        call: &mut Call,
        cancel: &Cancel,
    ) -> Result<Seated, CalendarError> {
        if self.shared.closed.load(Ordering::Acquire) {
            let message = format!("{operation} failed: the service was closed. Nothing was sent to Google.");
            return Err(CalendarError::new(Code::Closed, Outcome::NotSent, message));
        }
        for option in &call.unknown {
            let message = format!("{operation}: {option} is not known and was ignored");
            (self.shared.listener)(Notice::Log { level: Level::Warn, message });
        }
        let config = self.config();
        if config.recover_by_itself {
            Recovery::start(&self.shared.recovery, config.lease);
        }
        let deadline = self.deadline_of(call);
        let at_work = self.shared.metrics.punctuality.begin(operation, deadline.end());
        let seat = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(refreshing::aborted(operation)),
            seat = timeout_at(deadline.end(), self.shared.seats.take()) => seat,
        };
        let Ok(seat) = seat else {
            let message = format!(
                "{operation} failed: limits.maxInFlight calls were at work until its deadline. Nothing was sent to Google; call again later, or raise the limit."
            );
            return Err(CalendarError::new(Code::Overloaded, Outcome::NotSent, message));
        };
        let credentials = self.credentials_of(call, config.min_validity);
        self.fresh(operation, &credentials, call.force_refresh, &deadline, cancel).await?;
        let credentials: Arc<dyn Credentials> = credentials;
        self.shared.background.supply(&call.target.user, &credentials);
        self.shared.recovery.supply(&call.target.user, &credentials);
        Ok(Seated { deadline, credentials, _seat: seat, _at_work: at_work })
    }

    /// Counts how a call ended and completes its error. The work comes boxed: the compiler would keep it twice, as the
    /// argument and as what is awaited.
    pub(super) async fn counted(
        &self,
        operation: &'static str,
        work: Pin<Box<impl Future<Output = Answered>>>,
    ) -> Result<String, CalendarError> {
        let started = self.shared.clock.now();
        let result = work.await;
        let took = self.shared.clock.now() - started;
        match result {
            Ok((text, ending)) => {
                self.shared.metrics.count(operation, ending, took);
                Ok(text)
            }
            Err(mut error) => {
                if error.code == Code::VerificationFailed {
                    self.shared.cx.prevented.refused();
                }
                let ending = Ending { failed: Some((error.code, error.outcome)), ..Ending::default() };
                self.shared.metrics.count(operation, ending, took);
                error.operation = Some(operation);
                error.elapsed_ms = crate::clock::millis(took);
                Err(error)
            }
        }
    }

    /// Callers who left before hear what became of it.
    pub(super) fn notify_closed(&self, operation: &str, user: &str, closed: Vec<(String, Disposal)>) {
        for (event_id, settled) in closed {
            (self.shared.listener)(Notice::Settled {
                operation: operation.to_owned(),
                user_id: user.to_owned(),
                event_id,
                settled,
            });
        }
    }
}

/// What all exchanges of a call share.
pub(super) fn scope_of(
    call: &Call,
    operation: &'static str,
    credentials: &Arc<dyn Credentials>,
    deadline: Deadline,
) -> Scope {
    let user = call.target.user.clone();
    let mut scope =
        Scope::new(user, operation, Arc::clone(credentials), deadline, call.attempt_timeout, call.max_retries);
    scope.quota_user.clone_from(&call.quota_user);
    scope
}
