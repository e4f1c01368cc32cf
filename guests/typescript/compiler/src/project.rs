//! The files of a project: its own, and the SDK's.
//!
//! Modules are known by their path from the project's root with `/` between its parts. Files under `ruzhi/` are the
//! SDK: the project's copy if it has one, else the copy in this program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use include_dir::{Dir, include_dir};

use crate::module::{self, Module};

/// The module written by the author.
pub const ENTRY: &str = "src/rules.ts";
/// The folder of the SDK, and the name it is imported by.
pub const SDK: &str = "ruzhi";

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../sdk");

/// A folder of rules.
pub struct Project {
    folder: PathBuf,
    has_sdk: bool,
}

impl Project {
    /// The project in a folder.
    pub fn open(folder: &Path) -> Result<Self> {
        if !folder.join(ENTRY).is_file() {
            bail!("{} has no {ENTRY}: the rules of a guest are written there", folder.display());
        }
        let has_sdk = folder.join(SDK).join("index.ts").is_file();
        Ok(Self { folder: folder.to_owned(), has_sdk })
    }

    /// True if the project has an SDK of contract 0.1, which did not name its version.
    pub fn speaks_0_1(&self) -> bool {
        self.has_sdk
            && !self
                .read(&format!("{SDK}/contract.ts"))
                .is_some_and(|text| text.contains("export const CONTRACT = "))
    }

    /// Every module reachable from the rules or needed to run them, by its path.
    pub fn modules(&self) -> Result<BTreeMap<String, Module>> {
        let mut modules = BTreeMap::new();
        let mut due = vec![ENTRY.to_owned(), format!("{SDK}/component.ts"), format!("{SDK}/pure.ts")];
        while let Some(path) = due.pop() {
            if modules.contains_key(&path) {
                continue;
            }
            let source = self.read(&path).ok_or_else(|| anyhow!("cannot read {path}"))?;
            let module = module::compile(&path, &source, |specifier| self.resolve(&path, specifier))?;
            due.extend(module.imports.iter().cloned());
            modules.insert(path, module);
        }
        if !modules.get(ENTRY).is_some_and(|entry| entry.has_default) {
            bail!("{ENTRY} has no default export: end it with `export default mapping({{ … }});`");
        }
        Ok(modules)
    }

    fn read(&self, path: &str) -> Option<String> {
        match path.strip_prefix(SDK).and_then(|rest| rest.strip_prefix('/')) {
            Some(inner) if !self.has_sdk => Some(EMBEDDED.get_file(inner)?.contents_utf8()?.to_owned()),
            _ => fs::read_to_string(self.folder.join(path)).ok(),
        }
    }

    fn has(&self, path: &str) -> bool {
        match path.strip_prefix(SDK).and_then(|rest| rest.strip_prefix('/')) {
            Some(inner) if !self.has_sdk => EMBEDDED.get_file(inner).is_some(),
            _ => self.folder.join(path).is_file(),
        }
    }

    /// The module that an import in the module at `from` refers to.
    fn resolve(&self, from: &str, specifier: &str) -> std::result::Result<String, String> {
        if specifier == SDK {
            return Ok(format!("{SDK}/index.ts"));
        }
        if !specifier.starts_with("./") && !specifier.starts_with("../") {
            return Err(format!(
                "cannot import \"{specifier}\": rules import \"{SDK}\" and files of their own such as \"./lookup.ts\""
            ));
        }
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = joined(folder, specifier)
            .ok_or_else(|| format!("cannot import \"{specifier}\": it lies outside the project"))?;
        let bare = path.strip_suffix(".js").unwrap_or(&path);
        [path.clone(), format!("{bare}.ts"), format!("{path}.js"), format!("{path}/index.ts")]
            .into_iter()
            .find(|candidate| self.has(candidate))
            .ok_or_else(|| format!("cannot import \"{specifier}\": there is no such file"))
    }
}

/// A path in the project, `None` if it leads out of it.
fn joined(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_and_stay_inside() {
        assert_eq!(joined("src", "./lookup.ts").as_deref(), Some("src/lookup.ts"));
        assert_eq!(joined("src/a", "../b").as_deref(), Some("src/b"));
        assert_eq!(joined("src", "../../b"), None);
    }
}
