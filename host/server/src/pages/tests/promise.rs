//! Properties that hold for every page.

use std::collections::BTreeSet;

use super::super::components;
use super::fixed::{HOSTILE, KIND};
use super::markup::{Element, Node};
use super::{Seen, every_page, view};
use crate::tests::dom::{Dom, select, text};
use ruzhi_config::Role;
use ruzhi_model::Lang;

/// Checks every element of every page.
fn each(ask: impl Fn(&Seen, &Element) -> Result<(), String>) {
    for page in every_page() {
        for element in page.html.all() {
            if let Err(why) = ask(&page, element) {
                panic!("{}: <{} {:?}>: {why}", page.name, element.name, element.attributes);
            }
        }
    }
}

fn fails_unless(so: bool, why: &str) -> Result<(), String> {
    if so { Ok(()) } else { Err(why.to_owned()) }
}

#[test]
fn one_document_with_one_heading_one_main_and_its_language() {
    for page in every_page() {
        let expected = if page.lang == Lang::Zh { "zh-CN" } else { "en" };
        assert_eq!(page.html.get("lang"), Some(expected), "{}", page.name);
        for (element, count) in [("h1", 1), ("main", 1), ("title", 1), ("script", 1), ("body", 1)] {
            let found = page.html.named(element).len();
            let in_svg: usize = page.html.named("svg").iter().map(|svg| svg.named(element).len()).sum();
            assert_eq!(found - in_svg, count, "{}: <{element}>", page.name);
        }
        let headings: Vec<u8> = page
            .html
            .all()
            .into_iter()
            .filter(|element| matches!(element.name.as_str(), "h1" | "h2" | "h3"))
            .map(|element| element.name.as_bytes()[1])
            .collect();
        for pair in headings.windows(2) {
            assert!(pair[1] <= pair[0] + 1, "{}: h{} follows h{}", page.name, pair[1], pair[0]);
        }
    }
}

#[test]
fn no_page_tells_anyone_to_type_a_command() {
    for page in every_page() {
        let text = page.html.text();
        assert!(!text.contains("`ruzhi"), "{}: {text}", page.name);
    }
}

#[test]
fn every_id_is_there_once_and_what_points_at_one_finds_it() {
    for page in every_page() {
        let mut ids = BTreeSet::new();
        for element in page.html.all() {
            if let Some(id) = element.get("id") {
                assert!(!id.is_empty() && !id.contains(char::is_whitespace), "{}: `{id}`", page.name);
                assert!(ids.insert(id.to_owned()), "{}: `{id}` is there twice", page.name);
            }
        }
        for element in page.html.all() {
            for pointer in ["for", "aria-labelledby", "aria-describedby", "aria-controls"] {
                for id in element.get(pointer).into_iter().flat_map(str::split_whitespace) {
                    assert!(ids.contains(id), "{}: {pointer}={id} points at nothing", page.name);
                }
            }
            if let Some(id) = element.get("href").and_then(|page| page.strip_prefix('#')) {
                assert!(ids.contains(id), "{}: #{id} leads nowhere", page.name);
            }
        }
    }
}

#[test]
fn whatever_can_be_filled_in_or_pressed_has_a_name() {
    for page in every_page() {
        let labels: BTreeSet<&str> =
            page.html.named("label").into_iter().filter_map(|label| label.get("for")).collect();
        for element in page.html.all() {
            let told = || format!("{}: <{} {:?}>", page.name, element.name, element.attributes);
            match element.name.as_str() {
                "input" if element.get("type") == Some("hidden") => {}
                "input" | "select" | "textarea" => {
                    assert!(element.get("id").is_some_and(|id| labels.contains(id)), "{}", told());
                }
                "button" => {
                    assert!(element.get("type").is_some(), "{}", told());
                    assert!(!element.text().trim().is_empty(), "{}", told());
                }
                "a" | "summary" | "label" | "caption" | "th" | "h1" | "h2" | "h3" | "dt" => {
                    assert!(!element.text().trim().is_empty(), "{}", told());
                }
                "nav" | "progress" => assert!(element.get("aria-label").is_some(), "{}", told()),
                "section" => assert!(element.get("aria-labelledby").is_some(), "{}", told()),
                "img" => assert!(element.get("alt").is_some(), "{}", told()),
                "svg" => {
                    let named = element.get("role") == Some("img") && !element.named("title").is_empty();
                    assert!(named || element.get("aria-hidden") == Some("true"), "{}", told());
                }
                "table" => assert_eq!(element.named("caption").len(), 1, "{}", told()),
                _ => {}
            }
            if element.name == "th" {
                assert!(element.get("scope").is_some(), "{}", told());
            }
        }
    }
}

