//! Accessibility of every page by the rules of axe: in both languages, light and dark, wide and narrow. A picture of
//! each page is written to `target/pages`.

use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Screen;
use crate::every::{Page, full, pages};
use crate::office::{Lang, Office};

fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/axe/axe.min.js");
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "the rules of accessibility are missing ({error}): run `make browser` / 请先运行 `make browser`"
        )
    })
}

const OPEN: &str = "document.querySelectorAll('main details').forEach((one) => { one.open = true; })";

/// Findings of axe, one line for each broken rule.
fn broken(office: &Office, axe: &str) -> Vec<String> {
    office.browser.script(axe, vec![]);
    let found = office.browser.script_told(
        "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then(
           (found) => done(found.violations), (error) => done([{ id: String(error), nodes: [] }]))",
        vec![],
    );
    let found = found.as_array().unwrap().iter().map(|rule| {
        let nodes = rule["nodes"].as_array().into_iter().flatten();
        let nodes: Vec<String> = nodes.map(|node| format!("{} {}", node["html"], node["any"])).collect();
        format!("{} ({}): {}", rule["id"], rule["impact"], nodes.join("\n    "))
    });
    found.collect()
}

/// Elements cut off at the right edge.
fn beyond(office: &Office) -> Value {
    office.browser.script(
        "const width = document.documentElement.clientWidth;
         if (document.documentElement.scrollWidth <= width) return [];
         return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > width)
           .map((e) => e.outerHTML.slice(0, 160)).slice(0, 6)",
        vec![],
    )
}

fn every_page_is_accessible(lang: Lang) {
    let axe = axe();
    let mut office = full(lang, Screen::Desk);
    let mut wrong = Vec::new();
    let door = Page { name: "login", path: "/login".to_owned() };
    for page in pages(&office).into_iter().chain([door]) {
        if page.name == "login" {
            office.browser.forget();
        }
        for screen in [Screen::Desk, Screen::Phone, Screen::Narrow] {
            office.browser.look_at(screen);
            for dark in [false, true] {
                if screen == Screen::Narrow && dark {
                    continue;
                }
                office.browser.dark(dark);
                office.browser.go(&page.path);
                let light = if dark { "dark" } else { "light" };
                let here =
                    format!("{}-{}-{light}-{screen:?}", page.name, lang.say("en", "zh")).to_lowercase();
                let mut note = |what: String| wrong.push(format!("{here}: {what}"));
                if screen != Screen::Narrow {
                    office.browser.picture(&here);
                }
                if beyond(&office) != json!([]) {
                    note(format!("is wider than the screen: {}", beyond(&office)));
                }
                office.browser.script(OPEN, vec![]);
                if beyond(&office) != json!([]) {
                    note(format!("opened, is wider than the screen: {}", beyond(&office)));
                }
                if screen != Screen::Narrow {
                    broken(&office, &axe).into_iter().for_each(note);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_is_accessible_in_chinese() {
    every_page_is_accessible(Lang::Zh);
}

#[test]
fn every_page_is_accessible_in_english() {
    every_page_is_accessible(Lang::En);
}
