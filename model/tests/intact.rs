//! With all guards in place no promise breaks, whatever goes wrong.

#![expect(clippy::print_stdout, reason = "how many states there are is what is to be read")]

use surecal_model::Goal;
use surecal_model::scenarios::SHORT;

/// So many states must be seen, or the bounds have become too narrow to mean anything.
const AT_LEAST: usize = 1_000_000;

#[test]
fn no_reachable_state_breaks_a_promise() {
    let mut states = 0;
    for (name, scenario) in SHORT {
        let report = scenario.explore();
        assert!(report.broken.is_empty(), "{name}: {}", report.broken[0]);
        assert!(report.complete, "{name}: not every state was seen");
        // Else the promises are kept by doing nothing.
        assert_eq!(report.reached.len(), Goal::ALL.len(), "{name}: only {:?}", report.reached);
        states += report.states;
    }
    println!("{states} states");
    assert!(states >= AT_LEAST, "{states} states");
}
