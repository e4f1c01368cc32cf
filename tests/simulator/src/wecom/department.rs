//! The tree of departments. Four codes mean "no such department"; which one applies depends on the call (reference §6).

use serde_json::{Value, json};

use super::Call;
use super::corp::Corp;
use super::verdict::{Refusal, Success};
use crate::load::default_order;

#[derive(Debug, Clone)]
pub(super) struct Department {
    pub(super) name: String,
    pub(super) name_en: String,
    pub(super) parentid: u32,
    pub(super) order: u32,
}

const ROOT: u32 = 1;
const LONGEST_NAME_EN: usize = 32;
const DEEPEST: usize = 15;
const MOST_UNDER_ONE: usize = 30_000;
/// Department for members without one.
const WAITING: &str = "其他(待设置部门)";

impl Department {
    pub(super) fn root() -> Self {
        let name = "企业".to_owned();
        Self { name, name_en: String::new(), parentid: 0, order: default_order() }
    }

    pub(super) fn to_json(&self, id: u32) -> Value {
        json!({
            "id": id,
            "name": self.name,
            "name_en": self.name_en,
            "parentid": self.parentid,
            "order": self.order,
        })
    }
}

impl Corp {
    pub(super) fn next_department_id(&self) -> u32 {
        self.departments.last_key_value().map_or(ROOT, |(id, _)| *id).saturating_add(1)
    }

    /// The department of members without one; created when first needed.
    pub(super) fn waiting_department(&mut self) -> u32 {
        let waiting = self.departments.iter().find(|(_, department)| department.name == WAITING);
        if let Some((id, _)) = waiting {
            return *id;
        }
        let id = self.next_department_id();
        self.insert(id, WAITING.to_owned(), ROOT);
        id
    }

    /// Creates a department for an unknown id that a member named; returns its name.
    pub(super) fn auto_create(&mut self, id: u32) -> String {
        let name = format!("待设置部门{id}");
        // The id is reserved first, so that the waiting department cannot get it.
        self.insert(id, name.clone(), ROOT);
        let parentid = self.waiting_department();
        self.insert(id, name.clone(), parentid);
        self.auto_departments.push(id);
        name
    }

    pub(super) fn add_department(&mut self, id: u32, name: &str) {
        self.insert(id, name.to_owned(), ROOT);
    }

    fn insert(&mut self, id: u32, name: String, parentid: u32) {
        let department = Department { name, name_en: String::new(), parentid, order: default_order() };
        self.departments.insert(id, department);
    }

    fn children(&self, id: u32) -> impl Iterator<Item = (u32, &Department)> {
        let children = self.departments.iter().filter(move |(_, department)| department.parentid == id);
        children.map(|(id, department)| (*id, department))
    }

    /// From the department up to the root; ends even if a loaded tree has a cycle.
    fn ancestry(&self, id: u32) -> impl Iterator<Item = u32> {
        let parent = |id: &u32| self.departments.get(id).map(|department| department.parentid);
        std::iter::successors(Some(id), parent).take_while(|id| *id != 0).take(self.departments.len() + 1)
    }

    fn has_member(&self, id: u32) -> bool {
        self.members.values().any(|member| member.department.contains(&id))
    }
}

