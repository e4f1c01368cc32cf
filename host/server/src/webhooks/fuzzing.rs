//! Arbitrary bodies of pushes and envelopes of callbacks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::envelope::{EnvelopeParams, check, open};
use super::event::{CallbackEvent, texts};
use super::push::FormPush;
use super::signature::SignatureClaim;
use ruzhi_config::CallbackSettings;
use ruzhi_jiandaoyun::{ApiVersion, FormAddress};

const TOKEN: &str = "the-token-of-the-callback";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const CORP: &str = "ww0123456789abcdef";

/// Reads a body as each receiver does, both as verified and as still to be verified.
pub fn arrived(body: &[u8], signature: &str) {
    let form = FormAddress { api: ApiVersion::V5, app_id: "a".repeat(24), entry_id: "b".repeat(24) };
    let push = FormPush::read(body, &form);
    assert_eq!(push, FormPush::read(body, &form));
    if let Ok(texts) = texts(body) {
        assert!(texts.keys().all(|name| !name.is_empty()));
    }
    let _event = CallbackEvent::read(body);
    let _claim = SignatureClaim::read(signature, "1777622400", "nonce");

    let settings = CallbackSettings { token: TOKEN.into(), aes_key: AES_KEY.into() };
    let ciphertext = STANDARD.encode(body);
    let mut signed = EnvelopeParams {
        timestamp: "1777622400".to_owned(),
        nonce: "12345".to_owned(),
        ..EnvelopeParams::default()
    };
    let mut parts = [TOKEN, &signed.timestamp, &signed.nonce, &ciphertext];
    parts.sort_unstable();
    let digest = Sha1::digest(parts.concat());
    signed.msg_signature = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(check(&settings.token, &signed, &ciphertext).is_ok());
    // Only content sealed with the key opens.
    assert!(open(&settings, CORP, &signed, &ciphertext).is_err());
    let forged = EnvelopeParams { msg_signature: signature.to_owned(), ..signed };
    assert!(check(&settings.token, &forged, &ciphertext).is_err() || signature.len() >= 40);
}
