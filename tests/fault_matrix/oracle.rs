//! Whether what was told agrees with what Google holds.

use serde_json::{Value, json};
use surecal::model::Outcome;

use crate::support::{Told, class};
use crate::work::{State, Work};

/// A run, as it is judged.
pub(crate) struct Seen<'a> {
    pub(crate) work: Work,
    pub(crate) told: &'a Told,
    /// When it was told.
    pub(crate) at_once: State,
    /// When everything had settled.
    pub(crate) state: State,
    /// The later records.
    pub(crate) settled: &'a [Value],
}

/// Every promise that was broken.
pub(crate) fn violations(seen: &Seen<'_>) -> Vec<String> {
    if seen.work.reads() {
        return read(seen);
    }
    match seen.told {
        Ok(answer) if answer["success"] == true && answer["verified"] == true => held(seen, "verified", &[State::All]),
        Ok(answer) if answer["success"] == true => vec![format!("success without a read: {answer}")],
        Ok(_) if matches!(seen.work, Work::Create | Work::CreateMany) => held(seen, "unverified", &[State::Nothing]),
        // Told as it is: the event is there, and is not what was asked for.
        Ok(_) => Vec::new(),
        Err(error) => match error.outcome {
            Outcome::NotSent | Outcome::Rejected => {
                let mut found = held(seen, "failed", &[State::Nothing]);
                if seen.at_once != State::Nothing && error.rollback.pending.is_empty() {
                    found.push(format!("failed, and there was left at once: {:?}", seen.at_once));
                }
                found
            }
            Outcome::Unknown => settled(seen),
            Outcome::Applied => held(seen, "applied", &[State::All, State::Other]),
        },
    }
}

fn held(seen: &Seen<'_>, told: &str, allowed: &[State]) -> Vec<String> {
    if allowed.contains(&seen.state) {
        Vec::new()
    } else {
        vec![format!("told {told}, and Google holds {:?}", seen.state)]
    }
}

/// Updates and deletes of unknown fate are not taken back; everything else is, or is told to stay.
fn settled(seen: &Seen<'_>) -> Vec<String> {
    if matches!(seen.work, Work::Update | Work::Delete) {
        return held(seen, "unknown", &[State::Nothing, State::All, State::Other]);
    }
    if seen.settled.is_empty() {
        return vec!["unknown, and never told what became of it".to_owned()];
    }
    let all = |word: &str| seen.settled.iter().all(|notice| notice["settled"] == word);
    // `kept` is about the event; of a removal, about the guest.
    let (kept, deleted) =
        if seen.work == Work::Remove { (State::Nothing, State::All) } else { (State::All, State::Nothing) };
    match (all("kept"), all("deleted")) {
        (true, _) => held(seen, "unknown and kept", &[kept]),
        (_, true) => held(seen, "unknown and deleted", &[deleted]),
        _ => vec![format!("settled in two ways: {:?}", seen.settled)],
    }
}

fn read(seen: &Seen<'_>) -> Vec<String> {
    let mut found = held(seen, "a read", &[State::All]);
    if !seen.settled.is_empty() {
        found.push("a read left something to settle".to_owned());
    }
    match (seen.work, seen.told) {
        (_, Err(error)) if matches!(error.outcome, Outcome::Unknown | Outcome::Applied) => {
            found.push(format!("a read is told to have changed something: {:?}", error.outcome));
        }
        (Work::Verify, Ok(answer)) if answer["success"] != true => {
            found.push(format!("a right event is told to be wrong: {answer}"));
        }
        (Work::Get, Ok(answer)) if answer["event"]["summary"] != class()["summary"] => {
            found.push("another event is told".to_owned());
        }
        (Work::List, Ok(answer)) if answer["items"].as_array().map(Vec::len) != Some(1) => {
            found.push(format!("a page without the event: {}", json!(answer)));
        }
        _ => {}
    }
    found
}
