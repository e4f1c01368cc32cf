//! The reason for an action, in a person's own words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use ruzhi_message::sanitize;

/// The reason for an action: one line, neither empty nor longer than [`ActionReason::MOST`]. It is stored as written,
/// never truncated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ActionReason(String);

/// A text that is not a valid reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActionReasonError {
    /// The text is empty.
    #[error("nothing is written")]
    Empty,
    /// The text is too long.
    #[error("{characters} characters are more than {}", ActionReason::MOST)]
    TooLong {
        /// Its length.
        characters: usize,
    },
}

impl ActionReason {
    /// The most characters allowed.
    pub const MOST: usize = 500;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ActionReason {
    type Err = ActionReasonError;

    fn from_str(text: &str) -> Result<Self, ActionReasonError> {
        let line = sanitize::line(text, usize::MAX);
        let line = line.trim();
        let characters = line.chars().count();
        match characters {
            0 => Err(ActionReasonError::Empty),
            1..=Self::MOST => Ok(Self(line.to_owned())),
            _ => Err(ActionReasonError::TooLong { characters }),
        }
    }
}

impl TryFrom<String> for ActionReason {
    type Error = ActionReasonError;

    fn try_from(text: String) -> Result<Self, ActionReasonError> {
        text.parse()
    }
}

impl fmt::Display for ActionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialSchema for ActionReason {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .min_length(Some(1))
            .max_length(Some(Self::MOST));
        text.into()
    }
}

impl ToSchema for ActionReason {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_kept_whole_or_refused() {
        let reason = |text: &str| text.parse::<ActionReason>().map(|reason| reason.to_string());
        assert_eq!(reason(" 名单\n不对 "), Ok("名单 不对".to_owned()));
        assert_eq!(reason(" \n\t"), Err(ActionReasonError::Empty));
        let most = "理".repeat(ActionReason::MOST);
        assert_eq!(reason(&most), Ok(most.clone()));
        assert_eq!(
            reason(&format!("{most}由")),
            Err(ActionReasonError::TooLong { characters: ActionReason::MOST + 1 })
        );
    }
}
