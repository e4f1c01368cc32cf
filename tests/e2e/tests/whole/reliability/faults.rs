//! The faults, the calls they can happen to, and their duration.

use std::fmt::Debug;

use ruzhi_e2e::Tenant;
use ruzhi_sim::{FaultKind, FaultRule, Service};

use FaultKind as Kind;

use super::steps::{self, Step};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Kind(FaultKind),
    /// Wrong settings: every call is refused until a person corrects them.
    Refused(i32),
    /// Refused, and accepted the next time.
    Said(i32),
    /// One member is out of reach until a day later.
    OneMember(i32),
    /// The process is killed when the service has received the call: before it acts, or after.
    Killed {
        before: bool,
    },
    /// The answer is lost, and the listing that would settle it is late.
    LostAndLate,
    /// The member was deleted in the console before the run.
    RemovedBefore,
    /// This machine's clock is this many minutes ahead.
    ClockAhead(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    /// One call meets the fault.
    Once,
    /// Every such call of the run meets the fault.
    TheWholeRun,
}

/// A row of the document. Faults that only make a run wait are not tried for a whole run.
pub(super) struct FaultRow {
    pub(super) fault: Fault,
    pub(super) said: (&'static str, &'static str),
    whole_run: bool,
}

const fn row(fault: Fault, whole_run: bool, en: &'static str, zh: &'static str) -> FaultRow {
    FaultRow { fault, said: (en, zh), whole_run }
}

pub(super) const FAULTS: [FaultRow; 36] = [
    row(Fault::Kind(Kind::ResetBefore), true, "connection reset, not done", "连接重置，未执行"),
    row(Fault::Kind(Kind::ResetAfter), true, "connection reset, done", "连接重置，已执行"),
    row(Fault::Kind(Kind::StallBefore), false, "no answer, not done", "无应答，未执行"),
    row(Fault::Kind(Kind::StallAfter), false, "no answer, done", "无应答，已执行"),
    row(Fault::Kind(Kind::Slow), true, "slow answer", "应答缓慢"),
    row(Fault::Kind(Kind::BadGatewayBefore), true, "HTTP 502, not done", "HTTP 502，未执行"),
    row(Fault::Kind(Kind::BadGatewayAfter), true, "HTTP 502, done", "HTTP 502，已执行"),
    row(Fault::Kind(Kind::Truncated), true, "half of the JSON, done", "JSON 不完整，已执行"),
    row(Fault::Kind(Kind::BusyBefore), true, "-1, not done", "-1，未执行"),
    row(Fault::Kind(Kind::BusyAfter), true, "-1, done", "-1，已执行"),
    row(Fault::Kind(Kind::VersionConflict), true, "6000", "6000"),
    row(Fault::Kind(Kind::RateLimited), false, "45009", "45009"),
    row(Fault::Kind(Kind::TooConcurrent), false, "45033", "45033"),
    row(Fault::Kind(Kind::RevokeToken), true, "token ended early", "令牌提前失效"),
    row(Fault::Kind(Kind::StringErrcode), true, "errcode as a string", "errcode 为文本"),
    row(Fault::Kind(Kind::Warning), true, "success with a warning", "成功但带 warning"),
    row(Fault::Refused(60020), true, "60020, address not trusted", "60020，IP 不可信"),
    row(Fault::Refused(48002), true, "48002, not allowed", "48002，无权限"),
    row(Fault::Refused(40001), true, "40001, wrong secret", "40001，secret 错误"),
    row(Fault::Kind(Kind::CompanyLimited), true, "8303", "8303"),
    row(Fault::Kind(Kind::EndpointLimited), true, "8304", "8304"),
    row(Fault::Kind(Kind::TooManyRequests), true, "HTTP 429", "HTTP 429"),
    row(Fault::Kind(Kind::ShortPage), true, "half of a page", "页内缺行"),
    row(Fault::Kind(Kind::EmptyPage), true, "empty page", "空页"),
    row(Fault::Said(60111), true, "60111, although listed", "60111，但成员列表中仍有"),
    row(
        Fault::Kind(Kind::RemovedByHand),
        false,
        "member removed in the console during the run",
        "运行期间成员被手工删除",
    ),
    row(Fault::RemovedBefore, false, "member removed in the console before the run", "运行前成员被手工删除"),
    row(Fault::OneMember(60011), false, "60011 for one member", "60011，仅一名成员"),
    row(Fault::Said(45024), true, "45024, account full", "45024，人数已满"),
    row(Fault::Kind(Kind::StaleList), true, "listing is late", "成员列表滞后"),
    row(
        Fault::LostAndLate,
        false,
        "connection reset, done; listing is late",
        "连接重置，已执行；成员列表滞后",
    ),
    row(Fault::Kind(Kind::CursorCycle), true, "pages repeat", "分页循环"),
    row(Fault::ClockAhead(30), true, "this machine's clock 30 min ahead", "本机时钟快 30 分钟"),
    row(Fault::ClockAhead(-30), true, "this machine's clock 30 min behind", "本机时钟慢 30 分钟"),
    row(Fault::Killed { before: true }, false, "killed, not done", "进程被杀，未执行"),
    row(Fault::Killed { before: false }, false, "killed, done", "进程被杀，已执行"),
];

