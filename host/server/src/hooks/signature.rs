//! Both services sign alike: SHA-1 over texts one after another, the secret among them, written in hexadecimal.

use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

/// Digits of a moment at most; more than any has in this age.
const MOMENT_MOST: usize = 16;
/// Characters of the number used once at most; the services write some ten.
const NONCE_MOST: usize = 128;
/// What JianDaoYun writes between two texts.
const BETWEEN: u8 = b':';

/// A signature, as it was claimed; not yet whether it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim([u8; 20]);

impl Claim {
    /// What a request claims to be signed with, if signature, moment and number are written as a service writes them. The
    /// texts that are signed stand one after another, so none of them may hold what stands between two.
    pub(super) fn read(signature: &str, timestamp: &str, nonce: &str) -> Option<Self> {
        let is_moment = (1..=MOMENT_MOST).contains(&timestamp.len())
            && timestamp.bytes().all(|digit| digit.is_ascii_digit());
        let is_number = (1..=NONCE_MOST).contains(&nonce.len())
            && nonce.bytes().all(|byte| byte.is_ascii_graphic() && byte != BETWEEN);
        let mut claimed = [0_u8; 20];
        let is_signature = hex::decode_to_slice(signature, &mut claimed).is_ok();
        (is_moment && is_number && is_signature).then_some(Self(claimed))
    }

    /// Says whether it is the SHA-1 of the parts one after another. The time it takes does not depend on where they differ.
    pub(super) fn is_of<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part);
        }
        self.0.as_slice().ct_eq(hash.finalize().as_slice()).into()
    }

    /// The signature itself, which is one however it was written: what a delivery is remembered by.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // printf abc | sha1sum
    const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

    fn claim(signature: &str) -> Option<Claim> {
        Claim::read(signature, "1777622400", "2af421")
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
            assert!(Claim::read(ABC, timestamp, "2af421").is_none(), "{timestamp}");
        }
        for nonce in ["", "2af421:", ":", "a b", "张", &"a".repeat(129)] {
            assert!(Claim::read(ABC, "1777622400", nonce).is_none(), "{nonce}");
        }
    }
}
