//! A short version of the soak test (`make soak`): less than a minute, one restart.

use std::time::Duration;

use ruzhi_e2e::Soak;

#[test]
fn what_goes_wrong_at_once_leaves_every_directory_exact() {
    let soak = Soak { tenants: 4, people: 10, length: Duration::from_secs(20), deaths: 1, seed: 7 };
    let told = soak.run(|_| ()).unwrap();
    assert_eq!(told.lives.len(), 2);
    assert!(told.faults > 0 && told.rules > 0, "{} faults, {} exchanged", told.faults, told.rules);
}
