//! The CSV of batch/syncuser: columns are known by their header and may be left out, several departments are joined by
//! `;`, a UTF-8 BOM is tolerated, an empty cell leaves the field alone.

use serde_json::{Map, Value};

use super::verdict::Refusal;

/// One line of the file as the fields of user/create.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) userid: String,
    pub(super) fields: Map<String, Value>,
}

pub(super) fn members(content: &[u8]) -> Result<Vec<Row>, Refusal> {
    let bad_file = || Refusal::new(40092, "invalid import file");
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(content);
    let headers: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(|header| header.trim().to_owned()).collect(),
        Err(_) => return Err(bad_file()),
    };
    let has = |names: &[&str]| names.iter().any(|name| headers.iter().any(|header| header == name));
    if !(has(&["姓名"]) && has(&["帐号"]) && has(&["手机号", "邮箱"]) && has(&["所在部门"])) {
        return Err(bad_file());
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| bad_file())?;
        let cells = headers.iter().map(String::as_str).zip(record.iter().map(str::trim));
        let mut fields = Map::new();
        for (header, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
            if let Some((name, value)) = field(header, cell) {
                fields.insert(name.to_owned(), value);
            }
        }
        let userid = fields.get("userid").and_then(Value::as_str).unwrap_or_default().to_owned();
        rows.push(Row { userid, fields });
    }
    if rows.is_empty() { Err(bad_file()) } else { Ok(rows) }
}

fn field(header: &str, cell: &str) -> Option<(&'static str, Value)> {
    let numbers = |cell: &str| {
        let number = |part: &str| part.trim().parse::<i64>().map_or_else(|_| Value::from(part), Value::from);
        cell.split(';').map(number).collect::<Value>()
    };
    Some(match header {
        "姓名" => ("name", cell.into()),
        "帐号" => ("userid", cell.into()),
        "手机号" => ("mobile", cell.into()),
        "邮箱" => ("email", cell.into()),
        "所在部门" => ("department", numbers(cell)),
        "职位" => ("position", cell.into()),
        "性别" => ("gender", if cell == "女" { "2" } else { "1" }.into()),
        "是否部门内领导" => ("is_leader_in_dept", numbers(cell)),
        "排序" => ("order", numbers(cell)),
        "别名" => ("alias", cell.into()),
        "地址" => ("address", cell.into()),
        "座机" => ("telephone", cell.into()),
        // 1 means disabled here, while `enable` is 1 for enabled.
        "禁用" => ("enable", i64::from(cell != "1").into()),
        // Extension columns are known by the attribute's name; none exists unless the corp defines it.
        _ => return None,
    })
}
