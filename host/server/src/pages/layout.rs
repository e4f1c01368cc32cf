//! The frame of every page: navigation, caller, language, and the result of the last action.

use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::asset::{ICON, LIVE, STYLE};
use super::components;
use super::view::View;
use super::{flash, time};
use ruzhi_model::Lang;

/// The section of the site that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// The state of everything.
    Overview,
    /// The runs.
    Runs,
    /// The records to be corrected.
    Quarantine,
    /// The rules.
    Rules,
    /// The charts.
    Charts,
    /// The alerts.
    Alerts,
    /// The audit log.
    Audit,
    /// The settings in use.
    Settings,
}

/// A page.
pub(super) struct HtmlPage {
    /// Its section.
    pub(super) area: Area,
    /// Its heading, also shown in the browser's tab.
    pub(super) title: String,
    /// A state, shown beside the title.
    pub(super) badge: Option<Markup>,
    /// The breadcrumbs above the title.
    pub(super) crumbs: Vec<(String, String)>,
    /// A line below the title.
    pub(super) under: Option<Markup>,
    /// Actions, across from the title.
    pub(super) actions: Option<Markup>,
    /// The content.
    pub(super) body: Markup,
    /// The interval, in seconds, at which the page reloads when scripts are off.
    pub(super) reload: Option<u32>,
}

impl HtmlPage {
    /// A page with a title only.
    pub(super) fn new(area: Area, title: impl Into<String>, body: Markup) -> Self {
        Self {
            area,
            title: title.into(),
            badge: None,
            crumbs: Vec::new(),
            under: None,
            actions: None,
            body,
            reload: None,
        }
    }

    /// The answer.
    pub(super) fn answer(&self, view: &View) -> Response {
        let mut answer = self.markup(view).into_response();
        if view.flash.is_some() {
            flash::said(&mut answer);
        }
        answer
    }

