//! People of a small factory who join, move, change their numbers, leave and return, the form that records it, and the
//! directory that must result. [`ruzhi_sim::factory::Factory`] is a form at one moment; this is a history.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use ruzhi_sim::factory::{
    APP_ID, CORP_ID, DEPARTMENT, EMAIL, ENTRY_ID, ExpectedMember, Factory, MOBILE, NAME, POSITION, STATE,
    USERID,
};
use ruzhi_sim::{LoadDocument, Random, RowChange, Simulator, Widget};
use serde_json::{Map, Value, json};

/// State of a person according to a row of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// 在职.
    Employed,
    /// 离职.
    Left,
    /// The mobile number is invalid, so the row must be rejected.
    Wrong,
    /// The row was deleted.
    Removed,
}

/// A row of the form.
#[derive(Debug, Clone)]
pub struct Worker {
    /// The row's `_id`.
    pub record: String,
    /// The person.
    pub person: ExpectedMember,
    /// State of the person in the row.
    pub standing: Standing,
    /// The place of their direct leader.
    pub leader: Option<usize>,
}

/// The rows of the form, and those changed since the simulator was last updated.
#[derive(Debug, Clone, Default)]
pub struct Workforce {
    workers: Vec<Worker>,
    changed: BTreeSet<usize>,
    numbers: u64,
}

/// 直属上级, which only the rules of [`Workforce::led_rules`] read.
const LEADER: &str = "_widget_1680750424804";

const POSITIONS: [&str; 5] = ["操作工", "班组长", "质检员", "仓管员", "电工"];

impl Workforce {
    /// This many people, all employed.
    pub fn new(people: usize) -> Self {
        let mut workforce = Self::default();
        for _ in 0..people {
            workforce.hire();
        }
        workforce
    }

    /// The rows, in the order in which they were written.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// The place of a random worker among those of this standing.
    pub fn any(&self, standing: Standing, random: &mut Random) -> Option<usize> {
        let those: Vec<usize> = (0..self.workers.len())
            .filter(|place| self.workers.get(*place).is_some_and(|w| w.standing == standing))
            .collect();
        (!those.is_empty()).then(|| random.pick(&those))
    }

    /// A new row. Returns its place.
    pub fn hire(&mut self) -> usize {
        let place = self.workers.len();
        let number = place + 1;
        let person = ExpectedMember {
            userid: format!("W{number:04}"),
            name: format!("王{number:04}"),
            mobile: self.new_mobile(),
            email: format!("w{number}@jingxintai.example.com"),
            department: vec![2 + u32::try_from(place % 15).unwrap_or(0)],
            position: "操作工".to_owned(),
        };
        // Ids grow with creation; there is room between two for rows of other forms.
        let record = format!("66{place:021x}0");
        self.workers.push(Worker { record, person, standing: Standing::Employed, leader: None });
        self.changed.insert(place);
        place
    }

    /// A new row with an invalid mobile number. Returns its place.
    pub fn hire_wrongly(&mut self) -> usize {
        let place = self.hire();
        self.stand(place, Standing::Wrong);
        place
    }

    /// A second row for the same person, as after a return. Returns its place; the older row is removed.
    pub fn hire_again(&mut self, place: usize) -> usize {
        let person = self.workers.get(place).map(|worker| worker.person.clone());
        self.remove(place);
        let again = self.hire();
        if let (Some(worker), Some(person)) = (self.workers.get_mut(again), person) {
            worker.person = person;
        }
        again
    }

    /// The row says that its person has left.
    pub fn leave(&mut self, place: usize) {
        self.stand(place, Standing::Left);
    }

    /// The row says that its person is employed: they returned, or a wrong number was corrected.
    pub fn employ(&mut self, place: usize) {
        self.stand(place, Standing::Employed);
    }

    /// The row is deleted.
    pub fn remove(&mut self, place: usize) {
        self.stand(place, Standing::Removed);
    }

