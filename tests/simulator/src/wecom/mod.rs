//! 企业微信's contact API. A call passes the gates in the order of the reference: token, address, permission, rate, JSON,
//! meaning, commit; an error at one gate never shows at a later one.

mod api;
mod batch;
mod body;
mod corp;
mod csv_file;
mod department;
mod field;
mod listing;
mod lookup;
mod member;
mod patch;
mod token;
mod user;
mod verdict;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;

pub use api::CredentialKind;
use api::{Api, Permission};
use body::Body;
use corp::Corp;
pub use corp::CorpError;
pub use member::Member;
use serde_json::Value;
use token::Tokens;
use verdict::{Refusal, Success, Verdict};

use crate::fault::{Fault, FaultKind, Service};
use crate::load::{CorpLoad, LoadError};
use crate::message::{Answer, InFlight, Outcome, Reply, Request};
use crate::settings::{Knobs, Limits};
use crate::window::Rate;
use crate::world::World;

const SERVICE: Service = Service::WeCom;

#[derive(Debug, Default)]
pub(crate) struct WeCom {
    corps: Vec<Corp>,
    by_id: HashMap<String, usize>,
    tokens: Tokens,
    /// Every caller has one address, so one rate per API stands for all.
    address_rates: HashMap<Api, Rate>,
}

/// A call on its way through the gates.
#[derive(Debug)]
struct Call<'a> {
    request: &'a Request,
    knobs: &'a Knobs,
    limits: &'a Limits,
    now_ms: u64,
    body: Body,
    credential: CredentialKind,
    fault: Option<Fault>,
}

impl Call<'_> {
    /// A parameter of the query; an empty one counts as missing.
    fn parameter(&self, name: &str) -> Option<&str> {
        self.request.parameter(name).filter(|value| !value.is_empty())
    }

    fn fault_is(&self, kind: FaultKind) -> bool {
        self.fault.is_some_and(|fault| fault.kind == kind)
    }

    /// Number of pages in a cycle, if pages repeat.
    fn cycle(&self) -> Option<u64> {
        self.fault.filter(|_| self.fault_is(FaultKind::CursorCycle)).map(|fault| fault.period)
    }
}

impl WeCom {
    pub(crate) fn add_corp(&mut self, load: CorpLoad, knobs: &Knobs) -> Result<(), LoadError> {
        let corp = Corp::new(load, knobs)?;
        match self.by_id.get(&corp.id).and_then(|index| Some((*index, self.corps.get_mut(*index)?))) {
            Some((index, place)) => {
                self.tokens.forget(index);
                *place = corp;
            }
            None => {
                self.by_id.insert(corp.id.clone(), self.corps.len());
                self.corps.push(corp);
            }
        }
        Ok(())
    }

    fn corp(&self, corp_id: &str) -> Option<&Corp> {
        self.by_id.get(corp_id).and_then(|index| self.corps.get(*index))
    }

    fn corp_mut(&mut self, corp_id: &str) -> Result<&mut Corp, CorpError> {
        let corp = self.by_id.get(corp_id).and_then(|index| self.corps.get_mut(*index));
        corp.ok_or_else(|| CorpError::Corp(corp_id.to_owned()))
    }

    pub(crate) fn activate(&mut self, corp_id: &str, userid: &str) -> Result<(), CorpError> {
        self.corp_mut(corp_id)?.member_mut(userid).map(Member::activate)
    }

    pub(crate) fn quit(&mut self, corp_id: &str, userid: &str) -> Result<(), CorpError> {
        self.corp_mut(corp_id)?.member_mut(userid).map(Member::quit)
    }

    /// Someone deletes the member in the console.
    pub(crate) fn delete_by_hand(&mut self, corp_id: &str, userid: &str) -> Result<(), CorpError> {
        self.corp_mut(corp_id)?.delete_by_hand(userid)
    }

    /// Someone adds a department below the root in the console.
    pub(crate) fn add_department(&mut self, corp_id: &str, id: u32, name: &str) -> Result<(), CorpError> {
        self.corp_mut(corp_id)?.add_department(id, name);
        Ok(())
    }

    /// user/list_id keeps showing this member as it is now, or keeps hiding it, regardless of later changes.
    pub(crate) fn list_late(&mut self, corp_id: &str, userid: &str, shown: bool) -> Result<(), CorpError> {
        let corp = self.corp_mut(corp_id)?;
        let member = corp.member_mut(userid)?.clone();
        corp.listing.keep(&member, shown);
        Ok(())
    }

    /// user/list_id shows the directory as it is.
    pub(crate) fn list_in_time(&mut self, corp_id: &str) -> Result<(), CorpError> {
        self.corp_mut(corp_id)?.listing.catch_up();
        Ok(())
    }

    /// Remembers, or forgets, the members that user/list_id shows now.
    pub(crate) fn remember_lists(&mut self, whether: bool) {
        for corp in &mut self.corps {
            corp.listing.remember(&corp.members, whether);
        }
    }

