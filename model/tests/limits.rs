//! What the protocols do not stand, so that nobody believes they do.

use surecal_model::enroll::{Enroll, Guards};
use surecal_model::explore::shortest;
use surecal_model::{Faults, Limits, Promise};

/// Whoever is on the list after a 412 is taken for another's guest.
#[test]
fn a_patch_of_a_guest_list_that_an_intermediary_repeats_by_itself_can_leave_a_phantom() {
    let faults = Faults { resent: 1, ..Faults::NONE };
    let model = Enroll::<1> { guards: Guards::ALL, faults, present_before: true };
    let trace = shortest(&model, Limits::NONE).expect("it is no limit any more: add it to the scenarios");
    assert_eq!((trace.promise, trace.steps.len()), (Promise::NoPhantom, 9), "{trace}");
}
