//! Personal values in the answers of the use cases: which are masked, and how much of a row is shown. How a masked value
//! is written is decided in [`ruzhi_message::mask`].
//!
//! The same rule holds for every answer. WeCom's fields are masked by name; form fields by label and content; free text
//! where it looks like a number or an e-mail address. Names, accounts, departments and dates are shown.
//!
//! Text in the form can be of any length. Only the beginning of a cell is shown and scanned.

use serde_json::{Map, Value};

use ruzhi_message::mask::{self, Numbers};

/// Parts of a label that mark its field as personal.
const PRIVATE: [&str; 26] = [
    "手机",
    "电话",
    "号码",
    "邮箱",
    "邮件",
    "住址",
    "地址",
    "证件",
    "身份证",
    "护照",
    "银行",
    "卡号",
    "账号",
    "户籍",
    "籍贯",
    "出生",
    "生日",
    "工资",
    "薪",
    "mobile",
    "phone",
    "mail",
    "address",
    "passport",
    "bank",
    "birth",
];

/// Characters shown of a cell of the form, and of all cells of a row together.
pub(super) const CELL: usize = 2_000;
pub(super) const ROW: usize = 32_000;
/// Characters shown of any other text. Those that ruzhi stores are shorter.
const TEXT: usize = 10_000;
/// Stands for everything that is not shown.
const MORE: &str = "…";

/// How much may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everything except personal values.
    Masked,
    /// Everything.
    Revealed,
}

impl Sight {
    pub(super) fn of(reveal: bool) -> Self {
        if reveal { Self::Revealed } else { Self::Masked }
    }

    pub(super) fn is_revealed(self) -> bool {
        self == Self::Revealed
    }

    /// Masks free text.
    pub(super) fn text(self, text: &str) -> String {
        if self.is_revealed() { beginning(text, TEXT) } else { mask::beginning(text, Numbers::Long, TEXT) }
    }

    /// Masks an answer of WeCom. The diagnostics it appends contain no personal number.
    pub(super) fn answer(self, text: &str) -> String {
        match text.split_once(", hint:") {
            Some((said, appended)) => format!("{}, hint:{appended}", self.text(said)),
            None => self.text(text),
        }
    }

    /// Masks a field by its WeCom name.
    pub(super) fn field(self, name: &str, value: &Value) -> Value {
        if self.is_revealed() { value.clone() } else { mask::field(name, value) }
    }

    /// Masks a field of the form, in at most `most` characters.
    pub(super) fn cell(self, label: &str, value: &Value, most: usize) -> Value {
        let label = label.to_lowercase();
        let private = !self.is_revealed() && PRIVATE.iter().any(|part| label.contains(part));
        CellMask { sight: self, left: most }.shown(value, private)
    }
}

/// A cell being rendered.
struct CellMask {
    sight: Sight,
    /// Characters that may still be shown. An item of a list takes one, whatever it contains.
    left: usize,
}

impl CellMask {
    fn shown(&mut self, value: &Value, private: bool) -> Value {
        match value {
            Value::String(text) => {
                let shown = match self.sight {
                    Sight::Revealed => beginning(text, self.left),
                    Sight::Masked if private => beginning(&mask::value(text), self.left),
                    Sight::Masked => mask::beginning(text, Numbers::Long, self.left),
                };
                self.take(shown.chars().count());
                Value::String(shown)
            }
            Value::Number(number) => {
                let text = number.to_string();
                self.take(text.len());
                let digits = text.chars().filter(char::is_ascii_digit).count();
                let hides = self.sight == Sight::Masked && (digits >= mask::NUMBER || private);
                if hides { Value::String(mask::value(&text)) } else { value.clone() }
            }
            Value::Array(items) => {
                let mut shown = Vec::new();
                for item in items {
                    if self.left == 0 {
                        shown.push(MORE.into());
                        break;
                    }
                    self.take(1);
                    shown.push(self.shown(item, private));
                }
                Value::Array(shown)
            }
            Value::Object(fields) => {
                let mut shown = Map::new();
                for (name, value) in fields {
                    if self.left == 0 {
                        shown.insert(MORE.to_owned(), MORE.into());
                        break;
                    }
                    // The service's own ids are digits too, but not personal.
                    let id = name.starts_with('_') || name == "username" || name.ends_with("id");
                    let name = beginning(name, self.left);
                    self.take(name.chars().count().max(1));
                    let value = match value {
                        Value::String(text) if id && !private => {
                            let text = beginning(text, self.left);
                            self.take(text.chars().count());
                            Value::String(text)
                        }
                        Value::Number(_) if id && !private => value.clone(),
                        value => self.shown(value, private),
                    };
                    shown.insert(name, value);
                }
                Value::Object(shown)
            }
            other => other.clone(),
        }
    }

    fn take(&mut self, characters: usize) {
        self.left = self.left.saturating_sub(characters);
    }
}

