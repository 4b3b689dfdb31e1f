//! How long an answer takes these days, and from when on one is late.
//!
//! A fixed time for one exchange is either too short for a bad day or far too long for a good one: with answers in 100 ms, a
//! request that was lost is known to be after a second, not after four.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Answers that are remembered.
const REMEMBERED: usize = 64;
/// With fewer, nothing is said about what is late.
const NEEDED: usize = 16;
/// Late is what takes this many times as long as nine in ten answers do.
const TIMES: u32 = 4;
/// Nothing is late before this, however fast the others are.
const LEAST: Duration = Duration::from_millis(750);
/// One that was not waited for to its end counts as taking this many times as long as it was waited for: when Google
/// becomes slow, more than one in ten are late, and then the limit grows by itself.
const GIVEN_UP_TIMES: u32 = 2;

/// What is known of one kind of exchange.
#[derive(Debug, Default)]
pub struct Latency {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The last ones, in a ring.
    times: Vec<Duration>,
    next: usize,
    late: Option<Duration>,
}

impl Latency {
    /// An answer came after `took`.
    pub fn answered(&self, took: Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let next = seen.next;
        match seen.times.get_mut(next) {
            Some(place) => *place = took,
            None => seen.times.push(took),
        }
        seen.next = (next + 1) % REMEMBERED;
        // Each eighth time is often enough, and spares the sorting.
        if seen.times.len() >= NEEDED && seen.next.is_multiple_of(8) {
            let mut sorted = seen.times.clone();
            sorted.sort_unstable();
            let usual = sorted.get(sorted.len() * 9 / 10).copied().unwrap_or_default();
            seen.late = Some((usual * TIMES).max(LEAST));
        }
    }

    /// None came for `waited`.
    pub fn given_up(&self, waited: Duration) {
        self.answered(waited * GIVEN_UP_TIMES);
    }

    /// From when on an answer is late, at most `most`; `None`: too little is known, or it never is before `most`.
    #[must_use]
    pub fn late_after(&self, most: Duration) -> Option<Duration> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).late.filter(|late| *late < most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(4);
    const MS: Duration = Duration::from_millis(1);

    fn after(times: impl IntoIterator<Item = Duration>) -> Latency {
        let latency = Latency::default();
        times.into_iter().for_each(|time| latency.answered(time));
        latency
    }

    #[test]
    fn nothing_is_late_before_enough_is_known() {
        assert_eq!(after(vec![MS; NEEDED - 1]).late_after(MOST), None);
        assert_eq!(after(vec![MS; NEEDED]).late_after(MOST), Some(LEAST));
    }

    #[test]
    fn late_is_four_times_what_nine_in_ten_take_and_never_longer_than_is_allowed() {
        assert_eq!(after(vec![300 * MS; 64]).late_after(MOST), Some(1200 * MS));
        assert_eq!(after(vec![1100 * MS; 64]).late_after(MOST), None);
    }

    #[test]
    fn one_in_a_hundred_that_hangs_changes_nothing() {
        let latency = Latency::default();
        for number in 0..400 {
            if number % 100 == 50 { latency.given_up(750 * MS) } else { latency.answered(100 * MS) }
        }
        assert_eq!(latency.late_after(MOST), Some(LEAST));
    }

    #[test]
    fn when_all_become_slow_the_limit_grows_until_they_are_waited_for() {
        let latency = after(vec![100 * MS; 64]);
        for _ in 0..64 {
            if let Some(late) = latency.late_after(MOST) {
                latency.given_up(late);
            }
        }
        assert_eq!(latency.late_after(MOST), None);
    }
}
