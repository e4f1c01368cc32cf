//! The host's promises about guests built by a toolchain, and about the cache of compiled guests. Attacking guests are
//! in `wall`.
#![expect(clippy::unwrap_used, reason = "an unexpected value fails the test")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ruzhi_guest_runtime::{
    BatchError, Cache, Component, ComponentRegistry, Engine, Guest, GuestLimits, GuestLoadError,
};
use ruzhi_model::{Context, Decision, Digest, SourceRecord};

fn built(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/built").join(name);
    assert!(path.exists(), "{} is missing: run `make guests`", path.display());
    path
}

fn engine() -> Engine {
    Engine::new(GuestLimits {
        memory: 32 << 20,
        deadline: Duration::from_millis(300),
        answer: 4 << 20,
        slots: 2,
    })
    .unwrap()
}

fn load(name: &str) -> Component {
    ComponentRegistry::new(engine(), None).load(&built(name), None).unwrap()
}

fn misbehaving(how: &str) -> Guest {
    let component = load("misbehaving.wasm");
    Guest::new(component, how.to_owned()).unwrap()
}

fn records(count: usize) -> Vec<SourceRecord> {
    (0..count)
        .map(|n| SourceRecord { id: format!("{n:024x}"), json: format!("{{\"_id\":\"{n:024x}\"}}") })
        .collect()
}

fn context() -> Context {
    Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() }
}

fn refused(wat: &str) -> GuestLoadError {
    Component::from_bytes(&engine(), None, &wat::parse_str(wat).unwrap()).err().unwrap()
}

#[test]
fn every_shipped_guest_imports_no_function_and_stays_under_450_kilobytes() {
    for name in ["member.wasm", "jingxintai.wasm"] {
        let component = load(name);
        let inspection = component.inspection();
        assert!(inspection.bytes < 450_000, "{name} has {} bytes", inspection.bytes);
        let imports = &inspection.imports;
        let are_types = imports.iter().all(|import| import.starts_with("ruzhi:mapping/types@"));
        assert!(!imports.is_empty() && are_types, "{name}: {imports:?}");
        assert!(inspection.exports.iter().any(|export| export == "ruzhi:mapping/mapper@0.2.0"));
        assert_eq!(inspection.built_for.as_deref(), Some("0.2"));
    }
}

#[test]
fn a_component_for_another_version_is_refused_by_both_versions_whatever_its_section_says() {
    let exports = |name: &str, version: &str| {
        let section = match version {
            "" => String::new(),
            version => format!(r#"(@custom "ruzhi:api-version" "{version}")"#),
        };
        refused(&format!(r#"(component {section} (instance $i) (export "{name}" (instance $i)))"#))
    };
    for (name, section, built_for) in [
        ("ruzhi:mapping/mapper@0.3.0", "0.3", "0.3"),
        ("ruzhi:mapping/mapper@0.3.7", "", "0.3"),
        ("ruzhi:mapping/mapper@0.3.0", "0.1", "0.3"),
        ("ruzhi:mapping/mapper@1.4.0", "0.1", "1"),
        ("ruzhi:mapping/mapper@0.10.0", "", "0.10"),
        ("other:thing/else@0.1.0", "0.9", "0.9"),
    ] {
        let error = exports(name, section);
        assert_eq!(error.code(), "guest.version", "{error}");
        let text = error.text();
        assert_eq!(text.en, format!("the component was built for {built_for}, this host speaks 0.1 and 0.2"));
        assert!(text.zh.contains(built_for) && text.zh.contains("0.1"), "{}", text.zh);
        assert!(error.hint().en.contains("ruzhi guest build"), "{}", error.hint().en);
    }
    // The same version, and a patch of it: only the functions are missing.
    for name in ["ruzhi:mapping/mapper@0.1.3", "ruzhi:mapping/mapper@0.2.0", "ruzhi:mapping/mapper@0.2.3"] {
        assert_eq!(exports(name, "").code(), "guest.contract");
    }
}

#[test]
fn a_patch_version_of_the_contract_loads() {
    let old = b"ruzhi:mapping/mapper@0.2.0";
    let mut bytes = std::fs::read(built("jingxintai.wasm")).unwrap();
    let mut changed = 0;
    for at in 0..bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at + old.len() - 1] = b'3';
            changed += 1;
        }
    }
    assert!(changed > 0);
    let component = Component::from_bytes(&engine(), None, &bytes).unwrap();
    assert_eq!(component.inspection().built_for.as_deref(), Some("0.2"));
    assert!(component.inspection().exports.iter().any(|export| export == "ruzhi:mapping/mapper@0.2.3"));
    assert_eq!(Guest::new(component, String::new()).unwrap().description().name, "jingxintai");
}

