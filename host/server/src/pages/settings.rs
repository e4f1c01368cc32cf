//! The settings page, which begins with any difference between the settings in use and the files.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::view::View;
use super::{components, labels, rules, schedule, time};
use ruzhi_app::{AlertsView, ConfigurationStatus, FlowSettings, ProblemView, SettingsView, TenantSettings};
use ruzhi_config::Role;

/// The settings.
pub(super) fn page(view: &View, told: &SettingsView) -> HtmlPage {
    let seconds = |seconds: u64| {
        let span = i64::try_from(seconds).ok().and_then(chrono::TimeDelta::try_seconds).unwrap_or_default();
        time::span(view.lang(), span)
    };
    let body = html! {
        (configuration(view, &told.configuration))
        div.columns {
            section.box aria-labelledby="process-title" {
                header { h2 #process-title { (view.say("The process", "进程")) } }
                div.body {
                    dl.facts {
                        dt { (view.say("Version", "版本")) } dd { code { (told.version) } }
                        dt { (view.say("Running since", "启动时间")) } dd { (time::at_and_ago(view, told.started_at, view.common_zone())) }
                        dt { (view.say("Folder", "配置目录")) } dd { code { (told.dir) } }
                        dt { (view.say("Store", "存储")) } dd { code { (told.store) } }
                        dt { (view.say("Listens on", "监听地址")) } dd { code { (told.server.listen) } }
                        dt { (view.say("Reached at", "访问地址")) } dd { (code_or_none(view, told.server.url.as_deref())) }
                        dt { (view.say("Corps at once", "同时运行的企业")) } dd { (components::number(told.at_once)) }
                        dt { (view.say("Late after", "逾期时限")) } dd { (seconds(told.late_after_seconds)) }
                        dt { (view.say("Memory for rules", "同步规则内存")) } dd { (components::number(told.guest_memory_bytes >> 20)) " MiB" }
                        dt { (view.say("Time for rules", "同步规则时限")) } dd { (components::number(told.guest_deadline_ms)) " ms" }
                        dt { (view.say("Alerts", "告警")) } dd { (alerts(view, &told.alerts)) }
                    }
                }
            }
            section.box aria-labelledby="people-title" {
                header { h2 #people-title { (view.say("Who may come in", "可登录的人")) } }
                @if told.server.people.is_empty() {
                    p.empty { (view.say("Anyone on this machine, as an operator.", "本机上的任何人（操作员）。")) }
                } @else {
                    table.table.keep {
                        caption.hidden { (view.say("Who may come in", "可登录的人")) }
                        thead { tr { th scope="col" { (view.say("Name", "姓名")) } th scope="col" { (view.say("Role", "角色")) } } }
                        tbody {
                            @for person in &told.server.people {
                                tr {
                                    th scope="row" { bdi { (person.name) } }
                                    td { span.badge.plain.run[person.role == Role::Operator] { (view.word(person.role.label())) } }
                                }
                            }
                        }
                    }
                }
            }
        }
        @for tenant in &told.tenants { (tenant_box(view, tenant)) }
    };
    HtmlPage {
        badge: Some(components::badge(if told.configuration.in_use {
            (labels::OK, view.say("running as the files say", "与文件一致"))
        } else {
            (labels::BAD, view.say("not as the files say", "与文件不一致"))
        })),
        under: Some(html! {
            (view.say(
                "As the running process has them. Files are read again when they change; of a secret it is only said whether there is one.",
                "运行中的进程所用的设置。文件变化时自动重新读取；密钥只显示是否已设置。",
            ))
        }),
        ..HtmlPage::new(Area::Settings, view.say("Settings", "设置"), body)
    }
}

fn configuration(view: &View, told: &ConfigurationStatus) -> Markup {
    html! {
        @if !told.in_use {
            section.note.bad role="alert" aria-labelledby="same-title" {
                h2 #same-title { (view.say("The files hold something that does not run", "文件中有内容未生效")) }
                p { (view.say("What ran before goes on. Mend these places; the files are then read again by themselves.", "原有设置继续运行。请修正以下各处，文件会自动重新读取。")) }
                @if let Some(error) = told.error.as_ref().filter(|_| told.problems.is_empty()) { (components::report(view, error)) }
                @for problem in &told.problems { (place(view, problem)) }
            }
        }
        @if !told.warnings.is_empty() {
            section.note.warn aria-labelledby="warnings-title" {
                h2 #warnings-title { (view.say("In use, but please review", "已生效，但请留意")) }
                @for problem in &told.warnings { (place(view, problem)) }
            }
        }
    }
}

fn place(view: &View, problem: &ProblemView) -> Markup {
    html! {
        div.stack {
            p {
                code {
                    (problem.file)
                    @if let Some(line) = problem.line { ":" (line) @if let Some(column) = problem.column { ":" (column) } }
                }
                " " strong { bdi { (problem.text.in_lang(view.lang())) } }
            }
            @if let Some(line) = &problem.source_line { pre dir="auto" { code { (line) } } }
            @if let Some(hint) = &problem.hint { p.quiet { bdi { (hint.in_lang(view.lang())) } } }
        }
    }
}

fn code_or_none(view: &View, value: Option<&str>) -> Markup {
    html! { @match value { Some(value) => { code { (value) } } None => { span.quiet { (view.say("not set", "未设置")) } } } }
}

fn set(view: &View, set: bool) -> Markup {
    if set {
        components::badge((labels::OK, view.say("set", "已设置")))
    } else {
        html! { span.quiet { (view.say("not set", "未设置")) } }
    }
}

fn alerts(view: &View, alerts: &AlertsView) -> Markup {
    let lang = match alerts.lang.as_deref() {
        Some("zh") => view.say("in Chinese", "中文"),
        Some("en") => view.say("in English", "英文"),
        _ => view.say("in both languages", "中英双语"),
    };
    html! {
        div.row {
            span { (view.say("group robot", "群机器人")) " " (set(view, alerts.robot)) }
            span { (view.say("address", "地址")) " " (set(view, alerts.url)) }
            @if alerts.robot { span.quiet { (lang) } }
        }
    }
}

fn tenant_box(view: &View, tenant: &TenantSettings) -> Markup {
    let id = format!("tenant-{}", tenant.id);
    html! {
        section.box aria-labelledby=(id) {
            header {
                div.row { h2 #(id) { bdi { (tenant.name) } } code { (tenant.id) } }
                code.quiet { (tenant.file) }
            }
            div.body {
                div.columns {
                    dl.facts {
                        dt { (view.say("Time zone", "时区")) } dd { code { (tenant.timezone) } }
                        dt { (view.say("Corp", "企业")) } dd { code { (tenant.corp_id) } }
                        dt { (view.say("WeCom", "企业微信")) } dd { code { (tenant.wecom) } @if tenant.proxy { " " (view.say("through a proxy", "经代理")) } }
                        dt { (view.say("JianDaoYun", "简道云")) } dd { code { (tenant.jiandaoyun) } @if tenant.jiandaoyun_proxy { " " (view.say("through a proxy", "经代理")) } }
                        dt { (view.say("Calls", "调用限额")) }
                        dd {
                            (view.tell(
                                format!("{} a minute, {} an hour, {} at once", components::number(tenant.per_minute), components::number(tenant.per_hour), tenant.in_flight),
                                format!("每分钟 {}，每小时 {}，同时 {}", components::number(tenant.per_minute), components::number(tenant.per_hour), tenant.in_flight),
                            ))
                        }
                        dt { (view.say("CSV job", "批量导入")) }
                        dd {
                            @if tenant.batch_from == 0 { (view.say("never", "从不")) } @else {
                                (view.tell(format!("from {} people on", components::number(tenant.batch_from)), format!("{} 人起", components::number(tenant.batch_from))))
                            }
                        }
                    }
                    dl.facts {
                        dt { (view.say("Guard", "审批限额")) }
                        dd {
                            ul.counts {
                                @for limit in &tenant.guard {
                                    li {
                                        code { (limit.key) } " "
                                        @match limit.most { Some(most) => { (components::number(most)) } None => { (view.say("no limit", "不限")) } }
                                    }
                                }
                            }
                        }
                        dt { (view.say("Grace", "删除宽限期")) }
                        dd { (view.tell(format!("{} days", tenant.grace_days), format!("{} 天", tenant.grace_days))) }
                        dt { (view.say("Protected", "受保护成员")) }
                        dd {
                            @if tenant.protected.is_empty() { span.quiet { (view.say("none", "无")) } }
                            @for userid in &tenant.protected { code { (userid) } " " }
                        }
                        dt { (view.say("Alerts", "告警")) }
                        dd {
                            @match &tenant.alerts {
                                Some(own) => { (alerts(view, own)) }
                                None => { span.quiet { (view.say("as the host", "同主机设置")) } }
                            }
                        }
                        dt { (view.say("Secrets", "密钥")) }
                        dd { div.stack { @for secret in &tenant.secrets { span { code { (secret.key) } " " (set(view, secret.set)) } } } }
                    }
                }
                @for flow in &tenant.flows { (flow_part(view, flow)) }
            }
        }
    }
}

fn flow_part(view: &View, flow: &FlowSettings) -> Markup {
    html! {
        details.more {
            summary {
                span { (view.say("Flow", "同步流")) " " code { (flow.id) } " " (components::badge(labels::offers(view, flow.rules.is))) }
            }
            dl.facts {
                dt { (view.say("Schedule", "运行时间")) } dd {
                    @match flow.schedule.as_deref() {
                        Some(expression) => { (schedule::schedule(view, expression)) }
                        None => { span.quiet { (view.say("not set", "未设置")) } }
                    }
                }
                dt { (view.say("Form", "表单")) } dd { code { (flow.form) } }
                dt { (view.say("Rows", "数据范围")) }
                dd {
                    @match &flow.filter {
                        Some(filter) => { pre { code { (pretty(filter)) } } }
                        None => { (view.say("all", "全部")) }
                    }
                }
                dt { (view.say("Overlap", "重叠时间")) }
                dd { (time::span(view.lang(), i64::try_from(flow.overlap_seconds).ok().and_then(chrono::TimeDelta::try_seconds).unwrap_or_default())) }
                dt { (view.say("Duplicates", "重复记录")) } dd { code { (flow.duplicates) } }
                dt { (view.say("Absent rows", "消失的记录")) } dd { code { (flow.absent) } }
                dt { (view.say("Push", "推送")) } dd { (set(view, flow.push)) }
                dt { (view.say("Write-back", "回写")) }
                dd { @match &flow.write_back { Some(field) => { bdi { (field) } } None => { span.quiet { (view.say("off", "关闭")) } } } }
                dt { (view.say("Rules", "同步规则")) } dd { (rules::files(view, &flow.rules)) }
            }
        }
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
