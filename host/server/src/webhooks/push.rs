//! JianDaoYun's pushes: an operation on a form, and the row it applies to.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::outcome::IdleReason;
use ruzhi_jiandaoyun::{FormAddress, FormRow};

/// A push as received. Other fields are ignored.
#[derive(Debug, Deserialize)]
struct PushPayload {
    #[serde(default)]
    op: String,
    #[serde(default)]
    data: Map<String, Value>,
}

/// The reaction a push asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FormPush {
    /// To read the form.
    Look,
    /// To read the form, unless the row is as last read.
    LookAt(FormRow),
    /// Nothing.
    Nothing(IdleReason),
}

impl FormPush {
    /// Reads the body of a genuine push. An unreadable body asks for a read of the form: it may be an operation of a
    /// new kind, and a superfluous read does no harm.
    pub(super) fn read(body: &[u8], form: &FormAddress) -> Self {
        let Ok(PushPayload { op, data }) = serde_json::from_slice(body) else { return Self::Look };
        let other = |key: &str, id: &str| data.get(key).and_then(Value::as_str).is_some_and(|of| of != id);
        if op == "data_test" {
            return Self::Nothing(IdleReason::Test);
        }
        if other("appId", &form.app_id) || other("entryId", &form.entry_id) {
            return Self::Nothing(IdleReason::OtherForm);
        }
        match op.as_str() {
            "data_create" | "data_update" | "data_recover" => match row(data) {
                Some(row) => Self::LookAt(row),
                None => Self::Look,
            },
            // `data_remove`, `form_update`, and unknown operations.
            _ => Self::Look,
        }
    }
}

/// The row of a push, as a read of the form would return it.
fn row(fields: Map<String, Value>) -> Option<FormRow> {
    let id = fields.get("_id").and_then(Value::as_str)?.parse().ok()?;
    // A row in the bin is pushed with the person who put it there.
    let live = fields.get("deleteTime").is_none_or(Value::is_null);
    live.then_some(FormRow { id, fields })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use ruzhi_jiandaoyun::ApiVersion;

    const ROW: &str = "6a0000000000000000000001";

    fn form() -> FormAddress {
        FormAddress {
            api: ApiVersion::V5,
            app_id: "6399c24287cae90008d24e0b".to_owned(),
            entry_id: "63e0706d0e33350008189952".to_owned(),
        }
    }

    fn read(push: &Value) -> FormPush {
        FormPush::read(push.to_string().as_bytes(), &form())
    }

    #[test]
    fn a_row_that_was_written_is_looked_at() {
        for op in ["data_create", "data_update", "data_recover"] {
            let data = json!({ "_id": ROW, "name": "张三", "deleter": null, "deleteTime": null });
            let push = read(&json!({ "op": op, "opTime": 1, "data": data }));
            let Value::Object(fields) = data else { panic!() };
            assert_eq!(push, FormPush::LookAt(FormRow { id: ROW.parse().unwrap(), fields }), "{op}");
        }
    }

    #[test]
    fn what_is_no_row_is_a_look_at_the_form() {
        for push in [
            json!({ "op": "data_remove", "data": { "_id": ROW, "deleteTime": "2026-05-01T08:00:00.000Z" } }),
            json!({ "op": "form_update", "data": { "entryId": form().entry_id, "widgets": [] } }),
            json!({ "op": "data_merge", "data": { "_id": ROW } }),
            json!({ "op": "data_update", "data": { "_id": ROW, "deleteTime": "2026-05-01T08:00:00.000Z" } }),
            json!({ "op": "data_update", "data": { "_id": 7 } }),
            json!({ "op": "data_update", "data": {} }),
            json!({ "op": "data_update" }),
            json!({ "op": 7 }),
            json!({}),
            json!([]),
        ] {
            assert_eq!(read(&push), FormPush::Look, "{push}");
        }
        for body in [&b""[..], b"\xff\xfe", "[".repeat(100_000).as_bytes()] {
            assert_eq!(FormPush::read(body, &form()), FormPush::Look);
        }
    }

    #[test]
    fn a_test_of_the_connection_asks_for_nothing() {
        assert_eq!(read(&json!({ "op": "data_test" })), FormPush::Nothing(IdleReason::Test));
    }

    #[test]
    fn another_form_is_none_of_the_flow() {
        for key in ["appId", "entryId"] {
            for op in ["data_update", "data_remove", "form_update"] {
                let push = json!({ "op": op, "data": { "_id": ROW, key: "000000000000000000000000" } });
                assert_eq!(read(&push), FormPush::Nothing(IdleReason::OtherForm), "{push}");
            }
        }
        let own = json!({ "_id": ROW, "appId": form().app_id, "entryId": form().entry_id });
        assert!(matches!(read(&json!({ "op": "data_update", "data": own })), FormPush::LookAt(_)));
    }
}
