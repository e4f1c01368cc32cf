//! 简道云's open API, its read side and the writing of single rows: every call is a POST, every business error is HTTP
//! 400 with `code` and `msg`, and a success has no envelope.

mod condition;
mod filter;
mod form;
mod refusal;
mod route;
mod update;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

pub(crate) use form::Form;
use refusal::Refusal;
use route::{Api, Route};

use crate::fault::{Fault, FaultKind, Service};
use crate::load::{FormLoad, KeyLoad, LoadError};
use crate::message::{Answer, Outcome, Reply, Request};
use crate::settings::Limits;
use crate::window::Window;
use crate::world::World;

const SERVICE: Service = Service::JianDaoYun;
const SECOND_MS: u64 = 1000;

#[derive(Debug, Default)]
pub(crate) struct JianDaoYun {
    keys: HashMap<String, Key>,
    forms: BTreeMap<(String, String), Form>,
    companies: HashMap<String, Window>,
}

#[derive(Debug)]
struct Key {
    company: String,
    apps: Option<Vec<String>>,
    /// Calls by API, and true for older routes: those have a separate limit.
    windows: HashMap<(Api, bool), Window>,
}

impl JianDaoYun {
    pub(crate) fn add_key(&mut self, key: KeyLoad) {
        let (key, company, apps) = match key {
            KeyLoad::Text(key) => (key, crate::load::company(), None),
            KeyLoad::Full { key, company, apps } => (key, company, apps),
        };
        self.keys.insert(key, Key { company, apps, windows: HashMap::new() });
    }

    pub(crate) fn add_form(&mut self, form: FormLoad, now_ms: u64) -> Result<(), LoadError> {
        let form = Form::new(form, now_ms)?;
        self.forms.insert((form.app_id.clone(), form.entry_id.clone()), form);
        Ok(())
    }

    pub(crate) fn form_mut(&mut self, app_id: &str, entry_id: &str) -> Option<&mut Form> {
        self.forms.get_mut(&(app_id.to_owned(), entry_id.to_owned()))
    }

    pub(crate) fn state(&self) -> Value {
        self.forms
            .values()
            .map(|form| json!({"app_id": form.app_id, "entry_id": form.entry_id, "rows": form.len()}))
            .collect()
    }

    /// The key must be known, then the company and the endpoint must have calls left in this second.
    fn admit(&mut self, route: &Route, key: &str, now_ms: u64, limits: &Limits) -> Result<(), Refusal> {
        let key = self.keys.get_mut(key).ok_or_else(|| Refusal::plain(17018))?;
        let company = self.companies.entry(key.company.clone()).or_insert_with(|| Window::new(SECOND_MS));
        if company.is_full(now_ms, limits.of(limits.jdy_company_per_second)) {
            return Err(Refusal::plain(8303));
        }
        let is_old = route.version < 5;
        let endpoint = key.windows.entry((route.api, is_old)).or_insert_with(|| Window::new(SECOND_MS));
        let limit = match (is_old, route.api) {
            (true, _) => limits.jdy_old_per_second,
            (false, Api::DataUpdate) => limits.jdy_write_per_second,
            (false, _) => limits.jdy_per_second,
        };
        if endpoint.is_full(now_ms, limits.of(limit)) {
            return Err(Refusal::plain(8304));
        }
        company.add(now_ms);
        endpoint.add(now_ms);
        Ok(())
    }

    /// The form, if the key may see it.
    fn form(&self, key: &str, app_id: &str, entry_id: &str) -> Result<&Form, Refusal> {
        if self
            .forms
            .range((app_id.to_owned(), String::new())..)
            .next()
            .is_none_or(|((app, _), _)| app != app_id)
        {
            return Err(Refusal::plain(2004));
        }
        if !self.may_see(key, app_id) {
            return Err(Refusal::plain(17053));
        }
        self.forms.get(&(app_id.to_owned(), entry_id.to_owned())).ok_or_else(|| Refusal::plain(3000))
    }

    fn may_see(&self, key: &str, app_id: &str) -> bool {
        let apps = self.keys.get(key).and_then(|key| key.apps.as_ref());
        apps.is_none_or(|apps| apps.iter().any(|app| app == app_id))
    }
}

