//! The login page, which asks for an access token.

use maud::{Markup, html};

use super::asset::ICON;
use super::layout;
use ruzhi_message::Report;
use ruzhi_model::Lang;

/// The login page. `next` is a path of this server.
pub(crate) fn page(lang: Lang, next: &str, problem: Option<&Report>) -> Markup {
    let say = |en: &'static str, zh: &'static str| if lang == Lang::Zh { zh } else { en };
    let back = super::view::View::address(["login"], [("next", Some(next))]);
    let body = html! {
        div.login {
            main #main {
                div.row.between {
                    div.row {
                        img src=(ICON.address()) alt="" width="40" height="40";
                        h1 { "ruzhi " span lang="zh-CN" { "入职" } }
                    }
                    (layout::languages(lang, &back))
                }
                p.quiet {
                    (say(
                        "Keeps the WeCom directory in step with the onboarding form.",
                        "让企业微信通讯录与入职表单保持一致。",
                    ))
                }
                @if let Some(problem) = problem {
                    div.note.bad role="alert" #problem {
                        p { strong { (problem.text().in_lang(lang)) } }
                        @if let Some(hint) = problem.page_hint() { p { (hint.in_lang(lang)) } }
                    }
                }
                div.box {
                    form.body method="post" action="/login" {
                        input type="hidden" name="next" value=(next);
                        div.field {
                            label for="token" { (say("Access token", "访问令牌")) }
                            input #token name="token" type="password" autocomplete="current-password" required
                                autofocus aria-describedby="where";
                            p.quiet.small #where {
                                (say(
                                    "Your token from ruzhi.toml; ask the administrator if you do not have it.",
                                    "即 ruzhi.toml 中您的令牌，可向管理员询问。",
                                ))
                            }
                        }
                        button.primary type="submit" { (say("Log in", "登录")) }
                    }
                }
            }
        }
    };
    layout::document(lang, say("Log in", "登录"), None, &body)
}