    /// Someone changes the member in the console, as user/update would.
    pub(crate) fn change_by_hand(
        &mut self,
        corp_id: &str,
        fields: serde_json::Map<String, Value>,
        knobs: &Knobs,
    ) -> Result<(), CorpError> {
        self.corp_mut(corp_id)?.change_by_hand(fields, knobs)
    }

    /// Someone adds a member in the console, as user/create would.
    pub(crate) fn add_by_hand(
        &mut self,
        corp_id: &str,
        fields: serde_json::Map<String, Value>,
        knobs: &Knobs,
    ) -> Result<(), CorpError> {
        self.corp_mut(corp_id)?.add_by_hand(fields, knobs)
    }

    /// A member, by its userid in lower case.
    pub(crate) fn member(&self, corp_id: &str, key: &str) -> Option<&Member> {
        self.corp(corp_id)?.members.get(key)
    }

    pub(crate) fn members(&self, corp_id: &str) -> BTreeMap<String, Member> {
        self.corp(corp_id).map(|corp| corp.members.clone()).unwrap_or_default()
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.tokens.given().to_vec()
    }

    pub(crate) fn invitations(&self, corp_id: &str) -> BTreeMap<String, u64> {
        self.corp(corp_id).map(|corp| corp.invitations.clone()).unwrap_or_default()
    }

    pub(crate) fn created(&self, corp_id: &str) -> BTreeMap<String, u64> {
        self.corp(corp_id).map(|corp| corp.created.clone()).unwrap_or_default()
    }

