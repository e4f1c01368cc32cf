//! The stylesheet and the script, checked against the pages.

use std::collections::BTreeSet;

use super::every_page;

const SHEET: &str = include_str!("../assets/style.css");
const SCRIPT: &str = include_str!("../assets/live.js");

/// Classes that the stylesheet mentions: letters after a dot in the text before a brace.
fn spoken_of() -> BTreeSet<&'static str> {
    let mut classes = BTreeSet::new();
    for selector in SHEET.split('{').filter_map(|part| part.rsplit(['}', ';', '/']).next()) {
        for part in selector.split('.').skip(1) {
            let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(part.len());
            if end > 0 {
                classes.insert(&part[..end]);
            }
        }
    }
    classes
}

#[test]
fn every_class_of_a_page_is_in_the_sheet_and_every_class_of_the_sheet_on_a_page() {
    let spoken_of = spoken_of();
    let mut used = BTreeSet::new();
    for page in every_page() {
        for element in page.html.all() {
            used.extend(element.get("class").into_iter().flat_map(str::split_whitespace).map(str::to_owned));
        }
    }
    let plain = ["plain", "same", "name"];
    let missing: Vec<_> = used
        .iter()
        .filter(|class| !spoken_of.contains(class.as_str()) && !plain.contains(&class.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in the sheet: {missing:?}");
    let idle: Vec<_> =
        spoken_of.iter().filter(|class| !used.contains(**class) && !SCRIPT.contains(**class)).collect();
    assert!(idle.is_empty(), "on no page: {idle:?}");
}

#[test]
fn the_sheet_and_the_script_ask_no_other_server() {
    for text in [SHEET, SCRIPT] {
        for word in ["http:", "https:", "url(", "@import", "eval(", "document.write", "innerHTML ="] {
            assert!(!text.contains(word), "{word}");
        }
    }
}

#[test]
fn the_script_stays_small() {
    assert!(SCRIPT.lines().count() < 200);
}

#[tokio::test]
async fn an_asset_is_kept_until_another_version_is_served() {
    use axum::extract::Path;
    for (name, media_type) in [
        ("style.css", "text/css; charset=utf-8"),
        ("live.js", "text/javascript; charset=utf-8"),
        ("favicon.svg", "image/svg+xml"),
    ] {
        let answer = super::super::asset::serve(Path(name.to_owned())).await;
        assert_eq!(answer.headers()["content-type"], media_type);
        assert!(answer.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    }
    assert_eq!(super::super::asset::serve(Path("../mod.rs".to_owned())).await.status(), 404);
    assert!(super::super::asset::STYLE.address().starts_with("/assets/style.css?v="));
}
