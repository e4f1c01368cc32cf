//! The messages of alerts, with their titles: markdown for a group robot, JSON for any other address. The texts of each
//! kind are in `condition`.
//!
//! Names and messages come from people and services. In them every character with a meaning in WeCom's markdown is
//! replaced by its full-width form, so that they cannot put a link, a colour or an `@` into a message; WeCom has no way
//! to escape one. Mobile numbers, identity numbers and e-mail addresses are masked.

use serde::Serialize;
use serde_json::{Value, json};

use super::address::Addresses;
use super::condition;
use super::state::AlertEvent;
use ruzhi_message::mask::{self, Numbers};
use ruzhi_message::sanitize;
use ruzhi_model::{Lang, Text};
use ruzhi_store::AlertRow;

/// The longest markdown a group robot takes, in bytes of UTF-8.
pub(super) const LONGEST: usize = 4096;
/// The most characters of one text in a message of its own, and in one that lists several.
const ALONE: usize = 900;
const LISTED: usize = 120;

/// A message to send: an event of an alert.
#[derive(Debug, Clone)]
pub(super) struct AlertNotice {
    pub(super) event: AlertEvent,
    pub(super) alert: AlertRow,
}

/// The title of the kind and the event.
fn title(notice: &AlertNotice) -> Text {
    let kind = notice.alert.kind.as_str();
    let title = condition::label(kind).map_or_else(|| Text::new(kind, kind), Text::from);
    let Text { en, zh } = &title;
    match notice.event {
        AlertEvent::Raised => title,
        AlertEvent::Reminder => Text::new(format!("still: {en}"), format!("仍未处理：{zh}")),
        AlertEvent::Resolved => Text::new(format!("resolved: {en}"), format!("已恢复：{zh}")),
    }
}

/// The subject, such as `景欣泰工厂 / onboarding`; empty for the whole deployment.
fn subject(alert: &AlertRow, addresses: &Addresses) -> String {
    let Some(tenant) = &alert.tenant else { return "ruzhi".to_owned() };
    let name = addresses.called(tenant).map_or_else(|| tenant.to_string(), |called| called.name.clone());
    match &alert.flow {
        Some(flow) => format!("{} / {}", plain(&name, LISTED), flow),
        None => plain(&name, LISTED),
    }
}

fn moment(alert: &AlertRow, addresses: &Addresses) -> String {
    let zone = alert.tenant.as_ref().and_then(|tenant| addresses.called(tenant)).map(|called| called.zone);
    let zone = zone.unwrap_or(chrono_tz::UTC);
    format!("{} ({})", alert.since.with_timezone(&zone).format("%Y-%m-%d %H:%M"), zone.name())
}

fn colour(event: AlertEvent) -> &'static str {
    if event == AlertEvent::Resolved { "info" } else { "warning" }
}

/// The languages of a channel, in the order in which they are written.
fn languages(lang: Option<Lang>) -> &'static [Lang] {
    match lang {
        Some(Lang::En) => &[Lang::En],
        Some(Lang::Zh) => &[Lang::Zh],
        None => &[Lang::Zh, Lang::En],
    }
}

/// One alert as a message of its own.
pub(super) fn alone(notice: &AlertNotice, addresses: &Addresses, lang: Option<Lang>) -> String {
    let alert = &notice.alert;
    let mut blocks = Vec::new();
    for lang in languages(lang) {
        let title = title(notice);
        let mut block = format!(
            "**<font color=\"{}\">{}</font>** {}\n{}",
            colour(notice.event),
            title.in_lang(*lang),
            subject(alert, addresses),
            plain(alert.text.in_lang(*lang), ALONE),
        );
        if let Some(hint) = alert.hint.as_ref().filter(|_| notice.event != AlertEvent::Resolved) {
            block.push_str(&format!("\n> {}", plain(hint.in_lang(*lang), ALONE)));
        }
        blocks.push(block);
    }
    let since = format!("<font color=\"comment\">{}</font>", moment(alert, addresses));
    let tail = match addresses.link(alert) {
        Some(link) => format!("\n[{}]({link}) · {since}", see(lang)),
        None => format!("\n{since}"),
    };
    // The link is worth more than the end of a long text.
    let text = blocks.join("\n\n");
    format!("{}{tail}", cut(&text, LONGEST.saturating_sub(tail.len())))
}

fn see(lang: Option<Lang>) -> &'static str {
    match lang {
        Some(Lang::Zh) => "查看",
        Some(Lang::En) => "open",
        None => "查看 / open",
    }
}

