//! Tokens.

use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

use ruzhi_config::PersonSettings;

/// The digest of a token: compared, and remembered by a session.
pub(super) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The owner of a token. Every person's token is compared, by digests of one length: the time taken reveals neither how
/// much of a token is right nor which one it resembles.
pub(super) fn recognise<'p>(people: &'p [PersonSettings], token: &str) -> Option<&'p PersonSettings> {
    let given = digest(token);
    let mut found = u32::MAX;
    for (place, person) in (0_u32..).zip(people) {
        let same = digest(person.token.expose_secret()).ct_eq(&given);
        found.conditional_assign(&place, same);
    }
    people.get(usize::try_from(found).ok()?)
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use ruzhi_config::Role;

    fn person(name: &str, token: &str) -> PersonSettings {
        PersonSettings {
            name: name.to_owned(),
            role: Role::Viewer,
            token: SecretString::from(token.to_owned()),
        }
    }

    #[test]
    fn everybody_is_known_by_their_own_token_and_by_no_other() {
        let people = [
            person("a", "0123456789abcdef"),
            person("b", "fedcba9876543210"),
            person("c", "c".repeat(64).as_str()),
        ];
        for known in &people {
            let found = recognise(&people, known.token.expose_secret()).unwrap();
            assert_eq!(found.name, known.name);
        }
        for wrong in ["", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeF", " fedcba9876543210"] {
            assert!(recognise(&people, wrong).is_none(), "{wrong}");
        }
        assert!(recognise(&[], "").is_none());
    }
}
