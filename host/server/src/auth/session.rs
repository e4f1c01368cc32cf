//! Sessions: browsers in which a token was shown.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::tokens;
use ruzhi_config::{PersonSettings, Role};

/// The cookie's name on an unencrypted connection.
const COOKIE: &str = "ruzhi_session";
/// The same on an encrypted connection: browsers accept it only from this very host, and over TLS alone.
const HOST_COOKIE: &str = "__Host-ruzhi_session";
/// The name in the audit log of a user of this machine where no people are configured.
pub(super) const LOCAL: &str = "local";
/// A session ends after this long without use.
const IDLE: TimeDelta = TimeDelta::hours(2);
/// The longest session: a working day.
const WHOLE: TimeDelta = TimeDelta::hours(12);
/// Sessions at the same time; the one unused for longest is dropped first.
const MOST: usize = 1000;
/// Sessions of one person at the same time. Of theirs, one that was never used again is dropped first: so neither a
/// program that keeps no cookie nor a page elsewhere can end a session that a person works with.
const MOST_OF_ONE: usize = 50;

/// A session.
#[derive(Clone)]
pub(super) struct Session {
    /// The person, and the digest of the token they showed; none for a user of this machine.
    person: Option<(String, [u8; 32])>,
    /// The token that the session's forms bring back.
    pub(super) csrf: String,
    began: DateTime<Utc>,
    used: DateTime<Utc>,
    /// It was used after its first request.
    again: bool,
}

impl Session {
    /// Its holder, with the currently configured role; none if they are no longer configured.
    pub(super) fn holder(&self, people: &[PersonSettings]) -> Option<(String, Role)> {
        let Some((name, shown)) = &self.person else {
            return people.is_empty().then(|| (LOCAL.to_owned(), Role::Operator));
        };
        let person = people.iter().find(|person| person.name == *name)?;
        let same = tokens::digest(person.token.expose_secret()).ct_eq(shown);
        bool::from(same).then(|| (person.name.clone(), person.role))
    }

    /// True if this is the token that the session's forms bring back.
    pub(super) fn is_its_token(&self, brought: &[u8]) -> bool {
        self.csrf.as_bytes().ct_eq(brought).into()
    }

    fn name(&self) -> Option<&str> {
        self.person.as_ref().map(|(name, _)| name.as_str())
    }

    fn is_over(&self, now: DateTime<Utc>) -> bool {
        now - self.used >= IDLE || now - self.began >= WHOLE
    }
}

/// All sessions, by the digest of their number: this memory reveals no number that opens one.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

impl Sessions {
    /// Begins a session; returns its number, for its browser alone.
    pub(super) fn begin(&self, person: Option<&PersonSettings>, now: DateTime<Utc>) -> (String, Session) {
        let number = random();
        let session = Session {
            person: person.map(|person| (person.name.clone(), tokens::digest(person.token.expose_secret()))),
            csrf: random(),
            began: now,
            used: now,
            again: false,
        };
        let mut all = self.lock();
        let of_theirs = |one: &Session| one.name() == session.name();
        if all.values().filter(|one| of_theirs(one)).count() >= MOST_OF_ONE
            && let Some(first) = all
                .iter()
                .filter(|(_, one)| of_theirs(one))
                .min_by_key(|(_, one)| (one.again, one.used))
                .map(|(key, _)| *key)
        {
            all.remove(&first);
        }
        if all.len() >= MOST {
            all.retain(|_, session| !session.is_over(now));
        }
        if all.len() >= MOST
            && let Some(oldest) = all.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key)
        {
            all.remove(&oldest);
        }
        all.insert(key(&number), session.clone());
        (number, session)
    }

    /// Finds the session of a number, and counts this as a use.
    pub(super) fn find(&self, number: &str, now: DateTime<Utc>) -> Option<Session> {
        let key = key(number);
        let mut all = self.lock();
        let session = all.get_mut(&key)?;
        if session.is_over(now) {
            all.remove(&key);
            return None;
        }
        session.used = now;
        session.again = true;
        Some(session.clone())
    }

    /// Ends a session.
    pub(super) fn end(&self, number: &str) {
        self.lock().remove(&key(number));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(number: &str) -> [u8; 32] {
    Sha256::digest(number.as_bytes()).into()
}

/// 32 random bytes in hexadecimal digits.
#[expect(clippy::disallowed_methods, reason = "a secret has to be unpredictable")]
fn random() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

fn name(is_secure: bool) -> &'static str {
    if is_secure { HOST_COOKIE } else { COOKIE }
}

