//! The order of operations: leavers go first, for they free numbers and places; an operation that frees a unique value
//! comes before one that takes it; of two that take one value the first record's comes first. Direct leaders are not
//! part of it: a later plan of the same run writes them, once both members are there.
//!
//! Of each operation only a few numbers are kept, so that a plan of a hundred thousand can be ordered without being
//! held. The numbers are hashes: if two values ever share one, an operation waits a wave longer than necessary.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hasher as _};

use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;

use super::world::comparable_mobile;
use ruzhi_model::{LedgerEntry, Member, Operation, OperationKind, UniqueField};

/// The values that the operations so far free and take.
#[derive(Debug, Default)]
pub(super) struct Waves {
    frees: HashMap<u64, Vec<usize>>,
    takers: HashMap<u64, usize>,
    nodes: Vec<OperationNode>,
}

#[derive(Debug, Default)]
struct OperationNode {
    takes: FieldValues,
    /// Operations that take one of its values before it.
    after: Vec<Dependency>,
    /// Freed values that the member can do without before taking others, by field.
    parkable: FieldValues,
    /// Fields that it gives a member who has none.
    gains: Vec<UniqueField>,
    /// It can leave a field to the next plan: the member exists.
    can_hold_back: bool,
    /// It removes a member from the directory, or disables them.
    parts: bool,
}

/// An operation that another one comes after, and the field of the value both involve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dependency {
    on: usize,
    field: UniqueField,
}

/// Operations that write less than they want.
#[derive(Debug, Default)]
struct Reductions {
    parks: BTreeMap<usize, UniqueField>,
    held_back: BTreeSet<(usize, UniqueField)>,
}

impl Reductions {
    /// True if an operation still gives up the value of a field.
    fn frees(&self, at: usize, field: UniqueField) -> bool {
        self.parks.get(&at).map_or(!self.held_back.contains(&(at, field)), |parked| *parked == field)
    }

    /// True if an operation still takes the value of a field.
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

/// The values that only one member can hold at a time.
fn held(member: &Member) -> Vec<(UniqueField, u64)> {
    let of = |field: UniqueField| Some((field, value_key(field, field.of(member)?)));
    UniqueField::ALL.into_iter().filter_map(of).collect()
}

/// The values that the operation's member gives up.
pub fn freed(operation: &Operation) -> Vec<(UniqueField, u64)> {
    let (had, has) = before_and_after(operation);
    had.into_iter().filter(|item| !has.contains(item)).collect()
}

type FieldValues = Vec<(UniqueField, u64)>;

fn before_and_after(operation: &Operation) -> (FieldValues, FieldValues) {
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
        let at = self.nodes.len();
        let (had, has) = before_and_after(operation);
        let frees: Vec<_> = had.iter().filter(|item| !has.contains(item)).copied().collect();
        for (_, item) in &frees {
            self.frees.entry(*item).or_default().push(at);
        }
        let takes: FieldValues = has.into_iter().filter(|item| !had.contains(item)).collect();
        let writes_values = UniqueField::ALL.iter().any(|field| operation.body.contains_key(field.as_str()));
        let parts =
            matches!(operation.kind, OperationKind::Disable | OperationKind::Delete) && !writes_values;
        let can_hold_back = operation.before.as_ref().is_some_and(LedgerEntry::exists);
        let parkable = parkable(operation, &frees);
        let lacked = |(field, _): &(UniqueField, u64)| !had.iter().any(|(held, _)| held == field);
        let gains = takes.iter().filter(|item| lacked(item)).map(|(field, _)| *field).collect();
        let mut node =
            OperationNode { takes, parkable, gains, can_hold_back, parts, ..OperationNode::default() };
        for (field, value) in &node.takes {
            let earlier = self.takers.insert(*value, at);
            node.after.extend(earlier.map(|on| Dependency { on, field: *field }));
        }
        self.nodes.push(node);
    }

