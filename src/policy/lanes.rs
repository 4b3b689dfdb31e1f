//! A few writes at a time to one calendar.
//!
//! "You might be rate limited at any time. For example if you attempt to write to a single calendar in quick
//! succession" (Calendar quota guide); no number is given, so each lane finds its own: additive increase,
//! multiplicative decrease taken to its end (down to one at once), since each refusal costs a whole backoff.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Writes at a time to one calendar that has not complained.
pub const WIDTH: u32 = 4;
/// Successes in a row that widen a narrowed lane by one.
const WIDEN_AFTER: u32 = 8;
/// How long an idle lane's narrowness is worth remembering: Google's limits are per minute.
const REMEMBERED: Duration = Duration::from_mins(1);
/// Lanes kept before idle ones are looked for.
const SWEEP_AT: usize = 256;

/// One lane per calendar that is being written to.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: DashMap<String, Arc<Lane>>,
}

#[derive(Debug)]
struct Lane {
    places: Arc<Semaphore>,
    state: Mutex<Width>,
}

#[derive(Debug, PartialEq, Eq)]
struct Width {
    /// Writes allowed at a time.
    allowed: u32,
    /// Places given out beyond `allowed`: taken back as their writers leave.
    owed: u32,
    successes: u32,
    narrowed: Option<Instant>,
}

/// A place in a lane: hold it while writing.
#[derive(Debug)]
pub struct Place {
    lane: Arc<Lane>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Lanes {
    /// Waits, first come first served, for a place in `calendar`'s lane. `primary` is another calendar for each user.
    pub async fn enter(&self, now: Instant, user: &str, calendar: &str) -> Place {
        let lane = self.lane(now, user, calendar);
        // Fails only if the semaphore is closed, which nobody does; a lane without a limit is better than none.
        let permit = Arc::clone(&lane.places).acquire_owned().await.ok();
        Place { lane, permit }
    }

    fn lane(&self, now: Instant, user: &str, calendar: &str) -> Arc<Lane> {
        if self.lanes.len() >= SWEEP_AT {
            // Nobody else can get hold of a lane while `retain` holds its shard.
            self.lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || lane.width().is_worth_remembering(now));
        }
        // U+0000 cannot stand in a calendar id, so the two kinds of key never meet.
        let key = if calendar == "primary" { format!("primary\0{user}") } else { calendar.to_owned() };
        Arc::clone(&self.lanes.entry(key).or_default())
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(WIDTH as usize)),
            state: Mutex::new(Width { allowed: WIDTH, owed: 0, successes: 0, narrowed: None }),
        }
    }
}

impl Width {
    fn is_worth_remembering(&self, now: Instant) -> bool {
        self.allowed < WIDTH && self.narrowed.is_some_and(|then| now.saturating_duration_since(then) < REMEMBERED)
    }
}

impl Lane {
    fn width(&self) -> MutexGuard<'_, Width> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Google said "slower": one write at a time from now on.
    pub fn narrow(&self, now: Instant) {
        let mut width = self.lane.width();
        let surplus = width.allowed - 1;
        let taken = self.lane.places.forget_permits(surplus as usize);
        width.owed += surplus - u32::try_from(taken).unwrap_or(surplus);
        width.allowed = 1;
        width.narrowed = Some(now);
        width.successes = 0;
    }

