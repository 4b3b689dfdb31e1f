//! Every input that is kept for the fuzz targets still does no harm: the seeds, and what a run once found.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

// The targets' own crate is not built here: it needs libFuzzer, and what must hold does not.
#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, clippy::missing_panics_doc, reason = "a library's root, used as a module")]
mod properties;

use std::fs;
use std::path::{Path, PathBuf};

use properties::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|_| panic!("{} is not there", folder.display()));
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

/// What a run of libFuzzer put there has a hash for its name, and is no part of the project.
fn is_kept(name: &str) -> bool {
    !(name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[test]
fn no_kept_input_breaks_what_must_hold() {
    for (target, property) in TARGETS {
        let folder = fuzz().join("corpus").join(target);
        let kept: Vec<_> = names(&folder).into_iter().filter(|name| is_kept(name)).collect();
        assert!(kept.len() >= 3, "{target} has hardly a seed");
        for name in kept {
            let input = fs::read(folder.join(&name)).expect("a readable file");
            // The panic has told what broke; this tells which input broke it.
            assert!(std::panic::catch_unwind(|| property(&input)).is_ok(), "fuzz/corpus/{target}/{name}");
        }
    }
}

#[test]
fn each_property_is_a_target_that_cargo_fuzz_finds() {
    let stated: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let files: Vec<_> = names(&fuzz().join("fuzz_targets")).iter().map(|name| name.replace(".rs", "")).collect();
    assert_eq!(files, stated);
    assert_eq!(names(&fuzz().join("corpus")), stated);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("a manifest");
    for name in stated {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no binary");
    }
}
