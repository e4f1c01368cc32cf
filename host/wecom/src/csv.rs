//! Creates and updates as the rows of CSV files.
//!
//! WeCom documents the reading of such a file only in outline, so a file contains nothing ambiguous:
//!
//! - A row goes in a file only if each of its fields has a column and each of its values is a cell that needs no
//!   quoting. All others go singly.
//! - The meaning of an empty cell for an existing member is undocumented, so a file of updates has none. Mandatory
//!   columns are filled with the member's present values, and rows share a file only if every cell of it can be
//!   filled so. The disabled flag is never filled in: that could re-enable a member unintentionally.
//! - A new member has nothing that an empty cell could clear, so creates may have some.
//! - Invitations are requested per job, not per row: creates with and without one go in different files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::errcode::meaning;
use super::write::{MemberWrite, WriteKind};
use ruzhi_model::UserId;

/// Maximum number of rows of a file.
const MOST_ROWS: usize = 5_000;
/// Maximum size of a file in bytes; WeCom accepts 20 MB.
const MOST_BYTES: usize = 15 * 1024 * 1024;
/// Fewer updates than this cost no more as single calls than as a job.
const FEWEST_UPDATES: usize = 5;
/// Maximum length of a member's field, in bytes.
const LONGEST_CELL: usize = 1_024;
/// Maximum number of a member's departments.
const MOST_DEPARTMENTS: usize = 100;
/// Maximum number of different sets of changed fields compared with each other.
const WEIGHED: usize = 64;

/// A create or update as a row of a CSV file.
#[derive(Debug, Clone, Copy)]
pub struct BatchRow<'a> {
    /// The create or update; deletes are never part of a file.
    pub write: MemberWrite<'a>,
    /// The member after the write, in the field names of `user/create`. Used for updates.
    pub whole: &'a Map<String, Value>,
}

/// Rows divided into files and single calls: each index is in exactly one place.
#[derive(Debug, Default)]
pub struct CsvDivision {
    /// The files.
    pub files: Vec<CsvFile>,
    /// The rows to write by a call each, in their order.
    pub singly: Vec<usize>,
}

/// A CSV file of creates, or of updates.
pub struct CsvFile {
    pub(super) kind: WriteKind,
    invites: bool,
    rows: Vec<usize>,
    pub(super) members: Vec<CsvMember>,
    pub(super) file: Vec<u8>,
}

/// The member of a file's row.
pub(super) struct CsvMember {
    pub(super) userid: UserId,
    /// The subject of the write; the other cells only repeat the present state.
    said: ColumnSet,
}

impl CsvMember {
    /// True if a code that rejects the row concerns the write itself, as that of a separate call would.
    pub(super) fn is_rejected_itself(&self, errcode: i64) -> bool {
        CsvColumn::rejected_by(errcode).is_some_and(|column| ColumnSet::one(column).within(self.said))
    }
}

impl CsvFile {
    /// The indices of the file's rows among the given ones, ascending.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// True if WeCom invites the members that the file creates.
    pub fn invites(&self) -> bool {
        self.invites
    }

    /// True if the rows are creates; otherwise they are updates.
    pub fn creates(&self) -> bool {
        self.kind == WriteKind::Create
    }
}

impl fmt::Debug for CsvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("CsvFile");
        shown.field("kind", &self.kind).field("invites", &self.invites).field("rows", &self.rows);
        shown.finish_non_exhaustive()
    }
}