    /// The whole document.
    pub(super) fn markup(&self, view: &View) -> Markup {
        let inner = html! {
            a.skip href="#main" { (view.say("Skip to the content", "跳到正文")) }
            details.menu {
                summary {
                    (brand())
                    span.handle { (view.say("Menu", "菜单")) span aria-hidden="true" { "☰" } }
                }
                div.open {
                    (self.navigation(view))
                    (who(view))
                }
            }
            div.frame {
                header.side {
                    a.brand href="/" { (brand()) }
                    (self.navigation(view))
                    (who(view))
                }
                div {
                    main #main tabindex="-1" {
                        @if let Some(flash) = view.flash {
                            p.note.ok role="status" { (flash.text(view.lang())) }
                        }
                        div.head {
                            div {
                                @if !self.crumbs.is_empty() { (crumbs(view, &self.crumbs)) }
                                div.title {
                                    h1 { bdi { (self.title) } }
                                    @if let Some(badge) = &self.badge { (badge) }
                                }
                                @if let Some(under) = &self.under { div.quiet { (under) } }
                            }
                            @if let Some(actions) = &self.actions { div.actions.row { (actions) } }
                        }
                        (self.body)
                    }
                    footer.page {
                        (view.say("As of", "截至")) " " (time::exact(view.now, view.common_zone()))
                        " " span translate="no" { (view.common_zone().name()) }
                    }
                }
            }
        };
        document(view.lang(), &self.title, self.reload, &inner)
    }

    fn navigation(&self, view: &View) -> Markup {
        let areas = [
            (Area::Overview, "/", view.say("Overview", "概览")),
            (Area::Runs, "/runs", view.say("Runs", "运行")),
            (Area::Quarantine, "/quarantine", view.say("Quarantine", "待修正")),
            (Area::Rules, "/rules", view.say("Rules", "同步规则")),
            (Area::Charts, "/charts", view.say("Charts", "图表")),
            (Area::Alerts, "/alerts", view.say("Alerts", "告警")),
            (Area::Audit, "/audit", view.say("Audit log", "审计日志")),
            (Area::Settings, "/settings", view.say("Settings", "设置")),
        ];
        html! {
            nav aria-label=(view.say("Main", "主导航")) {
                ul.nav {
                    @for (area, page, word) in areas {
                        li {
                            a href=(page) aria-current=[(area == self.area).then_some("page")] {
                                (word)
                                @if area == Area::Alerts && view.alerts > 0 {
                                    span.count {
                                        (view.alerts)
                                        span.hidden { " " (view.say("active", "条未解除")) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn brand() -> Markup {
    html! {
        span.brand {
            img src=(ICON.address()) alt="" width="28" height="28";
            span { "ruzhi " span lang="zh-CN" { "入职" } }
        }
    }
}

fn crumbs(view: &View, crumbs: &[(String, String)]) -> Markup {
    html! {
        nav.crumbs aria-label=(view.say("The way here", "当前位置")) {
            ol { @for (page, word) in crumbs { li { a href=(page) { bdi { (word) } } } } }
        }
    }
}

fn who(view: &View) -> Markup {
    html! {
        div.who {
            (languages(view.lang(), &view.here))
            div {
                bdi { (view.principal.name) } " " span.quiet { "· " (view.word(view.principal.role.label())) }
            }
            // Local access without configured people needs no login, so there is no session to end.
            @if view.csrf.is_some() && view.principal.name != LOCAL {
                form method="post" action="/logout" {
                    (components::csrf(view))
                    button.link type="submit" { (view.say("Log out", "退出登录")) }
                }
            }
        }
    }
}

/// The caller's name for local access when no people are configured.
const LOCAL: &str = "local";

/// Makes a path stay on this server. One that begins with two slashes, or with characters a browser reads as such,
/// would lead to another server.
fn of_this_server(path: &str) -> String {
    let all = |c: char| matches!(c, '/' | '\\') || c.is_control() || c.is_whitespace();
    format!("/{}", path.trim_start_matches(all))
}

/// Links to the same page in the other language.
pub(super) fn languages(lang: Lang, here: &str) -> Markup {
    let here = of_this_server(here);
    let other = |word: &str| {
        let (path, query) = here.split_once('?').unwrap_or((&here, ""));
        let mut kept: Vec<&str> =
            query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang=")).collect();
        let lang = format!("lang={word}");
        kept.push(&lang);
        format!("{path}?{}", kept.join("&"))
    };
    html! {
        div.languages role="group" aria-label=(if lang == Lang::Zh { "语言" } else { "Language" }) {
            @for (code, word, tag, name) in
                [(Lang::Zh, "zh", "zh-CN", "中文"), (Lang::En, "en", "en", "English")] {
                @if code == lang { span lang=(tag) aria-current="true" { (name) } } @else {
                    a href=(other(word)) lang=(tag) hreflang=(tag) { (name) }
                }
            }
        }
    }
}

/// A complete HTML document.
pub(super) fn document(lang: Lang, title: &str, reload: Option<u32>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(if lang == Lang::Zh { "zh-CN" } else { "en" }) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · ruzhi" }
                link rel="icon" type="image/svg+xml" href=(ICON.address());
                link rel="stylesheet" href=(STYLE.address());
                script src=(LIVE.address()) defer {}
                @if let Some(seconds) = reload {
                    noscript { meta http-equiv="refresh" content=(seconds); }
                }
            }
            body { (body) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_the_other_language_leads_to_no_other_server() {
        for (here, link) in [
            ("/runs?state=held", "/runs?state=held&amp;lang=en"),
            ("//evil.example/x", "/evil.example/x?lang=en"),
            ("///evil.example?lang=zh", "/evil.example?lang=en"),
            ("/\\evil.example", "/evil.example?lang=en"),
            ("/\t/evil.example", "/evil.example?lang=en"),
            ("https://evil.example/", "/https://evil.example/?lang=en"),
            ("", "/?lang=en"),
        ] {
            let drawn = languages(Lang::Zh, here).into_string();
            assert!(drawn.contains(&format!("href=\"{link}\"")), "{here}: {drawn}");
        }
    }
}