    pub(crate) fn state(&self) -> Value {
        self.corps
            .iter()
            .map(|corp| (corp.id.clone(), corp.state()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

pub(crate) fn answer(world: &mut World, request: &Request) -> Outcome {
    let Some(api) = Api::of(&request.path) else {
        world.observation.request(SERVICE, "unknown");
        world.observation.misunderstood(SERVICE, request, "there is no such path");
        return Outcome::now(Answer::json(404, br#"{"error":"no such path"}"#.to_vec()));
    };
    world.observation.request(SERVICE, api.name());
    let fault = world.faults.draw(SERVICE, api.name(), request);
    if let Some(fault) = fault {
        world.observation.fault(fault.kind);
    }
    let mut in_flight = None;
    let reply = reply(world, request, api, fault, &mut in_flight);
    Outcome { reply, delay_ms: fault.map_or(0, |fault| fault.delay_ms), in_flight }
}

fn reply(
    world: &mut World,
    request: &Request,
    api: Api,
    fault: Option<Fault>,
    in_flight: &mut Option<InFlight>,
) -> Reply {
    let kind = fault.map(|fault| fault.kind);
    let forced = match kind {
        Some(FaultKind::ResetBefore) => return Reply::Reset,
        Some(FaultKind::StallBefore) => {
            world.hold(request);
            return Reply::Stall;
        }
        Some(FaultKind::BadGatewayBefore) => return Reply::Answer(Answer::bad_gateway()),
        Some(FaultKind::BusyBefore) => Some(Refusal::new(-1, "system busy")),
        Some(FaultKind::VersionConflict) => Some(Refusal::new(6000, "data version conflict")),
        Some(FaultKind::TooConcurrent) => Some(too_concurrent()),
        Some(FaultKind::Refused) => {
            Some(Refusal::new(fault.map_or(-1, |fault| fault.errcode), "refused by a fault"))
        }
        _ => None,
    };
    let mut body = Body::default();
    let result = match forced {
        Some(refusal) => Err(refusal),
        None => serve(world, request, api, fault, &mut body, in_flight),
    };
    let understood = result.is_ok();
    let mut verdict = Verdict::of(result, body.warned, api.lists_in_errors());
    if world.knobs.unknown_keys_are_misunderstandings && understood {
        body.problems.extend(body.unknown());
    }
    for problem in body.problems {
        world.observation.misunderstood(SERVICE, request, problem);
    }
    match kind {
        Some(FaultKind::BusyAfter) => {
            verdict = Verdict::of(Err(Refusal::new(-1, "system busy")), false, api.lists_in_errors());
        }
        Some(FaultKind::Warning) if verdict.code == 0 => verdict.warn(),
        Some(FaultKind::StringErrcode) => verdict.code_is_text = true,
        _ => {}
    }
    world.observation.answer(SERVICE, verdict.code);
    match kind {
        Some(FaultKind::ResetAfter) => Reply::Reset,
        Some(FaultKind::StallAfter) => Reply::Stall,
        Some(FaultKind::BadGatewayAfter) => Reply::Answer(Answer::bad_gateway()),
        Some(FaultKind::Truncated) => Reply::Answer(verdict.into_answer().truncated()),
        _ => Reply::Answer(verdict.into_answer()),
    }
}

fn too_concurrent() -> Refusal {
    Refusal::new(45033, "api concurrent out of limit")
}

fn serve(
    world: &mut World,
    request: &Request,
    api: Api,
    fault: Option<Fault>,
    body: &mut Body,
    in_flight: &mut Option<InFlight>,
) -> Result<Success, Refusal> {
    let World { clock, knobs, limits, wecom, .. } = world;
    let (knobs, limits) = (&*knobs, &*limits);
    let WeCom { corps, by_id, tokens, address_rates } = wecom;
    let now_ms = clock.now_ms();

    if api == Api::GetToken {
        if request.method != api.method() {
            body.problems.push("gettoken is a GET".to_owned());
        }
        let parked = fault.filter(|fault| fault.kind == FaultKind::RateLimited);
        return tokens.issue(request, corps, by_id, knobs, limits, now_ms, parked);
    }

    let revoke = fault.is_some_and(|fault| fault.kind == FaultKind::RevokeToken);
    let given = request.parameter("access_token").filter(|token| !token.is_empty());
    let Some(given) = given else {
        body.problems.push("no access_token in the query".to_owned());
        return Err(Refusal::new(41001, "access_token missing"));
    };
    let (corp, credential) = tokens.check(given, now_ms, revoke)?;
    let corp = corps.get_mut(corp).ok_or_else(|| Refusal::new(40014, "invalid access_token"))?;
    if !knobs.trusted_ip {
        return Err(Refusal::new(60020, "not allow to access from your ip"));
    }
    match (api.permission(), credential) {
        (Permission::SyncOnly, CredentialKind::App) => return Err(Refusal::new(48002, "api forbidden")),
        (Permission::Details, CredentialKind::Sync) if !knobs.sync_ip_is_legacy => {
            return Err(Refusal::new(48009, "api forbidden for contact sync assistant from this ip"));
        }
        _ => {}
    }

    let (per_minute, per_hour) = (limits.of(limits.wecom_ip_per_minute), limits.of(limits.wecom_ip_per_hour));
    let address_has_calls = address_rates.entry(api).or_default().admit(now_ms, per_minute, per_hour);
    let traffic = corp.traffic.entry(api).or_default();
    if let Some(fault) = fault.filter(|fault| fault.kind == FaultKind::RateLimited) {
        traffic.rate.park(now_ms, fault.window_ms);
    }
    let (per_minute, per_hour) = (limits.of(limits.wecom_per_minute), limits.of(limits.wecom_per_hour));
    if !(address_has_calls && traffic.rate.admit(now_ms, per_minute, per_hour)) {
        return Err(Refusal::new(45009, "api freq out of limit"));
    }
    let most_in_flight = limits.of(limits.wecom_in_flight);
    if most_in_flight != 0 && traffic.in_flight.load(Ordering::Relaxed) >= most_in_flight {
        return Err(too_concurrent());
    }
    *in_flight = Some(InFlight::enter(&traffic.in_flight));

    if request.method != api.method() {
        body.problems.push(format!("{} is a {}, not a {}", api.name(), api.method(), request.method));
        return Err(Refusal::new(api.wrong_method_code(), "invalid Request Parameter"));
    }
    let mut call = Call { request, knobs, limits, now_ms, body: Body::default(), credential, fault };
    if request.is_post() && api != Api::MediaUpload {
        if knobs.reject_unicode_escapes && request.body.windows(2).any(|pair| pair == b"\\u") {
            return Err(Refusal::new(40033, "invalid charset, contains \\u escapes"));
        }
        call.body = Body::parse(&request.body);
    }
    if call.fault_is(FaultKind::RemovedByHand) {
        let userid = call.body.look("userid").or_else(|| call.parameter("userid").map(str::to_owned));
        // A member that does not exist cannot be deleted; then the fault changes nothing.
        let _ = corp.delete_by_hand(&userid.unwrap_or_default());
    }
    let result = dispatch(corp, api, &mut call);
    *body = call.body;
    if api.is_write() && result.is_ok() {
        *corp.writes.entry(api.name()).or_default() += 1;
    }
    result
}

fn dispatch(corp: &mut Corp, api: Api, call: &mut Call<'_>) -> Result<Success, Refusal> {
    match api {
        Api::GetToken => Err(Refusal::new(-1, "system busy")),
        Api::UserCreate => user::create(corp, call),
        Api::UserUpdate => user::update(corp, call),
        Api::UserDelete => user::delete(corp, call),
        Api::UserBatchDelete => user::batch_delete(corp, call),
        Api::UserGet => lookup::get(corp, call),
        Api::UserListId => lookup::list_id(corp, call),
        Api::UserGetUserid => lookup::by_mobile(corp, call),
        Api::UserGetUseridByEmail => lookup::by_email(corp, call),
        Api::UserSimpleList => lookup::simple_list(corp, call),
        Api::UserList => lookup::list(corp, call),
        Api::DepartmentCreate => department::create(corp, call),
        Api::DepartmentUpdate => department::update(corp, call),
        Api::DepartmentDelete => department::delete(corp, call),
        Api::DepartmentSimpleList => department::simple_list(corp, call),
        Api::DepartmentList => department::list(corp, call),
        Api::DepartmentGet => department::get(corp, call),
        Api::MediaUpload => batch::upload(corp, call),
        Api::BatchSyncUser => batch::sync_user(corp, call),
        Api::BatchGetResult => batch::get_result(corp, call),
        Api::BatchInvite => batch::invite(corp, call),
    }
}
