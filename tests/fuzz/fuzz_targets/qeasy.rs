//! Any texts → the import of the platform's metadata: either rejected with a message, or a rules file that the default
//! guest accepts and a tenant file that is TOML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruzhi_author::qeasy::{Naming, import};

fuzz_target!(|text: &str| {
    let naming = Naming::new("factory".parse().expect("a name"), "onboarding".parse().expect("a name"));
    let texts: Vec<(String, String)> = (0..)
        .zip(text.split("\n---\n").take(3))
        .map(|(n, text): (u32, _)| (format!("file {n}"), text.to_owned()))
        .collect();
    match import(&texts, &naming) {
        Err(error) => {
            let told = format!("{}{}", error.text().both(), error.hint().both());
            assert!(!error.code().is_empty() && !told.contains('\u{1b}'), "{told:?}");
        }
        Ok(imported) => {
            ruzhi_guest::describe::<ruzhi_guest_member::RulesFile>(&imported.rules)
                .expect("rules that are taken");
            toml::from_str::<toml::Table>(&imported.tenant).expect("a tenant file");
            let again = import(&texts, &naming).expect("as before");
            assert_eq!(imported, again);
        }
    }
});
