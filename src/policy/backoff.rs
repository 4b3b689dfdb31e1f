//! How long to wait before the next try.

use std::time::Duration;

/// Truncated exponential backoff with full jitter: before try `n` a random time between zero and
/// `base * multiplier^n`, at most `max`. Google asks for "truncated exponential backoff" (Calendar quota guide).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Repeats of one exchange, at most. Default 5.
    pub max_retries: u32,
    /// The longest wait before the first repeat. Default 200 ms.
    pub base: Duration,
    /// How the longest wait grows from repeat to repeat. Default 2.
    pub multiplier: f64,
    /// The longest wait ever, unless Google asks for more. Default 5 s.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { max_retries: 5, base: Duration::from_millis(200), multiplier: 2.0, max: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// The wait before repeat `attempt` (from 0). `unit_random` is in `0.0..1.0`. `retry_after` is a floor: we never
    /// come back earlier than Google asked, whatever `max` says; the deadline decides whether that is too late.
    #[must_use]
    pub fn delay(&self, attempt: u32, unit_random: f64, retry_after: Option<Duration>) -> Duration {
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
        let ceiling = self.base.as_secs_f64() * self.multiplier.powi(exponent);
        // `min` also turns an overflowed (infinite) or NaN ceiling into `max`.
        let jittered = ceiling.min(self.max.as_secs_f64()) * unit_random.clamp(0.0, 1.0);
        Duration::try_from_secs_f64(jittered).unwrap_or(self.max).max(retry_after.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_wait_is_longer_than_its_ceiling_nor_shorter_than_google_asked(
            base in 1_u64..10_000, multiplier in 1.0_f64..10.0, max in 1_u64..60_000,
            attempt in 0_u32..2_000, unit in 0.0_f64..1.0, asked in proptest::option::of(0_u64..7_200_000),
        ) {
            let backoff = Backoff { max_retries: 5, base: ms(base), multiplier, max: ms(max) };
            let asked = asked.map(ms);
            let wait = backoff.delay(attempt, unit, asked);
            prop_assert!(wait >= asked.unwrap_or_default());
            prop_assert!(wait <= ms(max).max(asked.unwrap_or_default()));
            // Jitter moves a wait between nothing and its ceiling, and a later repeat's ceiling is no lower.
            prop_assert!(backoff.delay(attempt, unit, None) <= backoff.delay(attempt, 1.0, None));
            prop_assert!(backoff.delay(attempt, 1.0, None) <= backoff.delay(attempt + 1, 1.0, None));
            prop_assert_eq!(backoff.delay(attempt, 0.0, None), Duration::ZERO);
            if attempt == 0 {
                prop_assert!(backoff.delay(0, 1.0, None) <= ms(base.min(max)) + Duration::from_micros(1));
            }
        }
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_wait_lies_between_zero_and_a_ceiling_that_doubles_up_to_the_maximum() {
        let backoff = Backoff::default();
        let ceilings: Vec<_> = (0..7).map(|attempt| backoff.delay(attempt, 1.0, None)).collect();
        assert_eq!(ceilings, [ms(200), ms(400), ms(800), ms(1_600), ms(3_200), ms(5_000), ms(5_000)]);
        assert_eq!(backoff.delay(3, 0.0, None), Duration::ZERO);
        assert_eq!(backoff.delay(0, 0.5, None), ms(100));
    }

    #[test]
    fn retry_after_is_a_floor_even_above_the_maximum() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay(0, 1.0, Some(ms(7_000))), ms(7_000));
        assert_eq!(backoff.delay(2, 1.0, Some(ms(1))), ms(800));
    }

    #[test]
    fn absurd_settings_still_give_a_wait_within_the_maximum() {
        for multiplier in [f64::INFINITY, f64::NAN, 1e300, -3.0] {
            let backoff = Backoff { multiplier, ..Backoff::default() };
            assert!((0..100).all(|attempt| backoff.delay(attempt, 0.9, None) <= ms(5_000)), "{multiplier}");
        }
        assert!(Backoff::default().delay(u32::MAX, 1.0, None) <= ms(5_000));
    }
}
