//! The one loop that sends, waits and sends again. Nothing below it and nothing above it retries.

use std::fmt;
use std::future::ready;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::path;
use super::quota_user::QuotaUser;
use super::scope::Scope;
use super::shared_turns::{Allotter, SharedTurns};
use super::stop::{Course, Why};
use super::tally::Tally;
use super::token::Token;
use super::transport::{FaultKind, HttpReply, HttpRequest, Transport, TransportFault};
use super::wait::{Over, pause, within};
use crate::clock::Clock;
use crate::model::{CalendarError, Code, Outcome};
use crate::policy::lanes::Place;
use crate::policy::throttle::Turn;
use crate::policy::{Backoff, Kind, Latency, Limits, RetryBudget, Throttle, Verdict, classify};

/// Exchanges under way at once. An HTTP/2 server should let a connection have at least 100 (RFC 9113, 6.5.2); what is more
/// would wait inside the HTTP client, its time running, and over HTTP/1.1 each is a connection of its own.
pub const UNDER_WAY: usize = 100;

/// Where the backoff's random numbers come from: `0.0..1.0`.
pub type Jitter = fn() -> f64;

/// What a [`Sender`] is made of.
pub struct SenderConfig {
    /// What carries requests.
    pub transport: Arc<dyn Transport>,
    /// Time.
    pub clock: Clock,
    /// How long to wait between tries.
    pub backoff: Backoff,
    /// Requests a minute.
    pub limits: Limits,
    /// Chance.
    pub jitter: Jitter,
    /// Whom requests count against whose scope does not say.
    pub quota_user: QuotaUser,
    /// Where other processes take from the same limits, and the name they have for the project: it is part of a key.
    pub shared: Option<(Arc<dyn Allotter>, String)>,
}

impl SenderConfig {
    /// The default policies over `transport`.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, clock: Clock) -> Self {
        Self {
            transport,
            clock,
            backoff: Backoff::default(),
            limits: Limits::default(),
            jitter: rand::random::<f64>,
            quota_user: QuotaUser::Unsaid,
            shared: None,
        }
    }
}

/// One request, and what the loop must know about it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What to send.
    pub request: HttpRequest,
    /// Whether it may change anything.
    pub kind: Kind,
    /// The calendar it concerns: a few writes at a time to each.
    pub lane: String,
}

/// A settled exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<T> {
    /// What Google answered.
    pub answer: Answer<T>,
    /// The HTTP status.
    pub status: u16,
    /// Google's reason word, if it gave one.
    pub reason: Option<String>,
}

/// The answers that a verb has to tell apart. All others are errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// 2xx, decoded.
    Accepted(T),
    /// 304.
    NotModified,
    /// 404.
    Missing,
    /// 409, the id.
    Taken,
    /// 410.
    Gone,
    /// 412.
    Changed,
}

/// Sends exchanges until they are settled: throttled, retried, renewed, and never past the deadline.
pub struct Sender {
    transport: Arc<dyn Transport>,
    clock: Clock,
    throttle: Throttle,
    /// One for each exchange that is under way.
    places: Semaphore,
    budget: RetryBudget,
    tally: Tally,
    /// How long reads and writes take.
    latency: [Latency; 2],
    backoff: RwLock<Backoff>,
    jitter: Jitter,
    quota_user: QuotaUser,
    shared: Option<(SharedTurns, String)>,
}

impl Sender {
    /// A sender with nothing sent yet.
    #[must_use]
    pub fn new(config: SenderConfig) -> Self {
        let shared =
            config.shared.map(|(allotter, project)| (SharedTurns::new(config.clock.clone(), allotter), project));
        Self {
            shared,
            transport: config.transport,
            throttle: Throttle::new(config.clock.clone(), config.limits),
            clock: config.clock,
            places: Semaphore::new(UNDER_WAY),
            budget: RetryBudget::default(),
            tally: Tally::default(),
            latency: Default::default(),
            backoff: RwLock::new(config.backoff),
            jitter: config.jitter,
            quota_user: config.quota_user,
        }
    }

