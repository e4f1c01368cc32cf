//! Invented people of a factory, and the ways a form writes them down.

use serde_json::{Map, Value, json};

use super::{ExpectedMember, FactoryRow, HIRED, STATE, Verdict, row_of};
use crate::clock::iso_ms;
use crate::random::Random;

/// Id, name, parent.
pub(super) const DEPARTMENTS: [(u32, &str, u32); 16] = [
    (1, "景欣泰工厂", 0),
    (2, "生产部", 1),
    (3, "质量部", 1),
    (4, "设备部", 1),
    (5, "仓储物流部", 1),
    (6, "采购部", 1),
    (7, "研发部", 1),
    (8, "人力资源部", 1),
    (9, "财务部", 1),
    (10, "信息部", 1),
    (11, "冲压车间", 2),
    (12, "注塑车间", 2),
    (13, "装配车间", 2),
    (14, "来料检验组", 3),
    (15, "成品检验组", 3),
    (16, "模具维修组", 4),
];

const FAMILY_NAMES: [&str; 40] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何",
    "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹", "袁", "邓",
    "许", "傅", "沈", "欧阳", "司马", "诸葛",
];
const GIVEN_NAMES: [&str; 48] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超",
    "秀英", "霞", "平", "刚", "桂英", "建国", "建军", "志强", "海燕", "晓东", "玉兰", "国庆", "春梅", "文博",
    "子涵", "浩然", "欣怡", "宇轩", "梓萱", "思远", "嘉琪", "俊杰", "雨桐", "天佑", "佳慧", "鹏飞", "雪梅",
    "振华", "红梅", "立新", "永康",
];
const POSITIONS: [&str; 20] = [
    "工程师",
    "操作工",
    "班组长",
    "车间主任",
    "质检员",
    "设备维修工",
    "仓管员",
    "叉车司机",
    "采购专员",
    "工艺工程师",
    "模具工",
    "电工",
    "焊工",
    "人事专员",
    "会计",
    "出纳",
    "信息管理员",
    "安全员",
    "实习生",
    "生产计划员",
];
const MOBILE_PREFIXES: [&str; 16] = [
    "130", "131", "135", "136", "137", "138", "139", "150", "151", "158", "159", "176", "182", "186", "188",
    "199",
];

/// 2024-01-01 in China.
const FIRST_ROW_MS: u64 = 1_704_038_400_000;
/// The rows were written in the two years after that, so all of them lie in the past.
pub(super) const YEARS_MS: u64 = 2 * 365 * DAY_MS;
const DAY_MS: u64 = 86_400_000;

/// Invents one person after another, no two alike.
#[derive(Debug)]
pub(super) struct People {
    pub(super) random: Random,
    invented: u64,
}

impl People {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), invented: 0 }
    }

    /// A person whose every field is good.
    pub(super) fn person(&mut self) -> ExpectedMember {
        self.invented += 1;
        let number = self.invented;
        let random = &mut self.random;
        let userid = match random.below(4) {
            0 => format!("jxt{number:05}"),
            1 => format!("JXT-{number:05}"),
            2 => format!("{}.{number}", random.pick(&["wang", "li", "zhang", "liu", "chen"])),
            _ => format!("E{number:06}"),
        };
        let first = u32::try_from(2 + random.below(15)).unwrap_or(2);
        let mut department = vec![first];
        for _ in 0..random.below(3) {
            let other = u32::try_from(1 + random.below(16)).unwrap_or(1);
            if !department.contains(&other) {
                department.push(other);
            }
        }
        ExpectedMember {
            name: format!("{}{}", random.pick(&FAMILY_NAMES), random.pick(&GIVEN_NAMES)),
            // The last eight digits count up, so no two people share a number.
            mobile: format!("{}{:08}", random.pick(&MOBILE_PREFIXES), 10_000_000 + number),
            email: if random.below(3) == 0 {
                String::new()
            } else {
                format!("p{number}@jingxintai.example.com")
            },
            position: random.pick(&POSITIONS).to_owned(),
            userid,
            department,
        }
    }

    pub(super) fn good_row(&mut self, left: bool) -> FactoryRow {
        let person = self.person();
        let mut row = self.row(&person);
        if left {
            row.insert(STATE.to_owned(), Value::from("离职"));
            return FactoryRow { kind: "left", verdict: Verdict::Left { userid: person.userid }, row };
        }
        FactoryRow { kind: "good", verdict: Verdict::Member(person), row }
    }

    /// The form's ways to write a good person down.
    pub(super) fn row(&mut self, person: &ExpectedMember) -> Map<String, Value> {
        let mobile = self.mobile_shape(&person.mobile);
        let department = self.department_shape(&person.department);
        row_of(person, mobile, department)
    }

    /// Text, or the object of a phone field.
    fn mobile_shape(&mut self, mobile: &str) -> Value {
        match self.random.below(4) {
            0 => json!({ "phone": mobile, "verified": true }),
            1 => json!({ "phone": mobile, "verified": false }),
            2 => json!(format!("+86{mobile}")),
            _ => json!(mobile),
        }
    }

    /// Every observed shape of a list of departments; a single one may also be a number or one object.
    fn department_shape(&mut self, ids: &[u32]) -> Value {
        let joined = |separator: &str| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(separator);
        let object = |id: &u32| {
            let name = DEPARTMENTS.iter().find(|(known, _, _)| known == id).map_or("", |(_, name, _)| *name);
            json!({ "name": name, "dept_no": id, "type": 0, "parent_no": 1, "status": 1 })
        };
        match (self.random.below(8), ids) {
            (0, [only]) => json!(only),
            (1, [only]) => object(only),
            (2, _) => ids.iter().map(object).collect(),
            (3, _) => json!(joined(",")),
            (4, _) => json!(joined(";")),
            (5, _) => json!(ids),
            (6, _) => json!(format!("[{}]", joined(", "))),
            _ => json!(format!("[{}]", joined(","))),
        }
    }

    /// Fisher–Yates.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.random.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }

    /// Time of the row's writing (between `after_ms` and `step_ms` later), its author, and the date of hire on that
    /// day.
    pub(super) fn date(&mut self, after_ms: u64, step_ms: u64, row: &mut Map<String, Value>) {
        let created_ms = FIRST_ROW_MS + after_ms + self.random.below(step_ms);
        let hired_ms = created_ms - (created_ms - FIRST_ROW_MS) % DAY_MS;
        let clerk =
            json!({ "name": "人事专员", "username": "hr01", "status": 1, "type": 0, "departments": [8] });
        row.insert("createTime".to_owned(), json!(iso_ms(created_ms)));
        row.insert("updateTime".to_owned(), json!(iso_ms(created_ms)));
        row.insert("creator".to_owned(), clerk.clone());
        row.insert("updater".to_owned(), clerk);
        row.insert("flowState".to_owned(), json!(1));
        row.entry(HIRED).or_insert(json!(iso_ms(hired_ms)));
    }
}
