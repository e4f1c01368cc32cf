//! The order of operations: leavers go first, for they free numbers and places; what frees a unique value comes before
//! what takes it; of two that take one value the first record's comes first. Direct leaders are not in it: they are
//! written by a later plan of the same run, once both members are there.
//!
//! Of each operation only a few numbers are kept, so that a plan of a hundred thousand has an order without being held.
//! The numbers are hashes: should two things ever share one, an operation waits a wave longer than it has to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher as _};

use super::world::comparable_mobile;
use crate::model::{LedgerEntry, Member, Operation, OperationKind, UniqueField};

/// What the operations so far free and take.
#[derive(Debug, Default)]
pub(super) struct Waves {
    frees: HashMap<u64, Vec<usize>>,
    takers: HashMap<u64, usize>,
    wants: Vec<Wants>,
}

#[derive(Debug, Default)]
struct Wants {
    takes: Held,
    after: Vec<usize>,
    /// Values it frees that it can do without before it has taken others, by their fields.
    parkable: Held,
    /// It can leave a field to the next plan: the member is there.
    can_hold_back: bool,
    /// It puts a member out of the directory, or out of reach.
    parts: bool,
}

/// Which operations write less than they want.
#[derive(Debug, Default)]
struct Lessened {
    parks: BTreeMap<usize, UniqueField>,
    held_back: BTreeSet<(usize, UniqueField)>,
}

impl Lessened {
    /// Whether an operation still gives the value of a field up.
    fn frees(&self, at: usize, field: UniqueField) -> bool {
        self.parks.get(&at).map_or(!self.held_back.contains(&(at, field)), |parked| *parked == field)
    }

    /// Whether an operation still takes the value of a field.
    fn takes(&self, at: usize, field: UniqueField) -> bool {
        !self.parks.contains_key(&at) && !self.held_back.contains(&(at, field))
    }
}

/// A value of a field that only one member can have at a time, as a number.
pub(crate) fn value_key(field: UniqueField, value: &str) -> u64 {
    let value = match field {
        UniqueField::Mobile => comparable_mobile(value),
        UniqueField::Email | UniqueField::BizMail => value.to_lowercase(),
    };
    let mut hasher = DefaultHasher::new();
    std::hash::Hash::hash(&(field, value), &mut hasher);
    hasher.finish()
}

/// What only one member can hold at a time.
fn held(member: &Member) -> Vec<(UniqueField, u64)> {
    let of = |field: UniqueField| Some((field, value_key(field, field.of(member)?)));
    UniqueField::ALL.into_iter().filter_map(of).collect()
}

/// The values that the operation's member gives up.
pub(crate) fn freed(operation: &Operation) -> Vec<(UniqueField, u64)> {
    let (had, has) = before_and_after(operation);
    had.into_iter().filter(|item| !has.contains(item)).collect()
}

type Held = Vec<(UniqueField, u64)>;

fn before_and_after(operation: &Operation) -> (Held, Held) {
    let before = operation.before.as_ref().filter(|before| before.exists());
    let had = before.map(|before| held(&before.written)).unwrap_or_default();
    let has = match operation.kind {
        OperationKind::Delete => Vec::new(),
        _ => held(&operation.member),
    };
    (had, has)
}

impl Waves {
    /// Takes in the next operation.
    pub(super) fn add(&mut self, operation: &Operation) {
        let at = self.wants.len();
        let (had, has) = before_and_after(operation);
        let frees: Vec<_> = had.iter().filter(|item| !has.contains(item)).copied().collect();
        for (_, item) in &frees {
            self.frees.entry(*item).or_default().push(at);
        }
        let takes: Held = has.into_iter().filter(|item| !had.contains(item)).collect();
        let writes_values = UniqueField::ALL.iter().any(|field| operation.body.contains_key(field.as_str()));
        let parts =
            matches!(operation.kind, OperationKind::Disable | OperationKind::Delete) && !writes_values;
        let can_hold_back = operation.before.as_ref().is_some_and(LedgerEntry::exists);
        let parkable = parkable(operation, &frees);
        let mut wants = Wants { takes, parkable, can_hold_back, parts, ..Wants::default() };
        for (_, item) in &wants.takes {
            wants.after.extend(self.takers.insert(*item, at));
        }
        self.wants.push(wants);
    }