    /// The clock that everything here reads.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The counters.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// From when on an exchange of this kind is late, if that is before `most`.
    #[must_use]
    pub fn late_after(&self, kind: Kind, most: Duration) -> Option<Duration> {
        self.latency_of(kind).late_after(most)
    }

    const fn latency_of(&self, kind: Kind) -> &Latency {
        let [reads, writes] = &self.latency;
        if matches!(kind, Kind::Read) { reads } else { writes }
    }

    /// Rates, lanes and parked users.
    #[must_use]
    pub const fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    /// Whether retries are made now: not during an outage.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        self.budget.allows(self.clock.now())
    }

    /// The waits between tries, as set now.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        *self.backoff.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Other waits, from the next retry on.
    pub fn set_backoff(&self, backoff: Backoff) {
        *self.backoff.write().unwrap_or_else(PoisonError::into_inner) = backoff;
    }

    /// Sends `exchange` until it is settled. `decode` reads a 2xx; `None` means that it is not what this endpoint
    /// answers (HTML, cut short), which is then treated like a lost reply.
    ///
    /// An error's outcome speaks of this exchange alone: [`Outcome::NotSent`] or [`Outcome::Rejected`], no send of it
    /// was or will be applied; [`Outcome::Unknown`], a write may have been. A write of unknown fate is never repeated
    /// here. Cancelling the deadline ends waits and reads at once; a write under way is still waited for, since its
    /// outcome must be known.
    pub async fn send<T: Send>(
        &self,
        scope: &Scope,
        mut exchange: Box<Exchange>,
        decode: impl Fn(&HttpReply) -> Option<T> + Send,
    ) -> Result<Reply<T>, CalendarError> {
        if let Some(user) = scope.quota_user.as_ref().unwrap_or(&self.quota_user).of(&scope.user) {
            let path = &mut exchange.request.path_and_query;
            *path = path::with_pair(path, "quotaUser", &user);
        }
        let mut course = Course::new(scope, &self.clock, exchange.kind);
        let settled = self.until_settled(&mut course, &exchange, decode).await;
        settled.map_err(|why| {
            self.tally.stopped(why.name());
            course.error(why)
        })
    }

    /// An error of this scope's call, told where the loop is not: its operation, attempts and time filled in.
    #[must_use]
    pub fn failure(&self, scope: &Scope, code: Code, outcome: Outcome, message: String) -> CalendarError {
        scope.fill(CalendarError::new(code, outcome, message), &self.clock)
    }

    async fn until_settled<T: Send>(
        &self,
        course: &mut Course<'_>,
        exchange: &Exchange,
        decode: impl Fn(&HttpReply) -> Option<T> + Send,
    ) -> Result<Reply<T>, Why> {
        let scope = course.scope;
        // Held to the end, sleeps included: a calendar that says "slower" is not to hear the next writer meanwhile.
        let place_in_lane = self.enter_lane(scope, exchange).await?;
        let mut token = self.token(scope, None).await?;
        let mut retries = 0;
        loop {
            self.take_turn(scope, exchange.kind).await?;
            let under_way = self.take_place(scope).await?;
            let result = self.exchange_once(scope, exchange, &token, retries < scope.max_retries).await?;
            drop(under_way);
            let (result, decoded) = read(result, &decode);
            let verdict = classify(exchange.kind, course.note(&result));
            self.account(scope, place_in_lane.as_ref(), verdict);

            let code = match answer(verdict, decoded) {
                Ok(answer) => return Ok(course.reply(answer)),
                // Known not to have been applied, or a read: a repeat can do no harm.
                Err(Verdict::NotApplied(code) | Verdict::Transient(code)) => code,
                // Not a retry, and without a wait: nothing was wrong but the token, and Google refused before it acted.
                Err(Verdict::RefreshToken) if scope.may_renew(&token) => {
                    token = self.token(scope, Some(&token)).await?;
                    continue;
                }
                // Asking again would change nothing, or might do the work twice.
                Err(last) => return Err(Why::Final(last)),
            };

            if retries >= scope.max_retries {
                return Err(Why::RetriesUsed(code));
            }
            if !self.budget.allows(self.clock.now()) {
                return Err(Why::BudgetSpent(code));
            }
            let retry_after = result.ok().and_then(|reply| reply.retry_after);
            let delay = self.backoff().delay(retries, (self.jitter)(), retry_after);
            pause(&self.clock, &scope.deadline, delay).await.map_err(|over| match over {
                Over::Cancelled => Why::Cancelled,
                Over::TimedOut => Why::NoRoom(code, delay),
            })?;
            self.tally.retried(code, delay);
            retries += 1;
        }
    }

    async fn enter_lane(&self, scope: &Scope, exchange: &Exchange) -> Result<Option<Place>, Why> {
        if exchange.kind == Kind::Read {
            return Ok(None);
        }
        let begun = self.clock.now();
        let place = self.throttle.lanes.enter(begun, &scope.user, &exchange.lane);
        let place = within(&self.clock, &scope.deadline, place).await?;
        self.tally.throttled(self.clock.now() - begun);
        Ok(Some(place))
    }

    async fn token(&self, scope: &Scope, refused: Option<&Token>) -> Result<Token, Why> {
        let token =
            within(&self.clock, &scope.deadline, scope.credentials.token(refused)).await.map_err(
                |over| match over {
                    Over::TimedOut => Why::NoToken,
                    Over::Cancelled => Why::Cancelled,
                },
            )?;
        let token = token.map_err(|error| Why::Credentials(Box::new(error)))?;
        if refused.is_some() {
            self.tally.renewed();
            scope.renewed(&token);
        }
        Ok(token)
    }

    /// Waits until neither Google's limits nor a park stand against one more request.
    async fn take_turn(&self, scope: &Scope, kind: Kind) -> Result<(), Why> {
        if kind == Kind::Write
            && let Some(left) = self.throttle.parked.left(self.clock.now(), &scope.user)
        {
            return Err(Why::Parked(left));
        }
        let limits = self.throttle.limits();
        self.wait_for(scope, || ready(self.throttle.user_turn(&scope.user))).await?;
        if let Some((turns, project)) = &self.shared {
            let name = rate_of(project, &scope.user);
            // Boxed, as the other: most services share no turns, and need no room for waiting for them.
            Box::pin(self.wait_for(scope, || turns.turn(&name, limits.per_user_per_minute))).await?;
        }
        self.wait_for(scope, || ready(self.throttle.project_turn())).await?;
        if let Some((turns, project)) = &self.shared {
            Box::pin(self.wait_for(scope, || turns.turn(project, limits.per_project_per_minute))).await?;
        }
        Ok(())
    }

    /// Waits, first come first served, until fewer than [`UNDER_WAY`] exchanges are. A read beside a write does not: it is
    /// made because the write is late, and all places may be taken by such.
    async fn take_place(&self, scope: &Scope) -> Result<Option<SemaphorePermit<'_>>, Why> {
        if scope.is_beside() {
            return Ok(None);
        }
        if let Ok(place) = self.places.try_acquire() {
            return Ok(Some(place));
        }
        let begun = self.clock.now();
        let place = within(&self.clock, &scope.deadline, self.places.acquire()).await?;
        self.tally.throttled(self.clock.now() - begun);
        // Fails only if the semaphore is closed, which nobody does.
        Ok(place.ok())
    }

    async fn wait_for<F>(&self, scope: &Scope, turn: impl Fn() -> F + Send) -> Result<(), Why>
    where
        F: Future<Output = Turn> + Send,
    {
        while let Turn::Wait(wait) = within(&self.clock, &scope.deadline, turn()).await? {
            pause(&self.clock, &scope.deadline, wait).await.map_err(|over| match over {
                Over::Cancelled => Why::Cancelled,
                Over::TimedOut => Why::Throttled(wait),
            })?;
            self.tally.throttled(wait);
        }
        Ok(())
    }

    /// One send, with the gates right before it: however long was waited, they are asked last.
    async fn exchange_once(
        &self,
        scope: &Scope,
        exchange: &Exchange,
        token: &Token,
        may_repeat: bool,
    ) -> Result<Result<HttpReply, TransportFault>, Why> {
        if scope.deadline.is_cancelled() {
            return Err(Why::Cancelled);
        }
        let begun = self.clock.now();
        let left = scope.deadline.left(begun);
        if left.is_zero() {
            return Err(Why::TimedOut);
        }
        if !scope.holds_lease() {
            return Err(Why::LeaseLost);
        }
        scope.count_attempt();
        self.tally.sent(exchange.kind, exchange.request.body.len());
        let most = scope.attempt_timeout.min(left);
        // A late read is sooner asked again than waited for. A write's time stays: only its operation can tell what to do.
        let late = if exchange.kind == Kind::Read && may_repeat { self.late_after(Kind::Read, most) } else { None };
        let timeout = late.unwrap_or(most);
        let exchanged = self.transport.exchange(exchange.request.clone(), token, timeout);
        let result = match exchange.kind {
            Kind::Write => tokio::select! {
                biased;
                result = exchanged => result,
                () = scope.hurried() => Err(TransportFault::unknown(FaultKind::Timeout)),
            },
            Kind::Read => tokio::select! {
                biased;
                () = scope.deadline.cancelled() => return Err(Why::Cancelled),
                result = exchanged => result,
            },
        };
        let took = self.clock.now() - begun;
        match &result {
            Ok(reply) => {
                self.tally.answered(reply.status, reply.body.len());
                self.latency_of(exchange.kind).answered(took);
            }
            Err(fault) => {
                self.tally.faulted(fault.kind);
                if fault.kind == FaultKind::Timeout {
                    self.latency_of(exchange.kind).given_up(took);
                }
            }
        }
        Ok(result)
    }

    /// Lets the shared policies learn from an exchange.
    fn account(&self, scope: &Scope, place: Option<&Place>, verdict: Verdict) {
        let now = self.clock.now();
        let failed = matches!(verdict, Verdict::NotApplied(_) | Verdict::Transient(_) | Verdict::Unknown(_));
        self.budget.record(now, failed);
        match (verdict, place) {
            (Verdict::NotApplied(Code::RateLimited), Some(place)) => place.narrow(now),
            (Verdict::Accept, Some(place)) => place.succeeded(),
            (Verdict::Park, _) => self.throttle.parked.park(now, &scope.user),
            _ => {}
        }
    }
}

