//! A rate that several processes share: what one of them may take of it now, in one block.

use std::time::Duration;

/// A block is used within this time or not at all. Longer ones cost fewer questions, and make the rate coarser.
pub const BLOCK_LIFE: Duration = Duration::from_secs(1);
const SECOND_US: u64 = 1_000_000;

/// What was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Requests that may be sent within [`BLOCK_LIFE`]; 0: none now.
    pub granted: u32,
    /// When the rate will have rested from all that was taken (Unix µs): the one number that is shared.
    pub rested_at: u64,
    /// With 0 granted: when to ask again.
    pub wait: Duration,
}

/// At most `wanted` requests of a rate of `per_minute`, at `now` (Unix µs). No 60 s see more than `per_minute`, wherever
/// they begin and although a block may be used a little later than it is taken: half of the rate at once, the other half
/// spread over a minute and a block's life.
///
/// Clocks that differ cost some of the rate and never give more than their difference's worth once.
#[must_use]
pub fn allot(rested_at: u64, now: u64, per_minute: u32, wanted: u32) -> Share {
    let per_minute = u64::from(per_minute.max(1));
    let burst = (per_minute / 2).max(1);
    let steady = (per_minute - burst).max(1);
    let interval = (61 * SECOND_US).div_ceil(steady);
    let full = now + burst * interval;
    // Past `full` lies only what a clock gone wrong has written.
    let from = rested_at.clamp(now, full);
    let room = u32::try_from((full - from) / interval).unwrap_or(u32::MAX);
    let granted = wanted.min(room);
    let wait = if room == 0 { Duration::from_micros(from + interval - full) } else { Duration::ZERO };
    Share { granted, rested_at: from + u64::from(granted) * interval, wait }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_is_given_at_once_and_the_rest_over_the_minute() {
        let first = allot(0, 1_000, 60, 100);
        assert_eq!(first.granted, 30);
        let none = allot(first.rested_at, 1_000, 60, 1);
        assert_eq!((none.granted, none.rested_at), (0, first.rested_at));
        let later = 1_000 + u64::try_from(none.wait.as_micros()).unwrap();
        assert_eq!(allot(first.rested_at, later - 1, 60, 1).granted, 0);
        assert_eq!(allot(first.rested_at, later, 60, 1).granted, 1);
    }

    #[test]
    fn a_clock_gone_wrong_is_waited_for_no_longer_than_a_block_takes() {
        assert!(allot(u64::MAX, 1_000, 60, 1).wait < Duration::from_secs(3));
    }

    proptest! {
        #[test]
        fn no_minute_sees_more_than_the_rate_however_late_blocks_are_used(
            per_minute in 2_u32..2_000,
            steps in prop::collection::vec((0_u64..3_000_000, 1_u32..100, 0_u64..SECOND_US), 1..300),
        ) {
            let (mut now, mut rested_at, mut sent) = (1_000_000_000, 0, Vec::new());
            for (gap, wanted, late) in steps {
                now += gap;
                let share = allot(rested_at, now, per_minute, wanted);
                rested_at = share.rested_at;
                sent.push((now + late, share.granted));
            }
            for (from, _) in &sent {
                let minute = *from..from + 60 * SECOND_US;
                let seen: u32 = sent.iter().filter(|(at, _)| minute.contains(at)).map(|(_, count)| count).sum();
                prop_assert!(seen <= per_minute, "{seen}");
            }
        }
    }
}
