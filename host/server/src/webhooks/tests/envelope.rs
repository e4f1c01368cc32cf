//! Envelopes made elsewhere: the official sample, and `sealed.json`, which was sealed with Python's `cryptography`.

use secrecy::SecretString;
use serde::Deserialize;

use super::super::envelope::{EnvelopeError, EnvelopeParams, check, open};
use super::{AES_KEY, sha1_of};
use ruzhi_config::CallbackSettings;

#[derive(Deserialize)]
struct Sealed {
    token: String,
    corp_id: String,
    opened: Vec<Envelope>,
    refused: Vec<Envelope>,
}

#[derive(Deserialize)]
struct Envelope {
    aes_key: String,
    timestamp: String,
    nonce: String,
    msg_signature: String,
    ciphertext: String,
    /// Set if the envelope opens.
    message: Option<String>,
    padding: Option<u8>,
    /// Set if it does not.
    why: Option<String>,
}

fn sealed() -> Sealed {
    serde_json::from_str(include_str!("sealed.json")).unwrap()
}

fn settings(token: &str, aes_key: &str) -> CallbackSettings {
    CallbackSettings { token: SecretString::from(token), aes_key: SecretString::from(aes_key) }
}

fn signed(msg_signature: &str, timestamp: &str, nonce: &str) -> EnvelopeParams {
    EnvelopeParams {
        msg_signature: msg_signature.to_owned(),
        timestamp: timestamp.to_owned(),
        nonce: nonce.to_owned(),
        echostr: String::new(),
    }
}

fn opened(sealed: &Sealed, envelope: &Envelope) -> Result<Vec<u8>, EnvelopeError> {
    let signed = signed(&envelope.msg_signature, &envelope.timestamp, &envelope.nonce);
    open_message(&settings(&sealed.token, &envelope.aes_key), &sealed.corp_id, &signed, &envelope.ciphertext)
}

/// Opens an envelope and returns its message.
fn open_message(
    settings: &CallbackSettings,
    corp_id: &str,
    signed: &EnvelopeParams,
    ciphertext: &str,
) -> Result<Vec<u8>, EnvelopeError> {
    open(settings, corp_id, signed, ciphertext).map(|(message, _)| message)
}

#[test]
fn the_official_sample_opens() {
    let settings = settings("QDG6eK", AES_KEY);
    let corp = "wx5823bf96d3bd56c7";
    let echo = signed("5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780");
    let echostr = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==";
    assert_eq!(open_message(&settings, corp, &echo, echostr).as_deref(), Ok(&b"1616140317555161061"[..]));

    let post = signed("477715d11cdb4164915debcba66cb864d751f3e6", "1409659813", "1372623149");
    let encrypt = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/\
                   sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR\
                   +LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8\
                   V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDA\
                   Ve0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==";
    let message = String::from_utf8(open_message(&settings, corp, &post, encrypt).unwrap()).unwrap();
    assert!(
        message.starts_with("<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName>\n"),
        "{message}"
    );
    assert!(message.ends_with("<AgentID>218</AgentID>\n</xml>"), "{message}");
    assert_eq!(open_message(&settings, "wx5823bf96d3bd56c8", &post, encrypt), Err(EnvelopeError::Corp));
}

#[test]
fn whatever_another_sealed_opens_with_every_filling() {
    let sealed = sealed();
    let mut fillings: Vec<u8> = Vec::new();
    for envelope in &sealed.opened {
        let message = envelope.message.as_deref().unwrap();
        assert_eq!(opened(&sealed, envelope).as_deref(), Ok(message.as_bytes()), "{message}");
        fillings.extend(envelope.padding);
    }
    fillings.sort_unstable();
    fillings.dedup();
    assert_eq!(fillings, (1..=32).collect::<Vec<u8>>());
}

#[test]
fn an_envelope_that_is_not_as_it_should_be_is_refused_by_name() {
    let sealed = sealed();
    for (place, envelope) in sealed.refused.iter().enumerate() {
        let error = opened(&sealed, envelope).unwrap_err();
        let expected = match envelope.why.as_deref().unwrap() {
            "signature" => EnvelopeError::Signature,
            "key" => EnvelopeError::Key,
            "ciphertext" => EnvelopeError::Ciphertext,
            "padding" => EnvelopeError::Padding,
            "length" => EnvelopeError::Length,
            "corp" => EnvelopeError::Corp,
            // Another key, or missing blocks: the decrypted bytes are random.
            "any" => error,
            why => panic!("{why}"),
        };
        assert_eq!(error, expected, "{place}");
    }
}

#[test]
fn the_four_are_sorted_as_texts_before_they_are_hashed() {
    let token = SecretString::from("m");
    for (timestamp, nonce, ciphertext, joined) in
        [("1", "2", "A", "12Am"), ("9", "10", "z", "109mz"), ("5", "~", "é", "5m~é")]
    {
        let signature = sha1_of(&[joined.as_bytes()]);
        assert!(check(&token, &signed(&signature, timestamp, nonce), ciphertext).is_ok(), "{joined}");
    }
}
