//! `limits.maxInFlight`: how many calls may be at work at once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// See the module. Clones share the seats.
#[derive(Debug, Clone)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    count: Arc<Mutex<Count>>,
}

#[derive(Debug)]
struct Count {
    all: usize,
    taken: usize,
    /// Taken seats that are to go when their callers leave: there are fewer now.
    owed: usize,
}

/// Taken until dropped.
#[derive(Debug)]
pub(super) struct Seat {
    permit: Option<OwnedSemaphorePermit>,
    count: Arc<Mutex<Count>>,
}

impl Seats {
    pub(super) fn new(all: u32) -> Self {
        let all = all as usize;
        let count = Count { all, taken: 0, owed: 0 };
        Self { free: Arc::new(Semaphore::new(all)), count: Arc::new(Mutex::new(count)) }
    }

    /// Waits, first come first served, for a free seat.
    pub(super) async fn take(&self) -> Seat {
        // Fails only if the semaphore is closed, which nobody does; no limit is better than no service.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        lock(&self.count).taken += 1;
        Seat { permit, count: Arc::clone(&self.count) }
    }

    /// Sets how many there are. Nobody is made to leave: what is too many goes with its caller.
    pub(super) fn resize(&self, all: u32) {
        let mut count = lock(&self.count);
        let all = all as usize;
        if all >= count.all {
            let more = all - count.all;
            let kept = more.min(count.owed);
            count.owed -= kept;
            self.free.add_permits(more - kept);
        } else {
            let fewer = count.all - all;
            count.owed += fewer - self.free.forget_permits(fewer);
        }
        count.all = all;
    }

    pub(super) fn taken(&self) -> usize {
        lock(&self.count).taken
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut count = lock(&self.count);
        count.taken -= 1;
        if count.owed > 0
            && let Some(permit) = self.permit.take()
        {
            count.owed -= 1;
            permit.forget();
        }
    }
}

fn lock(count: &Mutex<Count>) -> std::sync::MutexGuard<'_, Count> {
    count.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn fewer_seats_than_callers_are_reached_as_callers_leave_and_more_are_there_at_once() {
        let seats = Seats::new(3);
        let mut sitting = vec![seats.take().await, seats.take().await, seats.take().await];
        seats.resize(1);
        sitting.pop();
        sitting.pop();
        assert_eq!((seats.taken(), seats.free.available_permits()), (1, 0));
        sitting.pop();
        assert_eq!((seats.taken(), seats.free.available_permits()), (0, 1));
        seats.resize(4);
        assert_eq!(seats.free.available_permits(), 4);
    }

    #[tokio::test]
    async fn taking_seats_away_and_giving_them_back_leaves_as_many_as_were_asked_for() {
        let seats = Seats::new(2);
        let sitting = (seats.take().await, seats.take().await);
        seats.resize(1);
        seats.resize(2);
        drop(sitting);
        assert_eq!(seats.free.available_permits(), 2);
    }
}
