//! Keeps token and secret, which travel in the query of every URL, out of all output.

use std::fmt;

use reqwest::Url;

use ruzhi_message::sanitize;

/// Maximum length of an error text, in characters.
const LONGEST: usize = 200;
/// A run of at least this many letters, digits, `_` and `-` is treated as a token (real ones have some 214). No
/// userid (64 at most) is that long.
const TOKEN_RUN: usize = 80;
/// Beginnings of the diagnostics that WeCom appends to every error text.
const DIAGNOSTICS: [&str; 3] = [", hint:", ", from ip:", ", more info at"];

/// A URL that displays neither the values of secret query keys nor a password.
#[derive(Clone)]
pub struct RedactedUrl(Url);

impl RedactedUrl {
    /// Wraps a URL, so that its secrets are not displayed.
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The URL itself, for sending.
    pub(super) fn reveal(&self) -> &Url {
        &self.0
    }

    /// The same URL with an additional query key.
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.query_pairs_mut().append_pair(key, value);
        self
    }
}

impl fmt::Display for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())?;
        for (at, (key, value)) in self.0.query_pairs().enumerate() {
            f.write_str(if at == 0 { "?" } else { "&" })?;
            match key.as_ref() {
                "userid" | "id" | "department_id" | "type" | "jobid" => write!(f, "{key}={value}")?,
                _ => write!(f, "{key}=***")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An error text fit to be stored: as by [`sanitize`], without WeCom's appended diagnostics and anything resembling a
/// token, at most 200 characters.
pub(super) fn clean(text: &str, secrets: &[&str]) -> String {
    let end = DIAGNOSTICS.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
    let text = text.get(..end).unwrap_or(text).trim();
    let of_a_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let runs = text.split(|c: char| !of_a_token(c)).filter(|run| run.len() >= TOKEN_RUN);
    let secrets: Vec<&str> = runs.chain(secrets.iter().copied()).collect();
    sanitize::line_without(text, &secrets, LONGEST)
}

/// The caller's address as seen by WeCom, which appends it to error texts.
pub(super) fn from_ip(errmsg: &str) -> Option<String> {
    let (_, after) = errmsg.split_once("from ip:")?;
    let address: String =
        after.trim_start().chars().take_while(|c| c.is_ascii_hexdigit() || matches!(c, '.' | ':')).collect();
    address.parse::<std::net::IpAddr>().ok().map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_has_neither_token_nor_secret_nor_password() {
        let url: Url =
            "http://u:pass@h:81/cgi-bin/gettoken?corpid=ww1&corpsecret=S3&access_token=T&userid=E1"
                .parse()
                .unwrap();
        let url = RedactedUrl::new(url).with("cursor", "next");
        let expected =
            "http://h:81/cgi-bin/gettoken?corpid=***&corpsecret=***&access_token=***&userid=E1&cursor=***";
        assert_eq!(url.to_string(), expected);
        assert_eq!(format!("{url:?}"), expected);
    }

    #[test]
    fn a_kept_text_loses_diagnostics_secrets_and_what_looks_like_a_token() {
        let long = "a1_-".repeat(60);
        let text = format!(
            "invalid\naccess_token T0K {long}x 张三, hint: [17_2], from ip: 203.0.113.9, more info at https://e=40014"
        );
        assert_eq!(clean(&text, &["T0K", ""]), "invalid access_token *** *** 张三");
    }

    #[test]
    fn a_kept_text_has_at_most_two_hundred_characters() {
        assert_eq!(clean(&"错 ".repeat(300), &[]).chars().count(), 200);
    }

    #[test]
    fn the_address_is_found_where_there_is_one() {
        assert_eq!(
            from_ip("not allow, hint: [1], from ip: 203.0.113.9, more").as_deref(),
            Some("203.0.113.9")
        );
        assert_eq!(from_ip("x, from ip: 2001:db8::1").as_deref(), Some("2001:db8::1"));
        assert_eq!(from_ip("x, from ip: 3000, y"), None);
        assert_eq!(from_ip("ok"), None);
    }
}