/// Divides rows into files and single calls. Of several rows of one member the first may be in a file.
pub fn csv_files(rows: &[BatchRow<'_>]) -> CsvDivision {
    divide(rows, MOST_ROWS, MOST_BYTES)
}

/// The same as [`csv_files`], with files of another size.
pub(super) fn divide(rows: &[BatchRow<'_>], most_rows: usize, most_bytes: usize) -> CsvDivision {
    let mut divided = CsvDivision::default();
    let (mut uninvited, mut invited, mut updates) = (Vec::new(), Vec::new(), Vec::new());
    let mut members = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let first = members.insert(row.write.userid().key());
        let group = match row.write {
            MemberWrite::Create { body, .. } => match body.get("to_invite") {
                Some(Value::Bool(true)) => Some(&mut invited),
                Some(Value::Bool(false)) => Some(&mut uninvited),
                _ => None,
            },
            MemberWrite::Update { .. } => Some(&mut updates),
            MemberWrite::Delete { .. } => None,
        };
        match (group.filter(|_| first), CsvRow::of(index, row)) {
            (Some(group), Some(row)) => group.push(row),
            _ => divided.singly.push(index),
        }
    }
    for (invites, rows) in [(false, uninvited), (true, invited)] {
        let columns = rows.iter().fold(MANDATORY, |columns, row| columns.and(row.needed));
        let files =
            CsvBuilder { kind: WriteKind::Create, invites, columns, fewest: 1, most_rows, most_bytes };
        files.add(rows, &mut divided);
    }
    while !updates.is_empty() {
        let columns = columns_for_most(&updates);
        let (fitting, others): (Vec<CsvRow>, _) = updates.into_iter().partition(|row| row.fits(columns));
        updates = others;
        let fewest = FEWEST_UPDATES;
        let files =
            CsvBuilder { kind: WriteKind::Update, invites: false, columns, fewest, most_rows, most_bytes };
        files.add(fitting, &mut divided);
    }
    divided.singly.sort_unstable();
    divided
}

/// A column of the file, in the order of WeCom's own template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CsvColumn {
    Name,
    UserId,
    Mobile,
    Email,
    Department,
    Position,
    Gender,
    Leader,
    Order,
    Alias,
    Address,
    Telephone,
    Disabled,
}

impl CsvColumn {
    const ALL: [Self; 13] = [
        Self::Name,
        Self::UserId,
        Self::Mobile,
        Self::Email,
        Self::Department,
        Self::Position,
        Self::Gender,
        Self::Leader,
        Self::Order,
        Self::Alias,
        Self::Address,
        Self::Telephone,
        Self::Disabled,
    ];

    /// The column's header, and the corresponding field of `user/create`.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Name => ("姓名", "name"),
            Self::UserId => ("帐号", "userid"),
            Self::Mobile => ("手机号", "mobile"),
            Self::Email => ("邮箱", "email"),
            Self::Department => ("所在部门", "department"),
            Self::Position => ("职位", "position"),
            Self::Gender => ("性别", "gender"),
            Self::Leader => ("是否部门内领导", "is_leader_in_dept"),
            Self::Order => ("排序", "order"),
            Self::Alias => ("别名", "alias"),
            Self::Address => ("地址", "address"),
            Self::Telephone => ("座机", "telephone"),
            Self::Disabled => ("禁用", "enable"),
        }
    }

    fn of(field: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.names().1 == field)
    }

    /// The column whose value a code rejects, if it concerns one: not the account itself (301005, 301036), nor two
    /// columns at once (60129).
    fn rejected_by(errcode: i64) -> Option<Self> {
        match errcode {
            60129 | 301_005 | 301_036 => None,
            _ => Self::of(meaning(errcode).field()?),
        }
    }

    /// The cell of a value; `None` if it has no unambiguous one. `departments` is the number of the member's
    /// departments.
    fn cell(self, value: &Value, departments: usize) -> Option<String> {
        match self {
            Self::Department => {
                let count = value.as_array()?.len();
                joined(value, (1..=MOST_DEPARTMENTS).contains(&count).then_some(count)?, |id| {
                    (1..=u64::from(u32::MAX)).contains(&id)
                })
            }
            Self::Leader => joined(value, departments, |flag| flag <= 1),
            Self::Order => joined(value, departments, |order| order <= u64::from(u32::MAX)),
            Self::Gender => match value.as_str()? {
                "1" => Some("男".to_owned()),
                "2" => Some("女".to_owned()),
                _ => None,
            },
            // 1 means disabled here, while 1 in `enable` means enabled.
            Self::Disabled => match value.as_u64()? {
                0 => Some("1".to_owned()),
                1 => Some("0".to_owned()),
                _ => None,
            },
            Self::Name
            | Self::UserId
            | Self::Mobile
            | Self::Email
            | Self::Position
            | Self::Alias
            | Self::Address
            | Self::Telephone => value.as_str().filter(|text| is_plain(text)).map(str::to_owned),
        }
    }
}

