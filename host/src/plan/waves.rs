//! The order of operations: what frees a mobile or an e-mail comes before what takes it, a leader is created before
//! the people who report to them, and of two that take one e-mail the first record's comes first.

use std::collections::{BTreeMap, HashMap};

use super::claims::normal_mobile;
use crate::model::{Member, MemberKey, Operation, OperationKind};

/// Sets the wave of each operation. `before` holds the ledger's member for each operation that has one.
pub(super) fn arrange(operations: &mut [Operation], before: &BTreeMap<MemberKey, Member>) {
    let mut frees: HashMap<String, Vec<usize>> = HashMap::new();
    let mut creates: HashMap<MemberKey, usize> = HashMap::new();
    for (at, operation) in operations.iter().enumerate() {
        let key = operation.userid.key();
        if operation.kind == OperationKind::Create {
            creates.insert(key, at);
        } else if let Some(before) = before.get(&key) {
            let after = (operation.kind != OperationKind::Delete).then_some(&operation.member);
            let kept: Vec<String> = after.map(held).unwrap_or_default();
            for item in held(before).into_iter().filter(|item| !kept.contains(item)) {
                frees.entry(item).or_default().push(at);
            }
        }
    }
    let mut needs: Vec<Vec<usize>> = vec![Vec::new(); operations.len()];
    let mut takers: HashMap<String, usize> = HashMap::new();
    for ((at, operation), needs) in operations.iter().enumerate().zip(&mut needs) {
        if operation.kind == OperationKind::Delete {
            continue;
        }
        let had: Vec<String> = before.get(&operation.userid.key()).map(held).unwrap_or_default();
        for item in held(&operation.member).into_iter().filter(|item| !had.contains(item)) {
            needs.extend(frees.get(&item).into_iter().flatten().filter(|other| **other != at));
            needs.extend(takers.insert(item, at));
        }
        if operation.body.contains_key("direct_leader") {
            let leaders = operation.member.direct_leader.iter().flatten();
            needs.extend(leaders.filter_map(|l| creates.get(&MemberKey::of(l))).filter(|o| **o != at));
        }
    }
    for (operation, wave) in operations.iter_mut().zip(levels(&needs)) {
        operation.wave = wave;
    }
}

/// What only one member can hold at a time.
fn held(member: &Member) -> Vec<String> {
    let filled = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let mut held: Vec<String> = filled(&member.mobile)
        .map(|mobile| format!("mobile:{}", normal_mobile(&mobile)))
        .into_iter()
        .collect();
    held.extend(filled(&member.email).map(|email| format!("email:{}", email.to_lowercase())));
    held
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
