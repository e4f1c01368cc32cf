//! A plan for a person. Values stay out of it: which fields change is enough to decide, and nobody's number is shown.

use serde_json::{Map, Value};

use super::planner::{Plan, Standing};
use crate::model::{Lang, Member, OperationKind};

/// The plan as lines of text: the guard's verdict first, then operations, then refusals. `label` gives a field's label.
pub fn render(plan: &Plan, lang: Lang, label: &dyn Fn(&str) -> String) -> String {
    let say = |en: &str, zh: &str| if lang == Lang::Zh { zh.to_owned() } else { en.to_owned() };
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(format!("{} {} ({}/{})", say("plan", "计划"), plan.id, plan.tenant, plan.flow));
    if plan.guard.holds() {
        for reason in &plan.guard.reasons {
            line(format!(
                "  {}: {} ({})",
                say("held by the guard", "被熔断"),
                reason.text.in_lang(lang),
                reason.limit
            ));
        }
    } else {
        line(format!("  {}", say("guard: passes", "熔断检查：通过")));
    }
    for operation in &plan.operations {
        line(format!(
            "  {} {}  {} {}  {}",
            sign(operation.kind),
            operation.userid,
            say("record", "记录"),
            operation.record,
            match operation.kind {
                OperationKind::Create => newcomer(&operation.member, lang),
                OperationKind::Delete => String::new(),
                _ => operation.changes().map(label).collect::<Vec<_>>().join(", "),
            }
        ));
    }
    for (record, standing) in &plan.standings {
        match standing {
            Standing::Refused { refusal } => {
                for violation in &refusal.violations {
                    line(format!(
                        "  ! {} {}  {} [{}] {}",
                        say("record", "记录"),
                        record,
                        label(&violation.field),
                        violation.rule,
                        violation.message
                    ));
                }
            }
            Standing::Failed { reason } => {
                line(format!("  x {} {}  {}", say("record", "记录"), record, reason));
            }
            _ => {}
        }
    }
    let counts = plan.counts();
    let all = [
        (say("create", "新增"), counts.created),
        (say("update", "更新"), counts.updated),
        (say("disable", "停用"), counts.disabled),
        (say("enable", "启用"), counts.enabled),
        (say("delete", "删除"), counts.deleted),
        (say("unchanged", "不变"), counts.unchanged),
        (say("ignored", "忽略"), counts.ignored),
        (say("refused", "待修正"), counts.refused),
        (say("failed", "失败"), counts.failed),
    ];
    let all: Vec<String> = all.iter().map(|(word, count)| format!("{word} {count}")).collect();
    line(format!("{}: {}", say("in all", "合计"), all.join(", ")));
    out
}

/// Who is created: name, departments, and whether an invitation goes out.
fn newcomer(member: &Member, lang: Lang) -> String {
    let departments: Vec<String> = member.memberships.iter().map(|m| m.department.to_string()).collect();
    let invited = match (member.to_invite, lang) {
        (Some(true), Lang::En) => "  is invited",
        (Some(true), Lang::Zh) => "  发送邀请",
        _ => "",
    };
    format!("{}  {}{invited}", hide_numbers(&member.name), departments.join(","))
}

fn sign(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Create => "+",
        OperationKind::Update => "~",
        OperationKind::Disable => "-",
        OperationKind::Enable => "^",
        OperationKind::Delete => "×",
    }
}

/// A request body in which numbers and addresses of a person cannot be read in full.
pub fn masked(body: &Map<String, Value>) -> Map<String, Value> {
    body.iter()
        .map(|(field, value)| {
            let private = matches!(
                field.as_str(),
                "mobile" | "email" | "biz_mail" | "telephone" | "address" | "extattr"
            );
            let shown = match value {
                Value::String(text) if private => Value::String(mask(text)),
                _ if private => Value::String("…".to_owned()),
                Value::String(text) if field != "userid" => Value::String(hide_numbers(text)),
                other => other.clone(),
            };
            (field.clone(), shown)
        })
        .collect()
}

/// Long runs of digits in a free text may be a mobile or an identity number: their middle is hidden.
fn hide_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut digits = String::new();
    for c in text.chars().chain(std::iter::once('\0')) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        shown.push_str(&if digits.len() >= 7 { mask(&digits) } else { std::mem::take(&mut digits) });
        digits.clear();
        if c != '\0' {
            shown.push(c);
        }
    }
    shown
}

/// Keeps the ends of a text, enough to recognise what one already knows.
fn mask(text: &str) -> String {
    let count = text.chars().count();
    if count <= 4 {
        return "…".to_owned();
    }
    let kept = if count > 8 { 3 } else { 1 };
    let start: String = text.chars().take(kept).collect();
    let end: String = text.chars().skip(count - 2).collect();
    format!("{start}…{end}")
}
