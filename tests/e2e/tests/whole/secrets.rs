//! Secrets and tokens exist only in memory and on the wire.

use std::fs;
use std::path::{Path, PathBuf};

use ruzhi_e2e::{Deployment, Tenant, finish, simulator};
use ruzhi_sim::factory::{API_KEY, Factory, SECRET};
use ruzhi_sim::{FaultKind, FaultRule, Faults};

/// Every file of a folder and its subfolders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn no_secret_or_token_is_in_output_logs_or_store() {
    let factory = Factory::builder(51, 60).hostile(20).build();
    let simulator = simulator(&factory).await.unwrap();
    simulator.set_faults(Faults {
        seed: 51,
        rules: vec![
            FaultRule::new(FaultKind::ResetAfter).per_mille(100),
            FaultRule::new(FaultKind::RevokeToken).per_mille(50),
            FaultRule::new(FaultKind::BadGatewayBefore).per_mille(50),
        ],
    });
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    let mut seen = String::new();
    for arguments in [&["sync", "jingxintai"][..], &["sync", "jingxintai", "--json"], &["check", "--online"]]
    {
        let mut command = deployment.command(arguments).unwrap();
        command.env("RUZHI_LOG", "trace");
        let outcome = finish(command).unwrap();
        // A fault may fail a run, but not with another exit code.
        assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
        assert!(outcome.stderr.contains("TRACE") || outcome.stderr.contains("DEBUG"), "nothing is logged");
        seen.push_str(&outcome.stdout);
        seen.push_str(&outcome.stderr);
    }
    let files = files(deployment.path());
    for name in ["ruzhi.db", "jingxintai.toml", "onboarding.json"] {
        assert!(files.iter().any(|path| path.ends_with(name)), "{name} is not looked at: {files:?}");
    }
    for path in files {
        seen.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap()));
    }
    let tokens = simulator.tokens();
    assert!(!tokens.is_empty());
    for secret in tokens.iter().map(String::as_str).chain([SECRET, API_KEY]) {
        assert!(!seen.contains(secret), "a secret of {} bytes can be read", secret.len());
    }
}

#[tokio::test]
async fn the_store_is_this_user_s_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let factory = Factory::builder(52, 5).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    deployment.run_well(&["sync", "jingxintai"]).unwrap();
    let store = deployment.path().join("ruzhi.db");
    assert_eq!(fs::metadata(store).unwrap().permissions().mode() & 0o777, 0o600);
}