/// At most `most` characters of a text, and an ellipsis for the rest.
pub(super) fn beginning(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}{MORE}", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_addresses_of_people_are_not_in_a_masked_text() {
        for (text, masked) in [
            ("手机号 13800138000 已被占用", "手机号 138******00 已被占用"),
            ("138 0013 8000", "138 **** **00"),
            ("+86-138-0013-8000", "+86-1**-****-**00"),
            ("１３８００１３８０００", "１３８******００"),
            ("身份证 11010119900307123X", "身份证 110************23X"),
            ("邮箱 li.si@example.com。", "邮箱 l****@example.com。"),
            ("入职日期 2026-05-01，部门 12", "入职日期 2026-05-01，部门 12"),
            ("2026-05-01 08:00:00", "2026-05-01 08:00:00"),
            ("工号 A10234", "工号 A10234"),
            ("@李四", "@李四"),
            ("只能用字母、数字和 _-@. ，请更正", "只能用字母、数字和 _-@. ，请更正"),
            ("应如 name@example.com，请更正", "应如 name@example.com，请更正"),
            (
                "记录 onboarding/650000000000000000000029 使用了",
                "记录 onboarding/650000000000000000000029 使用了",
            ),
            ("银行卡 6222021234567890123", "银行卡 622**************23"),
            ("", ""),
        ] {
            assert_eq!(Sight::Masked.text(text), masked, "{text}");
            assert_eq!(Sight::Revealed.text(text), text);
        }
    }

    #[test]
    fn what_wecom_appends_for_diagnosis_is_left() {
        let said = "mobile existed: 13800138000, hint: [1764035120123456], from ip: 203.0.113.77";
        let shown = "mobile existed: 138******00, hint: [1764035120123456], from ip: 203.0.113.77";
        assert_eq!(Sight::Masked.answer(said), shown);
    }

    #[test]
    fn a_field_of_the_form_is_masked_by_its_label_and_by_what_is_in_it() {
        let cell = |label: &str, value: Value| Sight::Masked.cell(label, &value, CELL);
        assert_eq!(cell("家庭住址", json!("深圳市南山区科技园一号")), json!("深圳市***一号"));
        assert_eq!(cell("姓名", json!("李四")), json!("李四"));
        assert_eq!(cell("备注", json!("联系 13800138000")), json!("联系 138******00"));
        assert_eq!(cell("备注", json!(13_800_138_000_u64)), json!("138******00"));
        assert_eq!(cell("人数", json!(12)), json!(12));
        assert_eq!(
            cell("手机号", json!({"verified": true, "phone": "13800138000"})),
            json!({"verified": true, "phone": "138******00"})
        );
        assert_eq!(
            cell("部门", json!([{"_id": "65f0a1b2c3d4e5f601234567", "name": "生产部"}])),
            json!([{"_id": "65f0a1b2c3d4e5f601234567", "name": "生产部"}])
        );
    }

    #[test]
    fn a_long_cell_is_cut_and_nothing_of_a_number_is_left_where_it_is_cut() {
        let cell = |value: &Value| Sight::Masked.cell("备注", value, 10);
        for (text, shown) in [
            ("零一二三四五六七八九十", "零一二三四五六七八九…"),
            ("零一二三四五六七八九", "零一二三四五六七八九"),
            ("电话是 13800138000 或 13900139000", "电话是 138******00…"),
            ("零一二三四 138 0013 8000", "零一二三四 138 **** **00"),
            ("零一二三四五六七八1380013800013800", "零一二三四五六七八138***********00"),
            ("零一二三四 li.si@example.com。", "零一二三四 l****@example.com…"),
            ("零一二三四五六七 123 四", "零一二三四五六七 123…"),
        ] {
            assert_eq!(cell(&json!(text)), json!(shown), "{text}");
        }
        assert_eq!(
            cell(&json!(["零一二", "三四五", "六七八", "九"])),
            json!(["零一二", "三四五", "六…", "…"])
        );
        assert_eq!(
            cell(&json!([[], [], [], [], [], [], [], [], [], [], [], []])).as_array().unwrap().len(),
            11
        );
        assert_eq!(
            cell(&json!({"a": "零一二三四五六七", "b": 1, "c": 2})),
            json!({"a": "零一二三四五六七", "b": 1, "…": "…"})
        );
        assert_eq!(cell(&json!({"_id": "a".repeat(100)})), json!({"_id": "aaaaaaa…"}));
        assert_eq!(Sight::Revealed.cell("手机号", &json!("13800138000"), 10), json!("1380013800…"));
    }

    #[test]
    fn wecoms_fields_are_masked_by_their_name() {
        let field = |name: &str, value: Value| Sight::Masked.field(name, &value);
        assert_eq!(field("mobile", json!("13800138000")), json!("138******00"));
        assert_eq!(field("userid", json!("13800138000")), json!("13800138000"));
        assert_eq!(field("position", json!("找 li.si@example.com")), json!("找 l****@example.com"));
        assert_eq!(field("department", json!([1, 2])), json!([1, 2]));
        assert_eq!(field("mobile", Value::Null), Value::Null);
    }
}
