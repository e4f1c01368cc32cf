//! Members removed by hand are reported, and a person decides about them.

use ruzhi_sim::factory::CORP_ID;
use serde_json::{Value, json};

use crate::site::Site;

impl Site {
    /// Someone deletes a member in the console, and the row changes afterwards, so that a run finds out.
    fn removed_by_hand(&mut self, place: usize) -> String {
        let userid = self.userid(place);
        self.simulator.delete_by_hand(CORP_ID, &userid).unwrap();
        self.workforce.transfer(place);
        userid
    }

    fn invited(&self, userid: &str) -> u64 {
        self.simulator.invitations(CORP_ID).get(&userid.to_ascii_lowercase()).copied().unwrap_or(0)
    }

    fn listed(&self) -> Vec<Value> {
        let removed = self.json(0, &["removed", "jingxintai"]);
        let of = |member: &Value| json!([member["userid"], member["answer"], member["waits"]]);
        removed.as_array().unwrap().iter().map(of).collect()
    }
}

#[test]
fn a_person_has_the_member_created_again_without_or_with_an_invitation_or_lets_go() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    assert_eq!(site.listed(), [] as [Value; 0]);
    let ways = [
        (3, "--recreate", "recreate"),
        (4, "--recreate-invited", "recreate_invited"),
        (5, "--release", "release"),
    ];
    let userids: Vec<String> = ways.iter().map(|(place, ..)| site.removed_by_hand(*place)).collect();
    let found = site.sync();
    assert_eq!(found["state"], "done", "{found}");
    let problem = found["problem"].to_string();
    assert!(problem.contains("3 members were removed from WeCom by hand"), "{found}");
    for (place, ..) in ways {
        assert_eq!(site.refused(&site.record(place)), ["member.removed"]);
    }
    let status = site.json(0, &["status", "jingxintai"]);
    assert_eq!((&status[0]["removed"], &status[0]["members"]), (&json!(3), &json!(9)));
    let waiting: Vec<Value> = userids.iter().map(|userid| json!([userid, null, true])).collect();
    assert_eq!(site.listed(), waiting);
    let creates = site.calls("user/create");
    site.sync();
    assert_eq!(site.calls("user/create"), creates, "no one is created again by itself");

    for ((_, flag, answer), userid) in ways.iter().zip(&userids) {
        let said = site.json(0, &["removed", "jingxintai", userid, flag, "--reason", "误删"]);
        assert_eq!((&said["userid"], &said["answer"]), (&json!(userid), &json!(answer)));
    }
    let carried_out = site.sync();
    assert_eq!(
        (&carried_out["counts"]["created"], &carried_out["counts"]["rejected"]),
        (&json!(2), &json!(0))
    );
    let there: Vec<bool> = userids.iter().map(|userid| site.member(userid).is_some()).collect();
    assert_eq!(there, [true, true, false]);
    let invited: Vec<u64> = userids.iter().map(|userid| site.invited(userid)).collect();
    assert_eq!(invited, [1, 2, 1], "only the one of whom a person said so is invited again");
    assert_eq!(site.listed(), [json!([userids[2], "release", false])]);

    // A released member may still be created again.
    site.json(0, &["removed", "jingxintai", &userids[2], "--recreate"]);
    assert_eq!(site.sync()["counts"]["created"], 1);
    assert_eq!((site.invited(&userids[2]), site.listed().len()), (1, 0));
}

#[test]
fn there_is_nothing_to_decide_of_a_member_who_is_there_or_never_was() {
    let mut site = Site::new(6, |tenant| tenant);
    site.sync();
    let there = site.userid(2);
    for (userid, code) in
        [(there.as_str(), "member.state"), ("absent", "member.unknown"), ("不合规", "usage")]
    {
        let outcome = site.run(&["removed", "jingxintai", userid, "--release", "--json"]);
        assert_ne!(outcome.code, Some(0), "{userid}");
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(told.contains(code) || code == "usage", "{userid}: {told}");
    }
    for arguments in
        [&["removed", "jingxintai", "w1"][..], &["removed", "--release"], &["removed", "--reason", "x"]]
    {
        assert_eq!(site.run(arguments).code, Some(2), "{arguments:?}");
    }
}
