//! Guests that attack the host, built without a toolchain.
//!
//! [`Module`] is a core module in text form that exports the whole contract; each part of it can be replaced by an
//! attack. [`echo`] is one component that answers with the bytes in its rules file: it can lie about lengths, point a
//! hundred texts at one place, or hold an honest answer made by [`Memory`], and needs only one compilation.
#![expect(
    clippy::expect_used,
    reason = "the module texts are part of this crate; if one is wrong, the crate's tests fail"
)]

mod memory;

pub use memory::{BASE, Memory};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const WIT: &str = include_str!("../../../wit/v0.2/mapping.wit");

/// The prefix of the contract's exports in a core module.
pub const MAPPER: &str = "ruzhi:mapping/mapper@0.2.0";

/// A core module that is a guest: well behaved until a part is replaced.
#[derive(Debug, Clone)]
pub struct Module {
    /// Pages of its memory.
    pub pages: u32,
    /// The declared maximum of its memory, in pages.
    pub most_pages: u32,
    /// Further definitions: globals, tables, functions, a start function, exports.
    pub items: String,
    /// The body of `describe`, given `$config` and `$config_length`; leaves the answer's address.
    pub describe: String,
    /// The body of `decide`, given `$config` to `$record_count`; leaves the answer's address.
    pub decide: String,
}

impl Default for Module {
    /// Describes itself, and answers with no outcomes.
    fn default() -> Self {
        Self {
            pages: 4,
            most_pages: 65_536,
            items: String::new(),
            describe: format!("(i32.const {DESCRIPTION})"),
            decide: format!("(i32.const {NOTHING})"),
        }
    }
}

/// Address of the description's answer: below everything an attack writes.
const DESCRIPTION: u32 = 64;
/// An answer of no outcomes: zeros.
const NOTHING: u32 = 8;

impl Module {
    /// A module that runs this when it is instantiated.
    pub fn starting(body: &str) -> Self {
        Self { items: format!("(func $start {body}) (start $start)"), ..Self::default() }
    }

    /// A module whose `describe` does this first.
    pub fn describing(body: &str) -> Self {
        Self { describe: format!("{body} (i32.const {DESCRIPTION})"), ..Self::default() }
    }

    /// A module whose `decide` does this first and then gives no outcomes.
    pub fn deciding(body: &str) -> Self {
        Self { decide: format!("{body} (i32.const {NOTHING})"), ..Self::default() }
    }

    /// The core module's text.
    pub fn text(&self) -> String {
        let Self { pages, most_pages, items, describe, decide } = self;
        let mut description = Memory::at(DESCRIPTION);
        description.description("hostile", "1", &["_id"]);
        let data: String = description.bytes().iter().map(|byte| format!("\\{byte:02x}")).collect();
        format!(
            r#"(module
  (memory (export "memory") {pages} {most_pages})
  (global $free (mut i32) (i32.const 1024))
  (data (i32.const {DESCRIPTION}) "{data}")
  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (local.set $at (global.get $free))
    (global.set $free (i32.add (global.get $free) (local.get $size)))
    (if (i32.gt_u (global.get $free) (i32.shl (memory.size) (i32.const 16)))
      (then (drop (memory.grow (i32.sub
        (i32.shr_u (i32.add (global.get $free) (i32.const 65535)) (i32.const 16)) (memory.size))))))
    (local.get $at))
  {items}
  (func (export "{MAPPER}#describe") (param $config i32) (param $config_length i32) (result i32)
    {describe})
  (func (export "{MAPPER}#decide")
    (param $config i32) (param $config_length i32) (param $now i32) (param $now_length i32)
    (param $timezone i32) (param $timezone_length i32) (param $records i32) (param $record_count i32) (result i32)
    {decide}))"#
        )
    }

    /// The component.
    pub fn component(&self) -> Vec<u8> {
        component(&self.text())
    }
}

/// A component of a core module in text form that exports the contract.
pub fn component(module: &str) -> Vec<u8> {
    component_of(WIT, "mapping-guest", module)
}

/// A component of a core module in text form that exports a world of another contract.
pub fn component_of(wit: &str, world: &str, module: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).expect("the module's text");
    let mut resolve = Resolve::default();
    let package = resolve.push_str("mapping.wit", wit).expect("the contract");
    let world = resolve.select_world(&[package], Some(world)).expect("the contract's world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    ComponentEncoder::default()
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .expect("a module that exports the contract")
}

/// A well-behaved guest that contains and instantiates another component, given as the text of its parts.
pub fn beside(parts: &str) -> Vec<u8> {
    let other = wat::parse_str(format!("(component {parts})")).expect("the component's text");
    let mut guest = Module::default().component();
    let mut nesting = 0_u32;
    let mut index = 0_u8;
    for payload in wasmparser::Parser::new(0).parse_all(&guest) {
        match payload.expect("a guest") {
            wasmparser::Payload::ComponentSection { .. } => {
                index += u8::from(nesting == 0);
                nesting += 1;
            }
            wasmparser::Payload::ModuleSection { .. } => nesting += 1,
            wasmparser::Payload::End(_) => nesting = nesting.saturating_sub(1),
            _ => {}
        }
    }
    section(&mut guest, 4, &other);
    // One instance of the component just added, with no imports.
    section(&mut guest, 5, &[1, 0, index, 0]);
    guest
}

/// Adds a section to a component.
pub fn section(component: &mut Vec<u8>, id: u8, content: &[u8]) {
    component.push(id);
    let mut length = content.len();
    while length >= 0x80 {
        component.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.extend_from_slice(content);
}

/// The component that answers with the bytes in its rules file, placed at [`BASE`] in its memory; [`rules`] writes that
/// file. Above them, up to `pages`, its memory is full of the letter `a`.
pub fn echo(pages: u32) -> Vec<u8> {
    let decode = |value: &str| format!("(i32.sub (i32.load8_u {value}) (i32.const 97))");
    let high = decode("(i32.add (local.get $config) (local.get $at))");
    let low = decode("offset=1 (i32.add (local.get $config) (local.get $at))");
    let body = format!(
        r#"(local $at i32)
    (block $out (loop $next
      (br_if $out (i32.ge_u (local.get $at) (local.get $config_length)))
      (i32.store8 (i32.add (i32.const {BASE}) (i32.shr_u (local.get $at) (i32.const 1)))
        (i32.or (i32.shl {high} (i32.const 4)) {low}))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (br $next)))
    (local.set $at (i32.add (i32.const {BASE}) (i32.shr_u (local.get $config_length) (i32.const 1))))
    (memory.fill (local.get $at) (i32.const 97)
      (i32.sub (i32.shl (memory.size) (i32.const 16)) (local.get $at)))
    (i32.const {BASE})"#
    );
    // Arguments are placed below BASE: the allocator starts there, and grows the memory if it must.
    Module { pages, decide: body, ..Module::default() }.component()
}

/// The rules file that makes [`echo`] answer with these bytes.
pub fn rules(answer: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b'a' + nibble);
    answer.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