/// The shared name of one user's rate: nobody can read the user from it.
fn rate_of(project: &str, user: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(project.as_bytes());
    hash.update([0]);
    hash.update(user.as_bytes());
    HEXLOWER.encode(&hash.finalize())
}

/// A 2xx with what it says; one that does not say what this endpoint answers is a lost reply.
fn read<T>(
    result: Result<HttpReply, TransportFault>,
    decode: &impl Fn(&HttpReply) -> Option<T>,
) -> (Result<HttpReply, TransportFault>, Option<T>) {
    match result {
        Ok(reply) if (200..300).contains(&reply.status) => match decode(&reply) {
            Some(decoded) => (Ok(reply), Some(decoded)),
            None => (Err(TransportFault::unknown(FaultKind::Garbled)), None),
        },
        other => (other, None),
    }
}

/// The answer that a verb can act on, or else the verdict that says why there is none.
fn answer<T>(verdict: Verdict, decoded: Option<T>) -> Result<Answer<T>, Verdict> {
    match (verdict, decoded) {
        (Verdict::Accept, Some(decoded)) => Ok(Answer::Accepted(decoded)),
        (Verdict::NotModified, _) => Ok(Answer::NotModified),
        (Verdict::Missing, _) => Ok(Answer::Missing),
        (Verdict::Taken, _) => Ok(Answer::Taken),
        (Verdict::Gone, _) => Ok(Answer::Gone),
        (Verdict::Changed, _) => Ok(Answer::Changed),
        (other, _) => Err(other),
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender(…)")
    }
}

impl fmt::Debug for SenderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SenderConfig(…)")
    }
}
