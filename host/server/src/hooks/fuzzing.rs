//! Arbitrary bodies of pushes and envelopes of callbacks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::envelope::{Signed, check, open};
use super::event::{Event, texts};
use super::push::Push;
use super::signature::Claim;
use ruzhi_config::{CallbackSettings, Source};

const TOKEN: &str = "the-token-of-the-callback";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const CORP: &str = "ww0123456789abcdef";

/// Reads a body as each receiver does, both as verified and as still to be verified.
pub fn arrived(body: &[u8], signature: &str) {
    let form = Source {
        api: "v5".to_owned(),
        app_id: "a".repeat(24),
        entry_id: "b".repeat(24),
        filter: None,
        fields: None,
        overlap: std::time::Duration::ZERO,
    };
    let push = Push::read(body, &form);
    assert_eq!(push, Push::read(body, &form));
    if let Ok(texts) = texts(body) {
        assert!(texts.keys().all(|name| !name.is_empty()));
    }
    let _event = Event::read(body);
    let _claim = Claim::read(signature, "1777622400", "nonce");

    let settings = CallbackSettings { token: TOKEN.into(), aes_key: AES_KEY.into() };
    let ciphertext = STANDARD.encode(body);
    let mut signed =
        Signed { timestamp: "1777622400".to_owned(), nonce: "12345".to_owned(), ..Signed::default() };
    let mut parts = [TOKEN, &signed.timestamp, &signed.nonce, &ciphertext];
    parts.sort_unstable();
    let digest = Sha1::digest(parts.concat());
    signed.msg_signature = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(check(&settings.token, &signed, &ciphertext).is_ok());
    // Only content sealed with the key opens.
    assert!(open(&settings, CORP, &signed, &ciphertext).is_err());
    let forged = Signed { msg_signature: signature.to_owned(), ..signed };
    assert!(check(&settings.token, &forged, &ciphertext).is_err() || signature.len() >= 40);
}
