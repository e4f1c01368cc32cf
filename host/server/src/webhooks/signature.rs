//! Both services sign alike: SHA-1 over concatenated texts including the secret, written in hexadecimal.

use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

/// Most digits of a timestamp; more than any present one has.
const MOMENT_MOST: usize = 16;
/// Most characters of a nonce; the services write about ten.
const NONCE_MOST: usize = 128;
/// JianDaoYun's separator between texts.
const BETWEEN: u8 = b':';

/// A claimed signature, not verified yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignatureClaim([u8; 20]);

impl SignatureClaim {
    /// Reads the claimed signature, if signature, timestamp and nonce have the form the service writes. The signed
    /// texts are concatenated, so none of them may contain the separator.
    pub(super) fn read(signature: &str, timestamp: &str, nonce: &str) -> Option<Self> {
        let is_moment = (1..=MOMENT_MOST).contains(&timestamp.len())
            && timestamp.bytes().all(|digit| digit.is_ascii_digit());
        let is_number = (1..=NONCE_MOST).contains(&nonce.len())
            && nonce.bytes().all(|byte| byte.is_ascii_graphic() && byte != BETWEEN);
        let mut claimed = [0_u8; 20];
        let is_signature = hex::decode_to_slice(signature, &mut claimed).is_ok();
        (is_moment && is_number && is_signature).then_some(Self(claimed))
    }

    /// True if it is the SHA-1 of the concatenated parts. The time taken does not depend on where they differ.
    pub(super) fn is_of<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part);
        }
        self.0.as_slice().ct_eq(hash.finalize().as_slice()).into()
    }

    /// The bytes of the signature, independent of its spelling: the name by which a delivery is remembered.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // printf abc | sha1sum
    const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

    fn claim(signature: &str) -> Option<SignatureClaim> {
        SignatureClaim::read(signature, "1777622400", "2af421")
    }

    #[test]
    fn the_parts_are_hashed_as_one_text() {
        assert!(claim(ABC).unwrap().is_of([&b"a"[..], b"", b"bc"]));
        assert!(claim(&ABC.to_uppercase()).unwrap().is_of([&b"abc"[..]]));
        assert!(!claim(ABC).unwrap().is_of([&b"abd"[..]]));
    }

    #[test]
    fn what_is_no_signature_is_not_even_claimed() {
        for given in ["", "a9993e", "zz993e364706816aba3e25717850c26c9cd0d89d", "张", &format!("{ABC}00")] {
            assert!(claim(given).is_none(), "{given}");
        }
        assert!(!claim(&"0".repeat(40)).unwrap().is_of([&b"abc"[..]]));
    }

    #[test]
    fn a_moment_and_a_number_hold_nothing_that_could_stand_between_them() {
        for timestamp in ["", "-1", "1.5", "now", "17776:22400", &"1".repeat(17)] {
            assert!(SignatureClaim::read(ABC, timestamp, "2af421").is_none(), "{timestamp}");
        }
        for nonce in ["", "2af421:", ":", "a b", "张", &"a".repeat(129)] {
            assert!(SignatureClaim::read(ABC, "1777622400", nonce).is_none(), "{nonce}");
        }
    }
}
