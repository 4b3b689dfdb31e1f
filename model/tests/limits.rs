//! What the protocols do not stand, so that nobody believes they do.

use surecal_model::create::{Create, Guards};
use surecal_model::explore::shortest;
use surecal_model::{Faults, Limits, Promise};

/// A 409 to an insert of one's own is taken for another's event, so a call that fails before it looks cleans nothing up.
#[test]
fn a_post_that_an_intermediary_repeats_by_itself_can_leave_a_phantom() {
    let faults = Faults { resent: 1, ..Faults::NONE };
    let model = Create { guards: Guards::ALL, faults, one_skips: false, memory: false };
    let trace = shortest(&model, Limits::NONE).expect("it is no limit any more: add it to the scenarios");
    assert_eq!((trace.promise, trace.steps.len()), (Promise::NoPhantom, 4), "{trace}");
}