    /// Another department and position.
    pub fn transfer(&mut self, place: usize) {
        if let Some(worker) = self.change(place) {
            let department = worker.person.department.first().map_or(2, |id| 2 + (id - 1) % 15);
            worker.person.department = vec![department];
            let now = POSITIONS.iter().position(|position| *position == worker.person.position).unwrap_or(0);
            worker.person.position =
                POSITIONS.get((now + 1) % POSITIONS.len()).copied().unwrap_or_default().to_owned();
        }
    }

    /// Another direct leader.
    pub fn lead(&mut self, place: usize, leader: usize) {
        if let Some(worker) = self.change(place) {
            worker.leader = Some(leader);
        }
    }

    /// An unused mobile number.
    pub fn renumber(&mut self, place: usize) {
        let mobile = self.new_mobile();
        if let Some(worker) = self.change(place) {
            worker.person.mobile = mobile;
        }
    }

    /// Gives the number of `from` to `to`, and a new one to `from`.
    pub fn hand_over_mobile(&mut self, from: usize, to: usize) {
        let Some(mobile) = self.workers.get(from).map(|worker| worker.person.mobile.clone()) else { return };
        self.renumber(from);
        if let Some(worker) = self.change(to) {
            worker.person.mobile = mobile;
        }
    }

    /// Exchanges the numbers of two people.
    pub fn exchange_mobiles(&mut self, one: usize, other: usize) {
        let of = |place: usize| self.workers.get(place).map(|worker| worker.person.mobile.clone());
        let (Some(mine), Some(yours)) = (of(one), of(other)) else { return };
        for (place, mobile) in [(one, yours), (other, mine)] {
            if let Some(worker) = self.change(place) {
                worker.person.mobile = mobile;
            }
        }
    }

    fn stand(&mut self, place: usize, standing: Standing) {
        if let Some(worker) = self.change(place) {
            worker.standing = standing;
        }
    }

    fn change(&mut self, place: usize) -> Option<&mut Worker> {
        self.changed.insert(place);
        self.workers.get_mut(place)
    }

    fn new_mobile(&mut self) -> String {
        self.numbers += 1;
        format!("139{:08}", 20_000_000 + self.numbers)
    }

    /// The form and corp in the simulator's format.
    pub fn document(&mut self) -> LoadDocument {
        let mut document = Factory::builder(1, 0).build().document();
        for form in &mut document.jiandaoyun.forms {
            form.rows = self.workers.iter().filter_map(|worker| self.row(worker)).collect();
            form.widgets.push(Widget {
                name: LEADER.to_owned(),
                widget_name: LEADER.to_owned(),
                label: "直属上级".to_owned(),
                kind: "text".to_owned(),
                items: Vec::new(),
            });
        }
        self.changed.clear();
        document
    }

    /// Writes the changed rows into the form.
    ///
    /// # Errors
    /// If the form is not loaded.
    pub fn publish(&mut self, simulator: &Simulator) -> Result<()> {
        let changed: Vec<&Worker> = std::mem::take(&mut self.changed)
            .into_iter()
            .filter_map(|place| self.workers.get(place))
            .collect();
        let removed = changed.iter().filter(|worker| worker.standing == Standing::Removed);
        simulator.change_rows(RowChange {
            app_id: APP_ID.to_owned(),
            entry_id: ENTRY_ID.to_owned(),
            delete: removed.map(|worker| worker.record.clone()).collect(),
            upsert: changed.iter().filter_map(|worker| self.row(worker)).collect(),
        })?;
        Ok(())
    }

    /// The rules of the simulated factory, extended by the direct leader.
    ///
    /// # Errors
    /// If the rules of the factory have changed.
    pub fn led_rules() -> Result<String> {
        let mut rules: Value = serde_json::from_str(crate::RULES)?;
        let request = rules.get_mut("request").and_then(Value::as_array_mut).context("no request")?;
        request.push(json!({ "field": "direct_leader", "type": "string", "value": format!("{{{LEADER}}}") }));
        Ok(rules.to_string())
    }

