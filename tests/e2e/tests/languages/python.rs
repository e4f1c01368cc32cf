//! Errors that the author of a Python guest sees, at the build and in the sandbox.

use std::fs;
use std::path::{Path, PathBuf};

use ruzhi_author::build;
use ruzhi_guest::{Decision, SourceRecord};
use ruzhi_guest_runtime::{BatchError, Component, Guest, GuestLoadError};
use serde_json::json;

use super::answers::context;
use super::component::{cache, engine};

const MANIFEST: &str = "[project]\nname = \"broken\"\n";

/// A project with these files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// The build's error: its code and its whole text.
fn refused(files: &[(&str, &str)]) -> (&'static str, String) {
    let project = project(files);
    let before = listing(project.path());
    let Err(error) = build(project.path(), None) else { panic!("it was built") };
    assert_eq!(listing(project.path()), before, "the project's folder stays as it is");
    let hint = error.hint();
    (error.code(), format!("{error}\n{}\n{}", hint.en, hint.zh))
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

#[test]
fn what_is_missing_from_a_project_is_named() {
    let (code, told) = refused(&[("pyproject.toml", MANIFEST)]);
    assert_eq!(code, "build.no-rules");
    assert!(told.contains("rules.py") && told.contains("@export"), "{told}");
    let (code, told) = refused(&[("pyproject.toml", "[tool]\n"), ("rules.py", "")]);
    assert_eq!(code, "build.manifest");
    assert!(told.contains("pyproject.toml") && told.contains("[project]"), "{told}");
}

#[test]
fn what_python_says_of_the_rules_is_told_with_file_and_line() {
    let (code, told) =
        refused(&[("pyproject.toml", MANIFEST), ("rules.py", "import ruzhi\n\ndef f(:\n    pass\n")]);
    assert_eq!(code, "build.python");
    assert!(told.contains("rules.py\", line 3") && told.contains("SyntaxError"), "{told}");
    assert!(!told.contains("ruzhi_component_app") && !told.contains("anyhow"), "{told}");
    let (code, told) = refused(&[("pyproject.toml", MANIFEST), ("rules.py", "\nimport pandas\n")]);
    assert_eq!(code, "build.python");
    assert!(told.contains("rules.py\", line 2") && told.contains("No module named 'pandas'"), "{told}");
    assert!(told.contains(".venv"), "{told}");
    let (code, told) = refused(&[("pyproject.toml", MANIFEST), ("rules.py", "import ruzhi\n")]);
    assert_eq!(code, "build.python");
    assert!(told.contains("no class is exported: write @export"), "{told}");
}

/// A freshly built guest that does as a row says.
fn raising() -> Component {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/fixtures/raising-python");
    let built = build(&folder, None).unwrap();
    assert_eq!(built.name, "raising");
    Component::from_bytes(&engine(), Some(&cache()), &built.component).unwrap()
}

#[test]
fn an_exception_is_told_with_its_text_and_the_author_s_line() {
    let component = raising();
    for (config, code, message) in [
        ("refuse", "config.invalid", "没有 x / there is no x"),
        ("x", "guest.exception", "ValueError: invalid literal for int() with base 10: 'x' (rules.py:20)"),
    ] {
        match Guest::new(component.clone(), config.to_owned()) {
            Err(GuestLoadError::Configuration { code: found, message: told }) => {
                assert_eq!((found.as_str(), told.as_str()), (code, message));
            }
            other => panic!("{:?}", other.err()),
        }
    }
    let guest = Guest::new(component, String::new()).unwrap();
    let decide = |what: &str| {
        let record = SourceRecord { id: "row-1".to_owned(), json: json!({ "do": what }).to_string() };
        guest.decide(&context(), &[record]).map(|mut outcomes| outcomes.remove(0).decision).map_err(Box::new)
    };
    for (what, message) in [
        ("raise_here", "KeyError: 'row-1' (rules.py:30)"),
        ("raise_there", "ValueError: invalid literal for int() with base 10: 'x' (helper.py:7)"),
        ("give_up", "请联系作者 / ask the author"),
        ("recurse", "RecursionError: maximum recursion depth exceeded (rules.py:39)"),
        ("exit", "SystemExit: 3 (rules.py:42)"),
        (
            "read_clock",
            "NotInSandbox: a guest has no clock, use clock.now / 规则组件没有时钟，请使用 clock.now (rules.py:48)",
        ),
        (
            "read_imported_clock",
            "NotInSandbox: a guest has no clock, use clock.now / 规则组件没有时钟，请使用 clock.now (rules.py:51)",
        ),
        (
            "read_date",
            "NotInSandbox: a guest has no clock, use clock.now / 规则组件没有时钟，请使用 clock.now (helper.py:11)",
        ),
        ("wait", "NotInSandbox: a guest cannot wait / 规则组件不能等待 (rules.py:57)"),
        ("read_file", "NotInSandbox: a guest has no files / 规则组件不能读写文件 (rules.py:61)"),
        ("ask_for_chance", "NotInSandbox: a guest has no randomness / 规则组件没有随机数 (rules.py:65)"),
        (
            "import_late",
            "NotInSandbox: colorsys must be imported at the top of the file / 请在文件开头导入 colorsys (rules.py:68)",
        ),
        ("leave", "NotInSandbox: a guest has no processes / 规则组件没有进程 (rules.py:73)"),
        (
            "half_a_letter",
            "UnicodeEncodeError: 'utf-8' codec can't encode character '\\ud800' in position 0: surrogates not allowed (rules.py:26)",
        ),
        ("wrong_type", "TypeError: Ignore.reason is 5, not a str (rules.py:26)"),
    ] {
        match decide(what) {
            Err(error) => {
                let BatchError::GuestError { code, message: told, .. } = *error else {
                    panic!("{what}: {error}")
                };
                assert_eq!(told, message, "{what}");
                assert_eq!(code, if what == "give_up" { "own.code" } else { "guest.exception" });
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    // Python's own MemoryError would not include the limit.
    assert!(matches!(*decide("eat_memory").unwrap_err(), BatchError::Memory { most: 67_108_864, .. }));
    for (what, reason) in [("print", "printed"), ("dates", "0:00:00 2024/05")] {
        assert_eq!(decide(what).unwrap(), Decision::Ignore(reason.to_owned()), "{what}");
    }
}