    /// The order of the operations.
    pub(super) fn finish(self) -> OperationOrder {
        let mut reductions = Reductions::default();
        let waves = loop {
            let needs = self.needs(&mut reductions);
            let waves = levels(&needs);
            let mut opened = false;
            for circle in circles(&needs, &waves) {
                opened |= self.open(&circle, &needs, &mut reductions);
            }
            if !opened {
                break waves;
            }
        };
        let nodes = self.nodes;
        // Every operation of a circle that cannot be opened is rejected at once, so that its record waits with the
        // reason. Departures have a wave of their own before all others.
        let first_wave =
            u32::from(nodes.iter().any(|node| node.parts) && nodes.iter().any(|node| !node.parts));
        let waves = waves
            .into_iter()
            .zip(&nodes)
            .map(|(wave, node)| if node.parts { 0 } else { wave.unwrap_or(0) + first_wave });
        OperationOrder {
            waves: waves.enumerate().filter(|(_, wave)| *wave > 0).collect(),
            first_wave,
            held_back: reductions
                .held_back
                .into_iter()
                .filter(|(at, _)| !reductions.parks.contains_key(at))
                .collect(),
            parks: reductions.parks.into_iter().collect(),
        }
    }

    /// The predecessors of each operation. One that parks a value, or holds a field back, frees no other of its values:
    /// an operation that takes such a value holds its field back in turn.
    fn needs(&self, reductions: &mut Reductions) -> Vec<Vec<Dependency>> {
        loop {
            let mut more = Vec::new();
            let needs = self.nodes.iter().enumerate().map(|(at, node)| {
                let takes = |field: UniqueField| reductions.takes(at, field);
                let mut needs: Vec<Dependency> =
                    node.after.iter().filter(|need| takes(need.field)).copied().collect();
                for (field, value) in node.takes.iter().filter(|(field, _)| takes(*field)) {
                    for on in self.frees.get(value).into_iter().flatten().filter(|on| **on != at) {
                        needs.push(Dependency { on: *on, field: *field });
                        if node.can_hold_back && !reductions.frees(*on, *field) {
                            more.push((at, *field));
                        }
                    }
                }
                needs
            });
            let needs: Vec<Vec<Dependency>> = needs.collect();
            if more.is_empty() {
                return needs;
            }
            reductions.held_back.extend(more);
        }
    }

    /// Opens a circle of operations, or reduces it to a single field. Returns false if neither is possible.
    ///
    /// A circle of one field opens if a member can do without the value for a moment. In a circle of several fields one
    /// field is passed on by this plan and the others by the next ones: each plan has one circle less.
    fn open(&self, circle: &[usize], needs: &[Vec<Dependency>], reductions: &mut Reductions) -> bool {
        let within: BTreeSet<usize> = circle.iter().copied().collect();
        let inner: Vec<(usize, Dependency)> = within
            .iter()
            .flat_map(|at| needs.get(*at).into_iter().flatten().map(|need| (*at, *need)))
            .filter(|(_, need)| within.contains(&need.on))
            .collect();
        let fields: BTreeSet<UniqueField> = inner.iter().map(|(_, need)| need.field).collect();
        if let (Some(field), 1) = (fields.first(), fields.len()) {
            return self.park_one(&within, *field, reductions);
        }
        let of_field = |field: UniqueField| {
            inner.iter().filter(move |(_, need)| need.field == field).map(|(at, need)| (*at, need.on))
        };
        let opens = |field: &UniqueField| {
            rings(of_field(*field)).iter().all(|ring| ring.iter().any(|at| self.can_park(*at, *field)))
        };
        let Some(first) = fields.iter().find(|field| opens(field)) else { return false };
        let others = inner.iter().filter(|(_, need)| need.field != *first);
        let before = reductions.held_back.len();
        reductions.held_back.extend(others.map(|(at, need)| (*at, need.field)));
        reductions.held_back.len() > before
    }

