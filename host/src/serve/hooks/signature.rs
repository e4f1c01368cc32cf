//! Both services sign alike: SHA-1 over texts one after another, the secret among them, written in hexadecimal.

use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

/// Says whether `given`, 40 hexadecimal digits of either case, is the SHA-1 of the parts one after another. The time it
/// takes does not depend on where they differ.
pub(super) fn is_signature<'a>(given: &str, parts: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    let mut signature = [0_u8; 20];
    let well_formed = hex::decode_to_slice(given, &mut signature).is_ok();
    let same: bool = signature.as_slice().ct_eq(hash.finalize().as_slice()).into();
    well_formed && same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_hashed_as_one_text() {
        // printf abc | sha1sum
        let abc = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert!(is_signature(abc, [&b"a"[..], b"", b"bc"]));
        assert!(is_signature(&abc.to_uppercase(), [&b"abc"[..]]));
        assert!(!is_signature(abc, [&b"abd"[..]]));
    }

    #[test]
    fn what_is_no_signature_is_never_one() {
        let zeros = "0".repeat(40);
        for given in ["", "a9993e", "zz993e364706816aba3e25717850c26c9cd0d89d", zeros.as_str(), "张"] {
            assert!(!is_signature(given, [&b"abc"[..]]), "{given}");
        }
        let longer = "a9993e364706816aba3e25717850c26c9cd0d89d00";
        assert!(!is_signature(longer, [&b"abc"[..]]));
    }
}