pub(crate) fn answer(world: &mut World, request: &Request) -> Outcome {
    let Some(route) = Route::of(&request.path) else {
        world.observation.request(SERVICE, "unknown");
        world.observation.misunderstood(SERVICE, request, "there is no such path");
        return Outcome::now(Refusal::plain(1).into_answer(404));
    };
    world.observation.request(SERVICE, route.api.name());
    let fault = world.faults.draw(SERVICE, route.api.name(), request);
    let mut delay_ms = 0;
    if let Some(fault) = fault {
        world.observation.fault(fault.kind);
        delay_ms = fault.delay_ms;
    }
    let reply = reply(world, request, &route, fault);
    Outcome { reply, delay_ms, in_flight: None }
}

fn reply(world: &mut World, request: &Request, route: &Route, fault: Option<Fault>) -> Reply {
    let kind = fault.map(|fault| fault.kind);
    match kind {
        Some(FaultKind::ResetBefore) => return Reply::Reset,
        Some(FaultKind::StallBefore) => {
            world.hold(request);
            return Reply::Stall;
        }
        Some(FaultKind::BadGatewayBefore) => return Reply::Answer(Answer::bad_gateway()),
        Some(FaultKind::TooManyRequests) => return Reply::Answer(Answer::too_many_requests()),
        _ => {}
    }
    let forced = match kind {
        Some(FaultKind::CompanyLimited) => Err(Refusal::plain(8303)),
        Some(FaultKind::EndpointLimited) => Err(Refusal::plain(8304)),
        _ => Ok(()),
    };
    let answer = match forced.and_then(|()| serve(world, request, route, fault)) {
        Ok(body) => {
            world.observation.answer(SERVICE, 0);
            Answer::json(200, body)
        }
        Err(refusal) => {
            world.observation.answer(SERVICE, refusal.code);
            if let Some(what) = &refusal.misunderstanding {
                world.observation.misunderstood(SERVICE, request, what.clone());
            }
            refusal.into_answer(400)
        }
    };
    match kind {
        Some(FaultKind::ResetAfter) => Reply::Reset,
        Some(FaultKind::StallAfter) => Reply::Stall,
        Some(FaultKind::BadGatewayAfter) => Reply::Answer(Answer::bad_gateway()),
        Some(FaultKind::Truncated) => Reply::Answer(answer.truncated()),
        _ => Reply::Answer(answer),
    }
}

fn serve(
    world: &mut World,
    request: &Request,
    route: &Route,
    fault: Option<Fault>,
) -> Result<Vec<u8>, Refusal> {
    if !request.is_post() {
        return Err(Refusal::misunderstood(1, format!("{} instead of POST", request.method)));
    }
    let now_ms = world.clock.now_ms();
    let key = request.authorization.as_deref().and_then(|header| header.strip_prefix("Bearer "));
    let key = key.filter(|key| !key.is_empty()).ok_or_else(|| {
        let what = "no Authorization header of the form 'Bearer KEY'";
        Refusal::misunderstood(world.knobs.missing_auth_code, what)
    })?;
    world.jiandaoyun.admit(route, key, now_ms, &world.limits)?;
    let mut body = body_of(request)?;
    let over_100_is_error = world.knobs.limit_over_100_is_error;
    let answer = match route.api {
        Api::DataUpdate => {
            let updated = update::update(&mut world.jiandaoyun, route, key, &mut body, now_ms)?;
            for what in updated.faults {
                world.observation.misunderstood(SERVICE, request, what);
            }
            world.written_by_api(&updated.app_id, &updated.entry_id, &updated.data_id);
            updated.answer
        }
        _ => route.serve(&world.jiandaoyun, key, &mut body, over_100_is_error, fault)?,
    };
    if world.knobs.unknown_keys_are_misunderstandings && !body.is_empty() {
        let unknown = body.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let what = format!("body keys that the service silently ignores: {unknown}");
        world.observation.misunderstood(SERVICE, request, what);
    }
    Ok(answer)
}

fn body_of(request: &Request) -> Result<Map<String, Value>, Refusal> {
    if !request.content_type.to_ascii_lowercase().starts_with("application/json") {
        let what = format!("content type {:?} instead of application/json", request.content_type);
        return Err(Refusal::misunderstood(17017, what));
    }
    let body = std::str::from_utf8(&request.body);
    let body = body.map_err(|_| Refusal::misunderstood(17017, "the body is not UTF-8"))?;
    if body.contains("{{") {
        // `{{` cannot occur in JSON syntax, so this is an unreplaced placeholder.
        return Err(Refusal::misunderstood(17017, "an unresolved {{…}} in the body"));
    }
    serde_json::from_str(body).map_err(|_| Refusal::misunderstood(17017, "the body is not a JSON object"))
}
