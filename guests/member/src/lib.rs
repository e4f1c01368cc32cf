//! The default guest: it interprets a rules file.
//!
//! The metadata JSON of ruzhi's original platform is a valid rules file unchanged; further keys, all optional, cover
//! the rest. `docs/reference/rules-file.md` has a line for each key.
//!
//! [`file`] turns the text into [`rules`], once for each batch, and reports every problem at once with its place and
//! remedy. [`decide`] then takes a row through them: `when` gives the kind of row, each entry is a [`template`] whose
//! value is [`refine`]d and [`assign`]ed to its [`target`].

mod assign;
mod decide;
mod file;
mod refine;
mod rules;
mod target;
mod template;

pub use file::{ENTRY_KEYS, Finding, KEYS as FILE_KEYS};
use ruzhi_guest::{Clock, Description, GuestError, Mapping, Outcome, Problems, Record};

/// The problems of a rules file; empty if it is valid.
pub fn problems(config: &str) -> Vec<Finding> {
    file::read(config).err().map(file::Findings::into_vec).unwrap_or_default()
}

/// A guest that follows a rules file.
pub struct RulesFile;

impl Mapping for RulesFile {
    type Rules = rules::Rules;

    fn load(config: &str) -> Result<Self::Rules, GuestError> {
        file::read(config).map_err(file::Findings::into_error)
    }

    fn describe(rules: &Self::Rules) -> Description {
        rules.describe()
    }

    fn decide(rules: &Self::Rules, clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems> {
        decide::decide(rules, clock, record)
    }

    fn source_of<'r>(rules: &'r Self::Rules, field: &str) -> Option<&'r str> {
        rules.source_of(field)
    }
}

ruzhi_guest::export!(RulesFile);
