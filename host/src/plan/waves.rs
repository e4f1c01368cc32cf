//! The order of operations: what frees a mobile or an e-mail comes before what takes it, a leader is created before
//! the people who report to them, and of two that take one e-mail the first record's comes first.
//!
//! Of each operation only a few numbers are kept, so that a plan of a hundred thousand has an order without being held.
//! The numbers are hashes: should two things ever share one, an operation waits a wave longer than it has to.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher as _};

use super::world::comparable_mobile;
use crate::model::{Member, MemberKey, Operation, OperationKind};

/// What the operations so far free, take and create.
#[derive(Debug, Default)]
pub(super) struct Waves {
    frees: HashMap<u64, Vec<usize>>,
    creates: HashMap<u64, usize>,
    takers: HashMap<u64, usize>,
    wants: Vec<Wants>,
}

#[derive(Debug, Default)]
struct Wants {
    takes: Vec<u64>,
    leaders: Vec<u64>,
    after: Vec<usize>,
    /// It changes the mobile number of a member who can be reached by e-mail meanwhile.
    can_let_go: bool,
}

impl Waves {
    /// Takes in the next operation.
    pub(super) fn add(&mut self, operation: &Operation) {
        let at = self.wants.len();
        let before = operation.before.as_ref().filter(|before| before.exists());
        let had = before.map(|before| held(&before.written)).unwrap_or_default();
        let has = match operation.kind {
            OperationKind::Delete => Vec::new(),
            _ => held(&operation.member),
        };
        if operation.kind == OperationKind::Create {
            self.creates.insert(hash(&operation.userid.key()), at);
        }
        for item in had.iter().filter(|item| !has.contains(item)) {
            self.frees.entry(*item).or_default().push(at);
        }
        let filled = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
        let mut wants = Wants {
            takes: has.into_iter().filter(|item| !had.contains(item)).collect(),
            can_let_go: before.is_some_and(|before| filled(&before.written.email))
                && filled(&operation.member.email)
                && operation.body.contains_key("mobile"),
            ..Wants::default()
        };
        for item in &wants.takes {
            wants.after.extend(self.takers.insert(*item, at));
        }
        if operation.body.contains_key("direct_leader") {
            let leaders = operation.member.direct_leader.iter().flatten();
            wants.leaders.extend(leaders.map(|leader| hash(&MemberKey::of(leader))));
        }
        self.wants.push(wants);
    }

    /// The order of the operations.
    pub(super) fn finish(self) -> Order {
        let Self { frees, creates, wants, .. } = self;
        let mut needs: Vec<Vec<usize>> = wants
            .iter()
            .enumerate()
            .map(|(at, wants)| {
                let mut needs = wants.after.clone();
                needs.extend(wants.takes.iter().filter_map(|item| frees.get(item)).flatten());
                needs.extend(wants.leaders.iter().filter_map(|leader| creates.get(leader)));
                needs.retain(|other| *other != at);
                needs
            })
            .collect();
        let mut lets_go = Vec::new();
        let mut waves = levels(&needs);
        while let Some(at) = in_a_circle(&needs, &waves, &wants) {
            lets_go.push(at);
            if let Some(needs) = needs.get_mut(at) {
                needs.clear();
            }
            waves = levels(&needs);
        }
        let last = waves.iter().flatten().max().map_or(0, |wave| wave + 1);
        let waves = waves.into_iter().map(|wave| wave.unwrap_or(last));
        Order { waves: waves.enumerate().filter(|(_, wave)| *wave > 0).collect(), lets_go }
    }
}

/// The order of a plan's operations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// The wave of each operation that is not in the first, by its place.
    pub waves: Vec<(usize, u32)>,
    /// Operations that first give their member's mobile number up, because somebody waits for it whose own number they
    /// want: the number they want is written by the next plan.
    pub lets_go: Vec<usize>,
}

/// The first operation of a circle that can do without a mobile number for a moment: its member has an e-mail address.
fn in_a_circle(needs: &[Vec<usize>], waves: &[Option<u32>], wants: &[Wants]) -> Option<usize> {
    let waiting = |at: &usize| waves.get(*at).is_some_and(Option::is_none);
    let circles = |start: usize| {
        let (mut seen, mut open) = (HashSet::new(), vec![start]);
        while let Some(at) = open.pop() {
            for other in needs.get(at).into_iter().flatten().filter(|other| waiting(other)) {
                if *other == start {
                    return true;
                }
                if seen.insert(*other) {
                    open.push(*other);
                }
            }
        }
        false
    };
    let can = |at: &usize| wants.get(*at).is_some_and(|wants| wants.can_let_go);
    (0..waves.len()).filter(waiting).filter(can).find(|at| circles(*at))
}

/// What only one member can hold at a time.
fn held(member: &Member) -> Vec<u64> {
    let filled = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let mobile = filled(&member.mobile).map(|mobile| hash(&("mobile", comparable_mobile(&mobile))));
    let email = filled(&member.email).map(|email| hash(&("email", email.to_lowercase())));
    mobile.into_iter().chain(email).collect()
}

fn hash(what: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// The level of each node: one above the highest it needs; none for a node that a circle keeps from an order.
fn levels(needs: &[Vec<usize>]) -> Vec<Option<u32>> {
    let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (at, needs) in needs.iter().enumerate() {
        for need in needs {
            if let Some(list) = needed_by.get_mut(*need) {
                list.push(at);
            }
        }
    }
    let mut level: Vec<Option<u32>> = vec![None; needs.len()];
    let mut ready: Vec<usize> =
        waiting.iter().enumerate().filter(|(_, count)| **count == 0).map(|(at, _)| at).collect();
    let mut now = 0;
    while !ready.is_empty() {
        let mut next = Vec::new();
        for at in ready {
            if let Some(level) = level.get_mut(at) {
                *level = Some(now);
            }
            for other in needed_by.get(at).into_iter().flatten() {
                if let Some(count) = waiting.get_mut(*other) {
                    *count -= 1;
                    if *count == 0 {
                        next.push(*other);
                    }
                }
            }
        }
        ready = next;
        now += 1;
    }
    level
}

#[cfg(test)]
mod tests {
    use super::levels;

    #[test]
    fn each_node_comes_after_what_it_needs_and_a_circle_has_no_order() {
        assert_eq!(levels(&[vec![], vec![0], vec![1, 0], vec![]]), [0, 1, 2, 0].map(Some));
        assert_eq!(levels(&[vec![1], vec![0], vec![]]), [None, None, Some(0)]);
    }
}
