//! Turns bytes into a component that may go live: checks size, kind, imports and contract, and instantiates it once.
//! The instantiation is needed: mismatching types are found only then.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::{Linker, types::ComponentItem};

use super::bindings::{Instance, Pre, Version};
use super::cache::Cache;
use super::engine::Engine;
use super::error::{ErrorText, GuestLoadError};
use super::limits::Budget;
use super::screening::{DeclaredContract, VERSION_SECTION, screen};
use super::trap::did_not_start;
use ruzhi_message::sanitize;
use ruzhi_model::{Digest, Text};

/// A larger component is rejected unread: compiling takes work, and wasmtime does not bound it. A Python guest has 18
/// MB.
pub(super) const MOST_BYTES: u64 = 32 << 20;

/// A component that passed every check. Cheap to clone; the compiled code is shared by all tenants that use it.
#[derive(Clone)]
pub struct Component {
    pre: Arc<Pre>,
    engine: Engine,
    inspection: Arc<Inspection>,
}

/// Properties of a component that are known without calling it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Inspection {
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Size of the file.
    pub bytes: usize,
    /// The version of the contract it exports, such as `0.1`; `None` for an unsupported component.
    pub built_for: Option<String>,
    /// Names of imported interfaces; all of them hold types only.
    pub imports: Vec<String>,
    /// Names of exports.
    pub exports: Vec<String>,
    /// Milliseconds to compile, or to load the compiled code from the cache.
    pub compile_ms: u64,
    /// The compiled code came from the cache.
    pub cached: bool,
    /// Memory of an instance after start, in bytes.
    pub start_memory: usize,
}

impl Component {
    /// Checks for another handle of the component.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.pre) > 1
    }

    /// Checks and compiles a component.
    pub fn from_bytes(engine: &Engine, cache: Option<&Cache>, bytes: &[u8]) -> Result<Self, GuestLoadError> {
        let digest = Digest::of(bytes);
        let version = claimed(engine, bytes)?;
        let began = Instant::now();
        let known = cache.and_then(|cache| cache.load(engine, &digest));
        let cached = known.is_some();
        let compiled = match known {
            Some(compiled) => compiled,
            None => {
                let compiled = compiled(engine, bytes)?;
                if let Some(cache) = cache {
                    cache.store(engine, &digest, &compiled);
                }
                compiled
            }
        };
        let compile_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let found = ComponentFacts { digest, bytes: bytes.len(), version, compile_ms, cached };
        Self::instantiated(engine, compiled, found)
    }

    /// A component compiled by this process, or received compiled from its parent.
    pub(super) fn of_compiled(
        engine: &Engine,
        compiled: wasmtime::component::Component,
        version: Option<Version>,
    ) -> Result<Self, GuestLoadError> {
        let found =
            ComponentFacts { digest: Digest::of([]), bytes: 0, version, compile_ms: 0, cached: false };
        Self::instantiated(engine, compiled, found)
    }

    fn instantiated(
        engine: &Engine,
        compiled: wasmtime::component::Component,
        found: ComponentFacts,
    ) -> Result<Self, GuestLoadError> {
        let ComponentFacts { digest, bytes, version, compile_ms, cached } = found;
        let ty = compiled.component_type();
        let mut imports = Vec::new();
        for (name, item) in ty.imports(engine.inner()) {
            // A pure component still lists `import ruzhi:mapping/types`: an instance that holds types only.
            let types_only = match &item.ty {
                ComponentItem::ComponentInstance(instance) => {
                    instance.exports(engine.inner()).all(|(_, e)| matches!(e.ty, ComponentItem::Type(_)))
                }
                ComponentItem::Type(_) => true,
                _ => false,
            };
            if !types_only {
                return Err(GuestLoadError::Import {
                    import: sanitize::line(name, 200),
                    fix: ErrorText(fix_for(name)),
                });
            }
            imports.push(name.to_owned());
        }
        let exports = ty.exports(engine.inner()).map(|(name, _)| name.to_owned()).collect();
        let against_contract = |e: wasmtime::Error| GuestLoadError::Contract { reason: words(&e) };
        // Empty on purpose: a guest may call nothing.
        let linker = Linker::<Budget>::new(engine.inner());
        let pre = linker.instantiate_pre(&compiled).map_err(against_contract)?;
        let pre = Pre::new(version.unwrap_or(NEWEST), pre).map_err(against_contract)?;
        let _trial = engine.trial();
        let mut store = engine.store();
        if let Err(e) = pre.instantiate(&mut store) {
            return Err(match e.is::<wasmtime::Trap>() || store.data().denied.is_some() {
                true => did_not_start(engine, e, &store),
                false => against_contract(e),
            });
        }
        let inspection = Inspection {
            digest,
            bytes,
            built_for: version.map(|version| version.as_str().to_owned()),
            imports,
            exports,
            compile_ms,
            cached,
            start_memory: store.data().peak(),
        };
        Ok(Self { pre: Arc::new(pre), engine: engine.clone(), inspection: Arc::new(inspection) })
    }

    /// Properties of the component that are known without calling it.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// The engine it was compiled for.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Guests of this component state when a decision expires. Those of contract 0.1 cannot.
    pub fn tells_until_when(&self) -> bool {
        self.pre.version().tells_until_when()
    }

    /// Creates an instance without calling it, to check that the component starts.
    pub fn start(&self) -> Result<(), GuestLoadError> {
        let _trial = self.engine.trial();
        let (store, instance) = self.instance();
        instance.map(drop).map_err(|e| did_not_start(&self.engine, e, &store))
    }

    /// A new instance for one call.
    pub(super) fn instance(&self) -> (wasmtime::Store<Budget>, Result<Instance, wasmtime::Error>) {
        let mut store = self.engine.store();
        let instance = self.pre.instantiate(&mut store);
        (store, instance)
    }
}

