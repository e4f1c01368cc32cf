//! A plan for a person. Values stay out of it: the changed fields are enough to decide, and no one's number is shown.

use super::counts::Counts;
use super::draft::{Plan, Purpose};
use ruzhi_guest::mask::{self, Numbers};
use ruzhi_model::{Lang, Member, Operation, OperationKind, Origin, Rejection, TenantId};

/// Writes a plan piece by piece: its head, its operations, its rejections, its sum.
pub struct PlanRenderer<'a> {
    /// The language.
    pub lang: Lang,
    /// Gives a field's label.
    pub label: &'a dyn Fn(&str) -> String,
}

impl PlanRenderer<'_> {
    fn say<'b>(&self, en: &'b str, zh: &'b str) -> &'b str {
        if self.lang == Lang::Zh { zh } else { en }
    }

    /// The plan's name, and the guard's verdict.
    pub fn head(&self, plan: &Plan) -> String {
        let mut lines =
            vec![format!("{} {} ({}/{})", self.say("plan", "计划"), plan.id, plan.tenant, plan.flow)];
        match &plan.purpose {
            Purpose::Sync => {}
            Purpose::Adopt { .. } => {
                lines.push(format!("  {}", self.say("takes over members", "接管已有成员")))
            }
            Purpose::Revert { run } => lines.push(format!("  {} {run}", self.say("undoes run", "撤销运行"))),
            Purpose::Drift { .. } => {
                lines.push(format!("  {}", self.say("settles what was changed by hand", "处理手工改动")));
            }
        }
        if plan.guard.holds() {
            lines.extend(plan.guard.reasons.iter().map(|reason| {
                format!(
                    "  {}{}{} ({})",
                    self.say("held by the guard", "待审批"),
                    self.say(": ", "："),
                    reason.text.in_lang(self.lang),
                    reason.limit
                )
            }));
        } else {
            lines.push(format!("  {}", self.say("guard: passes", "审批限额：未超出")));
        }
        lines.join("\n")
    }

    /// One operation of a tenant's plan.
    pub fn operation(&self, tenant: &TenantId, operation: &Operation) -> String {
        let what = match operation.kind {
            OperationKind::Create => newcomer(&operation.member, self.lang),
            OperationKind::Delete | OperationKind::Adopt => String::new(),
            // The sign says this already.
            OperationKind::Disable | OperationKind::Enable => {
                let changes = operation.changes().filter(|field| *field != "enable");
                changes.map(self.label).collect::<Vec<_>>().join(self.say(", ", "、"))
            }
            _ => operation.changes().map(self.label).collect::<Vec<_>>().join(self.say(", ", "、")),
        };
        let moved = operation
            .moved_from(tenant)
            .map(|(tenant, flow)| format!("  {} {tenant}/{flow}", self.say("moves here from", "转自")));
        let first = match operation.parks {
            Some(field) => {
                let field = (self.label)(field.as_str());
                match self.lang {
                    Lang::En => format!("  (empties {field} first: another member takes the value)"),
                    Lang::Zh => format!("  （先清空{field}，供其他成员使用）"),
                }
            }
            None => String::new(),
        };
        let notes: String = operation
            .notes
            .iter()
            .map(|note| match self.lang {
                Lang::En => format!("  ({})", note.en),
                Lang::Zh => format!("  （{}）", note.zh),
            })
            .collect();
        let line = format!(
            "  {} {}  {} {}  {what}{first}{notes}{}",
            sign(operation.kind),
            operation.userid,
            self.say("record", "记录"),
            operation.record,
            moved.unwrap_or_default()
        );
        line.trim_end().to_owned()
    }

    /// The reasons a record is rejected, one line for each.
    pub fn rejection(&self, origin: &Origin, rejection: &Rejection) -> String {
        let line = |violation: &ruzhi_model::Violation| {
            format!(
                "  ! {} {}  {} [{}] {}",
                self.say("record", "记录"),
                origin.record,
                (self.label)(&violation.field),
                violation.rule,
                self.lang.of(&violation.message)
            )
        };
        rejection.violations.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The totals.
    pub fn sum(&self, counts: &Counts) -> String {
        let word = |kind: OperationKind| kind.label().in_lang(self.lang);
        let all = [
            (word(OperationKind::Create), counts.created, true),
            (word(OperationKind::Update), counts.updated, true),
            (word(OperationKind::Disable), counts.disabled, true),
            (word(OperationKind::Enable), counts.enabled, true),
            (word(OperationKind::Delete), counts.deleted, true),
            (word(OperationKind::Adopt), counts.adopted, false),
            (word(OperationKind::Keep), counts.kept, false),
            (self.say("unchanged", "不变"), counts.unchanged, true),
            (self.say("ignored", "忽略"), counts.ignored, true),
            (self.say("rejected", "待修正"), counts.rejected, true),
            (self.say("failed", "失败"), counts.failed, true),
        ];
        let shown = all.iter().filter(|(_, count, always)| *always || *count > 0);
        let shown: Vec<String> = shown.map(|(word, count, _)| format!("{word} {count}")).collect();
        format!("{}{}", self.say("in all: ", "合计："), shown.join(self.say(", ", "，")))
    }
}

/// A new member: name, departments, and any invitation.
fn newcomer(member: &Member, lang: Lang) -> String {
    let departments: Vec<String> = member.memberships.iter().map(|m| m.department.to_string()).collect();
    let invited = match (member.to_invite, lang) {
        (Some(true), Lang::En) => "  is invited",
        (Some(true), Lang::Zh) => "  发送邀请",
        _ => "",
    };
    format!("{}  {}{invited}", mask::text(&member.name, Numbers::Long), departments.join(","))
}

fn sign(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Create => "+",
        OperationKind::Update => "~",
        OperationKind::Disable => "-",
        OperationKind::Enable => "^",
        OperationKind::Delete => "×",
        OperationKind::Adopt => "=",
        OperationKind::Keep => "·",
    }
}
