//! `docs/reference/messages.md` lists every code with its texts. It is made from the sources, where the texts are, so
//! that none can be missing; `RUZHI_BLESS=1` writes it.

mod expression;
mod source;
mod speaker;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use expression::Pair;
use source::{Kind, Messages};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/messages.md");

/// Words of the sources that look like a code of a message and are none.
const OTHER_WORDS: [&str; 54] = [
    // Actions in the audit log.
    "flow.pause",
    "flow.resume",
    "member.removal",
    "plan.apply",
    "plan.approve",
    "plan.reject",
    "plan.reveal",
    "quarantine.csv",
    "quarantine.retry",
    "quarantine.reveal",
    "record.reveal",
    "rules.activate",
    "rules.confirm",
    "rules.reveal",
    "rules.rollback",
    "run.start",
    "session.begin",
    "session.end",
    // Fields of log lines.
    "error.code",
    "flow.id",
    "member.userid",
    "plan.id",
    "record.id",
    "run.id",
    "run.kind",
    "run.stage",
    "run.state",
    "server.connections",
    "server.listen",
    "tenant.id",
    "wecom.api",
    "wecom.errcode",
    "wecom.errmsg",
    // Keys of the configuration.
    "server.people",
    "server.token",
    "server.url",
    "store.url",
    "wecom.callback",
    "wecom.limits",
    "wecom.read_secret",
    "wecom.secret",
    "jiandaoyun.api_key",
    "jiandaoyun.limits",
    // Names in SQL, of files, of profiles, and of an empty value.
    "n.a",
    "profile.release",
    "profile.speed",
    "r.record",
    "r.violations",
    "rules.py",
    "s.content",
    "s.decision",
    // Parts of the text of `guest.error`.
    "context.invalid",
    "guest.exception",
    "timezone.unknown",
];

const HEAD: &str = "\
# Messages

<!-- Generated from the sources: `RUZHI_BLESS=1 cargo test -p ruzhi-e2e --test whole messages` writes this file. -->

Every code of an error, an alert, a health check and a rejection, with its text in both languages, and after `→` what to do.
`{…}` stands for a value. Codes are stable; texts are not.

每个错误、告警、健康检查与拒绝原因的代码，附两种语言的文本，`→` 之后为处理办法。`{…}` 处为具体的值。代码保持稳定，文本可能调整。
";

fn section(kind: Kind) -> &'static str {
    match kind {
        Kind::Error => {
            "## Errors 错误\n\nA command prints them and writes them to the log, pages show them, and the API answers with them."
        }
        Kind::Alert => "## Alerts 告警",
        Kind::Health => {
            "## Health checks 健康检查\n\nReasons in the answers of `/healthz` and `/readyz`, beside the codes `store.…` above."
        }
        Kind::Rejection => {
            "## Rejections 拒绝\n\nReasons for which a record is in quarantine. The rules that a person writes may have codes of their own."
        }
        Kind::Wecom => {
            "## Errcodes of WeCom 企业微信错误码\n\nAs an error of a run, or as the reason for which one record is in quarantine."
        }
        Kind::JianDaoYun => "## Codes of JianDaoYun 简道云错误码",
    }
}

fn cell(texts: &[Pair], hints: &[Pair], language: fn(&Pair) -> &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let texts = texts.iter().map(|text| language(text).to_owned());
    let hints = hints.iter().map(language).filter(|hint| !hint.is_empty());
    for line in texts.chain(hints.map(|hint| format!("→ {hint}"))) {
        if !line.is_empty() && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("<br>").replace('|', "\\|").replace('\n', " ").replace("<", "&lt;").replace("&lt;br>", "<br>")
}

fn page(messages: &Messages) -> String {
    let mut page = HEAD.to_owned();
    for kind in Kind::ALL {
        write!(page, "\n{}\n\n| code | message | 消息 |\n|---|---|---|\n", section(kind)).unwrap();
        for (code, message) in messages.of(kind) {
            let cell = |language| cell(&message.texts, &message.hints, language);
            writeln!(page, "| `{code}` | {} | {} |", cell(|pair| &pair.en), cell(|pair| &pair.zh)).unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_messages_is_that_of_the_sources() {
    let page = page(&Messages::read());
    if std::env::var_os("RUZHI_BLESS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap();
    assert!(written == page, "RUZHI_BLESS=1 writes docs/reference/messages.md anew");
}

#[test]
fn every_code_of_the_sources_is_on_the_page_with_a_text_in_both_languages() {
    let messages = Messages::read();
    let page = std::fs::read_to_string(PAGE).unwrap();
    let listed: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let is_missing =
        |word: &&String| !listed.contains(word.as_str()) && !OTHER_WORDS.contains(&word.as_str());
    let missing: Vec<&String> = messages.words.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "codes without a line on the page: {missing:?}");
    for kind in Kind::ALL {
        assert!(messages.of(kind).next().is_some(), "{kind:?}");
        for (code, message) in messages.of(kind) {
            let texts = || message.texts.iter().chain(&message.hints);
            assert!(texts().any(|text| !text.en.is_empty()), "{code} has no English text");
            assert!(texts().any(|text| !text.zh.is_empty()), "{code} has no Chinese text");
        }
    }
}

#[test]
fn the_page_is_linked() {
    let index = std::fs::read_to_string(Path::new(PAGE).with_file_name("../README.md")).unwrap();
    assert!(index.contains("(reference/messages.md)"));
}
