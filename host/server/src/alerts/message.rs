//! The messages of alarms, with their titles: markdown for a group robot, JSON for any other address. The texts of each
//! kind are in `condition`.
//!
//! Names and messages come from people and services. In them every character with a meaning in WeCom's markdown is
//! replaced by its full-width form, so that they cannot put a link, a colour or an `@` into a message; WeCom has no way
//! to escape one. Mobile numbers and e-mail addresses are masked.

use serde::Serialize;
use serde_json::{Value, json};

use super::address::Addresses;
use super::condition;
use super::state::AlarmEvent;
use ruzhi_model::{Lang, Text};
use ruzhi_store::AlarmRow;

/// The longest markdown a group robot takes, in bytes of UTF-8.
pub(super) const LONGEST: usize = 4096;
/// The most characters of one text in a message of its own, and in one that lists several.
const ALONE: usize = 900;
const LISTED: usize = 120;

/// A message to send: an event of an alarm.
#[derive(Debug, Clone)]
pub(super) struct AlarmNotice {
    pub(super) event: AlarmEvent,
    pub(super) alarm: AlarmRow,
}

/// The title of the kind and the event.
fn title(notice: &AlarmNotice) -> Text {
    let kind = notice.alarm.kind.as_str();
    let (en, zh) = words(kind).unwrap_or((kind, kind));
    match notice.event {
        AlarmEvent::Raised => Text::new(en, zh),
        AlarmEvent::Reminder => Text::new(format!("still: {en}"), format!("仍未处理：{zh}")),
        AlarmEvent::Over => Text::new(format!("over: {en}"), format!("已恢复：{zh}")),
    }
}

/// A kind of alarm in words; none for a kind of a newer version.
pub(super) fn words(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        condition::PLAN_HELD => ("plan held", "计划待审批"),
        condition::FLOW_FAILING => ("flow failing", "同步失败"),
        condition::FLOW_BLOCKED => ("flow blocked", "同步已停止待处理"),
        condition::MEMBERS_REMOVED => ("members removed by hand", "成员被手工删除"),
        condition::QUARANTINE_GROWING => ("quarantine growing", "待修正增多"),
        condition::PLACES_FULL => ("no free accounts", "账号名额已满"),
        condition::LEAVERS_REFUSED => ("leavers can still log in", "离职人员仍可登录"),
        condition::RUN_LATE => ("run late", "运行逾期"),
        condition::FILES_REFUSED => ("files refused", "配置未采用"),
        condition::RULES_KEPT => ("rules not live", "规则未上线"),
        condition::CLOCK_OFF => ("clock off", "时钟偏差"),
        condition::FORM_EMPTY => ("form without rows", "表单无数据"),
        condition::DRIFT_FOUND => ("directory changed by hand", "通讯录被手工改动"),
        condition::ALARMS_REFUSED => ("alarms refused", "告警未送达"),
        _ => return None,
    })
}

/// The subject, such as `景欣泰工厂 / onboarding`; empty for the whole deployment.
fn subject(alarm: &AlarmRow, addresses: &Addresses) -> String {
    let Some(tenant) = &alarm.tenant else { return "ruzhi".to_owned() };
    let name = addresses.called(tenant).map_or_else(|| tenant.to_string(), |called| called.name.clone());
    match &alarm.flow {
        Some(flow) => format!("{} / {}", plain(&name, LISTED), flow),
        None => plain(&name, LISTED),
    }
}

fn moment(alarm: &AlarmRow, addresses: &Addresses) -> String {
    let zone = alarm.tenant.as_ref().and_then(|tenant| addresses.called(tenant)).map(|called| called.zone);
    let zone = zone.unwrap_or(chrono_tz::UTC);
    format!("{} ({})", alarm.since.with_timezone(&zone).format("%Y-%m-%d %H:%M"), zone.name())
}

fn colour(event: AlarmEvent) -> &'static str {
    if event == AlarmEvent::Over { "info" } else { "warning" }
}

/// The languages of a channel, in the order in which they are written.
fn languages(lang: Option<Lang>) -> &'static [Lang] {
    match lang {
        Some(Lang::En) => &[Lang::En],
        Some(Lang::Zh) => &[Lang::Zh],
        None => &[Lang::Zh, Lang::En],
    }
}

