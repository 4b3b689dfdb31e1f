//! `surecal-model [--long]`: walks through the models with all guards in place, then takes out one guard after the other and
//! prints the trace that breaks a promise. Ends with 1 when a promise breaks that should not, or one holds that should not.

use std::io::{self, Write as _};
use std::process::ExitCode;

use surecal_model::scenarios::{LONG, SHORT};
use surecal_model::traces::{CREATE, ENROLL};
use surecal_model::{Goal, Trace};

fn main() -> io::Result<ExitCode> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let long = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--long"] => true,
        _ => {
            writeln!(io::stderr(), "usage: surecal-model [--long]")?;
            return Ok(ExitCode::from(2));
        }
    };
    let mut out = io::stdout().lock();
    let mut states = 0;
    let mut well = true;
    for (name, scenario) in SHORT.iter().chain(LONG.iter().filter(|_| long)) {
        let report = scenario.explore();
        states += report.states;
        let reached = report.reached.len() == Goal::ALL.len();
        well &= report.broken.is_empty() && report.complete && reached;
        let verdict = match (report.broken.is_empty(), reached) {
            (false, _) => "BROKEN",
            (true, false) => "HOLDS BY DOING NOTHING",
            (true, true) => "holds",
        };
        writeln!(out, "{verdict:7} {:>10} states, {:>2} steps deep: {name}", report.states, report.depth)?;
        report.broken.iter().try_for_each(|trace| writeln!(out, "{trace}"))?;
    }
    writeln!(out, "{states} states in all\n")?;
    let mut without = |model: &str, guard: &str, trace: Option<Trace>| {
        well &= trace.is_some();
        match trace {
            Some(trace) => writeln!(out, "{model} without {guard}: {trace}"),
            None => writeln!(out, "{model} without {guard}: NOTHING BREAKS\n"),
        }
    };
    CREATE.iter().try_for_each(|case| without("create", case.guard, case.trace()))?;
    ENROLL.iter().try_for_each(|case| without("enroll", case.guard, case.trace()))?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
