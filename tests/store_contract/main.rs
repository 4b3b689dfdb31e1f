//! What every home of the store promises, held to by all of them: memory, `SQLite`, Redis and an object of the program's.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::unchecked_time_subtraction,
    clippy::unnecessary_wraps,
    reason = "nothing reaches into a test; it stops at the first surprise; it waits in the time of other processes, and Redis alone may be skipped"
)]

mod claims;
mod contract;
mod home;
mod journal;
mod object;
mod processes;
mod redis_faults;
#[path = "../support/redis_server.rs"]
mod redis_server;
mod spy;
mod sqlite_file;
#[path = "../support/temporary.rs"]
mod temporary;

/// Each guarantee is a test of each store.
macro_rules! every_store {
    ($($file:ident: $($guarantee:ident)*;)*) => {
        every_store!(@home memory, $($file: $($guarantee)*;)*);
        every_store!(@home sqlite, $($file: $($guarantee)*;)*);
        every_store!(@home redis, $($file: $($guarantee)*;)*);
        every_store!(@home object, $($file: $($guarantee)*;)*);
    };
    (@home $home:ident, $($file:ident: $($guarantee:ident)*;)*) => {
        mod $home {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $guarantee() {
                    if let Some(home) = crate::home::Home::$home() {
                        crate::$file::$guarantee(&home).await;
                    }
                }
            )*)*
        }
    };
}

mod of {
    every_store! {
        contract:
            a_put_is_applied_only_on_what_it_expects
            what_is_read_is_what_was_written_to_the_last_byte
            sixty_four_tasks_that_fight_for_one_key_count_exactly
            of_many_that_expect_the_same_exactly_one_is_applied
            what_is_settled_is_forgotten_after_its_time_and_what_is_open_never
            an_expired_value_is_no_value
            a_value_written_again_lives_by_its_last_time
            exactly_the_open_values_under_a_prefix_are_listed
            a_put_that_comes_late_changes_nothing
            a_delete_needs_the_version_and_an_open_value_that_is_deleted_is_not_listed
            another_process_sees_at_once_what_was_written;
        journal:
            an_entry_is_taken_over_after_its_lease_and_not_before_and_its_old_owner_writes_no_more
            of_two_that_recover_one_entry_at_once_one_gets_it
            a_success_is_never_taken_over
            the_first_calendar_of_a_key_stands_for_all_its_calls;
        claims:
            one_of_sixty_four_requests_runs_and_all_others_hear_its_answer
            a_key_is_free_again_after_the_lease_of_a_dead_owner_and_not_before
            a_late_finish_of_an_owner_taken_for_dead_is_refused
            a_released_key_is_free_at_once
            a_claim_is_renewed_while_its_owner_lives
            another_request_under_the_same_key_is_a_mismatch_and_another_users_key_is_another_key
            an_answer_is_told_for_its_time_and_kept_in_the_store_for_an_hour_whatever_that_is
            clearing_forgets_everything_in_every_process_and_deletes_nothing
            no_key_of_the_store_tells_who_asked_for_what;
    }
}