/// One alarm as a message of its own.
pub(super) fn alone(notice: &AlarmNotice, addresses: &Addresses, lang: Option<Lang>) -> String {
    let alarm = &notice.alarm;
    let mut blocks = Vec::new();
    for lang in languages(lang) {
        let title = title(notice);
        let mut block = format!(
            "**<font color=\"{}\">{}</font>** {}\n{}",
            colour(notice.event),
            title.in_lang(*lang),
            subject(alarm, addresses),
            plain(alarm.text.in_lang(*lang), ALONE),
        );
        if let Some(hint) = alarm.hint.as_ref().filter(|_| notice.event != AlarmEvent::Over) {
            block.push_str(&format!("\n> {}", plain(hint.in_lang(*lang), ALONE)));
        }
        blocks.push(block);
    }
    let since = format!("<font color=\"comment\">{}</font>", moment(alarm, addresses));
    let tail = match addresses.link(alarm) {
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

/// Many alarms as one message: as many lines as fit, and the number of the rest.
pub(super) fn together(notices: &[AlarmNotice], addresses: &Addresses, lang: Option<Lang>) -> String {
    let all = addresses.all_alarms();
    let in_lang = |text: &Text| match lang {
        Some(lang) => text.in_lang(lang).to_owned(),
        None => text.both(),
    };
    let count = notices.len();
    let mut message = format!(
        "**{}**",
        in_lang(&Text::new(format!("ruzhi: {count} alarms"), format!("ruzhi：{count} 条告警")))
    );
    let tail = |left: usize| {
        let more = match left {
            0 => String::new(),
            left => {
                let told = Text::new(
                    format!("and {left} more, listed on the alarms page"),
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
            subject(&notice.alarm, addresses),
            plain(&in_lang(&notice.alarm.text), LISTED),
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

/// The body for any other address: the alarm, the event, and a link to details.
pub(super) fn url_body(notice: &AlarmNotice, addresses: &Addresses) -> Vec<u8> {
    #[derive(Serialize)]
    struct UrlPayload<'a> {
        event: AlarmEvent,
        link: Option<String>,
        #[serde(flatten)]
        alarm: &'a AlarmRow,
    }
    let masked = |text: &Text| Text::new(mask(&text.en), mask(&text.zh));
    let alarm = AlarmRow {
        text: masked(&notice.alarm.text),
        hint: notice.alarm.hint.as_ref().map(masked),
        ..notice.alarm.clone()
    };
    let posted = UrlPayload { event: notice.event, link: addresses.link(&alarm), alarm: &alarm };
    // Texts and moments always serialise.
    serde_json::to_value(&posted).unwrap_or(Value::Null).to_string().into_bytes()
}

/// A text from outside: on one line, without markup or mentions, masked, at most `most` characters.
fn plain(text: &str, most: usize) -> String {
    let mut plain: String = mask(text)
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
            c if c.is_control() => ' ',
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

/// Masks the middle of mobile numbers (eleven digits from 13 to 19) and of the names in e-mail addresses.
fn mask(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@');
    let mut masked = String::with_capacity(text.len());
    for run in letters.chunk_by(|one, other| word(one) == word(other)) {
        let text: String = run.iter().collect();
        masked.push_str(&mask_word(&text));
    }
    masked
}

fn mask_word(word: &str) -> String {
    let is_mobile = word.len() == 11
        && word.bytes().all(|b| b.is_ascii_digit())
        && word.starts_with('1')
        && !word.starts_with("10");
    if is_mobile {
        let (start, end) = (word.get(..3).unwrap_or_default(), word.get(9..).unwrap_or_default());
        return format!("{start}…{end}");
    }
    match word.split_once('@') {
        Some((name, host)) if !name.is_empty() && host.contains('.') => {
            let first: String = name.chars().take(1).collect();
            format!("{first}…@{host}")
        }
        _ => word.to_owned(),
    }
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
            "＜＠all＞ ［点］(http：//x) ＊＊a＊＊ ＃ ＜font color=\"info\"＞ ＠李四 138…00 l…＠x.cn"
        );
    }

    #[test]
    fn ids_are_not_taken_for_mobile_numbers() {
        for id in ["r20260501T080000123-0a1b2c", "63e0706d0e33350008189952", "10000000000", "138001380001"] {
            assert_eq!(mask(id), id);
        }
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