/// Many alerts as one message: as many lines as fit, and the number of the rest.
pub(super) fn together(notices: &[AlertNotice], addresses: &Addresses, lang: Option<Lang>) -> String {
    let all = addresses.all_alerts();
    let in_lang = |text: &Text| match lang {
        Some(lang) => text.in_lang(lang).to_owned(),
        None => text.both(),
    };
    let count = notices.len();
    let mut message = format!(
        "**{}**",
        in_lang(&Text::new(format!("ruzhi: {count} alerts"), format!("ruzhi：{count} 条告警")))
    );
    let tail = |left: usize| {
        let more = match left {
            0 => String::new(),
            left => {
                let told = Text::new(
                    format!("and {left} more, listed on the alerts page"),
                    format!("另有 {left} 条，见“告警”页面"),
                );
                format!("\n{}", in_lang(&told))
            }
        };
        let link = all.as_ref().map(|all| format!("\n[{}]({all})", see(lang))).unwrap_or_default();
        format!("{more}{link}")
    };
    let room = LONGEST.saturating_sub(tail(count).len());
    let mut listed = 0;
    for notice in notices {
        let line = format!(
            "\n<font color=\"{}\">{}</font> {}: {}",
            colour(notice.event),
            in_lang(&title(notice)),
            subject(&notice.alert, addresses),
            plain(&in_lang(&notice.alert.text), LISTED),
        );
        if message.len() + line.len() > room {
            break;
        }
        message.push_str(&line);
        listed += 1;
    }
    message.push_str(&tail(count - listed));
    message
}

/// The body of a robot's message.
pub(super) fn robot_body(content: &str) -> Vec<u8> {
    let body = json!({ "msgtype": "markdown", "markdown": { "content": cut(content, LONGEST) } });
    body.to_string().into_bytes()
}

/// The body for any other address: the alert, the event, and a link to details.
pub(super) fn url_body(notice: &AlertNotice, addresses: &Addresses) -> Vec<u8> {
    #[derive(Serialize)]
    struct UrlPayload<'a> {
        event: AlertEvent,
        link: Option<String>,
        #[serde(flatten)]
        alert: &'a AlertRow,
    }
    let masked = |text: &Text| {
        Text::new(mask::text(&text.en, Numbers::OfPeople), mask::text(&text.zh, Numbers::OfPeople))
    };
    let alert = AlertRow {
        text: masked(&notice.alert.text),
        hint: notice.alert.hint.as_ref().map(masked),
        ..notice.alert.clone()
    };
    let posted = UrlPayload { event: notice.event, link: addresses.link(&alert), alert: &alert };
    // Texts and moments always serialise.
    serde_json::to_value(&posted).unwrap_or(Value::Null).to_string().into_bytes()
}

/// A text from outside: on one line, without markup or mentions, masked, at most `most` characters.
fn plain(text: &str, most: usize) -> String {
    let mut plain: String = mask::text(text, Numbers::OfPeople)
        .chars()
        .map(|c| match c {
            '<' => '＜',
            '>' => '＞',
            '[' => '［',
            ']' => '］',
            '*' => '＊',
            '#' => '＃',
            '@' => '＠',
            '|' => '｜',
            '~' => '～',
            c if sanitize::steers(c) => ' ',
            c => c,
        })
        .collect();
    // A bare address becomes a link in the client.
    plain = plain.replace("://", "：//");
    if plain.chars().count() > most {
        plain = plain.chars().take(most).chain(['…']).collect();
    }
    plain
}

/// The beginning of a text, at most `most` bytes, cut between characters.
fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_from_elsewhere_brings_no_markup_no_mention_and_no_address() {
        let text = "<@all> [点](http://x) **a** # <font color=\"info\">\n@李四 13800138000 li.si@x.cn";
        let plain = plain(text, 200);
        assert_eq!(
            plain,
            "＜＠all＞ ［点］(http：//x) ＊＊a＊＊ ＃ ＜font color=\"info\"＞ ＠李四 138＊＊＊＊＊＊00 l＊＊＊＊＠x.cn"
        );
    }

    #[test]
    fn ids_are_not_taken_for_mobile_numbers() {
        for id in [
            "r20260501T080000123-0a1b2c",
            "019de28d-1380-7013-8000-138001380001",
            "63e0706d0e33350008189952",
            "10000000000",
            "138001380001",
        ] {
            assert_eq!(plain(id, 200), id);
        }
    }

    #[test]
    fn a_person_s_numbers_are_masked_in_any_writing() {
        let text = "11010119900307123X；＋８６　１３８　００１３　８０００；138-0013-8000；2026-05-01；W0001";
        let masked = "110＊＊＊＊＊＊＊＊＊＊＊＊23X；＋８６　１＊＊　＊＊＊＊　＊＊００；138-＊＊＊＊-＊＊00；2026-05-01；W0001";
        assert_eq!(plain(text, 200), masked);
    }

    proptest! {
        #[test]
        fn a_message_is_cut_between_characters(text in "\\PC{0,80}", most in 0_usize..200) {
            let cut = cut(&text, most);
            prop_assert!(cut.len() <= most && text.starts_with(cut));
            prop_assert!(cut.len() + 4 > most.min(text.len()));
        }
    }
}
