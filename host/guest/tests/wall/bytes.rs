//! Files that are not components, or broken ones.

use super::*;

/// Random numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.roll() % most as u64) as usize
    }
}

#[test]
fn what_is_no_component_is_refused_in_words() {
    refused(b"", "guest.not-a-component", &[]);
    refused(b"hello", "guest.not-a-component", &["WebAssembly"]);
    refused(b"#!/bin/sh\n", "guest.not-a-component", &["WebAssembly"]);
    refused(b"PK\x03\x04", "guest.not-a-component", &["WebAssembly"]);
    let module = refused(&wat::parse_str("(module)").unwrap(), "guest.not-a-component", &[]);
    assert!(module.to_string().contains("core module"));
    let module = wat::parse_str(Module::default().text()).unwrap();
    refused(&module, "guest.not-a-component", &[]);
    // An unknown version of the format.
    refused(b"\0asm\xff\xff\xff\xff", "guest.damaged", &[]);
}

#[test]
fn native_code_is_refused_even_if_this_very_engine_compiled_it() {
    refused(b"\x7fELF\x02\x01", "guest.not-a-component", &[]);
    let folder = tempfile::tempdir().unwrap();
    let (cache_folder, key) = (folder.path().join("cache"), folder.path().join("key"));
    let cache = ruzhi_guest_runtime::Cache::open(&cache_folder, &key).unwrap();
    Component::from_bytes(&ENGINE, Some(&cache), &Module::default().component()).unwrap();
    let file = std::fs::read_dir(&cache_folder).unwrap().next().unwrap().unwrap().path();
    let kept = std::fs::read(file).unwrap();
    let artifact = &kept[32..];
    assert!(artifact.starts_with(b"\x7fELF"));
    let error = refused(artifact, "guest.not-a-component", &[]);
    assert!(error.to_string().contains("native code"));
    refused(&kept, "guest.not-a-component", &[]);
}

#[test]
fn random_bytes_are_refused() {
    let mut dice = Dice(1);
    for _ in 0..200 {
        let length = dice.below(4_096);
        let mut bytes: Vec<u8> = (0..length).map(|_| dice.roll() as u8).collect();
        assert!(load(&bytes).is_err());
        let head = b"\0asm\x0d\0\x01\0";
        bytes.splice(0..0, head.iter().copied());
        let error = load(&bytes).err();
        // An empty component is valid, but does not follow the contract.
        assert!(error.is_some_and(|error| ["guest.damaged", "guest.contract"].contains(&error.code())));
    }
    the_others_go_on();
}

#[test]
fn a_component_cut_anywhere_is_refused_unless_only_remarks_are_lost() {
    let whole = Module::default().component();
    let alive: Vec<usize> = (0..whole.len()).filter(|length| survives(&whole[..*length])).collect();
    // The sections for names and producers are at the end.
    assert!(
        (1..3).contains(&alive.len()) && alive.iter().all(|length| *length > whole.len() * 3 / 4),
        "{alive:?}"
    );
    the_others_go_on();
}

/// Loads it and, if it loads, has it decide: every outcome is an error or an answer.
fn survives(bytes: &[u8]) -> bool {
    match load(bytes) {
        Ok(guest) => {
            let _ = guest.decide(&context(), &records(2));
            true
        }
        Err(error) => {
            says_both(&error.text(), &[]);
            false
        }
    }
}

fn mutated(dice: &mut Dice, whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        match dice.below(6) {
            0 => bytes[at] = dice.roll() as u8,
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, dice.roll() as u8),
            4 => {
                let other = dice.below(bytes.len());
                bytes.swap(at, other);
            }
            _ => {
                let end = (at + dice.below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn five_hundred_mutations_end_in_a_refusal_or_in_a_guest() {
    let mut dice = Dice(2);
    let small = Module::default().component();
    let alive = (0..470).filter(|_| survives(&mutated(&mut dice, &small))).count();
    assert!(alive > 0 && alive < 470, "{alive} of 470 mutations loaded");
    let real = std::fs::read(built("misbehaving.wasm")).unwrap();
    for _ in 0..30 {
        survives(&mutated(&mut dice, &real));
    }
    the_others_go_on();
}

#[test]
fn a_component_of_more_than_32_mebibytes_is_refused_unread() {
    let mut bytes = Module::default().component();
    ruzhi_hostile::section(&mut bytes, 0, &vec![0; 33 << 20]);
    let began = Instant::now();
    refused(&bytes, "guest.too-large", &["33554432"]);
    assert!(began.elapsed() < Duration::from_secs(2));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.wasm");
    std::fs::write(&path, bytes).unwrap();
    let error =
        ruzhi_guest_runtime::ComponentRegistry::new(ENGINE.clone(), None).load(&path, None).err().unwrap();
    assert_eq!(error.code(), "guest.too-large");
}