    /// Invariants at every moment: no one was created twice, unless deleted in between, or invited twice, unless ruzhi
    /// itself deleted them; every member of the directory is in the form; no department was created; every request was
    /// understood.
    ///
    /// # Errors
    /// Naming the first broken invariant.
    pub fn check_so_far(&self, simulator: &Simulator) -> Result<()> {
        let state = simulator.state();
        let corp = state.pointer(&format!("/wecom/corps/{CORP_ID}")).context("the corp is not loaded")?;
        let counted = |what: &str| -> BTreeMap<&str, u64> {
            let counts = corp.get(what).and_then(Value::as_object);
            let counts = counts.into_iter().flatten();
            counts.map(|(userid, times)| (userid.as_str(), times.as_u64().unwrap_or(0))).collect()
        };
        let (deleted, removed) = (counted("deleted"), counted("removed"));
        let of = |counts: &BTreeMap<&str, u64>, userid| counts.get(userid).copied().unwrap_or(0);
        for (userid, times) in counted("created") {
            let deleted = of(&deleted, userid);
            ensure!(times <= deleted + 1, "{userid} was created {times} times and deleted {deleted} times");
        }
        for (userid, times) in counted("invitations") {
            let left = of(&deleted, userid) - of(&removed, userid);
            ensure!(times <= left + 1, "{userid} was invited {times} times and left {left} times");
        }
        let made = corp.get("auto_departments").and_then(Value::as_array).map_or(0, Vec::len);
        ensure!(made == 0, "{made} departments came into being");
        for key in simulator.members(CORP_ID).keys() {
            let known = self.workers.iter().any(|worker| worker.person.userid.eq_ignore_ascii_case(key));
            ensure!(known, "{key} is in the directory and in no row");
        }
        let misunderstood = simulator.misunderstandings();
        ensure!(misunderstood.is_empty(), "not understood: {misunderstood:?}");
        Ok(())
    }

    /// The state once everything is done: beside [`Self::check_so_far`], every employed person is one enabled member
    /// with every field right, every leaver is disabled or deleted, and the directory holds no one else.
    ///
    /// # Errors
    /// Naming the first difference.
    pub fn check_exact(&self, simulator: &Simulator) -> Result<()> {
        self.check_so_far(simulator)?;
        let members = simulator.members(CORP_ID);
        for worker in &self.workers {
            let Worker { record, person, standing, .. } = worker;
            let userid = &person.userid;
            let found = members.get(&userid.to_ascii_lowercase());
            match (standing, found) {
                (Standing::Employed, None) => anyhow::bail!("{userid} ({record}) is missing"),
                (Standing::Employed, Some(found)) => {
                    ensure!(found.enabled, "{userid} ({record}) is disabled");
                    let is = (&found.name, &found.mobile, &found.email, &found.department, &found.position);
                    let must =
                        (&person.name, &person.mobile, &person.email, &person.department, &person.position);
                    ensure!(is == must, "{userid} ({record}) is {is:?} and must be {must:?}");
                    let (is, must) = (found.direct_leader.first().map(String::as_str), self.leader(worker));
                    ensure!(is == must, "{userid} ({record}) is led by {is:?} and must be by {must:?}");
                }
                (Standing::Left, Some(found)) => {
                    ensure!(!found.enabled, "{userid} ({record}) has left and is not disabled");
                }
                (Standing::Wrong, Some(_)) => anyhow::bail!("{userid} ({record}) should have been rejected"),
                _ => {}
            }
        }
        Ok(())
    }

    /// The account of a worker's direct leader.
    fn leader(&self, worker: &Worker) -> Option<&str> {
        let leader = worker.leader.and_then(|place| self.workers.get(place));
        leader.map(|leader| leader.person.userid.as_str())
    }

    fn row(&self, worker: &Worker) -> Option<Map<String, Value>> {
        let Worker { record, person, standing, .. } = worker;
        if *standing == Standing::Removed {
            return None;
        }
        let mobile = if *standing == Standing::Wrong { "0571-88888888" } else { &person.mobile };
        let row = json!({
            "_id": record,
            USERID: person.userid,
            NAME: person.name,
            MOBILE: mobile,
            DEPARTMENT: person.department,
            POSITION: person.position,
            EMAIL: person.email,
            LEADER: self.leader(worker),
            STATE: if *standing == Standing::Left { "离职" } else { "在职" },
            "flowState": 1,
        });
        match row {
            Value::Object(row) => Some(row),
            _ => None,
        }
    }
}
