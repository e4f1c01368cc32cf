//! The order of operations: what frees a mobile or an e-mail comes before what takes it, a leader is created before
//! the people who report to them, and of two that take one e-mail the first record's comes first.
//!
//! Of each operation only a few numbers are kept, so that a plan of a hundred thousand has an order without being held.
//! The numbers are hashes: should two things ever share one, an operation waits a wave longer than it has to.

use std::collections::HashMap;
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
        let mut wants =
            Wants { takes: has.into_iter().filter(|item| !had.contains(item)).collect(), ..Wants::default() };
        for item in &wants.takes {
            wants.after.extend(self.takers.insert(*item, at));
        }
        if operation.body.contains_key("direct_leader") {
            let leaders = operation.member.direct_leader.iter().flatten();
            wants.leaders.extend(leaders.map(|leader| hash(&MemberKey::of(leader))));
        }
        self.wants.push(wants);
    }

    /// The wave of each operation that is not in the first.
    pub(super) fn finish(self) -> Vec<(usize, u32)> {
        let Self { frees, creates, wants, .. } = self;
        let needs: Vec<Vec<usize>> = wants
            .into_iter()
            .enumerate()
            .map(|(at, Wants { takes, leaders, mut after })| {
                after.extend(takes.iter().filter_map(|item| frees.get(item)).flatten());
                after.extend(leaders.iter().filter_map(|leader| creates.get(leader)));
                after.retain(|other| *other != at);
                after
            })
            .collect();
        levels(&needs).into_iter().enumerate().filter(|(_, wave)| *wave > 0).collect()
    }
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

/// The level of each node: one above the highest it needs. Nodes in a circle cannot be ordered and come last.
fn levels(needs: &[Vec<usize>]) -> Vec<u32> {
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
    level.into_iter().map(|level| level.unwrap_or(now)).collect()
}

#[cfg(test)]
mod tests {
    use super::levels;

    #[test]
    fn each_node_comes_after_what_it_needs_and_circles_come_last() {
        assert_eq!(levels(&[vec![], vec![0], vec![1, 0], vec![]]), [0, 1, 2, 0]);
        assert_eq!(levels(&[vec![1], vec![0], vec![]]), [1, 1, 0]);
    }
}