#[test]
fn what_a_guest_executes_is_counted_and_the_same_each_time() {
    let limits = GuestLimits { slots: 1, ..GuestLimits::default() };
    let registry = ComponentRegistry::new(Engine::measuring(limits).unwrap(), None);
    let component = registry.load(&built("jingxintai.wasm"), None).unwrap();
    let start = component.inspection().start_memory;
    let guest = Guest::new(component, String::new()).unwrap();
    let [first, again, more] = [10, 10, 100].map(|rows| guest.measure(&context(), &records(rows)));
    assert!(first.outcomes.is_ok());
    assert!(first.fuel.is_some_and(|fuel| fuel > 1_000), "{:?}", first.fuel);
    assert_eq!((first.fuel, first.peak), (again.fuel, again.peak));
    assert!(more.fuel > first.fuel);
    assert!(start > 0 && first.peak >= start);
    assert_eq!(misbehaving("good").measure(&context(), &records(1)).fuel, None);
}

#[test]
fn a_pin_that_names_another_component_refuses_it() {
    let pinned = Digest::of("something else");
    let error =
        ComponentRegistry::new(engine(), None).load(&built("member.wasm"), Some(&pinned)).err().unwrap();
    assert!(matches!(error, GuestLoadError::Pin { .. }));
}

#[test]
fn a_long_row_that_takes_all_the_time_there_is_keeps_no_other_row_from_being_decided() {
    let guest = misbehaving("loop-long");
    let mut rows = records(100);
    for row in &mut rows[50..52] {
        row.json = format!("{{\"a\":\"long {}\"}}", "x".repeat(10_000));
    }
    let decided = guest.decide_each(&context(), &rows);
    for (row, decided) in rows.iter().zip(&decided) {
        match decided {
            Ok(outcome) => {
                assert!(
                    row.json.len() < 10_000 && matches!(outcome.decision, Decision::Ignore(_)),
                    "{}",
                    row.id
                );
            }
            Err(BatchError::Deadline { batch, .. }) => {
                assert_eq!(batch.records, Some((row.id.clone(), row.id.clone(), 1)));
                assert!(row.json.len() > 10_000, "{}", row.id);
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(decided.len(), rows.len());
}

#[test]
fn rules_that_are_too_slow_for_every_long_row_are_not_tried_with_each() {
    let guest = misbehaving("loop-long");
    let mut rows = records(100);
    for row in &mut rows {
        row.json = format!("{{\"a\":\"long {}\"}}", "x".repeat(10_000));
    }
    let began = Instant::now();
    let decided = guest.decide_each(&context(), &rows);
    assert!(decided.len() == 100 && decided.iter().all(Result::is_err));
    // All of them together have four times the deadline.
    assert!(began.elapsed() < Duration::from_millis(300) * 20, "{:?}", began.elapsed());
}

#[test]
fn a_panic_fails_the_batch_naming_function_and_batch_and_the_next_batch_works() {
    let guest = misbehaving("panic");
    let mut bad = records(100);
    bad[50].json = "{\"a\":\"panic\"}".to_owned();
    let error = guest.decide(&context(), &bad).unwrap_err();
    let BatchError::GuestError { code, message, .. } = &error else { panic!("{error}") };
    assert_eq!(code, "guest.exception");
    assert!(message.starts_with("as the record asks (") && message.contains("src/lib.rs:"), "{message}");
    let text = error.to_string();
    assert!(text.contains("`decide`") && text.contains("batch of 100 records"), "{text}");
    assert!(text.contains(&bad[0].id) && text.contains(&bad[99].id), "{text}");
    assert_eq!(guest.decide(&context(), &records(100)).unwrap().len(), 100);
}

#[test]
fn a_runaway_loop_is_stopped_near_its_deadline() {
    let guest = misbehaving("loop");
    let began = Instant::now();
    let error = guest.decide(&context(), &records(1)).unwrap_err();
    assert!(matches!(error, BatchError::Deadline { deadline_ms: 300, .. }), "{error}");
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[test]
fn memory_past_the_budget_is_named() {
    let error = misbehaving("allocate").decide(&context(), &records(1)).unwrap_err();
    assert!(matches!(error, BatchError::Memory { most, .. } if most == 32 << 20), "{error}");
}

#[test]
fn an_answer_larger_than_the_host_copies_is_refused() {
    let engine =
        Engine::new(GuestLimits { memory: 256 << 20, answer: 1 << 20, ..GuestLimits::default() }).unwrap();
    let component = ComponentRegistry::new(engine, None).load(&built("misbehaving.wasm"), None).unwrap();
    let error =
        Guest::new(component, "huge".to_owned()).unwrap().decide(&context(), &records(1)).unwrap_err();
    assert!(matches!(error, BatchError::Answer { .. }), "{error}");
}

#[test]
fn a_wrong_number_of_outcomes_fails_the_batch() {
    for (how, found) in [("one-too-few", 2), ("one-too-many", 4)] {
        let error = misbehaving(how).decide(&context(), &records(3)).unwrap_err();
        assert!(matches!(error, BatchError::Count { found: f, expected: 3, .. } if f == found), "{error}");
    }
}

#[test]
fn a_guest_error_fails_the_batch_with_the_guest_s_words() {
    let error = misbehaving("error").decide(&context(), &records(1)).unwrap_err();
    assert!(matches!(&error, BatchError::GuestError { code, .. } if code == "batch.refused"), "{error}");
}

#[test]
fn a_member_that_breaks_wecom_s_rules_is_refused_by_the_host() {
    let outcomes = misbehaving("unchecked").decide(&context(), &records(1)).unwrap();
    let Decision::Reject(violations) = &outcomes[0].decision else { panic!("{outcomes:?}") };
    let rules: Vec<&str> = violations.iter().map(|violation| violation.rule.as_str()).collect();
    for rule in ["userid.charset", "name.empty", "mobile.invalid", "position.too-long", "gender.invalid"] {
        assert!(rules.contains(&rule), "{rule} is not in {rules:?}");
    }
    assert!(!outcomes[0].notes.is_empty());
}

#[test]
fn a_reject_without_a_reason_is_given_one() {
    let outcomes = misbehaving("no-reason").decide(&context(), &records(1)).unwrap();
    assert!(matches!(&outcomes[0].decision, Decision::Reject(v) if v[0].rule == "guest.no-reason"));
}

#[test]
fn a_configuration_is_refused_in_the_guest_s_words() {
    let component = load("misbehaving.wasm");
    let refused = Guest::new(component.clone(), "nonsense".to_owned()).err().unwrap();
    assert!(refused.to_string().contains("unknown behaviour nonsense"), "{refused}");
    let trapped = Guest::new(component.clone(), "describe-panic".to_owned()).err().unwrap();
    assert!(trapped.to_string().contains("`describe`"), "{trapped}");
    let looped = Guest::new(component, "describe-loop".to_owned()).err().unwrap();
    let GuestLoadError::Describe(looped) = looped else { panic!("{looped}") };
    assert!(matches!(*looped, BatchError::Deadline { .. }), "{looped}");
}

#[test]
fn a_cached_component_is_used_only_if_its_mac_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let (cache_folder, key) = (folder.path().join("cache"), folder.path().join("key"));
    let cache = Cache::open(&cache_folder, &key).unwrap();
    let engine = engine();
    let bytes = std::fs::read(built("member.wasm")).unwrap();
    let load = || Component::from_bytes(&engine, Some(&cache), &bytes).unwrap();
    load();
    let file = std::fs::read_dir(&cache_folder).unwrap().next().unwrap().unwrap().path();
    let genuine = std::fs::read(&file).unwrap();
    load();
    assert_eq!(std::fs::read(&file).unwrap(), genuine, "a genuine artifact is not written again");
    let mut forged = genuine.clone();
    let middle = forged.len() / 2;
    forged[middle] ^= 0xff;
    std::fs::write(&file, &forged).unwrap();
    load();
    assert_eq!(std::fs::read(&file).unwrap(), genuine, "a forged artifact is compiled anew and replaced");
    let other_key = Cache::open(&cache_folder, &folder.path().join("other")).unwrap();
    Component::from_bytes(&engine, Some(&other_key), &bytes).unwrap();
    assert_ne!(std::fs::read(&file).unwrap(), genuine, "another key does not vouch for it");
}

#[test]
fn a_component_is_compiled_once_for_all_engines_that_share_a_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(&folder.path().join("cache"), &folder.path().join("key")).unwrap();
    let cached = [(); 3].map(|()| {
        let registry = ComponentRegistry::new(engine(), Some(cache.clone()));
        registry.load(&built("jingxintai.wasm"), None).unwrap().inspection().cached
    });
    assert_eq!(cached, [false, true, true]);
}

/// A folder of compiled components with the artifacts of two, and other files left there.
struct CompiledComponent {
    folder: tempfile::TempDir,
    registry: ComponentRegistry,
    live: std::collections::BTreeSet<Digest>,
    files: [PathBuf; 2],
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl CompiledComponent {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache"), &folder.path().join("key")).unwrap();
        let registry = ComponentRegistry::new(engine(), Some(cache));
        let files = ["member.wasm", "jingxintai.wasm"].map(|name| {
            let before = Self::names(&folder);
            let digest = registry.load(&built(name), None).unwrap().inspection().digest.clone();
            let file = Self::names(&folder).into_iter().find(|file| !before.contains(file)).unwrap();
            assert!(file.to_string_lossy().contains(digest.as_str()));
            file
        });
        let member = std::fs::read(built("member.wasm")).unwrap();
        let live = [Digest::of(&member)].into();
        Self { folder, registry, live, files }
    }

    fn names(folder: &tempfile::TempDir) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder.path().join("cache")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn add(&self, name: &str, bytes: usize, unused: Duration) -> PathBuf {
        let path = self.folder.path().join("cache").join(name);
        std::fs::write(&path, vec![0; bytes]).unwrap();
        age(&path, unused);
        path
    }
}

#[expect(clippy::disallowed_methods, reason = "compared with the time of a file, which the machine sets")]
fn age(path: &Path, unused: Duration) {
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::now() - unused).unwrap();
}

#[test]
fn what_is_not_live_and_was_not_used_lately_leaves_the_cache() {
    let compiled = CompiledComponent::new();
    let [live, other] = &compiled.files;
    age(live, DAY * 400);
    age(other, DAY * 29);
    let old = compiled.add("0000-1.cwasm", 10, DAY * 31);
    let another_version = compiled.add("1111-2.cwasm", 10, DAY * 2);
    let draft = compiled.add(".2222-3.cwasm.77", 10, DAY * 2);
    let written_now = compiled.add(".3333-4.cwasm.78", 10, Duration::ZERO);
    let foreign = compiled.add("README", 10, DAY * 400);
    assert_eq!(compiled.registry.prune(&compiled.live, 1 << 30), 2);
    for (path, stays) in [
        (live, true),
        (other, true),
        (&old, false),
        (&another_version, true),
        (&draft, false),
        (&written_now, true),
        (&foreign, true),
    ] {
        assert_eq!(path.exists(), stays, "{}", path.display());
    }
    // Live components count as used, even for another process that shares the folder and does not know them.
    assert_eq!(compiled.registry.prune(&Default::default(), 1 << 30), 0);
    assert!(live.exists());
}

#[test]
fn the_longest_unused_leave_a_cache_that_is_too_large_and_what_is_live_never() {
    let compiled = CompiledComponent::new();
    let [live, other] = &compiled.files;
    age(live, DAY * 400);
    age(other, DAY * 9);
    let sizes = std::fs::metadata(live).unwrap().len() + std::fs::metadata(other).unwrap().len();
    let used = compiled.add("0000-1.cwasm", 1000, DAY);
    let unused = compiled.add("0000-2.cwasm", 1000, DAY * 10);
    assert_eq!(compiled.registry.prune(&compiled.live, sizes + 1000), 1);
    assert!(used.exists() && other.exists() && !unused.exists());
    assert_eq!(compiled.registry.prune(&compiled.live, 0), 2);
    assert!(live.exists() && !other.exists() && !used.exists());
    compiled.registry.load(&built("jingxintai.wasm"), None).unwrap();
}

#[test]
fn a_component_that_is_loaded_from_the_cache_counts_as_used() {
    let compiled = CompiledComponent::new();
    let [_, other] = &compiled.files;
    age(other, DAY * 31);
    let cache =
        Cache::open(&compiled.folder.path().join("cache"), &compiled.folder.path().join("key")).unwrap();
    let another = ComponentRegistry::new(engine(), Some(cache));
    assert!(another.load(&built("jingxintai.wasm"), None).unwrap().inspection().cached);
    assert_eq!(compiled.registry.prune(&compiled.live, 1 << 30), 0);
    assert!(other.exists());
}

#[test]
fn the_cache_is_this_user_s_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (cache_folder, key) = (folder.path().join("cache"), folder.path().join("key"));
    std::fs::create_dir(&cache_folder).unwrap();
    std::fs::set_permissions(&cache_folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    Cache::open(&cache_folder, &key).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&cache_folder), mode(&key)), (0o700, 0o600));
}