pub(super) fn create(corp: &mut Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    if !call.body.is_utf8 {
        return Err(Refusal::new(60009, "department name include invalid char"));
    }
    let name = call.body.text("name").ok_or_else(|| Refusal::new(60001, "department invalid length"))?;
    check_name(&name, call.knobs.department_name_max)?;
    let name_en = check_name_en(call.body.text("name_en"))?;
    let parent_is_given = call.body.has("parentid");
    let parentid = match call.body.number("parentid") {
        Some(parentid) => u32::try_from(parentid).unwrap_or_default(),
        None if parent_is_given => return Err(mistyped()),
        None => 0,
    };
    if !corp.departments.contains_key(&parentid) {
        return Err(Refusal::new(60004, "parent department not found"));
    }
    let order = order_of(call)?.unwrap_or_else(default_order);
    let id_is_given = call.body.has("id");
    let id = match call.body.number("id") {
        Some(id) => u32::try_from(id).ok().filter(|id| *id > 0).ok_or_else(invalid_party)?,
        None if id_is_given => return Err(mistyped()),
        None => corp.next_department_id(),
    };
    if corp.departments.contains_key(&id) {
        return Err(existed(id));
    }
    check_sibling(corp, parentid, &name, id)?;
    if corp.ancestry(parentid).count() >= DEEPEST {
        return Err(Refusal::new(81002, "department level out of limit"));
    }
    if corp.children(parentid).count() >= MOST_UNDER_ONE {
        return Err(Refusal::new(81001, "department node out of limit"));
    }
    corp.departments.insert(id, Department { name, name_en, parentid, order });
    Ok(Success { text: "created", rest: format!(r#","id":{id}"#) })
}

pub(super) fn update(corp: &mut Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    if !call.body.is_utf8 {
        return Err(Refusal::new(60009, "department name include invalid char"));
    }
    let unknown = || Refusal::new(60003, "department not found");
    let id = call.body.number("id").and_then(|id| u32::try_from(id).ok()).ok_or_else(unknown)?;
    let mut department = corp.departments.get(&id).cloned().ok_or_else(unknown)?;
    if let Some(name) = call.body.text("name") {
        check_name(&name, call.knobs.department_name_max)?;
        department.name = name;
    }
    if call.body.has("name_en") {
        department.name_en = check_name_en(call.body.text("name_en"))?;
    }
    if call.body.has("parentid") {
        let parentid = call.body.number("parentid").and_then(|parentid| u32::try_from(parentid).ok());
        let parentid = parentid.filter(|parentid| corp.departments.contains_key(parentid));
        let parentid = parentid.ok_or_else(|| Refusal::new(60124, "invalid parent party id"))?;
        if corp.ancestry(parentid).any(|ancestor| ancestor == id) {
            return Err(Refusal::new(60010, "department cycle"));
        }
        department.parentid = parentid;
    }
    if let Some(order) = order_of(call)? {
        department.order = order;
    }
    check_sibling(corp, department.parentid, &department.name, id)?;
    corp.departments.insert(id, department);
    Success::said("updated")
}

pub(super) fn delete(corp: &mut Corp, call: &Call<'_>) -> Result<Success, Refusal> {
    let id = call.parameter("id").ok_or_else(|| Refusal::new(40058, "invalid Request Parameter"))?;
    let id: u32 = id.parse().map_err(|_| Refusal::new(40058, "field `id` expect type `uint32`"))?;
    if !corp.departments.contains_key(&id) {
        return Err(invalid_party());
    }
    if corp.has_member(id) {
        return Err(Refusal::new(60005, "department contains user"));
    }
    if corp.children(id).next().is_some() {
        return Err(Refusal::new(60006, "department contains sub-department"));
    }
    if id == ROOT {
        return Err(Refusal::new(60007, "root department can not be deleted"));
    }
    corp.departments.remove(&id);
    Success::said("deleted")
}

pub(super) fn simple_list(corp: &Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let listed = subtree(corp, call)?;
    let shown = listed.into_iter().map(
        |(id, department)| json!({ "id": id, "parentid": department.parentid, "order": department.order }),
    );
    Success::with(format!(r#","department_id":{}"#, shown.collect::<Value>()))
}

pub(super) fn list(corp: &Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let listed = subtree(corp, call)?;
    let shown = listed.into_iter().map(|(id, department)| department.to_json(id));
    Success::with(format!(r#","department":{}"#, shown.collect::<Value>()))
}

pub(super) fn get(corp: &Corp, call: &Call<'_>) -> Result<Success, Refusal> {
    let id = call.parameter("id").and_then(|id| id.parse().ok()).ok_or_else(invalid_party)?;
    let department = corp.departments.get(&id).ok_or_else(invalid_party)?;
    Success::with(format!(r#","department":{}"#, department.to_json(id)))
}

/// The requested department and all below it; the whole tree if none is. `id=` counts as none, with a warning.
fn subtree<'a>(corp: &'a Corp, call: &mut Call<'_>) -> Result<Vec<(u32, &'a Department)>, Refusal> {
    let Some(id) = call.request.parameter("id") else {
        return Ok(corp.departments.iter().map(|(id, department)| (*id, department)).collect());
    };
    if id.is_empty() {
        call.body.mistyped::<()>("id", "a department id", &Value::from(""));
        return Ok(corp.departments.iter().map(|(id, department)| (*id, department)).collect());
    }
    let top: u32 = id.parse().map_err(|_| Refusal::new(40058, "field `id` expect type `uint32`"))?;
    if !corp.departments.contains_key(&top) {
        return Err(invalid_party());
    }
    let below = |id: &u32| corp.ancestry(*id).any(|ancestor| ancestor == top);
    Ok(corp
        .departments
        .iter()
        .filter(|(id, _)| below(id))
        .map(|(id, department)| (*id, department))
        .collect())
}

fn invalid_party() -> Refusal {
    Refusal::new(60123, "invalid party id")
}

fn mistyped() -> Refusal {
    Refusal::new(60009, "department name include invalid char")
}

fn existed(id: u32) -> Refusal {
    Refusal::new(60008, format!("department existed: {id} is existed"))
}

fn check_sibling(corp: &Corp, parentid: u32, name: &str, own_id: u32) -> Result<(), Refusal> {
    let same = corp.children(parentid).find(|(id, sibling)| *id != own_id && sibling.name == name);
    same.map_or(Ok(()), |(id, _)| Err(existed(id)))
}

/// The page forbids `"` too; recordings show it accepted.
fn check_name(name: &str, most_characters: usize) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::new(40058, "name exceed min utf8 words 1. invalid Request Parameter"));
    }
    if name.chars().count() > most_characters {
        return Err(Refusal::new(60001, "department invalid length"));
    }
    if name.chars().any(|letter| matches!(letter, '\\' | ':' | '*' | '?' | '<' | '>' | '|' | '｜')) {
        return Err(mistyped());
    }
    Ok(())
}

fn check_name_en(name: Option<String>) -> Result<String, Refusal> {
    let name = name.unwrap_or_default();
    if name.chars().count() > LONGEST_NAME_EN {
        return Err(Refusal::new(40058, "name_en exceed max length 32. invalid Request Parameter"));
    }
    Ok(name)
}

fn order_of(call: &mut Call<'_>) -> Result<Option<u32>, Refusal> {
    let is_given = call.body.has("order");
    match call.body.number("order") {
        Some(order) => u32::try_from(order).map(Some).map_err(|_| mistyped()),
        None if is_given => Err(mistyped()),
        None => Ok(None),
    }
}
