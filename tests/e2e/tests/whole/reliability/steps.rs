//! The calls of a run, and the way a factory gets to each.

use ruzhi_e2e::{Tenant, Workforce};
use ruzhi_sim::Service;

/// A factory and its way to the step.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) service: Service,
    pub(super) api: &'static str,
    /// Purpose of the call, where one call has several uses.
    pub(super) what: (&'static str, &'static str),
    pub(super) people: usize,
    /// Number of calls that pass before one meets the fault.
    pub(super) skip: u64,
    /// Runs without faults beforehand, each after such a change.
    pub(super) before: &'static [fn(&mut Workforce)],
    /// The change carried out by the run that meets the fault.
    pub(super) change: fn(&mut Workforce),
    pub(super) tenant: fn(Tenant) -> Tenant,
    /// The changes go as a file, whose result is waited for.
    pub(super) by_job: bool,
}

const PEOPLE: usize = 12;

const STEP: Step = Step {
    service: Service::WeCom,
    api: "",
    what: ("", ""),
    people: PEOPLE,
    skip: 0,
    before: &[],
    change: nothing,
    tenant: as_it_is,
    by_job: false,
};

pub(super) const STEPS: [Step; 17] = [
    Step {
        service: Service::JianDaoYun,
        api: "widget/list",
        what: ("fields of the form", "表单字段"),
        before: &[nothing],
        change: some_of_each,
        tenant: absent_leave,
        ..STEP
    },
    Step {
        service: Service::JianDaoYun,
        api: "data/list",
        what: ("first page", "首页"),
        before: &[nothing],
        change: some_of_each,
        tenant: absent_leave,
        ..STEP
    },
    Step {
        service: Service::JianDaoYun,
        api: "data/list",
        what: ("second page", "次页"),
        people: 110,
        skip: 1,
        before: &[nothing],
        change: some_of_each,
        tenant: absent_leave,
        ..STEP
    },
    Step { api: "gettoken", what: ("token", "令牌"), ..STEP },
    Step { api: "department/simplelist", what: ("departments", "部门"), ..STEP },
    Step { api: "user/list_id", what: ("members", "成员"), ..STEP },
    Step { api: "user/create", what: ("create", "新增"), skip: 2, ..STEP },
    Step { api: "user/update", what: ("update", "更新"), before: &[nothing], change: one_transfer, ..STEP },
    Step { api: "user/update", what: ("disable", "停用"), before: &[nothing], change: one_leaves, ..STEP },
    Step {
        api: "user/update",
        what: ("enable", "启用"),
        before: &[nothing, one_leaves],
        change: one_returns,
        ..STEP
    },
    Step {
        api: "user/delete",
        what: ("delete", "删除"),
        before: &[nothing, one_leaves],
        // The grace period is over, and the row has been archived.
        change: one_row_goes,
        tenant: no_grace,
        ..STEP
    },
    Step {
        api: "user/update",
        what: ("leader", "直属上级"),
        before: &[nothing],
        change: one_is_led,
        tenant: led,
        ..STEP
    },
    Step {
        api: "user/update",
        what: ("exchange of numbers", "互换手机号"),
        skip: 1,
        before: &[nothing],
        change: two_exchange,
        ..STEP
    },
    Step {
        api: "user/getuserid",
        what: ("mobile taken?", "手机号核对"),
        before: &[nothing],
        change: one_new_number,
        ..STEP
    },
    Step { api: "media/upload", what: ("big load: file", "批量：上传"), ..BIG_LOAD },
    Step { api: "batch/syncuser", what: ("big load: job", "批量：任务"), ..BIG_LOAD },
    Step { api: "batch/getresult", what: ("big load: result", "批量：结果"), ..BIG_LOAD },
];

const BIG_LOAD: Step =
    Step { before: &[nothing], change: many_changes, tenant: by_csv, by_job: true, ..STEP };

fn nothing(_: &mut Workforce) {}

fn one_transfer(workforce: &mut Workforce) {
    workforce.transfer(4);
}

fn one_leaves(workforce: &mut Workforce) {
    workforce.leave(4);
}

fn one_row_goes(workforce: &mut Workforce) {
    workforce.remove(4);
}

fn one_is_led(workforce: &mut Workforce) {
    workforce.lead(4, 5);
}

fn two_exchange(workforce: &mut Workforce) {
    workforce.exchange_mobiles(4, 5);
}

fn one_returns(workforce: &mut Workforce) {
    workforce.employ(4);
}

fn one_new_number(workforce: &mut Workforce) {
    workforce.renumber(4);
}

fn some_of_each(workforce: &mut Workforce) {
    workforce.hire();
    workforce.hire_wrongly();
    workforce.transfer(4);
    workforce.leave(5);
}

fn many_changes(workforce: &mut Workforce) {
    for place in 0..4 {
        workforce.transfer(place);
        workforce.hire();
    }
    workforce.hire_wrongly();
}

fn as_it_is(tenant: Tenant) -> Tenant {
    tenant
}

/// Missing rows count as leavers, where an incomplete answer does the most harm.
fn absent_leave(tenant: Tenant) -> Tenant {
    Tenant { flow: "absent = \"leave\"\n".to_owned(), ..tenant }
}

fn no_grace(tenant: Tenant) -> Tenant {
    Tenant { top: "grace = \"0s\"\n".to_owned(), ..tenant }
}

fn by_csv(tenant: Tenant) -> Tenant {
    Tenant { wecom: "batch_from = 2\n".to_owned(), ..tenant }
}

fn led(tenant: Tenant) -> Tenant {
    Tenant { rules: Workforce::led_rules().ok(), ..tenant }
}

/// Only changed rows of the form are read.
pub(super) fn incremental(tenant: Tenant) -> Tenant {
    let source = r#"filter = { rel = "and", cond = [ { field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] } ] }"#;
    Tenant { source: source.to_owned(), ..tenant }
}

/// Members deleted in the console are created again.
pub(super) fn recreating(tenant: Tenant) -> Tenant {
    let top = format!("{}removed = \"recreate\"\n", tenant.top);
    Tenant { top, ..tenant }
}
