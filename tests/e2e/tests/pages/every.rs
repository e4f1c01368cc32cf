//! Every page, found as a person finds it.

use std::collections::BTreeSet;

use ruzhi_e2e::{RULES, Tenant};

use crate::browser::Screen;
use crate::office::{Lang, OPERATOR, Office, ran};

pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) path: String,
}

/// The pages that do not depend on earlier actions.
const FIXED: [(&str, &str); 13] = [
    ("overview", "/"),
    ("tenant", "/tenants/jingxintai"),
    ("runs", "/runs"),
    ("quarantine", "/quarantine"),
    ("rules", "/rules"),
    ("flow-rules", "/rules/jingxintai/onboarding"),
    ("difference", "/rules/jingxintai/onboarding/difference?to=1"),
    ("charts", "/charts"),
    ("alerts", "/alerts"),
    ("audit", "/audit"),
    ("settings", "/settings"),
    ("missing", "/nothing-is-here"),
    ("not-a-run", "/runs/r999999"),
];

/// A factory in which a bit of everything has happened: a run, a held plan, replaced rules, a record in quarantine. An
/// operator is logged in.
pub(crate) fn full(lang: Lang, screen: Screen) -> Office {
    let careful = |tenant| Tenant { tables: "[guard]\ncreate_most = 2\n".to_owned(), ..tenant };
    let office = Office::new(2, lang, screen, careful, |simulator, deployment, workforce| {
        workforce.hire_wrongly();
        workforce.publish(simulator).unwrap();
        ran(deployment, &["sync", "jingxintai"], 0);
        let rules = Some(format!("{RULES}\n"));
        deployment.put(&careful(Tenant { rules, ..Tenant::new(&simulator.url()) })).unwrap();
        for _ in 0..4 {
            workforce.hire();
        }
        workforce.transfer(0);
        workforce.publish(simulator).unwrap();
        ran(deployment, &["sync", "jingxintai"], 3);
    });
    office.log_in(OPERATOR);
    office
}

/// All pages, for a flow with a run, a held plan and a record in quarantine.
pub(crate) fn pages(office: &Office) -> Vec<Page> {
    let mut pages: Vec<Page> =
        FIXED.iter().map(|(name, path)| Page { name, path: (*path).to_owned() }).collect();
    for (name, from, kind) in
        [("run", "/runs", "/runs/"), ("record", "/quarantine", "/records/"), ("plan", "/", "/plans/")]
    {
        let path = links(office, from).into_iter().find(|link| link.starts_with(kind));
        pages.push(Page { name, path: path.unwrap_or_else(|| panic!("no {name} on {from}")) });
    }
    pages
}

/// Targets of a page's links.
fn links(office: &Office, page: &str) -> BTreeSet<String> {
    office.browser.go(page);
    let script = "return [...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href'))";
    let links = office.browser.script(script, vec![]);
    links.as_array().into_iter().flatten().filter_map(|link| link.as_str().map(str::to_owned)).collect()
}
