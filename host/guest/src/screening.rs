//! Checks a component before it is compiled: the kind of file, its contract, the WebAssembly proposals it uses, and
//! the cost of compiling it. This pass is the loader's own and runs none of the component's code, so that the author
//! of a file reaches neither a fault of the compiler nor unbounded work.

use std::collections::HashMap;

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentFuncTypeId, ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Payload, Validator,
};

use super::error::{BatchError, BatchSpan, ErrorText, GuestLoadError, START};
use super::limits::MOST_TABLE_ELEMENTS;
use ruzhi_message::sanitize;
use ruzhi_model::Text;

/// The proposals that guests use, and no other: WebAssembly 2.0 and the component model as first published. An allow
/// list, so that a proposal enabled by default in a later engine stays out.
macro_rules! proposals {
    ($features:ty) => {
        <$features>::MUTABLE_GLOBAL
            .union(<$features>::SATURATING_FLOAT_TO_INT)
            .union(<$features>::SIGN_EXTENSION)
            .union(<$features>::REFERENCE_TYPES)
            .union(<$features>::MULTI_VALUE)
            .union(<$features>::BULK_MEMORY)
            .union(<$features>::SIMD)
            .union(<$features>::FLOATS)
            .union(<$features>::EXTENDED_CONST)
            .union(<$features>::COMPONENT_MODEL)
    };
}

/// The proposals that the engine runs. The functions it generates between components copy from one memory to another;
/// no module of a guest has a second memory.
pub(super) const PROPOSALS: wasmtime::WasmFeatures =
    proposals!(wasmtime::WasmFeatures).union(wasmtime::WasmFeatures::MULTI_MEMORY);

/// The proposals that a component may use.
const SCREENED: wasmparser::WasmFeatures = proposals!(wasmparser::WasmFeatures);

/// The maximum cost of compiling a component, in bytes of ordinary code. A Python guest costs 12 million, a
/// TypeScript guest 2 million. The densest code takes about 10 µs of one core per unit, so that a hostile component
/// is compiled or rejected in two minutes; without this limit it would take hours.
const MOST_WORK: u64 = 16 << 20;

/// Maximum nesting of components. A script composed with a frame is one within the outermost.
const MOST_NESTED: usize = 4;

/// Cost of compiling a function between components, in bytes of ordinary code: once for the function, and for each
/// part of its type once for taking it apart and once for putting it together.
const WORK_OF_ADAPTER: u64 = 2_000;
const WORK_OF_PART: u64 = 200;

/// Additional cost of an instance within a component.
const WORK_OF_INSTANCE: u64 = 500;

/// The section in which a guest's SDK records its contract version.
pub(super) const VERSION_SECTION: &str = "ruzhi:api-version";

/// The name of the exported interface, without its version.
const MAPPER: &str = "ruzhi:mapping/mapper@";

const MOST_WORDS: usize = 500;

/// The contract a component claims to be built for.
pub(super) struct DeclaredContract {
    /// From the section left by its SDK or its build.
    pub(super) section: Option<String>,
    /// From the names of the mappers it exports, such as `0.1.0`.
    pub(super) mappers: Vec<String>,
}

/// Distinguishes a component from other files, reads the contract it claims, and rejects one that must not be
/// compiled. `memory` is the limit of an instance in bytes.
pub(super) fn screen(bytes: &[u8], memory: usize) -> Result<DeclaredContract, GuestLoadError> {
    recognise(bytes)?;
    let damaged = |e: wasmparser::BinaryReaderError| GuestLoadError::Compile {
        reason: sanitize::line(&e.to_string(), MOST_WORDS),
    };
    let mut declared = DeclaredContract { section: None, mappers: Vec::new() };
    let mut validator = Validator::new_with_features(SCREENED);
    let mut work = CompileCost::default();
    let mut modules = 0_usize;
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(damaged)?;
        // Types, imports, exports and tables; function bodies are validated by the engine, with the same list.
        validator.payload(&payload).map_err(damaged)?;
        // Nested components and modules have exports of their own.
        let outermost = work.depth() == 1 && modules == 0;
        match payload {
            Payload::ModuleSection { .. } => modules += 1,
            Payload::Version { encoding: wasmparser::Encoding::Component, .. } => work.enter()?,
            Payload::End(_) if modules > 0 => modules -= 1,
            Payload::End(_) => work.leave(),
            Payload::CustomSection(section) if section.name() == VERSION_SECTION => {
                let version = std::str::from_utf8(section.data()).ok();
                declared.section = version.map(|version| sanitize::line(version.trim(), 20));
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(damaged)?;
                    work.export(export.kind, export.index);
                    let version = export.name.name.strip_prefix(MAPPER).filter(|_| outermost);
                    declared.mappers.extend(version.map(|version| sanitize::line(version, 20)));
                }
            }
            Payload::CodeSectionEntry(body) => work.add(work_of(&body))?,
            Payload::MemorySection(memories) => {
                for ty in memories {
                    let pages = ty.map_err(damaged)?.initial;
                    let wanted = usize::try_from(pages.saturating_mul(64 << 10)).unwrap_or(usize::MAX);
                    if wanted > memory {
                        let batch = BatchSpan::default();
                        let error = BatchError::Memory { function: START, wanted, most: memory, batch };
                        return Err(GuestLoadError::Start(error.into()));
                    }
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    let wanted = usize::try_from(table.map_err(damaged)?.ty.initial).unwrap_or(usize::MAX);
                    if wanted > MOST_TABLE_ELEMENTS {
                        let (most, batch) = (MOST_TABLE_ELEMENTS, BatchSpan::default());
                        let error = BatchError::Table { function: START, wanted, most, batch };
                        return Err(GuestLoadError::Start(error.into()));
                    }
                }
            }
            Payload::ComponentCanonicalSection(functions) => {
                let types = validator.types(0);
                for function in functions {
                    work.canonical(&function.map_err(damaged)?, types)?;
                }
            }
            Payload::InstanceSection(instances) => work.core_instances(instances.count())?,
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances {
                    work.instance(&instance.map_err(damaged)?)?;
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    work.alias(&alias.map_err(damaged)?)?;
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    work.import(import.map_err(damaged)?.ty);
                }
            }
            _ => {}
        }
    }
    Ok(declared)
}