/// True if a text is one cell for every parser, without being quoted, joined, escaped or trimmed.
fn is_plain(text: &str) -> bool {
    let unclear = |c: char| c.is_control() || matches!(c, ',' | '"' | ';' | '\\' | '\u{feff}');
    (1..=LONGEST_CELL).contains(&text.len()) && text.trim() == text && !text.contains(unclear)
}

/// A list of exactly `count` numbers, joined.
fn joined(value: &Value, count: usize, good: impl Fn(u64) -> bool) -> Option<String> {
    let numbers = value.as_array().filter(|numbers| numbers.len() == count)?;
    let number = |number: &Value| number.as_u64().filter(|number| good(*number)).map(|n| n.to_string());
    Some(numbers.iter().map(number).collect::<Option<Vec<_>>>()?.join(";"))
}

/// A set of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ColumnSet(u16);

impl ColumnSet {
    const fn one(column: CsvColumn) -> Self {
        Self(1 << column as u16)
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    fn iter(self) -> impl Iterator<Item = CsvColumn> {
        CsvColumn::ALL.into_iter().filter(move |column| Self::one(*column).within(self))
    }
}

impl FromIterator<CsvColumn> for ColumnSet {
    fn from_iter<T: IntoIterator<Item = CsvColumn>>(columns: T) -> Self {
        columns.into_iter().fold(Self(0), |columns, column| columns.and(Self::one(column)))
    }
}

/// The columns every file of creates has.
const MANDATORY: ColumnSet = ColumnSet::one(CsvColumn::Name)
    .and(ColumnSet::one(CsvColumn::UserId))
    .and(ColumnSet::one(CsvColumn::Mobile))
    .and(ColumnSet::one(CsvColumn::Email))
    .and(ColumnSet::one(CsvColumn::Department));

/// A write that a file can express.
struct CsvRow {
    index: usize,
    member: CsvMember,
    cells: BTreeMap<CsvColumn, String>,
    /// The columns of `cells`.
    filled: ColumnSet,
    /// The columns that must be in the row's file.
    needed: ColumnSet,
}

impl CsvRow {
    fn of(index: usize, row: &BatchRow<'_>) -> Option<Self> {
        let (userid, body, whole) = match row.write {
            MemberWrite::Create { userid, body } => (userid, body, None),
            MemberWrite::Update { userid, body } => (userid, body, Some(row.whole)),
            MemberWrite::Delete { .. } => return None,
        };
        let departments = body.get("department").or_else(|| whole?.get("department"));
        let departments = departments.and_then(Value::as_array).map_or(0, Vec::len);
        let mut cells = BTreeMap::from([(CsvColumn::UserId, userid.to_string())]);
        for (field, value) in body {
            if field == "userid" || (field == "to_invite" && whole.is_none()) {
                continue;
            }
            let column = CsvColumn::of(field)?;
            cells.insert(column, column.cell(value, departments)?);
        }
        let said: ColumnSet = cells.keys().copied().collect();
        for (field, value) in whole.into_iter().flatten() {
            let Some(column) = CsvColumn::of(field).filter(|column| *column != CsvColumn::Disabled) else {
                continue;
            };
            if cells.contains_key(&column) {
                continue;
            }
            match (column, column.cell(value, departments)) {
                (_, Some(cell)) => drop(cells.insert(column, cell)),
                // Departments without them would end leaderships and orders.
                (CsvColumn::Leader | CsvColumn::Order, None) => return None,
                (_, None) => {}
            }
        }
        let has = |column| cells.contains_key(&column);
        if !has(CsvColumn::Name)
            || !has(CsvColumn::Department)
            || !(has(CsvColumn::Mobile) || has(CsvColumn::Email))
        {
            return None;
        }
        let filled: ColumnSet = cells.keys().copied().collect();
        let along = MANDATORY.and(ColumnSet::one(CsvColumn::Leader)).and(ColumnSet::one(CsvColumn::Order));
        let needed = said.and(filled.iter().filter(|column| ColumnSet::one(*column).within(along)).collect());
        Some(Self { index, member: CsvMember { userid: userid.clone(), said }, cells, filled, needed })
    }