    /// A write went through.
    pub fn succeeded(&self) {
        let mut width = self.lane.width();
        if width.allowed == WIDTH {
            return;
        }
        width.successes += 1;
        if width.successes == WIDEN_AFTER {
            width.successes = 0;
            width.allowed += 1;
            match width.owed.checked_sub(1) {
                Some(owed) => width.owed = owed,
                None => self.lane.places.add_permits(1),
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut width = self.lane.width();
        if let Some(owed) = width.owed.checked_sub(1)
            && let Some(permit) = self.permit.take()
        {
            width.owed = owed;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn now() -> Instant {
        Clock::system().now()
    }

    /// Places that can be had at once.
    fn available(lanes: &Lanes) -> usize {
        lanes.lane(now(), "ada", "c").places.available_permits()
    }

    #[tokio::test]
    async fn four_write_at_a_time_and_the_fifth_waits_for_the_first_to_leave() {
        let lanes = Lanes::default();
        let mut places = Vec::new();
        for _ in 0..WIDTH {
            places.push(lanes.enter(now(), "ada", "c").await);
        }
        let mut fifth = tokio_test_poll(lanes.enter(now(), "ada", "c"));
        assert!(fifth.is_none());
        places.pop();
        fifth = tokio_test_poll(lanes.enter(now(), "ada", "c"));
        assert!(fifth.is_some());
    }

    #[tokio::test]
    async fn a_refusal_narrows_to_one_also_when_all_places_are_taken() {
        let lanes = Lanes::default();
        let first = lanes.enter(now(), "ada", "c").await;
        let second = lanes.enter(now(), "ada", "c").await;
        first.narrow(now());
        second.narrow(now());
        assert_eq!(available(&lanes), 0);
        drop(first);
        assert_eq!(available(&lanes), 0);
        drop(second);
        assert_eq!(available(&lanes), 1);
    }

    #[tokio::test]
    async fn successes_widen_step_by_step_up_to_the_full_width() {
        let lanes = Lanes::default();
        lanes.enter(now(), "ada", "c").await.narrow(now());
        assert_eq!(available(&lanes), 1);
        for step in 1..=WIDEN_AFTER * 10 {
            lanes.enter(now(), "ada", "c").await.succeeded();
            let expected = (1 + step / WIDEN_AFTER).min(WIDTH);
            assert_eq!(available(&lanes), expected as usize);
        }
    }

    #[tokio::test]
    async fn widening_while_places_are_owed_leaves_no_place_too_many() {
        let lanes = Lanes::default();
        let places = [
            lanes.enter(now(), "ada", "c").await,
            lanes.enter(now(), "ada", "c").await,
            lanes.enter(now(), "ada", "c").await,
        ];
        places[0].narrow(now());
        (0..WIDEN_AFTER).for_each(|_| places[0].succeeded());
        drop(places);
        assert_eq!(available(&lanes), 2);
    }

    #[tokio::test]
    async fn each_user_has_a_primary_calendar_of_their_own() {
        let lanes = Lanes::default();
        let _place = lanes.enter(now(), "ada", "primary").await;
        assert!(!Arc::ptr_eq(&lanes.lane(now(), "ada", "primary"), &lanes.lane(now(), "bob", "primary")));
        assert!(Arc::ptr_eq(&lanes.lane(now(), "ada", "c"), &lanes.lane(now(), "bob", "c")));
    }

    #[tokio::test]
    async fn idle_lanes_are_dropped_and_narrowed_or_busy_ones_kept() {
        let lanes = Lanes::default();
        let busy = lanes.enter(now(), "ada", "busy").await;
        lanes.enter(now(), "ada", "narrowed").await.narrow(now());
        for calendar in 0..10 * SWEEP_AT {
            drop(lanes.enter(now(), "ada", &calendar.to_string()).await);
        }
        assert!(lanes.lanes.len() <= SWEEP_AT);
        assert!(lanes.lanes.contains_key("busy") && lanes.lanes.contains_key("narrowed"));
        drop(busy);
        for calendar in 0.. {
            if lanes.lanes.len() == SWEEP_AT {
                break;
            }
            drop(lanes.lane(now(), "ada", &format!("filler {calendar}")));
        }
        drop(lanes.lane(now() + REMEMBERED, "ada", "c"));
        assert!(!lanes.lanes.contains_key("narrowed"), "a minute later it is forgotten");
    }

    fn tokio_test_poll<T>(future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        }
    }
}
