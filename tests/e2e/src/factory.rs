//! The simulated factory, loaded, and the directory it must lead to.

use anyhow::{Result, ensure};
use ruzhi_sim::factory::{CORP_ID, Factory, Verdict};
use ruzhi_sim::{Limits, Simulator};

/// A simulator that holds this factory, without rates.
///
/// # Errors
/// If it does not load.
pub async fn simulator(factory: &Factory) -> Result<Simulator> {
    let simulator = Simulator::start().await;
    simulator.load(factory.document())?;
    simulator.set_limits(Limits { enabled: false, ..Limits::default() });
    Ok(simulator)
}

/// Checks that the directory holds exactly the expected members, each with the expected fields, that no one was created
/// twice, that every member was invited once (the founding rules invite), and that both services understood every
/// request.
///
/// # Errors
/// Naming the first difference.
pub fn check_directory(simulator: &Simulator, factory: &Factory) -> Result<()> {
    let expected = factory.members();
    let members = simulator.members(CORP_ID);
    for (key, wanted) in &expected {
        let Some(found) = members.values().find(|member| member.userid.to_ascii_lowercase() == *key) else {
            anyhow::bail!("{key} is missing");
        };
        ensure!(found.name == wanted.name, "{key}: name {} instead of {}", found.name, wanted.name);
        let mobile = normal(&found.mobile);
        ensure!(mobile == wanted.mobile, "{key}: mobile {mobile} instead of {}", wanted.mobile);
        ensure!(found.email == wanted.email, "{key}: email {} instead of {}", found.email, wanted.email);
        ensure!(
            found.department == wanted.department,
            "{key}: departments {:?} instead of {:?}",
            found.department,
            wanted.department
        );
        ensure!(
            found.position == wanted.position,
            "{key}: {} instead of {}",
            found.position,
            wanted.position
        );
    }
    for (key, member) in &members {
        ensure!(
            expected.contains_key(&member.userid.to_ascii_lowercase()) || was_there(factory, &member.userid),
            "{key} should not be in the directory"
        );
    }
    for (userid, times) in simulator.created(CORP_ID) {
        ensure!(times == 1, "{userid} was created {times} times");
    }
    for (userid, times) in simulator.invitations(CORP_ID) {
        ensure!(times == 1, "{userid} was invited {times} times");
    }
    simulator.assert_understood();
    Ok(())
}

/// A leaver's row may leave a disabled member behind.
fn was_there(factory: &Factory, userid: &str) -> bool {
    factory.rows().iter().any(|row| matches!(&row.verdict, Verdict::Left { userid: left } if left == userid))
}

fn normal(mobile: &str) -> String {
    let digits: String = mobile.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    digits.strip_prefix("+86").map_or(digits.clone(), str::to_owned)
}
