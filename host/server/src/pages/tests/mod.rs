//! Pages rendered from fixed data: every page, in both languages, for viewer and operator, with benign and with hostile
//! input.

mod contrast;
mod fixed;
mod markup;
mod promise;
mod sheet;

use super::flash::Flash;
use super::view::View;
use super::{error_page, login};
use crate::tests::dom::Dom;
use fixed::{HOSTILE, KIND, Written};
use markup::Element;
use ruzhi_config::Role;
use ruzhi_model::Lang;

/// A view of the overview.
pub(super) fn view(lang: Lang, role: Role) -> View {
    fixed::view(lang, role, &KIND, "/")
}

/// A rendered page.
struct Seen {
    /// The page, language and role, to identify the one that fails.
    name: String,
    lang: Lang,
    role: Option<Role>,
    html: Element,
    dom: Dom,
}

/// Every page, in both languages, for viewer and operator, with both kinds of input, and the two pages before login.
fn every_page() -> Vec<Seen> {
    let mut all = Vec::new();
    let mut see = |name: String, lang: Lang, role: Option<Role>, html: String| {
        let dom = Dom::of(&html);
        let html = markup::read(&html).unwrap_or_else(|why| panic!("{name}: {why}"));
        all.push(Seen { name, lang, role, html, dom });
    };
    for lang in [Lang::En, Lang::Zh] {
        for written in [&KIND, &HOSTILE] {
            for role in [Role::Viewer, Role::Operator] {
                let view = fixed::view(lang, role, written, "/runs?state=held");
                for (page, drawn) in fixed::pages(&view, written) {
                    let name = format!("{page} {lang:?} {role:?} {}", written.tenant);
                    see(name, lang, Some(role), drawn.markup(&view).into_string());
                }
            }
            let failure = fixed::failure("access.unknown", written);
            let door = [
                ("login", login::page(lang, written.words, Some(&failure))),
                ("door", error_page::at_the_door(lang, &failure)),
            ];
            for (page, drawn) in door {
                see(format!("{page} {lang:?}"), lang, None, drawn.into_string());
            }
        }
    }
    all
}

/// A page by name, with a line break between elements, so that a change shows as a line.
fn whole(page: &str, lang: Lang, role: Role, written: &Written) -> String {
    let view = fixed::view(lang, role, written, "/");
    let pages = fixed::pages(&view, written);
    let (_, drawn) = pages.iter().find(|(name, _)| *name == page).unwrap();
    lines(&drawn.markup(&view).into_string())
}

fn lines(html: &str) -> String {
    let mut html = html.replace("><", ">\n<");
    for asset in [&super::asset::STYLE, &super::asset::LIVE, &super::asset::ICON] {
        let address = asset.address();
        let plain = address.split_once("?v=").unwrap().0.to_owned();
        html = html.replace(&address, &plain);
    }
    html
}

#[test]
fn a_held_plan_for_an_operator() {
    insta::assert_snapshot!(whole("plan", Lang::Zh, Role::Operator, &KIND));
}

#[test]
fn a_live_run_for_a_viewer() {
    insta::assert_snapshot!(whole("run-live", Lang::En, Role::Viewer, &KIND));
}

#[test]
fn a_refused_record_of_people_who_write_markup() {
    insta::assert_snapshot!(whole("record-refused", Lang::En, Role::Viewer, &HOSTILE));
}

#[test]
fn the_login_page() {
    insta::assert_snapshot!(lines(&login::page(Lang::Zh, "/runs", None).into_string()));
}

#[test]
fn what_was_done_is_said_once_and_only_what_the_program_knows() {
    let view = fixed::view(Lang::En, Role::Operator, &KIND, "/");
    for flash in Flash::ALL {
        let answer = flash.on("/runs");
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let (pair, attributes) = cookie.split_once(';').unwrap();
        assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite"), "{cookie}");
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("cookie", format!("a=b; {pair}").parse().unwrap());
        assert_eq!(Flash::of(&headers), Some(*flash));
        assert!(!flash.text(view.lang()).is_empty());
    }
    let mut headers = axum::http::HeaderMap::new();
    headers.insert("cookie", "ruzhi_flash=<b>you have won</b>".parse().unwrap());
    assert_eq!(Flash::of(&headers), None);
}

#[test]
fn a_page_that_said_it_takes_the_cookie_back() {
    let view = fixed::view(Lang::En, Role::Operator, &KIND, "/");
    let (_, page) = fixed::pages(&view, &KIND).remove(0);
    let cookie = page.answer(&view).headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("ruzhi_flash=;") && cookie.contains("Max-Age=0"), "{cookie}");
    let silent = View { flash: None, ..view };
    assert!(!page.answer(&silent).headers().contains_key("set-cookie"));
}

#[test]
fn an_address_says_what_it_is_given() {
    let page = View::address(["records", "a/../b?c#d%"], [("rule", Some("名&x=1")), ("flow", None)]);
    assert_eq!(page, "/records/a%2F..%2Fb%3Fc%23d%25?rule=%E5%90%8D%26x%3D1");
    assert_eq!(View::address([], []), "/");
}
