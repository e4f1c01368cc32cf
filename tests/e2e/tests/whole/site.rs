//! A small factory with its deployment, for stories about individual people.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use ruzhi_e2e::{Deployment, Outcome, Tenant, Workforce};
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{Knobs, Limits, LoadDocument, Member, Service, Simulator};
use serde_json::Value;

/// The default guest is compiled once for all deployments that live at the same time. Stories about compiling have a
/// deployment of their own.
static COMPILED: Mutex<Weak<Deployment>> = Mutex::new(Weak::new());

/// A deployment that has compiled the default guest, for [`Deployment::beside`].
pub(crate) fn compiled() -> Arc<Deployment> {
    let mut shared = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(compiled) = shared.upgrade() {
        return compiled;
    }
    let compiled = Deployment::new(&[Tenant::new("http://127.0.0.1:9")]).unwrap();
    assert_eq!(compiled.run(&["check"]).unwrap().code, Some(0));
    let compiled = Arc::new(compiled);
    *shared = Arc::downgrade(&compiled);
    compiled
}

pub(crate) struct Site {
    pub(crate) simulator: Simulator,
    pub(crate) deployment: Deployment,
    pub(crate) workforce: Workforce,
    _compiled: Arc<Deployment>,
}

impl Site {
    /// This many people in the form, and an empty directory.
    pub(crate) fn new(people: usize, tenant: impl FnOnce(Tenant) -> Tenant) -> Self {
        Self::loaded(people, |_| (), tenant)
    }

    /// The same, with additions to form or corp from the beginning.
    pub(crate) fn loaded(
        people: usize,
        more: impl FnOnce(&mut LoadDocument),
        tenant: impl FnOnce(Tenant) -> Tenant,
    ) -> Self {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let mut workforce = Workforce::new(people);
        let mut document = workforce.document();
        more(&mut document);
        simulator.load(document).unwrap();
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        simulator.set_knobs(Knobs { log_requests: true, ..Knobs::default() });
        let compiled = compiled();
        let deployment = Deployment::beside(&compiled, &[tenant(Tenant::new(&simulator.url()))]).unwrap();
        Self { simulator, deployment, workforce, _compiled: compiled }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.deployment.run(arguments).unwrap()
    }

    /// Runs a command that must exit with this code; returns its JSON.
    pub(crate) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let outcome = self.run(&arguments);
        assert_eq!(outcome.code, Some(code), "{arguments:?}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.json().unwrap()
    }

    /// Publishes the changes and syncs, which must succeed.
    pub(crate) fn sync(&mut self) -> Value {
        self.workforce.publish(&self.simulator).unwrap();
        self.json(0, &["sync", "jingxintai"])
    }

    pub(crate) fn exact(&self) {
        self.workforce.check_exact(&self.simulator).unwrap();
    }

    pub(crate) fn userid(&self, place: usize) -> String {
        self.workforce.workers()[place].person.userid.clone()
    }

    pub(crate) fn record(&self, place: usize) -> String {
        self.workforce.workers()[place].record.clone()
    }

    pub(crate) fn member(&self, userid: &str) -> Option<Member> {
        self.simulator.members(CORP_ID).remove(&userid.to_ascii_lowercase())
    }

    pub(crate) fn disabled(&self) -> usize {
        self.simulator.members(CORP_ID).values().filter(|member| member.status() == 2).count()
    }

    /// Number of calls of this API that WeCom received.
    pub(crate) fn calls(&self, api: &str) -> u64 {
        self.simulator.requests(Service::WeCom).get(api).copied().unwrap_or(0)
    }

    /// Number of writing calls that WeCom received.
    pub(crate) fn writes(&self) -> u64 {
        let writing = ["user/create", "user/update", "user/delete", "user/batchdelete", "batch/syncuser"];
        writing.iter().map(|api| self.calls(api)).sum()
    }

    /// The bodies of the calls of this API, as JSON.
    pub(crate) fn bodies(&self, api: &str) -> Vec<Value> {
        self.simulator.bodies(api).iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// The rules that reject a record.
    pub(crate) fn refused(&self, record: &str) -> Vec<String> {
        let rejects = self.json(0, &["quarantine", "jingxintai"]);
        let of_record = rejects.as_array().unwrap().iter().filter(|reject| reject["record"] == record);
        let rules = of_record.flat_map(|reject| reject["violations"].as_array().unwrap());
        rules.map(|violation| violation["rule"].as_str().unwrap().to_owned()).collect()
    }
}

/// The fields of a JSON object.
pub(crate) fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
