//! The fields that take the outcome, and the checks on them.

use ruzhi_jiandaoyun::{FormWidget, RowFilter};
use ruzhi_model::{Text, WriteBack};

/// The reason nothing can be written back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteBackFault {
    /// The flow reads the field, so the written text would be read as an entry of the form.
    #[error("the field {field} is read by the rules or the filter, so the outcome cannot be written there")]
    ReadsItself {
        /// The field.
        field: String,
    },
    /// The form has no such field.
    #[error("the form has no field {field} that the outcome could be written to")]
    Missing {
        /// The field.
        field: String,
        /// The name it has now, if it was renamed.
        now: Option<String>,
    },
    /// The field does not take such a value.
    #[error("the field {field} is of the type {kind}, which does not take the outcome")]
    Unwritable {
        /// The field.
        field: String,
        /// Its type.
        kind: String,
        /// The types that do.
        takes: &'static str,
    },
    /// Both are to go into one field.
    #[error("outcome and time cannot both be written to the field {field}")]
    Same {
        /// The field.
        field: String,
    },
}

const OUTCOME: (&[&str], &str) = (&["text", "textarea"], "text, textarea");
const AT: (&[&str], &str) = (&["datetime", "text", "textarea"], "datetime, text, textarea");

impl WriteBackFault {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ReadsItself { .. } => "write_back.reads_itself",
            Self::Missing { .. } => "write_back.missing",
            Self::Unwritable { .. } => "write_back.unwritable",
            Self::Same { .. } => "write_back.same",
        }
    }

    /// The fault and its subject.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::ReadsItself { field } => format!("字段 {field} 被规则或筛选条件读取，不能用来回写结果"),
            Self::Missing { field, .. } => format!("表单没有用于回写结果的字段 {field}"),
            Self::Unwritable { field, kind, .. } => format!("字段 {field} 的类型为 {kind}，不能写入结果"),
            Self::Same { field } => format!("结果与时间不能都写入字段 {field}"),
        };
        Text::new(self.to_string(), zh)
    }

    /// The next step for the reader.
    pub fn hint(&self) -> Text {
        match self {
            Self::ReadsItself { .. } | Self::Same { .. } => Text::new(
                "add a field of its own to the form and name it in `[flows.write_back]`",
                "请在表单中另加一个字段，并写入 `[flows.write_back]`",
            ),
            Self::Missing { now: Some(now), .. } => {
                Text::new(format!("it is now called {now}"), format!("其现名为 {now}"))
            }
            Self::Missing { now: None, .. } => Text::new(
                "add the field to the form, or correct `[flows.write_back]` (a field that was given an alias is known by the alias)",
                "请在表单中添加该字段，或修改 `[flows.write_back]`（设置了别名的字段须使用别名）",
            ),
            Self::Unwritable { takes, .. } => Text::new(
                format!("choose a field of one of these types: {takes}"),
                format!("请改用以下类型的字段：{takes}"),
            ),
        }
    }
}

/// The obstacles to writing to these fields. `widgets` are the form's fields, where they are known: a field may be
/// read under its id and written under its alias.
pub fn write_back_faults(
    place: &WriteBack,
    source_fields: &[String],
    filter: Option<&RowFilter>,
    widgets: Option<&[FormWidget]>,
) -> Vec<WriteBackFault> {
    let id = |field: &str| -> String {
        let field = field.split('.').next().unwrap_or(field);
        let known = widgets.into_iter().flatten().find(|w| w.name == field || w.widget_name == field);
        known.map_or(field, |widget| &widget.widget_name).to_owned()
    };
    let filtered = filter.map(RowFilter::fields).unwrap_or_default();
    let read: Vec<String> = source_fields.iter().chain(&filtered).map(|field| id(field)).collect();
    let mut faults = Vec::new();
    let places = [(Some(&place.outcome), OUTCOME), (place.at.as_ref(), AT)];
    for (field, (kinds, takes)) in places.into_iter().filter_map(|(field, kinds)| Some((field?, kinds))) {
        if read.contains(&id(field)) {
            faults.push(WriteBackFault::ReadsItself { field: field.clone() });
        }
        let Some(widgets) = widgets else { continue };
        match widgets.iter().find(|widget| widget.name == *field) {
            None => {
                let now = widgets.iter().find(|widget| widget.widget_name == *field);
                let now = now.map(|widget| widget.name.clone());
                faults.push(WriteBackFault::Missing { field: field.clone(), now });
            }
            Some(widget) if !kinds.contains(&widget.kind.as_str()) => {
                let (field, kind) = (field.clone(), widget.kind.clone());
                faults.push(WriteBackFault::Unwritable { field, kind, takes });
            }
            Some(_) => {}
        }
    }
    if place.at.as_deref().is_some_and(|at| id(at) == id(&place.outcome)) {
        faults.push(WriteBackFault::Same { field: place.outcome.clone() });
    }
    faults
}

#[cfg(test)]
mod tests {
    use ruzhi_model::Lang;
    use serde_json::json;

    use super::*;

    fn widget(name: &str, widget_name: &str, kind: &str) -> FormWidget {
        FormWidget {
            name: name.to_owned(),
            widget_name: widget_name.to_owned(),
            label: String::new(),
            kind: kind.to_owned(),
            items: vec![],
        }
    }

    fn to(outcome: &str, at: Option<&str>) -> WriteBack {
        WriteBack { outcome: outcome.to_owned(), at: at.map(str::to_owned), lang: Lang::Zh }
    }

    fn codes(faults: &[WriteBackFault]) -> Vec<&'static str> {
        faults.iter().map(WriteBackFault::code).collect()
    }

    #[test]
    fn a_field_that_is_read_is_rejected_under_whichever_name() {
        let widgets = [widget("result", "_widget_1", "text"), widget("when", "_widget_2", "datetime")];
        let filter = json!({ "rel": "and", "cond": [{ "field": "when", "method": "not_empty" }] });
        let filter = RowFilter::parse(&filter).unwrap();
        let read = ["_widget_1".to_owned(), "name.first".to_owned()];
        let there = to("result", Some("when"));
        assert_eq!(
            codes(&write_back_faults(&there, &read, None, Some(&widgets))),
            ["write_back.reads_itself"]
        );
        let both = write_back_faults(&there, &read, filter.as_ref(), Some(&widgets));
        assert_eq!(codes(&both), ["write_back.reads_itself", "write_back.reads_itself"]);
        assert_eq!(
            codes(&write_back_faults(&to("name", None), &read, None, None)),
            ["write_back.reads_itself"]
        );
        assert!(write_back_faults(&there, &[], None, Some(&widgets)).is_empty());
    }

    #[test]
    fn a_field_must_be_there_and_take_the_value() {
        let widgets = [widget("no", "_widget_1", "sn"), widget("when", "_widget_2", "datetime")];
        let faults = write_back_faults(&to("when", Some("_widget_1")), &[], None, Some(&widgets));
        assert_eq!(codes(&faults), ["write_back.unwritable", "write_back.missing"]);
        assert!(faults[1].hint().en.contains("now called no"));
        assert_eq!(codes(&write_back_faults(&to("no", Some("no")), &[], None, None)), ["write_back.same"]);
    }
}
