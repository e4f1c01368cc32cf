//! Members shown by user/list_id. It reads a replica that may be late: a new member is not there yet, or a deleted one
//! still is.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::member::Member;

/// A member as user/list_id shows it.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) userid: String,
    pub(super) department: Vec<u32>,
}

impl Listed {
    fn of(member: &Member) -> Self {
        Self { userid: member.userid.clone(), department: member.department.clone() }
    }
}

/// Changes that the replica does not know yet.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// By userid in lower case: shown though gone, or not shown though there.
    late: BTreeMap<String, Option<Listed>>,
    /// The directory at the time when fault rules were set that show it.
    before: Option<BTreeMap<String, Listed>>,
}

impl Listing {
    /// Keeps showing a member as it is now (`true`), or keeps hiding it (`false`).
    pub(super) fn keep(&mut self, member: &Member, shown: bool) {
        self.late.insert(member.key(), shown.then(|| Listed::of(member)));
    }

    /// Brings the replica up to date.
    pub(super) fn catch_up(&mut self) {
        self.late.clear();
    }

    pub(super) fn remember(&mut self, members: &BTreeMap<String, Member>, whether: bool) {
        self.before = whether.then(|| all(members));
    }

    /// Members from `start` on in the order of their userid; `stale` shows the remembered directory.
    pub(super) fn starting_at<'a>(
        &'a self,
        members: &'a BTreeMap<String, Member>,
        start: Bound<String>,
        stale: bool,
    ) -> Box<dyn Iterator<Item = (String, Listed)> + 'a> {
        let range = (start, Bound::Unbounded);
        if let Some(before) = self.before.as_ref().filter(|_| stale) {
            return Box::new(before.range(range).map(|(key, listed)| (key.clone(), listed.clone())));
        }
        if self.late.is_empty() {
            return Box::new(members.range(range).map(|(key, member)| (key.clone(), Listed::of(member))));
        }
        let mut shown = all(members);
        for (key, late) in &self.late {
            match late {
                Some(listed) => shown.insert(key.clone(), listed.clone()),
                None => shown.remove(key),
            };
        }
        let shown: Vec<_> = shown.range(range).map(|(key, listed)| (key.clone(), listed.clone())).collect();
        Box::new(shown.into_iter())
    }
}

fn all(members: &BTreeMap<String, Member>) -> BTreeMap<String, Listed> {
    members.iter().map(|(key, member)| (key.clone(), Listed::of(member))).collect()
}
