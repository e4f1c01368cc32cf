//! Faults of the services and of the network between, switched on by rules. A rule fires depending on the seed and the
//! requests alone, so a run with faults can be repeated.

use serde::{Deserialize, Serialize};

use crate::message::Request;
use crate::random::Random;

/// One of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// 简道云.
    JianDaoYun,
    /// 企业微信.
    WeCom,
}

/// The fault. "Before" means before the service acted, "after" once it has acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection is reset before the service acts.
    ResetBefore,
    /// The service acts, then the connection is reset without an answer.
    ResetAfter,
    /// The answer is delayed by `delay_ms`.
    Slow,
    /// An HTML page with HTTP 502; the service did nothing.
    BadGatewayBefore,
    /// An HTML page with HTTP 502; the service acted.
    BadGatewayAfter,
    /// The service acts and answers; the JSON is cut in the middle.
    Truncated,
    /// WeCom: errcode -1, nothing done.
    BusyBefore,
    /// WeCom: errcode -1 although the work is done.
    BusyAfter,
    /// WeCom: 6000, nothing done.
    VersionConflict,
    /// WeCom: 45009, and the API stays closed to the corp for `window_ms`.
    RateLimited,
    /// WeCom: 45033, nothing done.
    TooConcurrent,
    /// WeCom: the token of this call expires early; 40014 and 42001 in turn.
    RevokeToken,
    /// WeCom: errcode as a string.
    StringErrcode,
    /// WeCom: a success whose errmsg carries `Warning: wrong json format. `.
    Warning,
    /// JianDaoYun: 8303.
    CompanyLimited,
    /// JianDaoYun: 8304.
    EndpointLimited,
    /// JianDaoYun: HTTP 429 with a body that is not JSON.
    TooManyRequests,
    /// JianDaoYun: data/list gives half of the page although more rows follow.
    ShortPage,
    /// JianDaoYun: data/list gives no row although there are some.
    EmptyPage,
    /// The request is held before the service acts, and never answered. [`Simulator::release`] lets the service act
    /// after all, as for a request that was on its way when its caller died.
    ///
    /// [`Simulator::release`]: crate::Simulator::release
    StallBefore,
    /// The service acts, and its answer never comes.
    StallAfter,
    /// WeCom: `errcode`, nothing done.
    Refused,
    /// user/list_id answers from the directory as it was when the rules were set, like a late replica.
    StaleList,
    /// WeCom: the member that the call names is deleted in the console just before the service acts.
    RemovedByHand,
    /// The pages of user/list_id or data/list repeat: after `period` pages the first comes again, without end.
    CursorCycle,
}

impl FaultKind {
    /// True if the fault can happen to this call at all; a rule passes over every other call without counting it.
    fn concerns(self, service: Service, api: &str) -> bool {
        match self {
            Self::ResetBefore
            | Self::ResetAfter
            | Self::Slow
            | Self::BadGatewayBefore
            | Self::BadGatewayAfter
            | Self::Truncated
            | Self::StallBefore
            | Self::StallAfter => true,
            Self::RevokeToken => service == Service::WeCom && api != "gettoken",
            Self::BusyBefore
            | Self::BusyAfter
            | Self::VersionConflict
            | Self::RateLimited
            | Self::TooConcurrent
            | Self::StringErrcode
            | Self::Warning
            | Self::Refused => service == Service::WeCom,
            Self::CompanyLimited | Self::EndpointLimited | Self::TooManyRequests => {
                service == Service::JianDaoYun
            }
            Self::ShortPage | Self::EmptyPage => service == Service::JianDaoYun && api == "data/list",
            Self::RemovedByHand => service == Service::WeCom && api.starts_with("user/"),
            Self::StaleList => service == Service::WeCom && api == "user/list_id",
            Self::CursorCycle => matches!(api, "user/list_id" | "data/list"),
        }
    }
}

/// Conditions of a fault. Of the matching requests, `skip` pass; then it happens to the `next` ones, to every
/// `every`-th, and to `per_mille` of a thousand by the seed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The fault.
    pub kind: FaultKind,
    /// Only to this service.
    #[serde(default)]
    pub service: Option<Service>,
    /// Only to this API, such as `user/create` or `data/list`.
    #[serde(default)]
    pub api: Option<String>,
    /// Only to requests whose query or body contains this text.
    #[serde(default)]
    pub containing: Option<String>,
    /// Number of matching requests that pass first.
    #[serde(default)]
    pub skip: u64,
    /// Number of matching requests it then happens to.
    #[serde(default)]
    pub next: u64,
    /// To every such matching request; 0 is never.
    #[serde(default)]
    pub every: u64,
    /// Share of matching requests, per thousand.
    #[serde(default)]
    pub per_mille: u64,
    /// Extra delay of the answer.
    #[serde(default)]
    pub delay_ms: u64,
    /// `rate_limited`: how long the API stays closed.
    #[serde(default = "one_minute")]
    pub window_ms: u64,
    /// `refused`: the code.
    #[serde(default)]
    pub errcode: i32,
    /// `cursor_cycle`: the number of pages in the cycle.
    #[serde(default = "two_pages")]
    pub period: u64,
}