/// Checks that the file is a component at all.
fn recognise(bytes: &[u8]) -> Result<(), GuestLoadError> {
    let other = |en: &str, zh: &str| GuestLoadError::NotAComponent { found: ErrorText(Text::new(en, zh)) };
    if wasmtime::Engine::detect_precompiled(bytes).is_some() || bytes.starts_with(b"\x7fELF") {
        return Err(other(
            "it is native code; ruzhi compiles components itself and never takes compiled ones",
            "这是本机代码；ruzhi 自行编译组件，从不接受已编译的文件",
        ));
    }
    if bytes.is_empty() {
        return Err(other("the file is empty", "文件为空"));
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(other("it does not begin like WebAssembly", "文件开头不是 WebAssembly"));
    }
    if wasmparser::Parser::is_core_wasm(bytes) {
        return Err(other("it is a core module, not a component", "这是核心模块，不是组件"));
    }
    Ok(())
}

/// Cost of compiling a function: a base, plus its bytes, weighted by the number of bytes and locals, as the
/// compiler's work grows with the square of a function's size.
fn work_of(body: &wasmparser::FunctionBody<'_>) -> u64 {
    let range = body.range();
    let bytes = range.end.saturating_sub(range.start) as u64;
    // Unreadable locals fail the compilation.
    let locals = body.get_locals_reader().map_or(0, |reader| {
        reader.into_iter().flatten().fold(0_u64, |sum, (count, _)| sum.saturating_add(count.into()))
    });
    let weight = 1 + bytes / (64 << 10) + locals / 32;
    bytes.saturating_mul(weight).saturating_add(32)
}

/// Cost of compiling, per component. Code is compiled once; the functions between components are generated anew for
/// each instance of their component, and so for each instance of a component that instantiates it.
#[derive(Default)]
struct CompileCost {
    code: u64,
    /// The open components, outermost first.
    open: Vec<OpenComponent>,
}

/// A component being read.
#[derive(Default)]
struct OpenComponent {
    /// Cost of its functions between components, including those of its instances.
    adapters: u64,
    /// The same for each component it can instantiate, in index order; `None` if unknown.
    components: Vec<Option<u64>>,
}

impl CompileCost {
    fn depth(&self) -> usize {
        self.open.len()
    }

    fn enter(&mut self) -> Result<(), GuestLoadError> {
        self.open.push(OpenComponent::default());
        if self.open.len() > MOST_NESTED + 1 { Err(too_complex()) } else { Ok(()) }
    }

    fn leave(&mut self) {
        let Some(OpenComponent { adapters, .. }) = self.open.pop() else { return };
        if let Some(parent) = self.open.last_mut() {
            parent.components.push(Some(adapters));
        }
    }

    fn add(&mut self, code: u64) -> Result<(), GuestLoadError> {
        self.code = self.code.saturating_add(code);
        self.judge()
    }

    fn judge(&self) -> Result<(), GuestLoadError> {
        let adapters = self.open.iter().fold(self.code, |sum, open| sum.saturating_add(open.adapters));
        if adapters > MOST_WORK { Err(too_complex()) } else { Ok(()) }
    }