    /// The order of the operations.
    pub(super) fn finish(self) -> Order {
        let mut lessened = Lessened::default();
        let waves = loop {
            let needs = self.needs(&mut lessened);
            let waves = levels(&needs);
            match to_park(&needs, &waves, &self.wants) {
                Some((at, field)) => lessened.parks.insert(at, field),
                None => break waves,
            };
        };
        let wants = self.wants;
        // Of a circle that nothing opens every operation is refused at once, so that its record waits with the reason.
        // Whoever parts has a wave of their own before all others.
        let first_wave =
            u32::from(wants.iter().any(|wants| wants.parts) && wants.iter().any(|wants| !wants.parts));
        let waves = waves
            .into_iter()
            .zip(&wants)
            .map(|(wave, wants)| if wants.parts { 0 } else { wave.unwrap_or(0) + first_wave });
        Order {
            waves: waves.enumerate().filter(|(_, wave)| *wave > 0).collect(),
            first_wave,
            held_back: lessened
                .held_back
                .into_iter()
                .filter(|(at, _)| !lessened.parks.contains_key(at))
                .collect(),
            parks: lessened.parks.into_iter().collect(),
        }
    }

    /// What each operation comes after. One that parks a value, or holds a field back, frees no other of its values: an
    /// operation that takes such a one holds its field back in turn.
    fn needs(&self, lessened: &mut Lessened) -> Vec<Vec<usize>> {
        loop {
            let mut more = Vec::new();
            let needs = self.wants.iter().enumerate().map(|(at, wants)| {
                let mut needs =
                    if lessened.parks.contains_key(&at) { Vec::new() } else { wants.after.clone() };
                for (field, value) in wants.takes.iter().filter(|(field, _)| lessened.takes(at, *field)) {
                    for other in self.frees.get(value).into_iter().flatten().filter(|other| **other != at) {
                        needs.push(*other);
                        if wants.can_hold_back && !lessened.frees(*other, *field) {
                            more.push((at, *field));
                        }
                    }
                }
                needs
            });
            let needs: Vec<Vec<usize>> = needs.collect();
            if more.is_empty() {
                return needs;
            }
            lessened.held_back.extend(more);
        }
    }
}

/// The values an operation frees that its member can do without for a moment: a member needs a mobile number or an
/// e-mail address at any time.
fn parkable(operation: &Operation, frees: &[(UniqueField, u64)]) -> Held {
    let Some(before) = operation.before.as_ref().filter(|before| before.exists()) else { return Vec::new() };
    let changes =
        matches!(operation.kind, OperationKind::Update | OperationKind::Enable | OperationKind::Disable);
    let had = |field: UniqueField| field.of(&before.written).is_some();
    let can = |field: UniqueField| match field {
        UniqueField::Mobile => had(UniqueField::Email),
        UniqueField::Email => had(UniqueField::Mobile),
        UniqueField::BizMail => true,
    };
    let of_body = |field: UniqueField| operation.body.contains_key(field.as_str());
    frees.iter().filter(|(field, _)| changes && of_body(*field) && can(*field)).copied().collect()
}

/// The order of a plan's operations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// The wave of each operation that is not in the first, by its place.
    pub waves: Vec<(usize, u32)>,
    /// The first wave of operations that are not of leavers.
    pub first_wave: u32,
    /// Operations that first empty a field, because another member waits for the value whose own value they want: what
    /// they want is written by the next plan.
    pub parks: Vec<(usize, UniqueField)>,
    /// Fields that operations leave to the next plan, because the value they take is not freed by this one.
    pub held_back: Vec<(usize, UniqueField)>,
}

/// The first operation of a circle that can do without the value another of the circle waits for.
fn to_park(needs: &[Vec<usize>], waves: &[Option<u32>], wants: &[Wants]) -> Option<(usize, UniqueField)> {
    let waiting = |at: &usize| waves.get(*at).is_some_and(Option::is_none);
    // Everything that an operation waits for, over others.
    let reached = |start: usize| {
        let (mut seen, mut open) = (HashSet::new(), vec![start]);
        while let Some(at) = open.pop() {
            for other in needs.get(at).into_iter().flatten().filter(|other| waiting(other)) {
                if seen.insert(*other) {
                    open.push(*other);
                }
            }
        }
        seen
    };
    (0..waves.len()).filter(waiting).find_map(|at| {
        let parkable = &wants.get(at)?.parkable;
        if parkable.is_empty() {
            return None;
        }
        let circle = reached(at);
        if !circle.contains(&at) {
            return None;
        }
        let taken = |value: u64| {
            circle.iter().any(|other| {
                *other != at
                    && wants.get(*other).is_some_and(|w| w.takes.iter().any(|(_, taken)| *taken == value))
            })
        };
        parkable.iter().find(|(_, value)| taken(*value)).map(|(field, _)| (at, *field))
    })
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
