//! The files of a configuration.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use super::fingerprint::Fingerprint;
use super::settings::Config;
use ruzhi_files::file;

/// The host's file, in the configuration's folder.
pub(super) const HOST_FILE: &str = "ruzhi.toml";

impl Fingerprint {
    /// The current state of a configuration's files.
    pub fn of(config: &Config) -> Self {
        Self::of_files(watched(config))
    }
}

/// Every file whose change matters: `ruzhi.toml`, the current tenants' files, components, rules files, and the files
/// of secrets, existing or not.
pub fn watched(config: &Config) -> Vec<PathBuf> {
    let mut files = vec![config.dir.join(HOST_FILE)];
    files.extend(tenant_files(&config.dir).unwrap_or_default());
    files.extend(offered(config).cloned());
    files.extend(config.secret_files.iter().cloned());
    files.sort();
    files.dedup();
    files
}

/// The components and rules files of all flows.
pub(super) fn offered(config: &Config) -> impl Iterator<Item = &PathBuf> {
    let flows = config.tenants.iter().flat_map(|tenant| &tenant.flows);
    flows.flat_map(|flow| std::iter::once(&flow.guest.component).chain(&flow.guest.config))
}

/// The tenants' files, by name. Hidden files are leftovers of editors and mounts; folders hold the tenants' rules.
pub(super) fn tenant_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let named = |path: &Path| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        path.extension().is_some_and(|extension| extension == "toml") && !hidden
    };
    let found = file::folder(&dir.join("tenants"))?.into_iter();
    let mut files: Vec<PathBuf> =
        found.filter(|(path, is_folder)| named(path) && !is_folder).map(|(path, _)| path).collect();
    files.sort();
    // A link may lead to a folder.
    let stands = file::stats(&files);
    let is_folder = |meta: &Option<Metadata>| meta.as_ref().is_some_and(Metadata::is_dir);
    Ok(files.into_iter().zip(stands).filter(|(_, meta)| !is_folder(meta)).map(|(path, _)| path).collect())
}
