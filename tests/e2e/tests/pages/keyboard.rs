//! Everything can be reached by keyboard, with the focus visible.

use crate::driver::Key;
use serde_json::{Value, json};

use crate::browser::Screen;
use crate::every::{full, pages};
use crate::office::Lang;

/// Numbers all focusable elements and returns how many there are.
const COUNT: &str =
    "const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter((e) => e.type !== 'hidden' && !e.disabled && e.checkVisibility({ visibilityProperty: true }));
  all.forEach((e, at) => { e.dataset.at = at; });
  return all.length;";

/// The focused element: its number, and its visible focus style.
const HERE: &str = "const e = document.activeElement;
  const style = getComputedStyle(e);
  const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const box = e.getBoundingClientRect();
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
  const free = !!top && (e.contains(top) || top.contains(e) || (e.labels && [...e.labels].some((l) => l.contains(top))));
  return { at: e.dataset.at ?? null, seen, free, what: e.outerHTML.slice(0, 160) };";

#[test]
fn every_control_is_reached_by_tab_and_seen_when_reached() {
    let office = full(Lang::Zh, Screen::Desk);
    let browser = &office.browser;
    let mut wrong = Vec::new();
    for page in pages(&office) {
        browser.go(&page.path);
        browser.script(
            "document.querySelectorAll('main details').forEach((one) => { one.open = true; })",
            vec![],
        );
        let count = browser.script(COUNT, vec![]).as_u64().unwrap();
        let mut reached = Vec::new();
        for _ in 0..count {
            browser.key(Key::Tab);
            let here = browser.script(HERE, vec![]);
            for what in ["seen", "free"] {
                if here[what] != json!(true) {
                    wrong.push(format!("{}: not {what}: {}", page.path, here["what"]));
                }
            }
            reached.push(here["at"].as_str().and_then(|at| at.parse::<u64>().ok()));
        }
        // In reading order, none left out.
        let expected: Vec<Option<u64>> = (0..count).map(Some).collect();
        if reached != expected {
            wrong.push(format!("{}: {count} controls are reached as {reached:?}", page.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_navigation_can_be_skipped_and_a_question_be_left() {
    let office = full(Lang::En, Screen::Desk);
    let browser = &office.browser;
    let plan = pages(&office).into_iter().find(|page| page.name == "plan").unwrap();
    browser.go(&plan.path);
    browser.key(Key::Tab);
    assert_eq!(browser.script("return document.activeElement.className", vec![]), json!("skip"));
    browser.key(Key::Enter);
    browser.wait("the content", || {
        (browser.script("return document.activeElement.id", vec![]) == json!("main")).then_some(())
    });

    browser.press("Show numbers");
    assert_eq!(browser.count("dialog[open]"), 1);
    let words = |browser: &crate::browser::Browser| -> Value {
        browser.script("return document.activeElement.textContent", vec![])
    };
    assert_eq!(words(browser), json!("Cancel"), "what does nothing is nearest");
    browser.key(Key::Escape);
    browser.wait("no question", || (browser.count("dialog") == 0).then_some(()));
    assert_eq!(words(browser), json!("Show numbers"), "the focus returns");
    assert_eq!(browser.path(), plan.path);
    assert!(!browser.source().contains("13920000001"));
}
