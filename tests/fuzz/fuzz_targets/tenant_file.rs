//! Any text → a tenant's file beside a host's: either an error with its line and without secrets, or a configuration.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ruzhi_config::{Checks, Config, SecretSource, Secrets};
use ruzhi_model::Lang;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("tenants")).expect("a folder");
    std::fs::write(folder.path().join("ruzhi.toml"), "[server]\nlisten = \"127.0.0.1:0\"\n").expect("a file");
    folder
});

const SECRET: &str = "the-secret-of-the-factory-that-no-message-holds";

/// Every variable holds the secret.
struct Environment;

impl SecretSource for Environment {
    fn env(&self, _: &str) -> Option<String> {
        Some(SECRET.to_owned())
    }
}

fuzz_target!(|text: &str| {
    let path: PathBuf = FOLDER.path().join("tenants/factory.toml");
    std::fs::write(&path, text).expect("a file");
    let checks = Checks { secrets: Secrets::Resolve, files: false };
    match Config::load(FOLDER.path(), &Environment, &checks) {
        Ok(config) => assert_eq!(config.tenants.len(), 1),
        Err(problems) => {
            for lang in [Lang::En, Lang::Zh] {
                let told = problems.render(lang);
                assert!(!told.is_empty() && !told.contains(SECRET));
                // A tab of the file is kept, so that the mark below it stays in its column.
                assert!(told.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "{told:?}");
                // Problems are bounded in number, and the lines they show in length.
                assert!(told.len() < 200_000, "{}", told.len());
            }
        }
    }
});