    fn park_one(&self, circle: &BTreeSet<usize>, field: UniqueField, reductions: &mut Reductions) -> bool {
        if let Some(at) = circle.iter().find(|at| self.can_park(**at, field)) {
            reductions.parks.insert(*at, field);
            return true;
        }
        // A member who gains another contact by this plan can do without this one in the next.
        let gains = |at: &&usize| {
            let gained = |other: &UniqueField| stands_in(field) == Some(*other);
            self.nodes.get(**at).is_some_and(|node| node.gains.iter().any(gained))
        };
        circle.iter().find(gains).is_some_and(|at| reductions.held_back.insert((*at, field)))
    }

    fn can_park(&self, at: usize, field: UniqueField) -> bool {
        self.nodes.get(at).is_some_and(|node| node.parkable.iter().any(|(parked, _)| *parked == field))
    }
}

/// The field that a member can be contacted by while another one is empty: WeCom requires a mobile number or an e-mail
/// address at any time.
fn stands_in(field: UniqueField) -> Option<UniqueField> {
    match field {
        UniqueField::Mobile => Some(UniqueField::Email),
        UniqueField::Email => Some(UniqueField::Mobile),
        UniqueField::BizMail => None,
    }
}

/// The freed values that the operation's member can do without for a moment.
fn parkable(operation: &Operation, frees: &[(UniqueField, u64)]) -> FieldValues {
    let Some(before) = operation.before.as_ref().filter(|before| before.exists()) else { return Vec::new() };
    let changes =
        matches!(operation.kind, OperationKind::Update | OperationKind::Enable | OperationKind::Disable);
    let had = |field: UniqueField| field.of(&before.written).is_some();
    let can = |field: UniqueField| stands_in(field).is_none_or(had);
    let of_body = |field: UniqueField| operation.body.contains_key(field.as_str());
    frees.iter().filter(|(field, _)| changes && of_body(*field) && can(*field)).copied().collect()
}

/// The order of a plan's operations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationOrder {
    /// The wave of each operation that is not in the first, by its place.
    pub waves: Vec<(usize, u32)>,
    /// The first wave with operations other than departures.
    pub first_wave: u32,
    /// Operations that first empty a field, because another member waits for the value and holds the one they want: the
    /// next plan writes that.
    pub parks: Vec<(usize, UniqueField)>,
    /// Fields that operations leave to the next plan, because this one does not free the value they take.
    pub held_back: Vec<(usize, UniqueField)>,
}

/// The operations that wait for each other, circle by circle.
fn circles(needs: &[Vec<Dependency>], waves: &[Option<u32>]) -> Vec<Vec<usize>> {
    let waiting = |at: usize| waves.get(at).is_some_and(Option::is_none);
    let edges = needs.iter().enumerate().filter(|(at, _)| waiting(*at));
    rings(
        edges
            .flat_map(|(at, needs)| needs.iter().map(move |need| (at, need.on)))
            .filter(|(_, on)| waiting(*on)),
    )
}

/// The circles of a graph, each in the order of its nodes.
fn rings(edges: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let graph: DiGraphMap<usize, ()> = edges.map(|(from, to)| (from, to, ())).collect();
    let mut rings = kosaraju_scc(&graph);
    rings.retain(|ring| ring.len() > 1);
    for ring in &mut rings {
        ring.sort_unstable();
    }
    rings.sort_unstable();
    rings
}

/// The level of each node: one above the highest it needs; none for a node that a circle keeps out of any order.
fn levels(needs: &[Vec<Dependency>]) -> Vec<Option<u32>> {
    let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (at, needs) in needs.iter().enumerate() {
        for need in needs {
            if let Some(list) = needed_by.get_mut(need.on) {
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
    use super::{Dependency, levels};
    use ruzhi_model::UniqueField;

    #[test]
    fn each_node_comes_after_what_it_needs_and_a_circle_has_no_order() {
        let on = |on| Dependency { on, field: UniqueField::Mobile };
        assert_eq!(levels(&[vec![], vec![on(0)], vec![on(1), on(0)], vec![]]), [0, 1, 2, 0].map(Some));
        assert_eq!(levels(&[vec![on(1)], vec![on(0)], vec![]]), [None, None, Some(0)]);
    }
}