/// The member that the steps are about.
pub(super) const MEMBER: &str = "W0005";

impl FaultRow {
    /// True if the document has a cell for this fault at this step.
    pub(super) fn is_tried(&self, step: &Step, lasting: Lasting) -> bool {
        let whole = lasting == Lasting::TheWholeRun;
        let for_so_long = match self.fault {
            // Wrong settings never affect one call only, nor does a clock.
            Fault::Refused(_) => !whole,
            Fault::ClockAhead(_) => whole,
            _ => !whole || self.whole_run,
        };
        self.fault.happens_to(step) && for_so_long && !self.fault.is_only_waited_for(step, lasting)
    }
}

impl Fault {
    fn kind(self) -> FaultKind {
        match self {
            Self::Kind(kind) => kind,
            Self::Killed { before: true } => Kind::StallBefore,
            Self::Killed { before: false } => Kind::StallAfter,
            _ => Kind::Refused,
        }
    }

    fn happens_to(self, step: &Step) -> bool {
        let writes = step.api.starts_with("user/") && !matches!(step.api, "user/list_id" | "user/getuserid");
        let knows = writes && step.api != "user/create";
        match self {
            Self::Said(60111) | Self::RemovedBefore | Self::Kind(Kind::RemovedByHand) => return knows,
            Self::Said(45024) => return step.api == "user/create",
            Self::OneMember(_) | Self::LostAndLate => return writes,
            Self::ClockAhead(_) => return step.what.0 == "first page",
            _ => {}
        }
        match self.kind() {
            Kind::RevokeToken => step.service == Service::WeCom && step.api != "gettoken",
            Kind::BusyBefore
            | Kind::BusyAfter
            | Kind::VersionConflict
            | Kind::RateLimited
            | Kind::TooConcurrent
            | Kind::StringErrcode
            | Kind::Warning
            | Kind::Refused => step.service == Service::WeCom,
            Kind::CompanyLimited | Kind::EndpointLimited | Kind::TooManyRequests => {
                step.service == Service::JianDaoYun
            }
            Kind::ShortPage | Kind::EmptyPage => step.api == "data/list",
            Kind::StaleList => step.api == "user/list_id",
            Kind::CursorCycle => step.api == "user/list_id" || step.what.0 == "second page",
            _ => true,
        }
    }

    /// A run that meets the fault waits for most of a minute; such cells wait side by side.
    pub(super) fn waits(self, step: &Step, lasting: Lasting) -> bool {
        let killed = matches!(self, Self::Killed { .. });
        matches!(self.kind(), Kind::StallBefore | Kind::StallAfter | Kind::RateLimited) && !killed
            || step.service == Service::JianDaoYun
                && lasting == Lasting::TheWholeRun
                && !matches!(self, Self::ClockAhead(_) | Self::Kind(Kind::CursorCycle))
    }

    /// A file's upload is waited for two minutes and a job's result a quarter of an hour, which shows nothing new.
    fn is_only_waited_for(self, step: &Step, lasting: Lasting) -> bool {
        let unanswered = matches!(self, Self::Kind(Kind::StallBefore | Kind::StallAfter));
        step.api == "media/upload" && unanswered
            || step.api == "batch/getresult" && lasting == Lasting::TheWholeRun
    }

    /// True if a person deletes the member in the console.
    pub(super) fn removes(self) -> bool {
        matches!(self, Self::RemovedBefore | Self::Kind(Kind::RemovedByHand))
    }

    /// The tenant's settings beyond the step's own.
    pub(super) fn tenant(self, tenant: Tenant) -> Tenant {
        match self {
            _ if self.removes() => steps::recreating(tenant),
            Self::ClockAhead(_) => steps::incremental(tenant),
            _ => tenant,
        }
    }

    /// The simulator's fault rules; none if the fault does not concern an answer.
    pub(super) fn rules(self, step: &Step, lasting: Lasting) -> Vec<FaultRule> {
        let rule = match self {
            Self::Refused(errcode) | Self::Said(errcode) => FaultRule::refused(errcode),
            Self::LostAndLate => FaultRule::new(Kind::ResetAfter),
            Self::OneMember(_) | Self::RemovedBefore | Self::ClockAhead(_) => return Vec::new(),
            _ => FaultRule::new(self.kind()),
        };
        let next = match (self, lasting) {
            // Wrong settings stay wrong until a person corrects them.
            (Self::Refused(_), _) | (_, Lasting::TheWholeRun) => u64::MAX,
            (_, Lasting::Once) => 1,
        };
        let delay_ms = if rule.kind == Kind::Slow { 150 } else { 0 };
        // WeCom's window is a minute; the simulator's may be shorter, since ruzhi waits the full minute anyway.
        let rule = FaultRule { delay_ms, window_ms: 1_000, period: 1, ..rule };
        let rule = rule.service(step.service).api(step.api).skip(step.skip).next(next);
        match self {
            Self::LostAndLate => vec![rule, FaultRule::new(Kind::StaleList).next(u64::MAX)],
            _ => vec![rule],
        }
    }
}
