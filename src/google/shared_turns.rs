//! Turns of a rate that other processes take from as well: blocks of it, so that not every request asks.
//!
//! Each process keeps its own limit besides. Where the shared place does not answer, that one alone holds: to stop all
//! requests for want of a count would do more harm than a few too many.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use tokio::time::Instant;

use super::BoxFuture;
use crate::clock::Clock;
use crate::policy::allotment::{BLOCK_LIFE, Share};
use crate::policy::throttle::Turn;

/// A block is at most this part of the rate: one process does not take it all while the others wait.
const PART: u32 = 16;
const BLOCK_AT_MOST: u32 = 64;
/// An empty rate is asked again after this at the earliest: until then turns for several have come together.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// How long a place that did not answer is not asked again.
const SILENCE: Duration = Duration::from_secs(5);
/// Rates known at most before those at rest are forgotten.
const KNOWN_AT_MOST: usize = 10_000;

/// Where the shared count is kept.
pub trait Allotter: Send + Sync {
    /// At most `wanted` requests of the rate `name`, which is `per_minute` for all who take from it. `None`: no answer.
    fn allot<'a>(&'a self, name: &'a str, per_minute: u32, wanted: u32) -> BoxFuture<'a, Option<Share>>;
}

/// See the module.
pub(super) struct SharedTurns {
    clock: Clock,
    allotter: Arc<dyn Allotter>,
    rates: DashMap<String, Arc<Rate>>,
    silent_until: Mutex<Option<Instant>>,
}

struct Rate {
    /// Callers who want a turn of it now.
    waiting: AtomicU32,
    block: tokio::sync::Mutex<Block>,
}

/// What this process has of a rate.
struct Block {
    size: u32,
    left: u32,
    ends: Instant,
    /// Known to be empty for everybody until then.
    none_until: Instant,
}

struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl SharedTurns {
    pub(super) fn new(clock: Clock, allotter: Arc<dyn Allotter>) -> Self {
        Self { clock, allotter, rates: DashMap::new(), silent_until: Mutex::default() }
    }

    /// One turn of the rate `name`. May be dropped at any time.
    pub(super) async fn turn(&self, name: &str, per_minute: u32) -> Turn {
        let rate = self.rate(name);
        rate.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&rate.waiting);
        let mut block = rate.block.lock().await;
        let now = self.clock.now();
        if block.left > 0 && now < block.ends {
            block.left -= 1;
            return Turn::Go;
        }
        if now < block.none_until {
            return Turn::Wait(block.none_until - now);
        }
        if self.is_silent(now) {
            return Turn::Go;
        }
        // As many as wait, or twice as many as lately did not last: what is not used in time is lost to everybody.
        let used_up = block.size > 0 && block.left == 0 && now < block.ends;
        let lately = if used_up { block.size.saturating_mul(2) } else { 1 };
        let most = (per_minute / PART).clamp(1, BLOCK_AT_MOST);
        let wanted = waiting.0.load(Ordering::Relaxed).max(lately).clamp(1, most);
        match self.allotter.allot(name, per_minute, wanted).await {
            Some(Share { granted: 0, wait, .. }) => {
                let wait = wait.max(ASK_AGAIN);
                block.none_until = self.clock.now() + wait;
                Turn::Wait(wait)
            }
            Some(Share { granted, .. }) => {
                // Counted from before the question: the answer may have been long on its way.
                *block = Block { size: granted, left: granted - 1, ends: now + BLOCK_LIFE, none_until: now };
                Turn::Go
            }
            None => {
                *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now() + SILENCE);
                Turn::Go
            }
        }
    }

    fn rate(&self, name: &str) -> Arc<Rate> {
        if let Some(rate) = self.rates.get(name) {
            return Arc::clone(&rate);
        }
        if self.rates.len() > KNOWN_AT_MOST {
            let now = self.clock.now();
            self.rates.retain(|_, rate| {
                Arc::strong_count(rate) > 1 || rate.block.try_lock().is_ok_and(|block| now < block.ends)
            });
        }
        let now = self.clock.now();
        let block = tokio::sync::Mutex::new(Block { size: 0, left: 0, ends: now, none_until: now });
        let fresh = || Arc::new(Rate { waiting: AtomicU32::new(0), block });
        Arc::clone(&self.rates.entry(name.to_owned()).or_insert_with(fresh))
    }

    fn is_silent(&self, now: Instant) -> bool {
        self.silent_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| now < until)
    }
}

impl fmt::Debug for SharedTurns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedTurns(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::allotment::allot;

    /// One rate for all who ask, and how often they did.
    #[derive(Default)]
    struct Counted {
        clock: Option<Clock>,
        rested_at: Mutex<u64>,
        asked: AtomicU32,
    }

    impl Allotter for Counted {
        fn allot<'a>(&'a self, _: &'a str, per_minute: u32, wanted: u32) -> BoxFuture<'a, Option<Share>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let share = self.clock.as_ref().map(|clock| {
                let mut rested_at = self.rested_at.lock().unwrap();
                let share = allot(*rested_at, clock.wall_ms() * 1_000, per_minute, wanted);
                *rested_at = share.rested_at;
                share
            });
            Box::pin(std::future::ready(share))
        }
    }

    async fn sent_in_a_minute(clock: &Clock, processes: &[Arc<SharedTurns>], per_minute: u32) -> usize {
        let ends = clock.now() + Duration::from_secs(59);
        let tasks = processes.iter().flat_map(|turns| (0..5).map(move |_| Arc::clone(turns))).map(|turns| {
            let clock = clock.clone();
            tokio::spawn(async move {
                let mut sent = 0;
                while clock.now() < ends {
                    match turns.turn("rate", per_minute).await {
                        Turn::Go => sent += 1,
                        Turn::Wait(wait) => tokio::time::sleep(wait).await,
                    }
                }
                sent
            })
        });
        let mut all = 0;
        for task in tasks.collect::<Vec<_>>() {
            all += task.await.unwrap();
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn processes_that_send_all_they_can_use_the_whole_rate_together_and_no_more() {
        let clock = Clock::paused(1_000_000);
        let allotter = Arc::new(Counted { clock: Some(clock.clone()), ..Counted::default() });
        let processes: Vec<_> =
            (0..4).map(|_| Arc::new(SharedTurns::new(clock.clone(), Arc::clone(&allotter) as _))).collect();
        let sent = sent_in_a_minute(&clock, &processes, 6_000).await;
        assert!((5_500..=6_000).contains(&sent), "{sent}");
        let asked = allotter.asked.load(Ordering::Relaxed);
        assert!(usize::try_from(asked).unwrap() < sent, "{asked}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_does_not_answer_is_left_alone_and_holds_up_nobody() {
        let allotter = Arc::new(Counted::default());
        let turns = SharedTurns::new(Clock::paused(0), Arc::clone(&allotter) as _);
        for _ in 0..100 {
            assert_eq!(turns.turn("rate", 60).await, Turn::Go);
        }
        assert_eq!(allotter.asked.load(Ordering::Relaxed), 1);
        tokio::time::sleep(SILENCE).await;
        assert_eq!(turns.turn("rate", 60).await, Turn::Go);
        assert_eq!(allotter.asked.load(Ordering::Relaxed), 2);
    }
}
