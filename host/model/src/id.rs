//! Ids. Each is checked where it is made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A text that is not a valid id of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a valid {what}: {rule}")]
pub struct IdError {
    /// The kind of id.
    pub what: &'static str,
    /// The text.
    pub value: String,
    /// The form of such an id.
    pub rule: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                let check: fn(&str) -> bool = $check;
                if check(value) {
                    Ok(Self(value.to_owned()))
                } else {
                    Err(IdError { what: $what, value: value.chars().take(80).collect(), rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(value: String) -> Result<Self, IdError> {
                value.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn is_file_name(value: &str) -> bool {
    (1..=64).contains(&value.len())
        && value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

text_id!(
    /// A tenant: the name of its file in `tenants/`, without `.toml`.
    TenantId, "tenant id", "1 to 64 of letters, digits, `-` and `_`, first a letter or digit", is_file_name
);
text_id!(
    /// A flow, unique in its tenant.
    FlowId, "flow id", "1 to 64 of letters, digits, `-` and `_`, first a letter or digit", is_file_name
);
text_id!(
    /// A row's `_id`. Rows are created in the order of their ids.
    RecordId, "record id", "1 to 64 printable characters without spaces",
    |v| (1..=64).contains(&v.len()) && v.chars().all(|c| c.is_ascii_graphic())
);
text_id!(
    /// One pass of one flow.
    RunId, "run id", "1 to 64 of letters, digits, `-` and `_`", is_file_name
);
text_id!(
    /// The operations of one run.
    PlanId, "plan id", "1 to 64 of letters, digits, `-` and `_`", is_file_name
);
text_id!(
    /// A row of the audit log.
    AuditId, "audit row id", "1 to 64 of letters, digits, `-` and `_`", is_file_name
);
text_id!(
    /// A member's account as it was written: 1–64 bytes of letters, digits, `_-@.`, first a letter or digit.
    UserId, "userid", "1 to 64 of letters, digits, `_`, `-`, `@` and `.`, first a letter or digit",
    |v| (1..=64).contains(&v.len())
        && v.starts_with(|c: char| c.is_ascii_alphanumeric())
        && v.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'@' | b'.'))
);

/// A member's account for comparing: WeCom treats userids that differ only in case as the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct MemberKey(String);

impl MemberKey {
    /// The key of an account, in any case.
    pub fn of(userid: &str) -> Self {
        Self(userid.to_ascii_lowercase())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UserId {
    /// The account for comparing.
    pub fn key(&self) -> MemberKey {
        MemberKey::of(&self.0)
    }
}

impl fmt::Display for MemberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A department's id in WeCom; the root is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DepartmentId(pub u32);

impl fmt::Display for DepartmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(hex::encode(Sha256::digest(bytes.as_ref())))
    }

    /// Names a component, by its digest, together with its rules file's text; decisions are marked with it.
    pub fn of_rules(component: &Self, config: &str) -> Self {
        Self::of_parts([component.as_str().as_bytes(), config.as_bytes()])
    }

    /// The digest of several parts.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = DigestOfParts::new();
        for part in parts {
            digest.part(part);
        }
        digest.finish()
    }

    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight bytes as a number, for sums over many digests.
    pub fn stamp(&self) -> i64 {
        let digits = self.0.get(..16).unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or_default().cast_signed()
    }

    /// The first twelve digits, enough for a person to tell digests apart.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// A digest made part by part. The length of each part is included, so no two lists of parts share one by accident.
#[derive(Debug, Default)]
pub struct DigestOfParts(Sha256);

impl DigestOfParts {
    /// A digest without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part.
    pub fn part(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// Adds plain data by its JSON form, which our own types always have.
    pub fn json(&mut self, value: &impl Serialize) {
        self.part(serde_json::to_vec(value).unwrap_or_default());
    }

    /// The digest.
    pub fn finish(self) -> Digest {
        Digest(hex::encode(self.0.finalize()))
    }
}

impl FromStr for Digest {
    type Err = IdError;
    fn from_str(value: &str) -> Result<Self, IdError> {
        if value.len() == 64 && value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(value.to_owned()))
        } else {
            Err(IdError {
                what: "SHA-256",
                value: value.chars().take(80).collect(),
                rule: "64 lower-case hexadecimal digits",
            })
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = IdError;
    fn try_from(value: String) -> Result<Self, IdError> {
        value.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_userid_keeps_its_case_and_compares_without() {
        let userid: UserId = "Zhang.San@1".parse().unwrap();
        assert_eq!(userid.as_str(), "Zhang.San@1");
        assert_eq!(userid.key(), MemberKey::of("zhang.san@1"));
    }

    #[test]
    fn a_userid_that_wecom_would_refuse_is_none() {
        for bad in ["", "-a", "a b", "张三", &"a".repeat(65)] {
            assert!(bad.parse::<UserId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_that_join_alike_have_different_digests() {
        assert_ne!(Digest::of_parts([&b"ab"[..], &b"c"[..]]), Digest::of_parts([&b"a"[..], &b"bc"[..]]));
    }
}