#[test]
fn nothing_comes_from_elsewhere_and_nothing_is_written_into_the_page() {
    each(|_, element| {
        fails_unless(element.get("style").is_none() && element.name != "style", "has a style of its own")?;
        for (name, value) in &element.attributes {
            fails_unless(!name.starts_with("on"), "has a script of its own")?;
            if matches!(name.as_str(), "href" | "src" | "action" | "formaction" | "data-events") {
                let here = value.starts_with('#') || (value.starts_with('/') && !value.starts_with("//"));
                fails_unless(here, "leads elsewhere")?;
            }
        }
        if element.name == "script" {
            fails_unless(
                element.children.is_empty() && element.get("src").is_some(),
                "is written into the page",
            )?;
        }
        Ok(())
    });
}

#[test]
fn what_people_write_is_text_and_stands_apart_from_the_text_beside_it() {
    for page in every_page().into_iter().filter(|page| page.role.is_some()) {
        // Text written by people is found whole; if part of it had become an element, it would be found in pieces.
        let mut loose = Vec::new();
        gather(&page.html, false, &mut loose);
        for text in loose {
            for written in
                [HOSTILE.tenant, HOSTILE.person, HOSTILE.words, KIND.tenant, KIND.person, KIND.words]
            {
                assert!(!text.contains(written), "{}: stands loose: {text}", page.name);
            }
        }
    }
    let all: String = every_page().iter().map(|page| page.html.text()).collect();
    for written in [HOSTILE.tenant, HOSTILE.person, HOSTILE.words, HOSTILE.record] {
        assert!(all.contains(written), "{written} is on no page");
    }
}

/// The texts that are neither isolated nor code.
fn gather<'a>(element: &'a Element, apart: bool, loose: &mut Vec<&'a str>) {
    let apart = apart
        || matches!(element.name.as_str(), "bdi" | "code" | "title")
        || element.get("dir") == Some("auto")
        || element.get("lang") == Some("zxx");
    for child in &element.children {
        match child {
            Node::Text(text) if !apart => loose.push(text),
            Node::Text(_) => {}
            Node::Element(child) => gather(child, apart, loose),
        }
    }
}

#[test]
fn a_viewer_is_offered_nothing_but_to_leave_and_an_operator_brings_what_proves_the_page() {
    let mut offered = 0;
    for page in every_page() {
        for form in page.dom.select("form[method=post]") {
            let action = form.attr("action").unwrap();
            if page.role.is_none() {
                assert_eq!(action, "/login", "{}", page.name);
                continue;
            }
            let proof = select(form, "input[name=csrf][value]");
            assert!(!proof.is_empty(), "{}: {action} proves nothing", page.name);
            if page.role == Some(Role::Viewer) {
                assert_eq!(action, "/logout", "{}", page.name);
            } else if action != "/logout" {
                offered += 1;
            }
        }
    }
    assert!(offered > 20, "an operator is offered {offered} deeds");
}

#[test]
fn a_deed_that_cannot_be_taken_back_asks_first_and_says_how_many_people() {
    let mut asked = 0;
    for page in every_page().into_iter().filter(|page| page.role == Some(Role::Operator)) {
        for form in page.dom.select("form[action$='/approve']") {
            assert!(text(form).contains("327"), "{}", page.name);
            assert!(!select(form, "input[type=checkbox][required]").is_empty(), "{}", page.name);
        }
        for form in page.dom.select("form[action$='/apply']") {
            let question = form.attr("data-confirm");
            assert!(question.is_some_and(|question| question.contains("327")), "{}", page.name);
        }
        for deed in ["approve", "reject", "rollback", "activate"] {
            for form in page.dom.select(&format!("form[action$='/{deed}']")) {
                let reason = select(form, "input[name=why][required], input[name=reason][required]");
                assert!(!reason.is_empty(), "{}: {deed}", page.name);
                asked += 1;
            }
        }
    }
    assert!(asked > 10, "{asked} reasons are asked for");
}

/// Our own words that are the same in every language.
const NAMES: [&str; 8] = ["ruzhi", "API", "CSV", "MiB", "ms", "IP", "a", "secret"];

