//! The two files as a person receives them.

use super::*;

#[test]
fn the_founding_document_becomes_a_tenant() {
    let imported = good(&[FOUNDING]);
    insta::assert_snapshot!("founding_tenant", imported.tenant);
    insta::assert_snapshot!("founding_rules", imported.rules);
    insta::assert_snapshot!("founding_notes", format!("{}left:\n{}", notes(&imported), left(&imported)));
    assert_eq!(imported.variables, ["JINGXINTAI_WECOM_SECRET", "JINGXINTAI_JDY_KEY"]);
}

#[test]
fn the_example_s_rules_come_back_as_they_are() {
    let example = include_str!("../../../../../docs/example/tenants/jingxintai/onboarding.json");
    assert_eq!(good(&[example]).rules, example);
}

#[test]
fn an_export_with_both_sides_becomes_a_tenant() {
    let target: Value =
        serde_json::from_str(&target(&[json!({"field": "position", "value": "{d}"})])).unwrap();
    // One side is contained as text.
    let export = json!({ "name": "入职", "crontab": "*/5 * * * *", "remark": "", "source": source().to_string(), "steps": [{ "target": target }, { "x": 1 }] });
    let imported = good(&[&serde_json::to_string_pretty(&export).unwrap()]);
    insta::assert_snapshot!("export_tenant", imported.tenant);
    insta::assert_snapshot!("export_notes", format!("{}left:\n{}", notes(&imported), left(&imported)));
}

#[test]
fn order_and_names_say_nothing() {
    let (source, target) = (source().to_string(), target(&[]));
    let one = good(&[&source, &target]);
    let other = good(&[&target, &source]);
    assert_eq!((&one.tenant, &one.rules), (&other.tenant, &other.rules));
    let both = good(&[&format!("{target}\n\n{source}")]);
    assert_eq!((&one.tenant, &one.rules), (&both.tenant, &both.rules));
    let list = good(&[&format!("[{target},{source}]")]);
    assert_eq!((&one.tenant, &one.rules), (&list.tenant, &list.rules));
}

#[test]
fn metadata_and_request_body_complete_each_other() {
    let body =
        json!({"appId": "6399c24287cae90008d24e0b", "entryId": "63e0706d0e33350008189952"}).to_string();
    let imported = good(&[&body, &target(&[]), &source().to_string()]);
    assert!(form(&imported).contains_key("filter"));
    let other =
        json!({"appId": "6399c24287cae90008d24e0c", "entryId": "63e0706d0e33350008189952"}).to_string();
    let error = refused(&[&other, &target(&[]), &source().to_string()]);
    assert!(matches!(error, ImportError::SeveralSources { what: "app_id", .. }), "{error}");
}

#[test]
fn without_the_form_s_side_it_is_left_for_a_person() {
    let imported = good(&[&target(&[])]);
    let form = form(&imported);
    assert_eq!((form["api"].as_str(), form["app_id"].as_str()), (Some("v5"), Some("")));
    assert!(left(&imported).contains("`app_id`") && left(&imported).contains("`entry_id`"));
    assert!(notes(&imported).contains("every row"));
}

#[test]
fn names_are_written_so_that_they_can_be_read() {
    let naming = Naming::new("7-up".parse().unwrap(), "f".parse().unwrap()).with_corp("wwabc").unwrap();
    let imported = import(&[("a".to_owned(), target(&[]))], &naming).unwrap();
    assert_eq!(imported.variables, ["T_7_UP_WECOM_SECRET", "T_7_UP_JDY_KEY"]);
    let tenant: toml::Table = imported.tenant.parse().unwrap();
    assert_eq!(tenant["wecom"]["corp_id"].as_str(), Some("wwabc"));
    assert!(!left(&imported).contains("corp_id"));
    assert!(naming.with_corp("ww abc").is_none());
}
