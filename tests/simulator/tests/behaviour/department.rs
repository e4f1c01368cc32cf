//! The tree of departments and its many error codes.

use ruzhi_sim::Knobs;
use serde_json::{Value, json};

use crate::service::{Service, person};

#[tokio::test]
async fn create_and_update_tell_every_error_by_its_observed_code() {
    let service = Service::start().await;
    let made =
        service.write("department/create", json!({ "name": "冲压车间", "parentid": 2, "id": 11 })).await;
    assert_eq!(made, json!({ "errcode": 0, "errmsg": "created", "id": 11 }));
    let create = [
        (json!({ "parentid": 1 }), 60001),
        (json!({ "name": "", "parentid": 1 }), 40058),
        (json!({ "name": "长".repeat(65), "parentid": 1 }), 60001),
        (json!({ "name": "a:b", "parentid": 1 }), 60009),
        (json!({ "name": "a\"b/c", "parentid": 1 }), 0),
        (json!({ "name": "生产部", "parentid": 1 }), 60008),
        (json!({ "name": "生产部", "parentid": 2 }), 0),
        (json!({ "name": "x", "name_en": "e".repeat(33), "parentid": 1 }), 40058),
        (json!({ "name": "x" }), 60004),
        (json!({ "name": "x", "parentid": 0 }), 60004),
        (json!({ "name": "x", "parentid": 999 }), 60004),
        (json!({ "name": "x", "parentid": "1" }), 60009),
        (json!({ "name": "x", "parentid": 1, "order": -1 }), 60009),
        (json!({ "name": "x", "parentid": 1, "order": 4_294_967_296_u64 }), 60009),
        (json!({ "name": "x", "parentid": 1, "id": 0 }), 60123),
        (json!({ "name": "x", "parentid": 1, "id": 11 }), 60008),
    ];
    for (body, code) in create {
        assert_eq!(service.code("department/create", body.clone()).await, code, "{body}");
    }
    let existed = service.write("department/create", json!({ "name": "冲压车间", "parentid": 2 })).await;
    assert!(existed["errmsg"].as_str().unwrap().starts_with("department existed: 11 is existed"));
    let update = [
        (json!({ "name": "x" }), 60003),
        (json!({ "id": 999, "name": "x" }), 60003),
        (json!({ "id": 11, "parentid": 999 }), 60124),
        (json!({ "id": 11, "parentid": "" }), 60124),
        (json!({ "id": 2, "parentid": 11 }), 60010),
        (json!({ "id": 2, "parentid": 2 }), 60010),
        (json!({ "id": 5, "name": "生产部" }), 60008),
        (json!({ "id": 11, "name": "注塑车间", "parentid": 5 }), 0),
    ];
    for (body, code) in update {
        assert_eq!(service.code("department/update", body.clone()).await, code, "{body}");
    }
}

#[tokio::test]
async fn a_department_goes_only_when_it_is_empty() {
    let service = Service::start().await;
    service.write("department/create", json!({ "name": "车间", "parentid": 2, "id": 11 })).await;
    let mut body = person("E1", "13800138000");
    body["department"] = json!([11]);
    service.write("user/create", body).await;
    for (query, code) in [
        ("", 40058),
        ("&id=", 40058),
        ("&id=-1", 40058),
        ("&id=999", 60123),
        ("&id=11", 60005),
        ("&id=2", 60006),
        ("&id=1", 60006),
        ("&id=5", 0),
    ] {
        assert_eq!(service.read("department/delete", query).await["errcode"], code, "{query}");
    }
}

#[tokio::test]
async fn the_tree_is_listed_whole_or_below_one() {
    let service = Service::start().await;
    service.write("department/create", json!({ "name": "车间", "parentid": 2, "id": 11, "order": 3 })).await;
    let whole = service.read("department/simplelist", "").await;
    assert_eq!(whole["department_id"].as_array().unwrap().len(), 4);
    assert_eq!(whole["department_id"][0], json!({ "id": 1, "parentid": 0, "order": 100_000_000 }));
    let below = service.read("department/simplelist", "&id=2").await;
    let ids: Vec<&Value> = below["department_id"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, [2, 11]);
    assert_eq!(service.read("department/simplelist", "&id=999").await["errcode"], 60123);
    service.simulator.assert_understood();
    let empty = service.read("department/simplelist", "&id=").await;
    assert_eq!((&empty["errcode"], service.noted()), (&json!(0), 1));
    assert!(empty["errmsg"].as_str().unwrap().to_lowercase().contains("warning:"), "{empty}");
    service.simulator.set_knobs(Knobs { sync_ip_is_legacy: true, ..Knobs::default() });
    assert_eq!(service.read("department/get", "&id=2").await["department"]["name"], "生产部");
    assert_eq!(service.read("department/list", "&id=2").await["department"][1]["parentid"], 2);
}

#[tokio::test]
async fn the_tree_has_fifteen_levels() {
    let service = Service::start().await;
    let mut parent = json!(1);
    for level in 2..=15 {
        let made = service.write("department/create", json!({ "name": "层", "parentid": parent })).await;
        assert_eq!(made["errcode"], 0, "level {level}");
        parent = made["id"].clone();
    }
    assert_eq!(service.code("department/create", json!({ "name": "层", "parentid": parent })).await, 81002);
}