#[test]
fn every_page_is_in_one_language() {
    let passes = |element: &Element| {
        matches!(element.name.as_str(), "bdi" | "code" | "title" | "pre")
            || element.get("translate") == Some("no")
            || element.get("dir") == Some("auto")
            || element.get("lang").is_some()
    };
    let own = [
        "aria-label",
        "placeholder",
        "data-confirm",
        "data-yes",
        "data-no",
        "data-done",
        "data-say",
        "data-label",
    ];
    for page in every_page().into_iter().filter(|page| page.role.is_some()) {
        let mut texts: Vec<String> = page.html.texts(&passes).into_iter().map(str::to_owned).collect();
        for element in page.html.all() {
            // A group of languages names itself.
            let named = own.iter().filter_map(|name| element.get(name));
            texts.extend(named.map(|text| {
                text.replace("{stage}", "")
                    .replace("{rows}", "")
                    .replace("{settled}", "")
                    .replace("{planned}", "")
            }));
        }
        for text in texts {
            match page.lang {
                Lang::En => {
                    let chinese = text.chars().find(|c| {
                        ('\u{3000}'..='\u{9fff}').contains(c) || ('\u{ff00}'..='\u{ffef}').contains(c)
                    });
                    assert_eq!(chinese, None, "{}: {text}", page.name);
                }
                Lang::Zh => {
                    let words =
                        text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
                    for word in words {
                        assert!(NAMES.contains(&word), "{}: `{word}` in: {text}", page.name);
                    }
                }
            }
        }
    }
}

#[test]
fn the_other_language_is_one_press_away_on_the_same_page() {
    for page in every_page().into_iter().filter(|page| page.role.is_some()) {
        let other = if page.lang == Lang::Zh { "en" } else { "zh" };
        let leads = page.dom.attributes("a[hreflang]", "href");
        // Once beside the page and once in the menu of a narrow screen.
        let expected = format!("/runs?state=held&lang={other}");
        assert_eq!(leads, [expected.as_str(), expected.as_str()], "{}", page.name);
    }
}

#[test]
fn a_moment_says_which_one_it_is() {
    each(|_, element| {
        if element.name != "time" {
            return Ok(());
        }
        let stamp = element.get("datetime").unwrap_or_default();
        let valid = chrono::DateTime::parse_from_rfc3339(stamp).is_ok();
        fails_unless(
            valid && element.get("title").is_some_and(|title| title.contains("Asia/Shanghai")),
            "is not a valid time",
        )
    });
}

#[test]
fn what_goes_on_is_seen_without_a_script() {
    for page in every_page() {
        let live = page
            .html
            .named("section")
            .iter()
            .any(|section| section.get("data-events").is_some_and(|page| page.contains("/runs/")));
        let reloads = page
            .html
            .named("noscript")
            .iter()
            .any(|part| part.named("meta").iter().any(|meta| meta.get("http-equiv") == Some("refresh")));
        assert!(!live || reloads, "{}", page.name);
    }
}

#[test]
fn a_filter_offers_the_flows_there_are_and_keeps_what_is_asked_for_and_gone() {
    let mut seen = 0;
    for page in every_page() {
        for filter in page.dom.select("select#flow") {
            let offered: Vec<Option<&str>> =
                select(filter, "option").into_iter().map(|option| option.attr("value")).collect();
            assert_eq!(offered, [Some(""), Some("leavers"), Some("onboarding")], "{}", page.name);
            seen += 1;
        }
        let typed = page.dom.has("input#flow");
        assert!(!typed, "{}: a flow's id never has to be typed", page.name);
    }
    assert!(seen > 10, "{seen} filters by flow");
    let view = view(Lang::En, Role::Viewer);
    let (tenant, flow) = ("gone".parse().unwrap(), "gone-too".parse().unwrap());
    for (field, kept) in [
        (components::tenant_field(&view, Some(&tenant)), "gone"),
        (components::flow_field(&view, Some(&flow)), "gone-too"),
    ] {
        let field = field.into_string();
        assert_eq!(Dom::of(&field).attributes("option[selected]", "value"), [kept], "{field}");
    }
}

#[test]
fn the_audit_log_leads_to_what_is_there() {
    for page in every_page().into_iter().filter(|page| page.name.starts_with("audit ")) {
        let plans = page.dom.attributes("a[href^='/plans/jingxintai/']", "href");
        assert_eq!(plans, ["/plans/jingxintai/p0a1b2c3d4e5f"], "{}", page.name);
        assert!(page.html.text().contains("p00000000000"), "{}: what was asked for is told", page.name);
    }
}

#[test]
fn a_chart_of_refusals_names_the_rule_and_the_field_and_no_person() {
    for page in every_page().into_iter().filter(|page| page.name.starts_with("charts ")) {
        let text = page.html.text();
        assert!(text.contains("mobile.invalid") && text.contains("手机号"), "{}", page.name);
    }
}
