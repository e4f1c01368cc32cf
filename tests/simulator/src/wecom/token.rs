//! Access tokens: one per secret, alive for `token_ttl_s`, sometimes revoked earlier.

use std::collections::{BTreeMap, HashMap};

use super::api::{Api, CredentialKind};
use super::corp::Corp;
use super::verdict::{Refusal, Success};
use crate::fault::Fault;
use crate::message::Request;
use crate::random::Random;
use crate::settings::{Knobs, Limits};

#[derive(Debug)]
pub(super) struct Tokens {
    live: HashMap<String, Token>,
    /// The newest token of each (corp, credential).
    current: BTreeMap<(usize, usize), String>,
    /// Every token ever issued, so that a test can search for them in places where they must not be.
    given: Vec<String>,
    random: Random,
    revoked: u64,
    wrong_secrets: u32,
    blocked_until_ms: u64,
}

#[derive(Debug)]
struct Token {
    corp: usize,
    kind: CredentialKind,
    ends_ms: u64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            live: HashMap::new(),
            current: BTreeMap::new(),
            given: Vec::new(),
            random: Random::new(0x7275_7a68_6973_696d),
            revoked: 0,
            wrong_secrets: 0,
            blocked_until_ms: 0,
        }
    }
}

/// Real tokens are about this long.
const TOKEN_LENGTH: usize = 214;
const TOKEN_ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BLOCK_MS: u64 = 3_600_000;

impl Tokens {
    pub(super) fn given(&self) -> &[String] {
        &self.given
    }

    pub(super) fn forget(&mut self, corp: usize) {
        self.live.retain(|_, token| token.corp != corp);
        self.current.retain(|(of, _), _| *of != corp);
    }

    /// The corp and the kind of secret of a token. With `revoke` the token ends now, as some tokens do early; 40014 and
    /// 42001 report it in turn.
    pub(super) fn check(
        &mut self,
        given: &str,
        now_ms: u64,
        revoke: bool,
    ) -> Result<(usize, CredentialKind), Refusal> {
        let invalid = || Refusal::new(40014, "invalid access_token");
        let expired = || Refusal::new(42001, "access_token expired");
        let token = self.live.get(given).ok_or_else(invalid)?;
        if token.ends_ms <= now_ms {
            return Err(expired());
        }
        if revoke {
            self.live.remove(given);
            self.revoked += 1;
            return Err(if self.revoked % 2 == 1 { invalid() } else { expired() });
        }
        Ok((token.corp, token.kind))
    }

    #[expect(clippy::too_many_arguments, reason = "gettoken passes separate gates, which need all of this")]
    pub(super) fn issue(
        &mut self,
        request: &Request,
        corps: &mut [Corp],
        by_id: &HashMap<String, usize>,
        knobs: &Knobs,
        limits: &Limits,
        now_ms: u64,
        parked: Option<Fault>,
    ) -> Result<Success, Refusal> {
        let too_often = || Refusal::new(45009, "api freq out of limit");
        if now_ms < self.blocked_until_ms {
            return Err(too_often());
        }
        let parameter = |name| request.parameter(name).filter(|value| !value.is_empty());
        let corp_id = parameter("corpid").ok_or_else(|| Refusal::new(41002, "corpid missing"))?;
        let secret = parameter("corpsecret").ok_or_else(|| Refusal::new(41004, "corpsecret missing"))?;
        let index = by_id.get(corp_id).copied().ok_or_else(|| Refusal::new(40013, "invalid corpid"))?;
        let of_another = corps.iter().any(|corp| corp.id != corp_id && corp.credential(secret).is_some());
        let corp = corps.get_mut(index).ok_or_else(|| Refusal::new(40013, "invalid corpid"))?;

        let traffic = corp.traffic.entry(Api::GetToken).or_default();
        if let Some(fault) = parked {
            traffic.rate.park(now_ms, fault.window_ms);
        }
        if !traffic.rate.admit(now_ms, limits.of(limits.wecom_per_minute), limits.of(limits.wecom_per_hour)) {
            return Err(too_often());
        }
        let Some((place, kind)) = corp.credential(secret) else {
            self.wrong_secrets += 1;
            let most = limits.of(limits.wecom_wrong_secrets);
            if most != 0 && self.wrong_secrets >= most {
                self.wrong_secrets = 0;
                self.blocked_until_ms = now_ms + BLOCK_MS;
            }
            return Err(if of_another {
                Refusal::new(40091, "secret is invalid")
            } else {
                Refusal::new(40001, "invalid credential")
            });
        };
        self.wrong_secrets = 0;
        let token = self.current_or_new((index, place), kind, knobs, now_ms);
        let left_s = self.live.get(&token).map_or(0, |token| (token.ends_ms - now_ms) / 1000);
        Success::with(format!(r#","access_token":"{token}","expires_in":{left_s}"#))
    }

    fn current_or_new(
        &mut self,
        owner: (usize, usize),
        kind: CredentialKind,
        knobs: &Knobs,
        now_ms: u64,
    ) -> String {
        if let Some(current) = self.current.get(&owner) {
            if knobs.new_token_each_fetch {
                self.live.remove(current);
            } else if self.live.get(current).is_some_and(|token| token.ends_ms > now_ms) {
                return current.clone();
            }
        }
        let letter = |random: &mut Random| char::from(random.pick(TOKEN_ALPHABET));
        let text: String = (0..TOKEN_LENGTH).map(|_| letter(&mut self.random)).collect();
        let ends_ms = now_ms + knobs.token_ttl_s * 1000;
        self.live.insert(text.clone(), Token { corp: owner.0, kind, ends_ms });
        self.current.insert(owner, text.clone());
        self.given.push(text.clone());
        text
    }
}