fn two_pages() -> u64 {
    2
}

fn one_minute() -> u64 {
    60_000
}

impl FaultRule {
    /// A rule that never fires until one of its counts is set.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            service: None,
            api: None,
            containing: None,
            skip: 0,
            next: 0,
            every: 0,
            per_mille: 0,
            delay_ms: 0,
            window_ms: one_minute(),
            errcode: 0,
            period: two_pages(),
        }
    }

    /// WeCom refuses with this code.
    pub fn refused(errcode: i32) -> Self {
        Self { errcode, ..Self::new(FaultKind::Refused) }
    }

    /// Only to this API.
    #[must_use]
    pub fn api(mut self, api: &str) -> Self {
        self.api = Some(api.to_owned());
        self
    }

    /// Only to this service.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Only to requests whose query or body contains this text.
    #[must_use]
    pub fn containing(mut self, text: &str) -> Self {
        self.containing = Some(text.to_owned());
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// To the next `count` matching requests.
    #[must_use]
    pub fn next(mut self, count: u64) -> Self {
        self.next = count;
        self
    }

    /// To `share` of a thousand matching requests.
    #[must_use]
    pub fn per_mille(mut self, share: u64) -> Self {
        self.per_mille = share;
        self
    }
}

/// The rules in force; the first that fires on a request decides.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Seed of all random choices.
    pub seed: u64,
    /// Rules in order.
    pub rules: Vec<FaultRule>,
}

/// A fault that happens to the request at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) delay_ms: u64,
    pub(crate) window_ms: u64,
    pub(crate) errcode: i32,
    pub(crate) period: u64,
}

/// The rules with their counts so far.
#[derive(Debug, Default)]
pub(crate) struct FaultState {
    rules: Vec<ArmedRule>,
}

#[derive(Debug)]
struct ArmedRule {
    rule: FaultRule,
    matched: u64,
    random: Random,
}

impl FaultState {
    pub(crate) fn replace(&mut self, faults: Faults) {
        let arm = |(index, rule): (usize, FaultRule)| {
            let seed = faults.seed ^ (index as u64 + 1).wrapping_mul(0xd1b5_4a32_d192_ed03);
            ArmedRule { rule, matched: 0, random: Random::new(seed) }
        };
        self.rules = faults.rules.clone().into_iter().enumerate().map(arm).collect();
    }

    /// True if a rule is of this kind.
    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.rules.iter().any(|armed| armed.rule.kind == kind)
    }

    pub(crate) fn draw(&mut self, service: Service, api: &str, request: &Request) -> Option<Fault> {
        self.rules.iter_mut().find_map(|armed| armed.draw(service, api, request))
    }
}

impl ArmedRule {
    fn draw(&mut self, service: Service, api: &str, request: &Request) -> Option<Fault> {
        let rule = &self.rule;
        let matches = rule.kind.concerns(service, api)
            && rule.service.is_none_or(|only| only == service)
            && rule.api.as_deref().is_none_or(|only| only == api)
            && rule.containing.as_deref().is_none_or(|text| contains(request, text));
        if !matches {
            return None;
        }
        self.matched += 1;
        let turn = self.matched.checked_sub(rule.skip + 1)?;
        // A random number is drawn for every match, so that the counts do not shift later draws.
        let by_chance = self.random.below(1000) < rule.per_mille;
        let by_count = turn < rule.next || (turn + 1).checked_rem(rule.every) == Some(0);
        (by_chance || by_count).then_some(Fault {
            kind: rule.kind,
            delay_ms: rule.delay_ms,
            window_ms: rule.window_ms,
            errcode: rule.errcode,
            period: rule.period.max(1),
        })
    }
}

fn contains(request: &Request, text: &str) -> bool {
    let in_query = request.query.iter().any(|(_, value)| value.contains(text));
    in_query || String::from_utf8_lossy(&request.body).contains(text)
}
