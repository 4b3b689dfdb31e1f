//! What must hold of every input, whoever made it: one function for each place where surecal reads what others wrote.
//!
//! Each takes any bytes and panics where a promise breaks. libFuzzer looks for such bytes (`fuzz_targets/`, `npm run
//! fuzz`); `tests/fuzz_corpus.rs` runs every input of `corpus/` in each `cargo test`.

#![forbid(unsafe_code)]

mod answer;
mod arguments;
mod claim;
mod compare;
mod config;
mod error_body;
mod event_data;
mod service;
mod stored;
mod time;
mod token_answer;

use surecal::model::CalendarError;

pub use answer::answer;
pub use arguments::arguments;
pub use claim::claim;
pub use compare::compared as compare;
pub use config::config;
pub use error_body::error_body;
pub use event_data::event_data;
pub use stored::stored;
pub use time::time;
pub use token_answer::token_answer;

/// Takes an input, and panics if something does not hold of it.
pub type Property = fn(&[u8]);

/// Every target by its name, which is that of its file in `fuzz_targets/` and of its folder in `corpus/`.
pub const TARGETS: &[(&str, Property)] = &[
    ("answer", answer),
    ("arguments", arguments),
    ("claim", claim),
    ("compare", compare),
    ("config", config),
    ("error_body", error_body),
    ("event_data", event_data),
    ("stored", stored),
    ("time", time),
    ("token_answer", token_answer),
];

/// Stands for everything that may not be printed. The sign in its middle keeps it out of what may be: reason words and the
/// names of options are made of letters and digits.
const SECRET: &str = "can@ry";

fn assert_silent(printed: &str) {
    assert!(!printed.contains(SECRET), "a value of the input was printed: {printed}");
}

/// Nothing of the input is in an error, however it is looked at.
fn assert_error_is_silent(error: &CalendarError) {
    let source = std::error::Error::source(error).map(ToString::to_string);
    assert_silent(&format!("{error}\n{error:?}\n{error:#?}\n{source:?}"));
    assert_silent(&surecal::service::to_text(error));
}

/// The input as text, if it is.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The first line, and the rest.
fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}