/// The number shown by a browser.
pub(super) fn shown(jar: &CookieJar, is_secure: bool) -> Option<&str> {
    jar.get(name(is_secure)).map(Cookie::value)
}

/// The cookie of a session. It has no expiry: the browser forgets it when it is closed.
pub(super) fn cookie(number: String, is_secure: bool) -> Cookie<'static> {
    Cookie::build((name(is_secure), number))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_secure)
        .build()
}

/// The cookie that makes a browser forget its session.
pub(super) fn no_cookie(is_secure: bool) -> Cookie<'static> {
    let mut cookie = cookie(String::new(), is_secure);
    cookie.make_removal();
    cookie
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn person(token: &str, role: Role) -> PersonSettings {
        PersonSettings { name: "李雷".to_owned(), role, token: SecretString::from(token.to_owned()) }
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_after_a_day_of_work() {
        let sessions = Sessions::default();
        let (number, _) = sessions.begin(None, at(0));
        assert!(sessions.find(&number, at(119)).is_some());
        assert!(sessions.find(&number, at(119 + 120)).is_none(), "unused for two hours");
        let (number, _) = sessions.begin(None, at(0));
        for hour in 1..12 {
            assert!(sessions.find(&number, at(hour * 60)).is_some(), "{hour}");
        }
        assert!(sessions.find(&number, at(12 * 60)).is_none(), "used all along");
    }

    #[test]
    fn a_session_is_of_the_person_the_configuration_has_now() {
        let sessions = Sessions::default();
        let person_then = person("a token of 16 characters", Role::Operator);
        let (number, session) = sessions.begin(Some(&person_then), at(0));
        let demoted = person("a token of 16 characters", Role::Viewer);
        assert_eq!(session.holder(&[demoted]), Some(("李雷".to_owned(), Role::Viewer)));
        assert_eq!(session.holder(&[person("another of 16 characters", Role::Operator)]), None);
        assert_eq!(session.holder(&[]), None);
        sessions.end(&number);
        assert!(sessions.find(&number, at(0)).is_none());
        let (_, local) = sessions.begin(None, at(0));
        assert_eq!(local.holder(&[]), Some((LOCAL.to_owned(), Role::Operator)));
        assert_eq!(local.holder(&[person_then]), None, "people are configured now");
    }

    #[test]
    fn there_are_never_more_sessions_than_fit() {
        let sessions = Sessions::default();
        let people: Vec<PersonSettings> = (0..30)
            .map(|n| PersonSettings {
                name: format!("p{n}"),
                ..person("a token of 16 characters", Role::Viewer)
            })
            .collect();
        let (first, _) = sessions.begin(people.first(), at(0));
        let (second, _) = sessions.begin(people.first(), at(0));
        assert!(sessions.find(&second, at(1)).is_some());
        for n in 2..=MOST {
            sessions.begin(Some(&people[n % 29 + 1]), at(1));
        }
        assert_eq!(sessions.lock().len(), MOST);
        assert!(sessions.find(&first, at(1)).is_none(), "the one unused for longest gave way");
        assert!(sessions.find(&second, at(1)).is_some());
    }

    #[test]
    fn one_person_s_sessions_displace_no_other_s_and_not_the_one_they_work_with() {
        let sessions = Sessions::default();
        let viewer = person("a token of 16 characters", Role::Viewer);
        let (of_another, _) = sessions.begin(None, at(0));
        let (worked_with, _) = sessions.begin(Some(&viewer), at(0));
        assert!(sessions.find(&worked_with, at(1)).is_some());
        for _ in 0..2 * MOST {
            sessions.begin(Some(&viewer), at(2));
        }
        assert_eq!(sessions.lock().len(), MOST_OF_ONE + 1);
        assert!(sessions.find(&worked_with, at(2)).is_some());
        assert!(sessions.find(&of_another, at(2)).is_some());
    }
}
