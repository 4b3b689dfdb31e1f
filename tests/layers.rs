//! Layers: a file uses its own layer or lower ones, only the binding knows Node, and no file grows past reading.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first.
const LAYERS: [&str; 7] = ["model", "policy", "google", "store", "operation", "service", "binding"];
/// Below all layers but the model, which knows no time.
const CLOCK: &str = "clock";
const LINES_AT_MOST: usize = 600;

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every file below a folder of the package: its path from there, and its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    let named = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(path).unwrap())
    };
    files.into_iter().map(named).collect()
}

/// The layer of a file below `src`: `google/send.rs` is `google`, `clock.rs` is `clock`, `lib.rs` none.
fn layer_of(file: &str) -> Option<&str> {
    let first = file.split('/').next().unwrap_or_default();
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (name != "lib").then_some(name)
}

/// The code without its comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The modules of the crate's top that `code` names, by `crate::name` or in a group after `crate::{`.
fn names(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.push(word(rest)),
            Some(group) => {
                let mut depth = 0_u32;
                let mut starts = true;
                for (place, sign) in group.char_indices() {
                    match sign {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => starts = true,
                        sign if starts && sign.is_alphanumeric() => {
                            found.push(word(&group[place..]));
                            starts = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    // A way around the crate's root.
    for layer in LAYERS.iter().chain([&CLOCK]) {
        if code.contains(&format!("super::{layer}::")) {
            found.push((*layer).to_owned());
        }
    }
    found
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|name| *name == layer)
}

fn violations(file: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut found = Vec::new();
    let Some(own) = layer_of(file) else { return found };
    if own != CLOCK && rank(own).is_none() {
        found.push(format!("{file}: belongs to no layer"));
        return found;
    }
    for used in names(&code) {
        let fits = match (rank(own), rank(&used)) {
            (Some(own), Some(used)) => used <= own,
            (Some(_), None) if used == CLOCK => own != "model",
            (None, Some(_)) => false,
            // Neither a layer nor the clock: something of the crate's root.
            _ => true,
        };
        if !fits {
            found.push(format!("{file}: {own} uses {used}"));
        }
    }
    let says_napi = code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word.starts_with("napi"));
    if own != "binding" && says_napi {
        found.push(format!("{file}: names napi"));
    }
    found
}

#[test]
fn every_file_uses_its_own_layer_or_lower_ones_and_only_the_binding_names_napi() {
    let files = sources("src");
    assert!(files.len() > 50, "the sources were not found");
    let found: Vec<_> = files.iter().flat_map(|(file, text)| violations(file, text)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_layer_is_there_and_is_used_by_a_higher_one() {
    let files = sources("src");
    for layer in LAYERS.iter().filter(|layer| **layer != "binding") {
        let is_used = |(file, text): &(String, String)| {
            layer_of(file).is_some_and(|own| own != *layer) && names(&code(text)).iter().any(|name| name == layer)
        };
        assert!(files.iter().any(is_used), "{layer}: renamed, or this test reads nothing");
    }
}

#[test]
fn a_file_that_breaks_the_rule_is_found() {
    for (file, text) in [
        ("model/event.rs", "use crate::policy::Backoff;"),
        ("model/event.rs", "use crate::clock::Clock;"),
        ("policy/backoff.rs", "fn f() { crate::google::Scope::new() }"),
        ("google/send.rs", "use crate::{model::Code, store::Journal};"),
        ("google/mod.rs", "use super::store::Journal;"),
        ("store/journal.rs", "use crate::{\n    model::{Code, Claim},\n    operation::{self, Context},\n};"),
        ("operation/create.rs", "use crate::service::Config;"),
        ("service/mod.rs", "use crate::binding::NativeService;"),
        ("service/mod.rs", "use napi_derive::napi;"),
        ("clock.rs", "use crate::model::Code;"),
        ("helpers.rs", ""),
    ] {
        assert_eq!(violations(file, text).len(), 1, "{file}: {text}");
    }
    for (file, text) in [
        ("model/event.rs", "use crate::model::{Code, Outcome};\n// crate::service is above"),
        ("policy/throttle.rs", "use crate::clock::Clock;"),
        ("operation/create.rs", "use crate::{google::{Scope, store_of}, model::Code};"),
        ("binding/mod.rs", "use napi_derive::napi; use crate::service::Service;"),
        ("lib.rs", "pub mod binding;"),
    ] {
        assert_eq!(violations(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}

#[test]
fn no_file_is_too_long_to_be_read() {
    for folder in ["src", "tests", "emulator/src", "model/src", "model/tests"] {
        for (file, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= LINES_AT_MOST, "{folder}/{file}: {lines} lines");
        }
    }
}
