//! Late writes: on their way for longer than anybody waits for the answer.

use std::time::Duration;

use super::World;
use crate::account::Principal;
use crate::call::Call;

/// One late request.
#[derive(Debug)]
struct Late {
    seq: u64,
    due: Option<Duration>,
    call: Call,
    principal: Principal,
}

/// The late requests, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Held {
    requests: Vec<Late>,
}

impl World {
    /// Holds a request until `after` from now, or until it is released.
    pub(super) fn hold(&mut self, seq: u64, after: Option<Duration>, call: Call, principal: Principal) {
        let due = after.map(|after| self.clock.elapsed() + after);
        self.held.requests.push(Late { seq, due, call, principal });
    }

    /// Applies every late request whose time has come.
    pub(crate) fn settle_due(&mut self) {
        let now = self.clock.elapsed();
        loop {
            let due = self.held.requests.iter().enumerate().filter_map(|(index, late)| Some((late.due?, index)));
            let Some((_, index)) = due.filter(|(due, _)| *due <= now).min() else { return };
            self.apply(index);
        }
    }

    /// Applies every late request now, in order of arrival, and says how many there were.
    pub(crate) fn release(&mut self) -> usize {
        self.settle_due();
        let count = self.held.requests.len();
        while !self.held.requests.is_empty() {
            self.apply(0);
        }
        count
    }

    pub(crate) fn held_count(&self) -> usize {
        self.held.requests.len()
    }

    fn apply(&mut self, index: usize) {
        let late = self.held.requests.remove(index);
        let result = self.perform(&late.call, &late.principal);
        let (status, committed) = match &result {
            Ok(done) => (done.response.status().as_u16(), done.touched.is_some()),
            Err(refusal) => (refusal.status, false),
        };
        if let Some(record) = self.log.get_mut(late.seq) {
            record.status = Some(status);
            record.committed = committed;
        }
    }
}
