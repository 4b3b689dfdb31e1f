//! The guards of the models are in the code, by their words: who takes one out of the code hears of it here.

use std::fs;
use std::path::Path;

use surecal_model::traces::{CREATE, ENROLL, Place};

/// The texts of all functions of a name, each from its name to the next function.
fn functions<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let (called, generic) = (format!("fn {name}("), format!("fn {name}<"));
    let starts = source.match_indices("fn ").map(|(at, _)| at);
    let starts: Vec<_> = starts.filter(|at| source[..*at].ends_with([' ', '\n'])).collect();
    let ends = starts.iter().skip(1).copied().chain([source.len()]);
    let texts = starts.iter().zip(ends).map(|(start, end)| &source[*start..end]);
    texts.filter(|text| text.starts_with(&called) || text.starts_with(&generic)).collect()
}

fn code(file: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src").join(file);
    let text = fs::read_to_string(path).ok()?;
    let without_comments = text.lines().map(|line| line.split("// ").next().unwrap_or_default());
    Some(without_comments.collect::<Vec<_>>().join("\n"))
}

fn missing(places: impl IntoIterator<Item = (&'static str, Place)>) -> Vec<String> {
    let is_there = |(file, function, words): Place| {
        code(file).is_some_and(|code| functions(&code, function).iter().any(|text| text.contains(words)))
    };
    places
        .into_iter()
        .filter(|(_, place)| !is_there(*place))
        .map(|(guard, (file, function, words))| format!("{guard}: {words:?} in {function} of {file}"))
        .collect()
}

#[test]
fn every_guard_of_a_create_is_in_the_code() {
    assert_eq!(missing(CREATE.map(|case| (case.guard, case.place))), Vec::<String>::new());
}

#[test]
fn every_guard_of_an_enrollment_is_in_the_code() {
    assert_eq!(missing(ENROLL.map(|case| (case.guard, case.place))), Vec::<String>::new());
}

#[test]
fn every_trace_is_met_by_a_test_with_the_code() {
    let tests =
        CREATE.map(|case| (case.guard, case.test)).into_iter().chain(ENROLL.map(|case| (case.guard, case.test)));
    let is_there = |(file, name): (&str, &str)| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(file);
        fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("\nasync fn {name}() {{\n")))
    };
    let missing: Vec<_> = tests.filter(|(_, test)| !is_there(*test)).collect();
    assert_eq!(missing, []);
}

#[test]
fn a_guard_that_is_not_there_is_missed() {
    let place = |words| [("guard", ("operation/reconcile.rs", "clean_up", words))];
    assert!(missing(place("Sight::Absent => match fence(")).is_empty());
    assert_eq!(missing(place("Sight::Absent => return")).len(), 1);
    // It is in another function of the file.
    assert_eq!(missing(place("fence_body(")).len(), 1);
}
