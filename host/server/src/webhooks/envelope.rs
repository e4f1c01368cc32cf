//! The envelope of a WeCom callback: signed with a token, sealed with a key, addressed to a corp.
//!
//! `msg_signature` is the SHA-1 of token, timestamp, nonce and ciphertext, sorted and joined. The ciphertext is
//! AES-256-CBC with the first 16 bytes of the key as the vector; the plaintext is 16 random bytes, a length of 4 bytes
//! (big endian), the message, and the id of the corp, padded to blocks of 32 bytes as in PKCS#7. The signature is
//! checked before anything is decrypted.
//!
//! The key is written as 43 characters of Base64. They carry two bits more than 32 bytes need, and the console draws
//! all of them at random, so those two are not required to be zero.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::signature::SignatureClaim;
use ruzhi_config::CallbackSettings;

/// The block size of the padding, in bytes: not that of the cipher.
const BLOCK: usize = 32;
/// Random bytes before the message.
const SALT: usize = 16;
/// Bytes of the message's length.
const LENGTH: usize = 4;

const KEY: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The parameters in the address of a callback.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EnvelopeParams {
    pub(super) msg_signature: String,
    pub(super) timestamp: String,
    pub(super) nonce: String,
    /// Only in a verification.
    pub(super) echostr: String,
}

impl EnvelopeParams {
    /// The claimed signature, if it is well-formed.
    pub(super) fn claim(&self) -> Option<SignatureClaim> {
        SignatureClaim::read(&self.msg_signature, &self.timestamp, &self.nonce)
    }
}

/// The reasons why an envelope cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum EnvelopeError {
    /// Signed without the token.
    #[error("the signature is another")]
    Signature,
    /// Not 43 characters of Base64.
    #[error("the key of the callback is not 43 characters of Base64")]
    Key,
    /// Not Base64, or not whole blocks of the cipher.
    #[error("the ciphertext is malformed")]
    Ciphertext,
    /// Probably sealed with another key.
    #[error("what was sealed is not filled up as it should be")]
    Padding,
    /// Shorter than its length field says, or than any sealed content.
    #[error("what was sealed is shorter than it says")]
    Length,
    /// Addressed to another corp.
    #[error("what was sealed is for another corp")]
    Corp,
}

/// Checks the signature of a ciphertext; returns the verified signature.
pub(super) fn check(
    token: &SecretString,
    signed: &EnvelopeParams,
    ciphertext: &str,
) -> Result<SignatureClaim, EnvelopeError> {
    let claim = signed.claim().ok_or(EnvelopeError::Signature)?;
    let mut parts = [token.expose_secret(), &signed.timestamp, &signed.nonce, ciphertext];
    parts.sort_unstable();
    if claim.is_of(parts.map(str::as_bytes)) { Ok(claim) } else { Err(EnvelopeError::Signature) }
}

/// Opens an envelope; returns its message and the verified signature.
pub(super) fn open(
    settings: &CallbackSettings,
    corp_id: &str,
    signed: &EnvelopeParams,
    ciphertext: &str,
) -> Result<(Vec<u8>, SignatureClaim), EnvelopeError> {
    let claim = check(&settings.token, signed, ciphertext)?;
    let key = key(&settings.aes_key)?;
    let mut sealed = STANDARD.decode(ciphertext).map_err(|_| EnvelopeError::Ciphertext)?;
    let vector = key.first_chunk::<16>().ok_or(EnvelopeError::Key)?;
    let opened = cbc::Decryptor::<Aes256>::new((&*key).into(), vector.into())
        .decrypt_padded::<NoPadding>(&mut sealed)
        .map_err(|_| EnvelopeError::Ciphertext)?;
    let filled = unpadded(opened)?;
    let (length, rest) = filled
        .get(SALT..)
        .and_then(|rest| rest.split_first_chunk::<LENGTH>())
        .ok_or(EnvelopeError::Length)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| EnvelopeError::Length)?;
    let (message, receiver) = rest.split_at_checked(length).ok_or(EnvelopeError::Length)?;
    if receiver == corp_id.as_bytes() { Ok((message.to_owned(), claim)) } else { Err(EnvelopeError::Corp) }
}

fn key(text: &SecretString) -> Result<Zeroizing<[u8; 32]>, EnvelopeError> {
    let text = text.expose_secret();
    if text.len() != 43 {
        return Err(EnvelopeError::Key);
    }
    let bytes = Zeroizing::new(KEY.decode(text).map_err(|_| EnvelopeError::Key)?);
    let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| EnvelopeError::Key)?;
    Ok(Zeroizing::new(key))
}

/// Removes the padding: its last byte gives its length, and every byte of it has that value.
fn unpadded(opened: &[u8]) -> Result<&[u8], EnvelopeError> {
    let count = usize::from(*opened.last().ok_or(EnvelopeError::Padding)?);
    let kept = opened.len().checked_sub(count).ok_or(EnvelopeError::Padding)?;
    let (kept, filling) = opened.split_at_checked(kept).ok_or(EnvelopeError::Padding)?;
    let whole = (1..=BLOCK).contains(&count) && filling.iter().all(|byte| usize::from(*byte) == count);
    if whole { Ok(kept) } else { Err(EnvelopeError::Padding) }
}