    fn canonical(
        &mut self,
        function: &CanonicalFunction,
        types: Option<TypesRef<'_>>,
    ) -> Result<(), GuestLoadError> {
        let Some(types) = types else { return Ok(()) };
        let ty = match function {
            CanonicalFunction::Lift { type_index, .. } => match types.component_any_type_at(*type_index) {
                ComponentAnyTypeId::Func(ty) => Some(ty),
                _ => None,
            },
            CanonicalFunction::Lower { func_index, .. } => Some(types.component_function_at(*func_index)),
            _ => None,
        };
        let parts = ty.map_or(0, |ty| parts_of(types, ty));
        if let Some(open) = self.open.last_mut() {
            let adapter = WORK_OF_ADAPTER.saturating_add(parts.saturating_mul(WORK_OF_PART));
            open.adapters = open.adapters.saturating_add(adapter);
        }
        self.judge()
    }

    fn instance(&mut self, instance: &ComponentInstance<'_>) -> Result<(), GuestLoadError> {
        let ComponentInstance::Instantiate { component_index, .. } = instance else { return Ok(()) };
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let known = usize::try_from(*component_index).ok().and_then(|at| open.components.get(at).copied());
        // A component from an import or out of an instance: guests have no such thing.
        let Some(Some(adapters)) = known else { return Err(too_complex()) };
        open.adapters = open.adapters.saturating_add(adapters).saturating_add(WORK_OF_INSTANCE);
        self.judge()
    }

    fn core_instances(&mut self, count: u32) -> Result<(), GuestLoadError> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        open.adapters = open.adapters.saturating_add(WORK_OF_INSTANCE.saturating_mul(count.into()));
        self.judge()
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) -> Result<(), GuestLoadError> {
        let component = match alias {
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                let (count, index) = (usize::try_from(*count).ok(), usize::try_from(*index).ok());
                let from = count.and_then(|count| self.open.iter().rev().nth(count));
                from.and_then(|open| open.components.get(index?).copied()).flatten()
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => None,
            _ => return Ok(()),
        };
        if let Some(open) = self.open.last_mut() {
            open.components.push(component);
        }
        Ok(())
    }

    fn import(&mut self, ty: ComponentTypeRef) {
        if let (ComponentTypeRef::Component(_), Some(open)) = (ty, self.open.last_mut()) {
            open.components.push(None);
        }
    }

    /// An export is an item of its own, with the next index.
    fn export(&mut self, kind: ComponentExternalKind, index: u32) {
        if let (ComponentExternalKind::Component, Some(open)) = (kind, self.open.last_mut()) {
            let known = usize::try_from(index).ok().and_then(|at| open.components.get(at).copied());
            open.components.push(known.flatten());
        }
    }
}

fn too_complex() -> GuestLoadError {
    GuestLoadError::TooComplex { most: MOST_WORK }
}

/// Number of parts of a function's type with every type in it written out.
fn parts_of(types: TypesRef<'_>, function: ComponentFuncTypeId) -> u64 {
    let Some(ty) = types.get(function) else { return 0 };
    let mut known = HashMap::new();
    let all = ty.params.iter().map(|(_, ty)| ty).chain(&ty.result);
    all.fold(0, |sum, ty| sum.saturating_add(parts(types, *ty, &mut known)))
}

/// The depth of a type is bounded by the validator.
fn parts(types: TypesRef<'_>, ty: ComponentValType, known: &mut HashMap<ComponentDefinedTypeId, u64>) -> u64 {
    let ComponentValType::Type(id) = ty else { return 1 };
    if let Some(parts) = known.get(&id) {
        return *parts;
    }
    let mut sum = 1_u64;
    let mut add = |ty: ComponentValType| sum = sum.saturating_add(parts(types, ty, known));
    match types.get(id) {
        Some(ComponentDefinedType::Record(record)) => record.fields.values().copied().for_each(add),
        Some(ComponentDefinedType::Variant(variant)) => {
            variant.cases.values().filter_map(|case| case.ty).for_each(add);
        }
        Some(ComponentDefinedType::Tuple(tuple)) => tuple.types.iter().copied().for_each(add),
        Some(ComponentDefinedType::List { element, .. }) => add(*element),
        Some(ComponentDefinedType::Option { ty, .. }) => add(*ty),
        Some(ComponentDefinedType::Result { ok, err, .. }) => {
            ok.iter().chain(err).copied().for_each(add);
        }
        Some(ComponentDefinedType::Flags(names) | ComponentDefinedType::Enum(names)) => {
            sum = sum.saturating_add(u64::try_from(names.len()).unwrap_or(u64::MAX));
        }
        // Resources are numbers; maps and lists of a fixed length are proposals that are not allowed.
        _ => {}
    }
    known.insert(id, sum);
    sum
}
