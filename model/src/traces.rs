//! What breaks without each guard, under which faults, and where the code has the guard.

use crate::create::{self, Create};
use crate::enroll::{self, Enroll};
use crate::explore::{Limits, Promise, Trace, shortest};
use crate::faults::Faults;

/// A place in the code: the file, the function, and words in it.
pub type Place = (&'static str, &'static str, &'static str);

/// One guard of a model.
#[derive(Clone, Copy, Debug)]
pub struct Case<G> {
    /// Its field.
    pub guard: &'static str,
    /// All guards but this one.
    pub without: G,
    /// What has to go wrong besides.
    pub faults: Faults,
    /// What breaks then.
    pub promise: Promise,
    /// In how many steps.
    pub steps: usize,
    /// Where the code has it.
    pub place: Place,
}

impl Case<create::Guards> {
    /// The shortest trace.
    #[must_use]
    pub fn trace(&self) -> Option<Trace> {
        let model = Create { guards: self.without, faults: self.faults, one_skips: true, memory: false };
        shortest(&model, Limits::NONE)
    }
}

impl Case<enroll::Guards> {
    /// The shortest trace.
    #[must_use]
    pub fn trace(&self) -> Option<Trace> {
        let model = Enroll::<1> { guards: self.without, faults: self.faults, present_before: true };
        shortest(&model, Limits::NONE)
    }
}

macro_rules! cases {
    ($module:ident: $($guard:ident, { $($fault:ident)* }, $promise:ident, $steps:literal, $file:literal, $function:literal, $words:literal;)*) => {
        [$(Case {
            guard: stringify!($guard),
            without: $module::Guards { $guard: false, ..$module::Guards::ALL },
            faults: Faults { $($fault: 1,)* ..Faults::NONE },
            promise: Promise::$promise,
            steps: $steps,
            place: ($file, $function, $words),
        }),*]
    };
}

/// The guards of a create.
pub const CREATE: [Case<create::Guards>; 24] = cases! { create:
    derived_id, { }, NoDuplicate, 4, "operation/attempt.rs", "begin", "event_id(OPERATION";
    intent_first, { crashes }, NoPhantom, 3, "operation/attempt.rs", "begin", "journal.begin(";
    claims_list, { }, SuccessIsFinal, 13, "operation/attempt.rs", "adopt", "claims.with(&self.claim)";
    claim_check, { }, SuccessIsFinal, 11, "operation/attempt.rs", "look", "claims.contains(&self.claim)";
    only_ours, { }, SuccessIsFinal, 13, "operation/reconcile.rs", "clean_up", "claims.only(ours)";
    if_match_adopt, { late }, NoPhantom, 20, "operation/attempt.rs", "adopt", "Some(found.etag.as_str())";
    if_match_repair, { late garbled owner }, NoLostUpdate, 11, "operation/attempt/confirm.rs", "repair", "Some(found.etag.as_str())";
    if_match_delete, { }, SuccessIsFinal, 14, "operation/reconcile.rs", "delete", "Some(etag)";
    etag_move, { late }, NoPhantom, 18, "operation/reconcile.rs", "clean_up", "leave_patch(";
    nonce_read, { dropped }, NoPhantom, 17, "operation/reconcile.rs", "clean_up", "Some(leaving.as_str())";
    fence, { late }, NoPhantom, 7, "operation/reconcile.rs", "clean_up", "Sight::Absent => fence(";
    fence_stamp, { late owner }, NoPhantom, 12, "model/stamp.rs", "fence_body", "FENCE: ";
    fates, { owner }, NoSilentFailure, 12, "operation/attempt/confirm.rs", "verify", "journal.fates(";
    owners_edit, { owner }, NoLostUpdate, 14, "operation/attempt/confirm.rs", "verify", "done_with_owners_edit(";
    verified_only, { owner }, NoSilentFailure, 11, "operation/attempt/confirm.rs", "verify", "Fate::Succeeded { verified: true }";
    compare_first, { garbled owner }, NoSilentFailure, 6, "operation/attempt.rs", "stamps_lost", "comparison.critical.is_empty()";
    read_back, { dropped }, SuccessIsFinal, 4, "operation/attempt.rs", "insert", "Step::Look";
    next_id, { }, NoPhantom, 17, "operation/attempt.rs", "tombstone", "entry.generation = generation";
    result_before_told, { crashes }, SuccessIsFinal, 5, "operation/attempt/conclude.rs", "commit", "Change::Applied => (Ok(Created::Done";
    result_cas, { crashes }, SuccessIsFinal, 8, "store/held.rs", "change", "Expected::Version(";
    unknown_told, { late_puts }, NoSilentFailure, 5, "operation/attempt/conclude.rs", "commit", "Outcome::Unknown";
    known_puts, { late_puts slow }, SuccessIsFinal, 8, "store/journal.rs", "take_over", "(Change::Applied, version) => Resumed::Held";
    lease_check, { slow }, NoPhantom, 21, "store/held.rs", "alive", "lease_until";
    overwrite, { late_puts }, SuccessIsFinal, 6, "store/held.rs", "change", "Keep::For(RETENTION)";
};

/// The guards of an enrollment.
pub const ENROLL: [Case<enroll::Guards>; 23] = cases! { enroll:
    intent_first, { crashes }, NoPhantom, 6, "operation/transaction/opening.rs", "open", "journal.begin(";
    claim_first, { }, SuccessIsFinal, 18, "operation/transaction.rs", "add", "records.claim(";
    wait_while_removing, { }, SuccessIsFinal, 16, "store/attendee_record.rs", "claim", "Edit::Wait";
    added, { }, NoPhantom, 9, "operation/transaction/party.rs", "before_write", "records.adding(";
    kept, { }, SuccessIsFinal, 17, "store/attendee_record.rs", "keep", "record.kept.push(";
    kept_by_others, { }, SuccessIsFinal, 18, "store/attendee_record.rs", "leave", "record.kept.retain(";
    removing, { }, SuccessIsFinal, 16, "store/attendee_record.rs", "leave", "record.removing = Some(claim.clone())";
    recheck, { late_puts }, SuccessIsFinal, 23, "operation/transaction/party.rs", "before_write", "records.is_removing(";
    claims, { }, SuccessIsFinal, 16, "store/attendee_record.rs", "leave", "if alone";
    commit_first, { }, NoPhantom, 11, "operation/transaction.rs", "commit", "State::Succeeded";
    result_before_told, { crashes }, SuccessIsFinal, 6, "operation/transaction.rs", "commit", "change == Change::Applied";
    result_cas, { crashes }, SuccessIsFinal, 14, "store/held.rs", "change", "Expected::Version(";
    unknown_told, { late_puts }, NoSilentFailure, 6, "operation/transaction.rs", "commit", "Outcome::Unknown";
    known_puts, { late_puts slow }, SuccessIsFinal, 14, "store/journal.rs", "take_over", "(Change::Applied, version) => Resumed::Held";
    lease_check, { slow }, NoPhantom, 11, "operation/transaction/party.rs", "alive", "held.alive()";
    claim_lease_check, { slow }, NoPhantom, 16, "store/attendee_record.rs", "claim", "held.alive()";
    rewrite, { late_puts }, NoPhantom, 15, "store/attendee_record.rs", "leave", "Edit::Put(record, Leaving::Left)";
    overwrite, { late_puts }, NoPhantom, 15, "store/attendee_record.rs", "edit", "Keep::For(";
    etag_move, { late }, NoPhantom, 12, "operation/attendees/item.rs", "need", "Write::Touch";
    nonce_read, { dropped }, NoPhantom, 13, "operation/attendees/item.rs", "need", "marked && !present";
    if_match_add, { late }, NoPhantom, 15, "operation/attendees/round.rs", "write", "etag";
    if_match_expel, { late }, SuccessIsFinal, 25, "operation/attendees/round.rs", "write", "etag";
    read_back, { dropped }, SuccessIsFinal, 7, "operation/attendees/item.rs", "need", "wanted && !old";
};
