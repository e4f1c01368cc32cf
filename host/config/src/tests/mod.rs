//! Whole folders in, whole reports out. Each test writes a deployment into its own folder and compares the displayed
//! report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use ruzhi_model::Lang;

mod files;
mod fingerprint;
mod good;
mod host_values;
mod keys;
mod reload;
mod secrets;
mod serving;
mod sources;
mod syntax;
mod unfit;
mod values;

/// A tenant without any key that has a default.
const TENANT: &str = r#"[wecom]
corp_id = "ww0123456789abcdef"
secret = { env = "WECOM_SECRET" }
[jiandaoyun]
api_key = { env = "JDY_KEY" }
[[flows]]
id = "onboarding"
[flows.source]
app_id = "6399c24287cae90008d24e0b"
entry_id = "63e0706d0e33350008189952"
[flows.guest]
component = "../guests/member.wasm"
"#;

/// A deployment in a temporary folder.
struct ConfigFolder {
    dir: tempfile::TempDir,
    variables: BTreeMap<&'static str, &'static str>,
    checks: Checks,
}

impl ConfigFolder {
    /// The files, and a component.
    fn of(files: &[(&str, &str)]) -> Self {
        let deployment = Self {
            dir: tempfile::tempdir().unwrap(),
            variables: BTreeMap::from([("WECOM_SECRET", "wecom-secret"), ("JDY_KEY", "jdy-key")]),
            checks: Checks::ALL,
        };
        deployment.write("guests/member.wasm", b"\0asm");
        for (name, content) in files {
            deployment.write(name, content.as_bytes());
        }
        deployment
    }

    /// `TENANT` with some text replaced.
    fn with(changes: &[(&str, &str)]) -> Self {
        let mut text = TENANT.to_owned();
        for (old, new) in changes {
            assert!(text.contains(old), "{old} is not in the tenant");
            text = text.replacen(old, new, 1);
        }
        Self::of(&[("tenants/a.toml", &text)])
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn load(&self) -> Result<Config, Problems> {
        Config::load(self.dir.path(), &self.variables, &self.checks)
    }

    fn good(&self) -> Config {
        match self.load() {
            Ok(config) => config,
            Err(problems) => panic!("{}", problems.render(Lang::En)),
        }
    }

    /// The report in one language, with the folder's random name replaced by `DIR`.
    fn report(&self, lang: Lang) -> String {
        let problems = self.load().expect_err("the configuration is wrong");
        problems.render(lang).replace(&self.dir.path().display().to_string(), "DIR")
    }

    /// The English report.
    fn english(&self) -> String {
        self.report(Lang::En)
    }
}
