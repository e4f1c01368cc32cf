//! The routes under `/sim/`: load data, set faults, read what happened. README.md gives the shape of each.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fault::{Faults, Service};
use crate::load::{self, LoadDocument, RowChange};
use crate::message::{Answer, Request};
use crate::world::World;

#[derive(Debug, thiserror::Error)]
enum ControlError {
    #[error("no control route {0}")]
    Route(String),
    #[error("the body is not what this route takes")]
    Body(#[source] serde_json::Error),
    #[error(transparent)]
    Load(#[from] load::LoadError),
    #[error(transparent)]
    Corp(#[from] crate::wecom::CorpError),
    #[error(transparent)]
    Outbox(#[from] crate::outbox::OutboxError),
}

pub(crate) fn answer(world: &mut World, request: &Request) -> Answer {
    match route(world, request) {
        Ok(value) => Answer::json(200, value.to_string().into_bytes()),
        Err(error) => Answer::json(400, json!({ "error": told(&error) }).to_string().into_bytes()),
    }
}

/// The error and its causes, in one line.
fn told(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", told(cause)),
        None => error.to_string(),
    }
}

fn route(world: &mut World, request: &Request) -> Result<Value, ControlError> {
    let unknown = || ControlError::Route(format!("{} {}", request.method, request.path));
    let path = request.path.strip_prefix("/sim/").unwrap_or_default();
    match (request.is_post(), path) {
        (true, "reset") => world.reset(),
        (true, "load") => load::load(world, parse::<LoadDocument>(&request.body)?)?,
        (true, "rows") => {
            let ids = world.change_rows(parse::<RowChange>(&request.body)?)?;
            return Ok(json!({ "ids": ids }));
        }
        (true, "push") => world.outbox.push_to(parse(&request.body)?)?,
        (true, "callback") => world.outbox.call_back_to(parse(&request.body)?)?,
        (true, "outbox") => world.outbox.knobs = patched(&world.outbox.knobs, &request.body)?,
        (false, "deliveries") => return Ok(json!({ "deliveries": world.outbox.deliveries() })),
        (true, "faults") => world.set_faults(parse::<Faults>(&request.body)?),
        (false, "told") => {
            return Ok(json!({ "robots": world.told.messages(), "sink": world.told.posted() }));
        }
        (true, "robot") => {
            let change: Value = parse(&request.body)?;
            let key = |what: &str| change.get(what).and_then(Value::as_str);
            key("add").into_iter().for_each(|key| world.told.add(key));
            key("remove").into_iter().for_each(|key| world.told.remove(key));
        }
        (true, "release") => return Ok(json!({ "released": world.release() })),
        (true, "limits") => world.limits = patched(&world.limits, &request.body)?,
        (true, "knobs") => world.knobs = patched(&world.knobs, &request.body)?,
        (true, "clock") => {
            let change: Value = parse(&request.body)?;
            if let Some(frozen) = change.get("frozen").and_then(Value::as_bool) {
                world.clock.freeze(frozen);
            }
            if let Some(ahead) = change.get("ahead_ms").and_then(Value::as_i64) {
                world.clock.set_ahead(ahead);
            }
            world.clock.advance(change.get("advance_ms").and_then(Value::as_u64).unwrap_or(0));
            return Ok(json!({ "now_ms": world.clock.now_ms() }));
        }
        (false, "state") => return Ok(state(world)),
        (false, "requests") => {
            let since = request.parameter("since").and_then(|number| number.parse().ok()).unwrap_or(0);
            return Ok(world.observation.logged_since(since));
        }
        (true, corp_path) => {
            let corp_path = corp_path.strip_prefix("corp/").ok_or_else(unknown)?;
            let (corp_id, action) = corp_path.split_once('/').ok_or_else(unknown)?;
            let body: Value = parse(&request.body)?;
            let userid = body.get("userid").and_then(Value::as_str).unwrap_or_default();
            match action {
                "activate" => world.wecom.activate(corp_id, userid)?,
                "quit" => world.wecom.quit(corp_id, userid)?,
                "delete" => world.delete_by_hand(corp_id, userid)?,
                "change" => world.change_by_hand(corp_id, object(&body))?,
                "add" => world.add_by_hand(corp_id, object(&body))?,
                "department" => {
                    let id = body.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
                    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
                    world.wecom.add_department(corp_id, id.ok_or_else(unknown)?, name)?;
                }
                "list" => match body.get("shown").and_then(Value::as_bool) {
                    Some(shown) => world.wecom.list_late(corp_id, userid, shown)?,
                    None => world.wecom.list_in_time(corp_id)?,
                },
                _ => return Err(unknown()),
            }
        }
        (false, _) => return Err(unknown()),
    }
    Ok(json!({ "ok": true }))
}

fn object(body: &Value) -> serde_json::Map<String, Value> {
    body.as_object().cloned().unwrap_or_default()
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    serde_json::from_slice(body).map_err(ControlError::Body)
}

/// `current` with the keys of `body` replaced.
fn patched<T: Serialize + DeserializeOwned>(current: &T, body: &[u8]) -> Result<T, ControlError> {
    let mut merged = serde_json::to_value(current).map_err(ControlError::Body)?;
    let changes: serde_json::Map<String, Value> = parse(body)?;
    if let Value::Object(merged) = &mut merged {
        merged.extend(changes);
    }
    serde_json::from_value(merged).map_err(ControlError::Body)
}

/// Everything a test may want to compare.
pub(crate) fn state(world: &World) -> Value {
    let seen = &world.observation;
    json!({
        "now_ms": world.clock.now_ms(),
        "misunderstandings": seen.misunderstandings(),
        "requests": {
            "jiandaoyun": seen.requests(Service::JianDaoYun),
            "wecom": seen.requests(Service::WeCom),
        },
        "answers": {
            "jiandaoyun": seen.answers(Service::JianDaoYun),
            "wecom": seen.answers(Service::WeCom),
        },
        "faults": seen.faults(),
        "jiandaoyun": { "forms": world.jiandaoyun.state() },
        "wecom": { "corps": world.wecom.state() },
    })
}