/// The contract that a component claims, if it may be compiled; `None` if it names none.
fn claimed(engine: &Engine, bytes: &[u8]) -> Result<Option<Version>, GuestLoadError> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > MOST_BYTES {
        return Err(GuestLoadError::TooLarge { bytes: size, most: MOST_BYTES });
    }
    contract_of(screen(bytes, engine.limits().memory)?)
}

/// The contract by which a component is called, if it may be compiled.
pub(super) fn screened(engine: &Engine, bytes: &[u8]) -> Result<Version, GuestLoadError> {
    Ok(claimed(engine, bytes)?.unwrap_or(NEWEST))
}

/// Properties of a component known before instantiation.
struct ComponentFacts {
    digest: Digest,
    bytes: usize,
    version: Option<Version>,
    compile_ms: u64,
    cached: bool,
}

/// Compiles a component, in a separate process if the engine has one for trials.
fn compiled(engine: &Engine, bytes: &[u8]) -> Result<wasmtime::component::Component, GuestLoadError> {
    let failed = |e: wasmtime::Error| GuestLoadError::Compile { reason: words(&e) };
    let Some(rehearsal) = engine.rehearsal() else {
        return wasmtime::component::Component::new(engine.inner(), bytes).map_err(failed);
    };
    let artifact = rehearsal.compile((engine.limits(), engine.is_metered()), bytes, None)?;
    // SAFETY: `deserialize` trusts its bytes to come from `Component::serialize`. They come from a child process
    // running this same program, through a pipe held by no other process, and are in our memory.
    #[expect(unsafe_code, reason = "compiled code from a process of this program; argued above")]
    let component = unsafe { wasmtime::component::Component::deserialize(engine.inner(), &artifact) };
    component.map_err(failed)
}

const MOST_WORDS: usize = 500;

/// wasmtime's message, which may quote names chosen by the component.
fn words(error: &wasmtime::Error) -> String {
    sanitize::line(&format!("{error:#}"), MOST_WORDS)
}

/// The contract version assumed for a component that names none.
const NEWEST: Version = Version::V0_2;

/// The version of the contract that a component exports, such as `0.2`.
pub(super) fn exported(component: &[u8]) -> Option<&'static str> {
    contract(component).map(Version::as_str)
}

/// The component with the section that says which contract it was built for. The Rust SDK leaves it there itself.
pub fn with_contract_version(mut component: Vec<u8>) -> Vec<u8> {
    let known = wasmparser::Parser::new(0).parse_all(&component).any(|payload| {
        matches!(payload, Ok(wasmparser::Payload::CustomSection(section)) if section.name() == VERSION_SECTION)
    });
    if !known {
        let version = exported(&component).unwrap_or(ruzhi_guest::component::VERSION);
        let section =
            wasm_encoder::CustomSection { name: VERSION_SECTION.into(), data: version.as_bytes().into() };
        wasm_encoder::ComponentSection::append_to_component(&section, &mut component);
    }
    component
}

/// The version of the contract that a component exports, if it may be compiled.
pub(super) fn contract(component: &[u8]) -> Option<Version> {
    contract_of(screen(component, usize::MAX).ok()?).ok().flatten()
}

/// The contract a component implements. Its export decides: a section can be missing or wrong. A component without a
/// mapper is left to the linker's error, unless its section names another host.
fn contract_of(declared: DeclaredContract) -> Result<Option<Version>, GuestLoadError> {
    let is_exported =
        |spoken: &Version| declared.mappers.iter().any(|version| track(version) == spoken.as_str());
    if let Some(version) = Version::SPOKEN.into_iter().find(is_exported) {
        return Ok(Some(version));
    }
    let is_foreign =
        |version: &String| Version::SPOKEN.iter().all(|spoken| track(version) != spoken.as_str());
    let other = declared.mappers.first().map(|version| track(version).to_owned());
    match other.or_else(|| declared.section.filter(is_foreign)) {
        Some(built_for) => Err(GuestLoadError::Version { built_for }),
        None => Ok(None),
    }
}

/// The significant part of a version: `1` of `1.2.3`, and below 1.0 also the next number, `0.1` of `0.1.3`.
fn track(version: &str) -> &str {
    let parts = if version.starts_with("0.") { 2 } else { 1 };
    version.match_indices('.').nth(parts - 1).and_then(|(dot, _)| version.get(..dot)).unwrap_or(version)
}

/// The usual reason for an import, and the way to build without it.
fn fix_for(import: &str) -> Text {
    if import.starts_with("wasi:") {
        Text::new(
            "Rust: build for wasm32-unknown-unknown (`ruzhi guest build`), not wasm32-wasip2; JavaScript: disable random, stdio, clocks, http; Python: `componentize-py --stub-wasi`. Time and configuration come as arguments",
            "Rust：请以 wasm32-unknown-unknown 为目标构建（`ruzhi guest build`），不要用 wasm32-wasip2；JavaScript：请禁用 random、stdio、clocks、http；Python：请用 `componentize-py --stub-wasi`。时间与配置由参数传入",
        )
    } else {
        Text::new(
            "remove the import from the guest's world: time and configuration come as arguments, nothing else is offered",
            "请从规则组件的 world 中去掉该导入：时间与配置由参数传入，除此之外不提供任何接口",
        )
    }
}
