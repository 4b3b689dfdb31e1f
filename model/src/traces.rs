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
    /// The test that meets the trace with the code: its file in `tests/`, and its name. It fails where the code has not.
    pub test: (&'static str, &'static str),
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
    ($module:ident: $($guard:ident, { $($fault:ident)* }, $promise:ident, $steps:literal, $file:literal, $function:literal, $words:literal,
        $tests:literal, $test:literal;)*) => {
        [$(Case {
            guard: stringify!($guard),
            without: $module::Guards { $guard: false, ..$module::Guards::ALL },
            faults: Faults { $($fault: 1,)* ..Faults::NONE },
            promise: Promise::$promise,
            steps: $steps,
            place: ($file, $function, $words),
            test: (concat!($tests, ".rs"), $test),
        }),*]
    };
}

/// The guards of a create.
pub const CREATE: [Case<create::Guards>; 25] = cases! { create:
    derived_id, { }, NoDuplicate, 4, "operation/attempt.rs", "begin", "event_id(OPERATION",
        "create", "twenty_calls_with_one_key_in_two_processes_make_one_event_and_twenty_successes";
    intent_first, { crashes }, NoPhantom, 3, "operation/attempt.rs", "begin", "journal.begin(",
        "journal", "a_store_that_is_down_is_an_error_and_nothing_is_sent";
    claims_list, { }, SuccessIsFinal, 13, "operation/attempt.rs", "adopt", "claims.with(&self.claim)",
        "traces", "trace_1_success_deleted";
    claim_check, { }, SuccessIsFinal, 11, "operation/attempt.rs", "look", "claims.contains(&self.claim)",
        "traces", "trace_1_success_deleted";
    only_ours, { }, SuccessIsFinal, 13, "operation/reconcile.rs", "clean_up", "claims.only(ours)",
        "traces", "trace_1_success_deleted";
    if_match_adopt, { late }, NoPhantom, 20, "operation/attempt.rs", "adopt", "Some(found.etag.as_str())",
        "traces", "trace_3_phantom_by_a_late_adoption";
    if_match_repair, { late garbled owner }, NoLostUpdate, 11, "operation/attempt/confirm.rs", "repair", "Some(found.etag.as_str())",
        "traces", "trace_6_a_late_repair_writes_over_nobodys_edit";
    if_match_delete, { }, SuccessIsFinal, 14, "operation/reconcile.rs", "delete", "Some(etag)",
        "traces", "trace_1_success_deleted_by_a_late_delete";
    etag_move, { late }, NoPhantom, 18, "operation/reconcile.rs", "clean_up", "leave_patch(",
        "traces", "trace_3_phantom_by_a_late_adoption";
    nonce_read, { dropped }, NoPhantom, 17, "operation/reconcile.rs", "clean_up", "Some(leaving.as_str())",
        "traces", "trace_3_phantom_by_two_that_leave_at_once";
    fence, { late }, NoPhantom, 7, "operation/reconcile.rs", "clean_up", "Sight::Absent => match fence(",
        "traces", "trace_4_phantom_by_a_late_insert";
    fence_stamp, { late owner }, NoPhantom, 12, "model/stamp.rs", "fence_body", "FENCE: ",
        "traces", "trace_5_fence_left_behind_or_adopted";
    fates, { owner }, NoSilentFailure, 12, "operation/attempt/confirm.rs", "verify", "journal.fates(",
        "traces", "trace_2_wrong_content_told_as_success";
    owners_edit, { owner }, NoLostUpdate, 14, "operation/attempt/confirm.rs", "verify", "done_with_owners_edit(",
        "traces", "trace_6_owners_edit_reverted";
    verified_only, { owner }, NoSilentFailure, 11, "operation/attempt/confirm.rs", "verify", "Fate::Succeeded { verified: true }",
        "traces", "trace_19_replay_of_an_unverified_success";
    compare_first, { garbled owner }, NoSilentFailure, 6, "operation/attempt.rs", "stamps_lost", "comparison.critical.is_empty()",
        "traces", "trace_20_stamp_wiped_on_garbled_content";
    read_back, { dropped }, SuccessIsFinal, 4, "operation/attempt.rs", "insert", "Step::Look",
        "create", "a_write_dropped_every_time_resolves_as_verification_failed_and_leaves_nothing_that_could_come_late";
    next_id, { }, NoPhantom, 17, "operation/attempt.rs", "tombstone", "entry.generation = generation",
        "traces", "trace_8_two_generations_alive";
    result_before_told, { crashes }, SuccessIsFinal, 5, "operation/attempt/conclude.rs", "commit", "Change::Applied => (Ok(Created::Done",
        "traces", "trace_7_told_success_recorded_failure";
    result_cas, { crashes }, SuccessIsFinal, 8, "store/held.rs", "change", "Expected::Version(",
        "journal", "an_entry_is_taken_over_after_its_lease_and_never_before_and_its_owner_is_fenced_off";
    unknown_told, { late_puts }, NoSilentFailure, 5, "operation/attempt/conclude.rs", "commit", "Outcome::Unknown",
        "journal", "trace_15_unknown_told_as_failed";
    known_puts, { late_puts slow }, SuccessIsFinal, 8, "store/journal.rs", "take_over", "(Change::Applied, version) => Resumed::Held",
        "journal", "trace_16_a_taker_starts_before_it_knows";
    lease_check, { slow }, NoPhantom, 21, "store/held.rs", "alive", "lease_until",
        "traces", "trace_7_who_lost_its_lease_sends_nothing_more";
    overwrite, { late_puts }, SuccessIsFinal, 6, "store/held.rs", "change", "Keep::For(RETENTION)",
        "journal", "trace_17_settled_entry_deleted_from_the_store";
    refusal_doubted, { resent }, NoPhantom, 4, "operation/attempt.rs", "insert", "self.refused = true",
        "traces", "an_insert_that_is_repeated_on_its_way_leaves_nothing_behind";
};

