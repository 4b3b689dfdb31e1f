//! Users whom Google has made read-only for hours (`quotaExceeded`).

use std::time::Duration;

use dashmap::DashMap;
use tokio::time::Instant;

/// How long writes for a user are refused here before Google is asked again. Google says "hours" without a number
/// (Workspace admin help 2905486); an hour asks at most once in that time.
pub const PARK: Duration = Duration::from_hours(1);

/// The parked users. Writes for them are refused locally: asking again keeps an anti-abuse limit alive.
#[derive(Debug, Default)]
pub struct Parked {
    until: DashMap<String, Instant>,
}

impl Parked {
    /// Refuses this user's writes from `now` on, for [`PARK`].
    pub fn park(&self, now: Instant, user: &str) {
        self.until.retain(|_, until| *until > now);
        self.until.insert(user.to_owned(), now + PARK);
    }

    /// What is left of this user's park, if parked.
    #[must_use]
    pub fn left(&self, now: Instant, user: &str) -> Option<Duration> {
        let left = self.until.get(user)?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Users parked at `now`.
    #[must_use]
    pub fn count(&self, now: Instant) -> usize {
        self.until.iter().filter(|until| *until.value() > now).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn only_the_user_over_quota_is_parked_and_only_for_an_hour() {
        let (parked, now) = (Parked::default(), Clock::system().now());
        parked.park(now, "ada");
        assert_eq!(parked.left(now, "ada"), Some(PARK));
        assert_eq!(parked.left(now, "bob"), None);
        assert_eq!(parked.left(now + PARK, "ada"), None);
        assert_eq!((parked.count(now), parked.count(now + PARK)), (1, 0));
    }

    #[test]
    fn past_parks_take_no_memory() {
        let (parked, now) = (Parked::default(), Clock::system().now());
        (0..100).for_each(|user| parked.park(now, &user.to_string()));
        parked.park(now + PARK, "last");
        assert_eq!(parked.until.len(), 1);
    }
}
