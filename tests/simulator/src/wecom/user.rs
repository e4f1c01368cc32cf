//! Writing members: user/create, user/update, user/delete, user/batchdelete.

use serde_json::json;

use super::Call;
use super::corp::Corp;
use super::patch::{CreatedDepartments, Patch};
use super::verdict::{Refusal, Success};

const MOST_DELETED_AT_ONCE: usize = 200;

/// The secret may be one that does not reach every member.
pub(super) fn reached(call: &Call<'_>, userid: &str) -> Result<(), Refusal> {
    if call.knobs.out_of_reach.iter().any(|out| out.eq_ignore_ascii_case(userid)) {
        return Err(Refusal::new(
            call.knobs.out_of_reach_code,
            "no privilege to access/modify contact/party/agent",
        ));
    }
    Ok(())
}

pub(super) fn create(corp: &mut Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let userid = call.body.text("userid").unwrap_or_default();
    reached(call, &userid)?;
    // A missing or mistyped value means yes: an invitation is sent.
    let invites = call.body.truth("to_invite").unwrap_or(true);
    let patch = Patch::take(&mut call.body);
    let most_members = call.limits.of(call.limits.wecom_members);
    let departments = corp.create_member(&userid, patch, call.knobs, most_members)?;
    if invites {
        corp.invite(&userid.to_ascii_lowercase());
    }
    Ok(Success { text: "created", rest: told(&departments) })
}

pub(super) fn update(corp: &mut Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let userid = call.body.text("userid").unwrap_or_default();
    reached(call, &userid)?;
    let new_userid = call.body.text("new_userid");
    let patch = Patch::take(&mut call.body);
    let departments = corp.update_member(&userid, new_userid, patch, call.knobs)?;
    Ok(Success { text: "updated", rest: told(&departments) })
}

fn told(departments: &CreatedDepartments) -> String {
    if departments.is_empty() {
        return String::new();
    }
    let listed: Vec<_> = departments.iter().map(|(id, name)| json!({ "name": name, "id": id })).collect();
    format!(r#","created_department_list":{}"#, json!({ "department_info": listed }))
}

pub(super) fn delete(corp: &mut Corp, call: &Call<'_>) -> Result<Success, Refusal> {
    let userid = call.parameter("userid").ok_or_else(|| Refusal::new(41009, "missing userid"))?;
    reached(call, userid)?;
    let key = deletable(corp, userid)?;
    remove(corp, &key);
    Success::said("deleted")
}

pub(super) fn batch_delete(corp: &mut Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let userids = call.body.texts("useridlist").unwrap_or_default();
    if userids.is_empty() {
        return Err(Refusal::new(40063, "some parameters are empty"));
    }
    if userids.len() > MOST_DELETED_AT_ONCE {
        return Err(Refusal::new(40032, "invalid userid list length"));
    }
    let keys = userids.iter().map(|userid| deletable(corp, userid)).collect::<Result<Vec<_>, _>>();
    // One member that cannot be deleted prevents the deletion of all.
    let keys = keys.map_err(|refusal| match refusal.code {
        60111 => Refusal::new(40031, "invalid userid list"),
        _ => refusal,
    })?;
    for key in keys {
        remove(corp, &key);
    }
    Success::said("deleted")
}

fn deletable(corp: &Corp, userid: &str) -> Result<String, Refusal> {
    let key = userid.to_ascii_lowercase();
    if !corp.members.contains_key(&key) {
        return Err(Refusal::new(60111, "userid not found"));
    }
    if corp.creator.as_ref().is_some_and(|creator| creator.eq_ignore_ascii_case(userid)) {
        return Err(Refusal::new(301_005, "not allow del corp creator"));
    }
    Ok(key)
}

fn remove(corp: &mut Corp, key: &str) {
    if let Some(member) = corp.members.remove(key) {
        corp.disown(&member);
        *corp.deleted.entry(key.to_owned()).or_default() += 1;
    }
}
