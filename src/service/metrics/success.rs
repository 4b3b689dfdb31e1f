//! What it is all for, in one table: how many failures were kept from the calendar and from the callers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{OperationCount, RequestCount};
use crate::model::Code;
use crate::operation::prevented::PreventedSnapshot;

/// Methods that change no calendar. All others are writes.
const READS: [&str; 4] = ["verifyEvent", "getEvent", "listEvents", "getRefreshedOAuthClient"];

/// Codes with which a call is answered as it should be: the trouble is in what was asked for.
const ASKED_WRONG: [Code; 8] = [
    Code::ValidationFailed,
    Code::IdempotencyKeyReused,
    Code::IdempotencyInProgress,
    Code::Conflict,
    Code::NotFound,
    Code::Aborted,
    Code::Closed,
    Code::Configuration,
];

/// A part of something. No part of nothing has no share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Part {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// `count / of`, from 0 to 1.
    pub share: Option<f64>,
}

impl Part {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
    fn of(count: u64, of: u64) -> Self {
        Self { count, of, share: (of > 0).then(|| count as f64 / of as f64) }
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Success {
    /// Writes that Google acknowledged and did not do as asked: found, and mended or taken back. Of all events made and
    /// changed.
    pub silent_failures_caught: Part,
    /// Writes answered with success that were read back and compared.
    pub verified: Part,
    /// Calls that failed for want of an access token.
    pub token_failures: Part,
    /// Clean-ups after failed calls that left nothing in the calendar, of those begun: what is missing is still open, or
    /// was left to others that rely on it.
    pub phantoms_prevented: Part,
    /// Second events that were not made: found made before, found after a lost reply, calls that shared one attempt,
    /// repeated requests that were answered without a second run.
    pub duplicates_prevented: u64,
    /// Calls that had no answer one second after their deadline.
    pub hung: Part,
    /// Calls answered as they should be, of those that asked for something that can be done.
    pub reliable: Part,
}

/// The figures it is computed from.
pub(super) struct Figures<'a> {
    pub(super) operations: &'a BTreeMap<String, OperationCount>,
    pub(super) prevented: PreventedSnapshot,
    pub(super) requests: RequestCount,
    pub(super) shared: u64,
    /// Calls without an answer now whose time was over a second ago.
    pub(super) overdue: u64,
    pub(super) open_clean_ups: u64,
}

impl Success {
    pub(super) fn of(figures: &Figures<'_>) -> Self {
        let all = || figures.operations.iter();
        let writes = || all().filter(|(name, _)| !READS.contains(&name.as_str())).map(|(_, count)| count);
        let calls: u64 = all().map(|(_, count)| count.calls()).sum();
        let failed = |codes: &[Code]| -> u64 {
            all().flat_map(|(_, count)| codes.iter().filter_map(|code| count.failed.get(code.name()))).sum()
        };
        let succeeded: u64 = all().map(|(_, count)| count.succeeded).sum();
        // "It is not so" is what verifyEvent is there to say.
        let answered: u64 =
            all().filter(|(name, _)| READS.contains(&name.as_str())).map(|(_, count)| count.unverified).sum();
        let prevented = &figures.prevented;
        let caught = prevented.repaired + prevented.restored + prevented.refused;
        let written: u64 = writes().map(|count| count.succeeded + count.unverified).sum();
        let clean_ups = prevented.removed + prevented.left + figures.open_clean_ups;
        let hung = all().map(|(_, count)| count.hung).sum::<u64>() + figures.overdue;
        Self {
            // One call can make several events: a schedule.
            silent_failures_caught: Part::of(caught, written.max(caught)),
            verified: Part::of(writes().map(|count| count.verified).sum(), writes().map(|count| count.succeeded).sum()),
            token_failures: Part::of(failed(&[Code::GoogleAuthRequired, Code::GoogleAuthFailed]), calls),
            phantoms_prevented: Part::of(prevented.removed, clean_ups),
            duplicates_prevented: prevented.adopted
                + prevented.lost_replies
                + figures.shared
                + figures.requests.replayed
                + figures.requests.refused,
            hung: Part::of(hung, calls + figures.overdue),
            reliable: Part::of(succeeded + answered, calls - failed(&ASKED_WRONG)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(succeeded: u64, verified: u64, unverified: u64, failed: &[(&'static str, u64)]) -> OperationCount {
        OperationCount {
            succeeded,
            verified,
            unverified,
            failed: failed.iter().copied().collect(),
            ..Default::default()
        }
    }

    fn success(operations: &BTreeMap<String, OperationCount>, overdue: u64) -> Success {
        let prevented =
            PreventedSnapshot { repaired: 2, refused: 1, removed: 3, left: 1, adopted: 4, ..Default::default() };
        let requests = RequestCount { replayed: 5, refused: 6 };
        Success::of(&Figures { operations, prevented, requests, shared: 7, overdue, open_clean_ups: 1 })
    }

    #[test]
    fn what_was_asked_wrong_does_not_count_against_reliability() {
        let operations = BTreeMap::from([
            ("createEvent".to_owned(), counted(90, 90, 1, &[("TIMEOUT", 4), ("VALIDATION_FAILED", 5)])),
            ("verifyEvent".to_owned(), counted(3, 3, 2, &[])),
        ]);
        let told = success(&operations, 0);
        assert_eq!((told.reliable.count, told.reliable.of), (95, 100));
        assert_eq!((told.verified.count, told.verified.of), (90, 90));
    }

    #[test]
    fn every_kind_of_duplicate_and_open_clean_up_is_counted() {
        let told = success(&BTreeMap::from([("createEvent".to_owned(), counted(10, 10, 1, &[]))]), 2);
        assert_eq!((told.silent_failures_caught.count, told.silent_failures_caught.of), (3, 11));
        assert_eq!((told.phantoms_prevented.count, told.phantoms_prevented.of), (3, 5));
        assert_eq!((told.duplicates_prevented, told.hung.count, told.hung.of), (22, 2, 13));
    }

    #[test]
    fn of_no_calls_there_is_no_share() {
        let nothing = Part::of(0, 0);
        assert_eq!(nothing.share, None);
    }
}
