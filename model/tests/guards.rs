//! Each guard taken out breaks the promise that it is there for; the trace is printed.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "the traces are what is to be read")]

use std::fs;
use std::path::Path;

use surecal_model::Trace;
use surecal_model::traces::{CREATE, Case, ENROLL};

/// The trace without one guard is the one that the table tells of.
fn breaks<G: Copy>(cases: &[Case<G>], guard: &str, trace: impl Fn(&Case<G>) -> Option<Trace>) {
    let case = cases.iter().find(|case| case.guard == guard).unwrap();
    let trace = trace(case).unwrap_or_else(|| panic!("nothing breaks without {guard}"));
    println!("without {guard}: {trace}");
    assert_eq!((trace.promise, trace.steps.len()), (case.promise, case.steps), "without {guard}: {trace}");
}

/// One test for each guard, and one that none is missing.
macro_rules! without {
    ($module:ident, $cases:ident: $($guard:ident => $name:ident,)*) => {
        mod $module {
            use super::*;

            $(#[test]
            fn $name() {
                breaks(&$cases, stringify!($guard), Case::<surecal_model::$module::Guards>::trace);
            })*

            #[test]
            fn every_guard_is_taken_out_once() {
                let tested = [$(stringify!($guard)),*];
                assert_eq!($cases.map(|case| case.guard), tested);
                // Every field of the guards is in the table.
                let all = format!("{:?}", surecal_model::$module::Guards::ALL);
                assert_eq!(all.matches(": true").count(), tested.len());
            }
        }
    };
}

without! { create, CREATE:
    derived_id => without_a_derived_id_there_are_duplicates,
    intent_first => without_the_intent_first_a_crash_leaves_a_phantom,
    claims_list => without_a_list_of_claims_a_success_is_deleted,
    claim_check => without_its_claim_on_the_event_an_attempt_relies_on_what_another_deletes,
    only_ours => without_sparing_what_others_claim_a_clean_up_deletes_a_success,
    if_match_adopt => without_if_match_a_late_adoption_leaves_a_phantom,
    if_match_repair => without_if_match_a_late_repair_reverts_an_edit,
    if_match_delete => without_if_match_a_clean_up_deletes_what_was_adopted_meanwhile,
    etag_move => without_moving_the_etag_on_a_late_adoption_leaves_a_phantom,
    nonce_read => without_reading_its_nonce_a_leave_that_google_dropped_leaves_a_phantom,
    fence => without_a_fence_a_late_insert_leaves_a_phantom,
    fence_stamp => without_a_stamp_of_its_own_a_fence_is_left_behind,
    fates => without_the_journals_word_wrong_content_is_told_as_success,
    owners_edit => without_leaving_an_owners_edit_it_is_reverted,
    verified_only => without_a_read_back_an_earlier_success_excuses_wrong_content,
    compare_first => without_comparing_first_wiped_stamps_hide_wrong_content,
    read_back => without_reading_back_what_google_dropped_is_told_as_success,
    next_id => without_journalling_the_next_id_a_later_generation_is_a_phantom,
    result_before_told => without_the_result_first_a_crash_undoes_a_success,
    result_cas => without_a_compare_and_set_a_result_is_told_after_a_takeover,
    unknown_told => without_telling_unknown_a_success_is_told_as_failed,
    known_puts => without_waiting_for_its_put_who_takes_over_deletes_a_success,
    lease_check => without_asking_the_lease_a_slow_owner_leaves_a_phantom,
    overwrite => without_overwriting_a_late_intent_undoes_a_success,
    refusal_doubted => without_doubting_a_refusal_a_repeated_insert_is_a_phantom,
}

without! { enroll, ENROLL:
    intent_first => without_the_intent_first_a_crash_leaves_a_phantom,
    claim_first => without_the_claim_first_a_success_is_taken_off,
    wait_while_removing => without_waiting_an_attendee_about_to_go_is_told_as_there,
    added => without_noting_added_first_a_phantom_stays,
    kept => without_kept_another_undo_takes_a_success_off,
    kept_by_others => without_what_others_kept_another_undo_takes_a_success_off,
    removing => without_removing_a_claim_comes_after_the_check,
    recheck => without_a_second_look_at_the_record_an_undo_removes_a_success,
    claims => without_counting_claims_an_undo_removes_a_success,
    commit_first => without_the_commit_first_a_crash_leaves_a_phantom,
    result_before_told => without_the_result_first_a_crash_undoes_a_success,
    result_cas => without_a_compare_and_set_a_result_is_told_after_a_takeover,
    unknown_told => without_telling_unknown_a_success_is_told_as_failed,
    known_puts => without_waiting_for_its_put_who_takes_over_undoes_a_success,
    lease_check => without_asking_the_lease_a_slow_owner_leaves_a_phantom,
    claim_lease_check => without_asking_the_lease_before_a_claim_it_stays_and_so_does_a_phantom,
    rewrite => without_writing_the_record_again_a_late_claim_leaves_a_phantom,
    overwrite => without_overwriting_a_late_claim_leaves_a_phantom,
    etag_move => without_moving_the_etag_on_a_late_add_leaves_a_phantom,
    nonce_read => without_reading_its_nonce_a_removal_that_google_dropped_leaves_a_phantom,
    if_match_add => without_if_match_a_late_add_leaves_a_phantom,
    if_match_expel => without_if_match_a_late_removal_takes_a_success_off,
    read_back => without_reading_back_what_google_dropped_is_told_as_success,
    told_in => without_what_a_success_was_told_in_an_old_read_leads_to_its_undo,
    removed_in => without_what_a_removal_ended_in_an_old_read_tells_success_of_who_is_gone,
}

/// The rows of the table, as the README has them.
fn rows<G>(cases: &[Case<G>]) -> Vec<String> {
    let row = |case: &Case<G>| {
        let (file, function, _) = case.place;
        let (guard, promise, steps) = (case.guard, case.promise.name(), case.steps);
        format!("| `{guard}` | {promise} | {steps} | `{file}`: `{function}` | `{}` |", case.test.1)
    };
    cases.iter().map(row).collect()
}

#[test]
fn the_readme_has_the_table_of_guards() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let told: Vec<_> = readme.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
    let rows = [rows(&CREATE), rows(&ENROLL)].concat();
    assert_eq!(told, rows, "the table must be:\n{}", rows.join("\n"));
}