/// The guards of an enrollment.
pub const ENROLL: [Case<enroll::Guards>; 25] = cases! { enroll:
    intent_first, { crashes }, NoPhantom, 6, "operation/transaction/opening.rs", "open", "journal.begin(",
        "journal", "a_store_that_is_down_is_an_error_and_nothing_is_sent";
    claim_first, { }, SuccessIsFinal, 18, "operation/transaction.rs", "add", "records.claim(",
        "enroll_traces", "trace_11_already_added_on_a_person_about_to_go";
    wait_while_removing, { }, SuccessIsFinal, 16, "store/attendee_record.rs", "claim", "Edit::Wait",
        "enroll_traces", "trace_11_already_added_on_a_person_about_to_go";
    added, { }, NoPhantom, 9, "operation/transaction/party.rs", "before_write", "records.adding(",
        "enroll", "an_aborted_enrollment_leaves_nobody_behind";
    kept, { }, SuccessIsFinal, 17, "store/attendee_record.rs", "keep", "record.kept.push(",
        "enroll_traces", "trace_9_who_adds_and_fails_takes_nobody_off_who_was_kept_meanwhile";
    kept_by_others, { }, SuccessIsFinal, 18, "store/attendee_record.rs", "leave", "record.kept.retain(",
        "enroll_traces", "trace_9_ownership_taken_then_lost";
    removing, { }, SuccessIsFinal, 16, "store/attendee_record.rs", "leave", "record.removing = Some(claim.clone())",
        "enroll_traces", "trace_10_undo_after_the_check";
    recheck, { late_puts }, SuccessIsFinal, 23, "operation/transaction/party.rs", "before_write", "records.is_removing(",
        "enroll_traces", "trace_10_undo_that_was_over_without_knowing_it";
    claims, { }, SuccessIsFinal, 16, "store/attendee_record.rs", "leave", "if alone",
        "enroll_traces", "trace_9_ownership_taken_and_given_up_before_the_success";
    commit_first, { }, NoPhantom, 11, "operation/transaction.rs", "commit", "State::Succeeded",
        "enroll_traces", "trace_15_of_an_enrollment_unknown_told_as_failed";
    result_before_told, { crashes }, SuccessIsFinal, 6, "operation/transaction.rs", "commit", "change == Change::Applied",
        "enroll_traces", "trace_15_of_an_enrollment_unknown_told_as_failed";
    result_cas, { crashes }, SuccessIsFinal, 14, "store/held.rs", "change", "Expected::Version(",
        "journal", "an_entry_is_taken_over_after_its_lease_and_never_before_and_its_owner_is_fenced_off";
    unknown_told, { late_puts }, NoSilentFailure, 6, "operation/transaction.rs", "commit", "Outcome::Unknown",
        "enroll_traces", "trace_15_of_an_enrollment_unknown_told_as_failed";
    known_puts, { late_puts slow }, SuccessIsFinal, 14, "store/journal.rs", "take_over", "(Change::Applied, version) => Resumed::Held",
        "journal", "trace_16_a_taker_starts_before_it_knows";
    lease_check, { slow }, NoPhantom, 11, "operation/transaction/party.rs", "alive", "held.alive()",
        "enroll_traces", "trace_14_who_lost_its_lease_repeats_nothing";
    claim_lease_check, { slow }, NoPhantom, 16, "store/attendee_record.rs", "claim", "held.alive()",
        "enroll_traces", "who_was_taken_over_before_the_claim_claims_nothing_more";
    rewrite, { late_puts }, NoPhantom, 15, "store/attendee_record.rs", "leave", "Edit::Put(record, Leaving::Left)",
        "enroll_traces", "trace_18_late_claim";
    overwrite, { late_puts }, NoPhantom, 15, "store/attendee_record.rs", "edit", "Keep::For(",
        "enroll_traces", "who_was_taken_over_before_the_claim_claims_nothing_more";
    etag_move, { late }, NoPhantom, 12, "operation/attendees/item.rs", "need", "Write::Touch",
        "enroll_traces", "trace_13_late_add";
    nonce_read, { dropped }, NoPhantom, 13, "operation/attendees/item.rs", "need", "marked && !present",
        "attendee_lane", "an_expel_believes_no_acknowledgement_only_what_it_reads";
    if_match_add, { late }, NoPhantom, 15, "operation/attendees/round.rs", "patch", "Some(&seen.etag)",
        "enroll_traces", "trace_13_late_add";
    if_match_expel, { late }, SuccessIsFinal, 25, "operation/attendees/round.rs", "patch", "Some(&seen.etag)",
        "enroll_traces", "trace_10_a_removal_that_is_late";
    read_back, { dropped }, SuccessIsFinal, 7, "operation/attendees/item.rs", "need", "wanted && !old",
        "attendees", "an_add_that_google_acknowledged_and_dropped_is_made_again";
    told_in, { stale }, SuccessIsFinal, 19, "store/attendee_record.rs", "keep", "record.seen(",
        "enroll_traces", "an_old_read_of_another_process_undoes_no_success";
    removed_in, { stale }, SuccessIsFinal, 18, "store/attendee_record.rs", "removed", "record.seen(",
        "enroll_traces", "an_old_read_tells_nobody_already_added_of_one_who_was_taken_off";
};
