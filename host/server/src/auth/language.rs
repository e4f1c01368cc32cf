//! The language of a reader: the chosen one, else the one preferred by the browser.

use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::{HeaderMap, Uri};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use super::login;
use ruzhi_model::Lang;

const COOKIE: &str = "ruzhi_lang";

fn word(text: &str) -> Option<Lang> {
    match text {
        "zh" => Some(Lang::Zh),
        "en" => Some(Lang::En),
        _ => None,
    }
}

/// The language this request chooses.
pub(super) fn chosen(uri: &Uri) -> Option<Lang> {
    login::field(uri.query()?.as_bytes(), "lang").as_deref().and_then(word)
}

/// The language of a request.
pub(super) fn of(uri: &Uri, headers: &HeaderMap, jar: &CookieJar) -> Lang {
    chosen(uri)
        .or_else(|| word(jar.get(COOKIE)?.value()))
        .or_else(|| wished(headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?))
        .unwrap_or_default()
}

/// The supported language that the browser prefers most.
fn wished(accepted: &str) -> Option<Lang> {
    let mut best: Option<(u32, Lang)> = None;
    for wish in accepted.split(',') {
        let mut parts = wish.trim().split(';');
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let primary = tag.split('-').next().unwrap_or_default();
        let quality =
            parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        let quality = (quality.unwrap_or(0.0_f64).clamp(0.0, 1.0) * 1000.0) as u32;
        if let Some(lang) = word(primary).filter(|_| quality > 0)
            && best.is_none_or(|(found, _)| quality > found)
        {
            best = Some((quality, lang));
        }
    }
    best.map(|(_, lang)| lang)
}

/// The cookie that remembers a choice.
pub(super) fn cookie(lang: Lang) -> Cookie<'static> {
    let word = if lang == Lang::Zh { "zh" } else { "en" };
    let mut cookie =
        Cookie::build((COOKIE, word)).path("/").http_only(true).same_site(SameSite::Strict).build();
    cookie.make_permanent();
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_language_it_likes_best() {
        for (accepted, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Lang::Zh)),
            ("en-GB,en;q=0.9,zh;q=0.8", Some(Lang::En)),
            ("de,en;q=0.3,zh-TW;q=0.7", Some(Lang::Zh)),
            ("de-DE", None),
            ("zh;q=0, en;q=0.1", Some(Lang::En)),
            ("", None),
            ("zh;q=x", None),
        ] {
            assert_eq!(wished(accepted), lang, "{accepted}");
        }
    }
}
