//! A callback of WeCom: a message, sealed and signed.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::{CallbackTo, OutboxKnobs};
use crate::random::Random;

/// A key for AES-256.
pub(super) type Key = [u8; 32];

const SYMBOLS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Reads a key: 43 symbols of six bits each, of which the last two bits are dropped.
pub(super) fn key(text: &str) -> Option<Key> {
    if text.len() != 43 {
        return None;
    }
    let mut key = Vec::with_capacity(32);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for symbol in text.bytes() {
        let value = SYMBOLS.iter().position(|of| *of == symbol)?;
        held = (held << 6 | value as u32) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            key.push((held >> bits & 0xff) as u8);
        }
    }
    key.try_into().ok()
}

/// A callback, with its repetitions.
#[derive(Debug, Clone)]
pub(crate) struct Callback {
    pub(super) corp_id: String,
    pub(super) url: String,
    token: String,
    key: Key,
    message: String,
    verification: bool,
}

/// The request of one attempt.
pub(super) struct Called {
    pub(super) url: reqwest::Url,
    /// None for a verification, which is a GET.
    pub(super) body: Option<String>,
}

impl Callback {
    /// The verification that an address belongs to the person who entered it.
    pub(super) fn verify(to: &CallbackTo, key: Key, nonce: u64) -> Self {
        Self { verification: true, ..Self::event(to, key, nonce.to_string()) }
    }

    pub(super) fn event(to: &CallbackTo, key: Key, message: String) -> Self {
        let CallbackTo { corp_id, url, token, .. } = to.clone();
        Self { corp_id, url, token, key, message, verification: false }
    }

    pub(super) fn is_verification(&self) -> bool {
        self.verification
    }

    /// True if this is the expected answer.
    pub(super) fn is_taken(&self, status: u16, body: &[u8]) -> bool {
        status == 200 && (!self.verification || body == self.message.as_bytes())
    }

    /// The request at this moment. Each attempt is sealed and signed anew.
    pub(super) fn called(&self, nonce: u64, now_s: i64, knobs: &OutboxKnobs) -> Option<Called> {
        let sealed = self.sealed(nonce)?;
        let (nonce, timestamp) = (nonce.to_string(), (now_s - knobs.age_s).to_string());
        let token = if knobs.bad_signature { "another token" } else { &self.token };
        let mut parts = [token, &timestamp, &nonce, &sealed];
        parts.sort_unstable();
        let signature = hex::encode(Sha1::digest(parts.concat()));
        let mut url = reqwest::Url::parse(&self.url).ok()?;
        url.query_pairs_mut()
            .append_pair("msg_signature", &signature)
            .append_pair("timestamp", &timestamp)
            .append_pair("nonce", &nonce);
        if self.verification {
            url.query_pairs_mut().append_pair("echostr", &sealed);
            return Some(Called { url, body: None });
        }
        let body = format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>",
            self.corp_id
        );
        Some(Called { url, body: Some(body) })
    }

    fn sealed(&self, nonce: u64) -> Option<String> {
        let mut random = Random::new(nonce);
        let mut plain = [random.next().to_be_bytes(), random.next().to_be_bytes()].concat();
        plain.extend(u32::try_from(self.message.len()).ok()?.to_be_bytes());
        plain.extend(self.message.as_bytes());
        plain.extend(self.corp_id.as_bytes());
        let filling = 32 - plain.len() % 32;
        plain.resize(plain.len() + filling, filling as u8);
        let length = plain.len();
        let vector: &[u8; 16] = self.key.first_chunk()?;
        let cipher = cbc::Encryptor::<Aes256>::new((&self.key).into(), vector.into());
        let sealed = cipher.encrypt_padded::<NoPadding>(&mut plain, length).ok()?;
        Some(STANDARD.encode(sealed))
    }
}