    /// True if the row fits a file with exactly these columns, without an empty cell.
    fn fits(&self, columns: ColumnSet) -> bool {
        self.needed.within(columns) && columns.within(self.filled)
    }

    fn cell(&self, column: CsvColumn) -> &str {
        self.cells.get(&column).map_or("", String::as_str)
    }
}

/// Columns that suit many of the rows: those that one row needs, widened as long as more rows fit.
fn columns_for_most(rows: &[CsvRow]) -> ColumnSet {
    let mut kinds: BTreeMap<(ColumnSet, ColumnSet), usize> = BTreeMap::new();
    let mut needs: BTreeMap<ColumnSet, usize> = BTreeMap::new();
    for row in rows {
        *kinds.entry((row.needed, row.filled)).or_default() += 1;
        *needs.entry(row.needed).or_default() += 1;
    }
    let fitting = |columns: ColumnSet| -> usize {
        let fit =
            |(needed, filled): &(ColumnSet, ColumnSet)| needed.within(columns) && columns.within(*filled);
        kinds.iter().filter(|(kind, _)| fit(kind)).map(|(_, count)| count).sum()
    };
    let mut needs: Vec<(ColumnSet, usize)> = needs.into_iter().collect();
    needs.sort_by_key(|(columns, count)| (std::cmp::Reverse(*count), *columns));
    needs.truncate(WEIGHED);
    let mut best = (0, ColumnSet(0));
    for (columns, _) in &needs {
        best = best.max((fitting(*columns), *columns));
    }
    for (columns, _) in &needs {
        let wider = best.1.and(*columns);
        let count = fitting(wider);
        if count > best.0 {
            best = (count, wider);
        }
    }
    best.1
}

/// The files of rows with the same columns.
struct CsvBuilder {
    kind: WriteKind,
    invites: bool,
    columns: ColumnSet,
    /// Fewer rows go singly.
    fewest: usize,
    most_rows: usize,
    most_bytes: usize,
}

impl CsvBuilder {
    fn add(&self, rows: Vec<CsvRow>, divided: &mut CsvDivision) {
        let headers: usize = self.columns.iter().map(|column| column.names().0.len() + 1).sum();
        let (mut some, mut bytes) = (Vec::new(), headers);
        for row in rows {
            // Cells are not quoted: one byte more each, for the comma or the end of the line.
            let length: usize = self.columns.iter().map(|column| row.cell(column).len() + 1).sum();
            if some.len() == self.most_rows || bytes + length > self.most_bytes {
                self.add_one(std::mem::take(&mut some), divided);
                bytes = headers;
            }
            bytes += length;
            some.push(row);
        }
        self.add_one(some, divided);
    }

    fn add_one(&self, rows: Vec<CsvRow>, divided: &mut CsvDivision) {
        let indices = rows.iter().map(|row| row.index).collect();
        match self.file(&rows).filter(|_| rows.len() >= self.fewest) {
            Some(file) => divided.files.push(CsvFile {
                kind: self.kind,
                invites: self.invites,
                rows: indices,
                members: rows.into_iter().map(|row| row.member).collect(),
                file,
            }),
            None => divided.singly.extend(indices),
        }
    }

    fn file(&self, rows: &[CsvRow]) -> Option<Vec<u8>> {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|column| column.names().0)).ok()?;
        for row in rows {
            writer.write_record(self.columns.iter().map(|column| row.cell(column))).ok()?;
        }
        writer.into_inner().ok()
    }
}
