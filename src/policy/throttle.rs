//! Is it our turn? Rates per user and project, lanes per calendar, users over quota.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::lanes::Lanes;
use super::parked::Parked;
use crate::clock::Clock;

/// Turns between two looks for users who have been idle.
const SWEEP_EVERY: u32 = 1_024;
const MINUTE: Duration = Duration::from_mins(1);

/// Requests allowed in any minute. The defaults are Google's (Calendar quota guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests per user in any 60 s. Default 600; 0 is taken for 1.
    pub per_user_per_minute: u32,
    /// Requests of all users in any 60 s. Default 10,000; 0 is taken for 1.
    pub per_project_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_user_per_minute: 600, per_project_per_minute: 10_000 }
    }
}

/// Whether to go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Go; it has been counted.
    Go,
    /// Ask again after this long; nothing has been counted.
    Wait(Duration),
}

/// Everything that makes a request wait its turn. It decides; `google::send` waits.
pub struct Throttle {
    clock: Clock,
    rates: RwLock<Arc<Rates>>,
    turns: AtomicU32,
    /// A few writes at a time to one calendar.
    pub lanes: Lanes,
    /// Users whose writes are refused for now.
    pub parked: Parked,
}

struct Rates {
    limits: Limits,
    users: RateLimiter<String, DashMapStateStore<String>, Clock, NoOpMiddleware<Nanos>>,
    project: RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Nanos>>,
}

impl Throttle {
    /// Nothing used yet.
    #[must_use]
    pub fn new(clock: Clock, limits: Limits) -> Self {
        let rates = RwLock::new(Arc::new(Rates::new(&clock, limits)));
        Self { clock, rates, turns: AtomicU32::new(0), lanes: Lanes::default(), parked: Parked::default() }
    }

    /// Other limits from now on. What was used before is forgotten.
    pub fn set_limits(&self, limits: Limits) {
        let rates = Arc::new(Rates::new(&self.clock, limits));
        *self.rates.write().unwrap_or_else(PoisonError::into_inner) = rates;
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.rates().limits
    }

    /// One request of `user`'s minute.
    #[must_use]
    pub fn user_turn(&self, user: &str) -> Turn {
        let rates = self.rates();
        if self.turns.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            rates.users.retain_recent();
        }
        match rates.users.check_key(&user.to_owned()) {
            Ok(()) => Turn::Go,
            Err(busy) => Turn::Wait(busy.wait_time_from(self.clock_nanos())),
        }
    }

    /// One request of the project's minute. Asked after [`Throttle::user_turn`], so that a user who must wait takes
    /// nothing from the others.
    #[must_use]
    pub fn project_turn(&self) -> Turn {
        match self.rates().project.check() {
            Ok(()) => Turn::Go,
            Err(busy) => Turn::Wait(busy.wait_time_from(self.clock_nanos())),
        }
    }

    fn rates(&self) -> Arc<Rates> {
        Arc::clone(&self.rates.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn clock_nanos(&self) -> Nanos {
        governor::clock::Clock::now(&self.clock)
    }
}

impl Rates {
    fn new(clock: &Clock, limits: Limits) -> Self {
        Self {
            limits,
            users: RateLimiter::new(quota(limits.per_user_per_minute), DashMapStateStore::default(), clock.clone()),
            project: RateLimiter::new(quota(limits.per_project_per_minute), InMemoryState::default(), clock.clone()),
        }
    }
}

/// Half of a minute's requests at once, the other half spread over the minute: so no minute, wherever it begins, sees
/// more than the limit. A bucket of the whole limit would let nearly twice as many through in its first minute.
fn quota(per_minute: u32) -> Quota {
    let burst = NonZeroU32::new(per_minute / 2).unwrap_or(NonZeroU32::MIN);
    let steady = per_minute.saturating_sub(burst.get()).max(1);
    let spread = Quota::with_period(MINUTE / steady).unwrap_or(Quota::per_minute(NonZeroU32::MIN));
    spread.allow_burst(burst)
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Throttle(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(per_user: u32, per_project: u32) -> Throttle {
        let limits = Limits { per_user_per_minute: per_user, per_project_per_minute: per_project };
        Throttle::new(Clock::paused(0), limits)
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_sees_more_than_the_limit() {
        let throttle = throttle(60, 10_000);
        let mut went = Vec::new();
        for second in 0..180 {
            (0..100).filter(|_| throttle.user_turn("ada") == Turn::Go).for_each(|_| went.push(second));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let busiest = (0..120).map(|from| went.iter().filter(|at| (from..from + 60).contains(*at)).count()).max();
        assert!(busiest <= Some(60), "{busiest:?}");
        assert!(went.len() > 100);
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_wait_it_names_it_is_our_turn() {
        let throttle = throttle(2, 10_000);
        assert_eq!(throttle.user_turn("ada"), Turn::Go);
        let Turn::Wait(wait) = throttle.user_turn("ada") else { panic!("the burst of one is used") };
        tokio::time::advance(wait).await;
        assert_eq!(throttle.user_turn("ada"), Turn::Go);
    }

    #[tokio::test(start_paused = true)]
    async fn one_user_at_the_limit_holds_up_nobody_else_and_the_project_has_its_own() {
        let throttle = throttle(2, 4);
        assert_eq!(throttle.user_turn("ada"), Turn::Go);
        assert!(matches!(throttle.user_turn("ada"), Turn::Wait(_)));
        assert_eq!(throttle.user_turn("bob"), Turn::Go);
        assert_eq!(throttle.project_turn(), Turn::Go);
        assert_eq!(throttle.project_turn(), Turn::Go);
        assert!(matches!(throttle.project_turn(), Turn::Wait(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn new_limits_hold_at_once() {
        let throttle = throttle(1, 1);
        assert_eq!(throttle.user_turn("ada"), Turn::Go);
        assert!(matches!(throttle.user_turn("ada"), Turn::Wait(_)));
        throttle.set_limits(Limits::default());
        assert_eq!(throttle.user_turn("ada"), Turn::Go);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_users_take_no_memory() {
        let throttle = throttle(600, 10_000);
        for user in 0..5_000 {
            let _ = throttle.user_turn(&user.to_string());
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        assert!(throttle.rates().users.len() < 2_000);
    }
}
