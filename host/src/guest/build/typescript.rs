//! From the source of a TypeScript guest to a component.

use std::path::Path;

use super::error::BuildError;

/// Builds the guest in `folder` and gives the component and the project's name.
pub(super) fn build(folder: &Path) -> Result<(Vec<u8>, String), BuildError> {
    Err(BuildError::NotAProject { folder: folder.to_owned() })
}
