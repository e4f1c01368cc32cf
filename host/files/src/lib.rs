//! Files that a person names, and how many of them the process may hold open.

pub mod file;
pub mod open_files;
