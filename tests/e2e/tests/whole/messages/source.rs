//! The messages in the sources: the places at which a code stands beside its texts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Expr, FnArg, ImplItem, Item, ItemFn, ItemImpl, Lit, Pat, Signature, Token};

use super::expression::{Pair, Scope, callee, is_chinese, is_code, name_of_path, pairs, template};
use super::speaker::{Arms, Speaker, Speakers, lets, type_name, variants_of};

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Error,
    Alert,
    Health,
    Rejection,
    Wecom,
    JianDaoYun,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Error, Self::Alert, Self::Health, Self::Rejection, Self::Wecom, Self::JianDaoYun];

    fn of_file(path: &str) -> Self {
        let rejections = [
            "guests/sdk/",
            "host/plan/",
            "host/model/",
            "host/sync/src/outcome.rs",
            "host/guest/src/validate.rs",
        ];
        match path {
            "host/server/src/alerts/condition.rs" => Self::Alert,
            "host/server/src/telemetry/health.rs" => Self::Health,
            "host/wecom/src/errcode.rs" => Self::Wecom,
            "host/jiandaoyun/src/code.rs" => Self::JianDaoYun,
            path if rejections.iter().any(|place| path.starts_with(place)) => Self::Rejection,
            _ => Self::Error,
        }
    }
}

/// The texts of a code.
#[derive(Default)]
pub(super) struct Message {
    pub(super) texts: Vec<Pair>,
    pub(super) hints: Vec<Pair>,
}

/// The number that a code ends with.
fn number(code: &str) -> Option<i64> {
    code.split_once('.')?.1.split('–').next()?.parse().ok()
}

/// Everything read from the sources.
#[derive(Default)]
pub(super) struct Messages {
    list: BTreeMap<(Kind, String), Message>,
    /// Every word that looks like a code.
    pub(super) words: BTreeSet<String>,
    pub(super) consts: BTreeMap<String, String>,
    /// The texts that functions without arguments return.
    pub(super) functions: BTreeMap<String, Expr>,
    advice: BTreeMap<String, Pair>,
    pub(super) speakers: BTreeMap<String, Speaker>,
}

impl Messages {
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = (&String, &Message)> {
        let mut list: Vec<_> = self.list.iter().filter(|((of, _), _)| *of == kind).collect();
        // The codes of the services are numbers.
        list.sort_by_key(|((_, code), _)| number(code));
        list.into_iter().map(|((_, code), message)| (code, message))
    }

    pub(super) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let files: Vec<(String, syn::File)> = sources(&root)
            .into_iter()
            .map(|path| {
                let file = syn::parse_file(&std::fs::read_to_string(root.join(&path)).unwrap()).unwrap();
                (path, file)
            })
            .collect();
        let mut messages = Self::default();
        for (_, file) in &files {
            Consts(&mut messages).visit_file(file);
        }
        let shared = std::mem::take(&mut messages.consts);
        for (_, file) in &files {
            messages.own(&shared, file);
            Speakers(&mut messages).visit_file(file);
        }
        for (path, file) in &files {
            messages.own(&shared, file);
            let mut reader = Reader {
                kind: Kind::of_file(path),
                apart: Apart::default(),
                function: String::new(),
                messages: &mut messages,
                lets: BTreeMap::new(),
                types: BTreeMap::new(),
            };
            // Twice: what is used may be defined further down.
            reader.visit_file(file);
            reader.visit_file(file);
            reader.visit_file(file);
        }
        messages
    }

    /// Makes the constants of a file known: their names are used again in others.
    fn own(&mut self, shared: &BTreeMap<String, String>, file: &syn::File) {
        self.consts.clone_from(shared);
        self.advice.clear();
        Consts(self).visit_file(file);
    }

    fn add(&mut self, kind: Kind, code: &str, texts: Vec<Pair>, hints: Vec<Pair>) {
        if texts.is_empty() && hints.is_empty() {
            return;
        }
        let message = self.list.entry((kind, code.to_owned())).or_default();
        for (list, added) in [(&mut message.texts, texts), (&mut message.hints, hints)] {
            for pair in added {
                if !list.contains(&pair) {
                    list.push(pair);
                }
            }
        }
    }
}

/// The files of the host and of the SDK, without tests; not those that read the configuration, whose problems have a
/// line and no code.
fn sources(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![PathBuf::from("host"), PathBuf::from("guests/sdk/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            let is_folder = entry.file_type().unwrap().is_dir();
            let is_test = matches!(name.as_str(), "tests" | "testing" | "tests.rs" | "fuzzing.rs" | "target");
            let of_configuration =
                folder.ends_with("config/src") && name != "report.rs" && name != "target.rs";
            if is_test || (of_configuration && name != "guarded.rs") {
                continue;
            }
            if is_folder {
                folders.push(path);
            } else if name.ends_with(".rs") && path.components().any(|part| part.as_os_str() == "src") {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

pub(super) fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string().contains("test"))
    })
}

pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

pub(super) fn text_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Reads the constants that hold a text or an advice, and every word that looks like a code.
struct Consts<'a>(&'a mut Messages);

impl<'ast> Visit<'ast> for Consts<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_of_tests(attributes(item)) {
            return;
        }
        if let Item::Const(constant) = item {
            let name = constant.ident.to_string();
            if let Some(text) = text_of(&constant.expr) {
                self.0.consts.insert(name, text);
            } else if let Expr::Tuple(tuple) = &*constant.expr
                && let [Some(en), Some(zh)] = tuple.elems.iter().map(text_of).collect::<Vec<_>>().as_slice()
            {
                self.0.advice.insert(name, Pair { en: en.clone(), zh: zh.clone() });
            }
        }
        if let Item::Fn(function) = item
            && function.sig.inputs.is_empty()
            && let [syn::Stmt::Expr(expr @ Expr::Call(call), None)] = function.block.stmts.as_slice()
            && callee(&call.func) == "Text::new"
        {
            self.0.functions.insert(function.sig.ident.to_string(), expr.clone());
        }
        visit::visit_item(self, item);
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        let word = text.value();
        let is_file = [".toml", ".json", ".wasm", ".db", ".js", ".css", ".svg", ".csv", ".cfg"];
        if is_code(&word) && !is_file.iter().any(|end| word.ends_with(end)) {
            self.0.words.insert(word);
        }
    }

    /// Attributes hold names of settings.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// Codes and texts of a file that do not stand side by side.
#[derive(Default)]
struct Apart {
    /// Functions that are given the texts of one code.
    functions: BTreeMap<String, String>,
    /// Fields and parameters that hold a code, with its texts and hints.
    names: BTreeMap<String, (Vec<Pair>, Vec<Pair>)>,
    /// Methods that return one of several codes.
    methods: BTreeMap<String, Vec<String>>,
}

/// Reads the places at which a code stands beside its texts.
struct Reader<'a> {
    kind: Kind,
    apart: Apart,
    /// The function that is being read.
    function: String,
    messages: &'a mut Messages,
    lets: BTreeMap<String, Expr>,
    /// The types of the names that the function's head binds.
    types: BTreeMap<String, String>,
}

impl Reader<'_> {
    fn function(&mut self, signature: &Signature, block: &Block) {
        self.function = signature.ident.to_string();
        self.types = signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Typed(typed) => match &*typed.pat {
                    Pat::Ident(name) => Some((name.ident.to_string(), type_name(&typed.ty)?)),
                    _ => None,
                },
                FnArg::Receiver(_) => None,
            })
            .collect();
        self.lets = lets(block);
        if self.kind == Kind::Alert {
            self.alert(block);
        } else {
            visit::visit_block(self, block);
        }
    }

    fn scoped<T>(&self, read: impl FnOnce(Scope<'_>) -> T) -> T {
        let methods = |name: &str, method: &str| {
            let speaker = self.types.get(name).and_then(|name| self.messages.speakers.get(name));
            speaker.map(|speaker| speaker.all(method)).unwrap_or_default()
        };
        read(Scope {
            consts: &self.messages.consts,
            functions: &self.messages.functions,
            lets: &self.lets,
            methods: &methods,
        })
    }

    fn code(&self, expr: &Expr) -> Option<String> {
        self.scoped(|scope| template(expr, scope))
    }

    /// Arguments of a call or fields of a value, one of which may be a code, with texts after it.
    fn beside(&mut self, args: &[&Expr], first_is_any: bool) {
        let is_literal = |arg: &&&Expr| self.code(arg).is_some_and(|code| is_code(&code));
        if args.iter().filter(is_literal).count() > 1 {
            return;
        }
        if let Some(place) = args.iter().position(|arg| is_literal(&arg)).or(first_is_any.then_some(0)) {
            let Some(code) = args.get(place).and_then(|arg| self.code(arg)) else { return };
            let (texts, hints) = self.texts(&args[place + 1..]);
            if texts.is_empty() {
                self.apart.functions.insert(self.function.clone(), code.clone());
            }
            self.messages.add(self.kind, &code, texts, hints);
            return;
        }
        for (place, arg) in args.iter().enumerate() {
            match arg {
                Expr::Field(_) | Expr::Path(_) => {
                    let name = match arg {
                        Expr::Field(syn::ExprField { member: syn::Member::Named(name), .. }) => {
                            name.to_string()
                        }
                        Expr::Path(path) => name_of_path(&path.path),
                        _ => continue,
                    };
                    let texts = self.texts(&args[place + 1..]);
                    if place == 0 && !texts.0.is_empty() {
                        self.apart.names.insert(name, texts);
                    }
                }
                Expr::MethodCall(call) => {
                    let call = match &*call.receiver {
                        Expr::MethodCall(inner) if call.method == "to_owned" => inner,
                        _ => call,
                    };
                    let codes = self.apart.methods.get(&call.method.to_string()).cloned();
                    let (texts, hints) = self.texts(&args[place + 1..]);
                    for code in codes.into_iter().flatten() {
                        self.messages.add(self.kind, &code, texts.clone(), hints.clone());
                    }
                }
                _ => {}
            }
        }
    }

    /// A code that a field or parameter of this name takes.
    fn named(&mut self, name: &str, code: &str) {
        if let Some((texts, hints)) = self.apart.names.get(name).cloned() {
            self.messages.add(self.kind, code, texts, hints);
        }
    }

    /// The texts and hints among the arguments that follow a code.
    fn texts(&self, args: &[&Expr]) -> (Vec<Pair>, Vec<Pair>) {
        let (mut found, mut single) = (Vec::new(), Pair::default());
        for arg in args {
            let texts = self.scoped(|scope| pairs(arg, scope));
            if !texts.is_empty() {
                found.push(texts);
                continue;
            }
            let Some(text) = self.scoped(|scope| template(arg, scope)) else { continue };
            let half = if is_chinese(&text) { &mut single.zh } else { &mut single.en };
            *half = text;
            if !single.en.is_empty() && !single.zh.is_empty() {
                found.push(vec![std::mem::take(&mut single)]);
            }
        }
        let mut found = found.into_iter();
        (found.next().unwrap_or_default(), found.next().unwrap_or_default())
    }

    /// A function that makes an alert of one kind.
    fn alert(&mut self, block: &Block) {
        #[derive(Default)]
        struct Parts<'ast> {
            names: Vec<String>,
            text: Vec<&'ast Expr>,
            hint: Vec<&'ast Expr>,
            arms: Vec<(Vec<String>, &'ast Expr)>,
        }
        impl<'ast> Visit<'ast> for Parts<'ast> {
            fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
                self.names.push(name_of_path(&path.path));
            }
            fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
                match &field.member {
                    syn::Member::Named(name) if name == "text" => self.text.push(&field.expr),
                    syn::Member::Named(name) if name == "hint" => self.hint.push(&field.expr),
                    _ => {}
                }
                visit::visit_field_value(self, field);
            }
            fn visit_arm(&mut self, arm: &'ast syn::Arm) {
                let mut variants = Vec::new();
                variants_of(&arm.pat, &mut variants);
                self.arms.push((variants, &arm.body));
                visit::visit_arm(self, arm);
            }
        }
        let kind_of = |names: &[String], messages: &Messages| {
            names.iter().filter_map(|name| messages.consts.get(name)).find(|code| is_code(code)).cloned()
        };
        let mut parts = Parts::default();
        parts.visit_block(block);
        for (variants, body) in &parts.arms {
            let mut of_arm = Parts::default();
            of_arm.visit_expr(body);
            let (Some(code), [variant]) = (kind_of(&of_arm.names, self.messages), variants.as_slice()) else {
                continue;
            };
            let speaker = self.types.values().find_map(|name| self.messages.speakers.get(name));
            let Some(speaker) = speaker else { continue };
            let hints = speaker.hints.get(variant).cloned().unwrap_or_default();
            self.messages.add(self.kind, &code, speaker.text(variant), hints);
        }
        let Some(code) = kind_of(&parts.names, self.messages) else { return };
        let bound: Option<Expr> = self.lets.get("text").cloned();
        let texts = bound.iter().chain(parts.text.iter().copied());
        let texts = texts.flat_map(|expr| self.scoped(|scope| pairs(expr, scope))).collect();
        let hints = parts.hint.iter().flat_map(|expr| self.scoped(|scope| pairs(expr, scope))).collect();
        self.messages.add(self.kind, &code, texts, hints);
    }

    /// A type whose method `code` gives the code of each variant.
    fn codes(&mut self, item: &ItemImpl) {
        let Some(name) = type_name(&item.self_ty) else { return };
        let code = item.items.iter().find_map(|item| match item {
            ImplItem::Fn(method) if method.sig.ident == "code" => Some(method),
            _ => None,
        });
        let (Some(code), Some(speaker)) = (code, self.messages.speakers.get(&name)) else { return };
        let mut arms = Arms::default();
        arms.visit_block(&code.block);
        let mut found = Vec::new();
        for (variants, body) in arms.0 {
            let Some(code) = self.code(body) else { continue };
            for variant in variants {
                let hints = speaker.hints.get(&variant).cloned().unwrap_or_default();
                found.push((code.clone(), speaker.text(&variant), hints));
            }
        }
        for (code, texts, hints) in found {
            self.messages.add(self.kind, &code, texts, hints);
        }
    }

    /// A table of a service's codes.
    fn table(&mut self, tokens: TokenStream) {
        let family = if self.kind == Kind::Wecom { "wecom" } else { "jiandaoyun" };
        let (mut code, mut texts, mut advice) = (String::new(), Vec::<String>::new(), Pair::default());
        for token in tokens {
            match &token {
                TokenTree::Punct(end) if end.as_char() == ';' => {
                    if let [en, zh] = texts.as_slice() {
                        let text = Pair { en: en.clone(), zh: zh.clone() };
                        self.messages.add(self.kind, &format!("{family}.{code}"), vec![text], vec![advice]);
                    }
                    (code, texts, advice) = (String::new(), Vec::new(), Pair::default());
                }
                TokenTree::Ident(name) => {
                    if let Some(known) = self.messages.advice.get(&name.to_string()) {
                        advice = known.clone();
                    }
                }
                TokenTree::Literal(literal) => match syn::parse_str::<Lit>(&literal.to_string()) {
                    Ok(Lit::Str(text)) => texts.push(text.value()),
                    _ => code.push_str(&literal.to_string()),
                },
                TokenTree::Punct(sign) if sign.as_char() == '-' && code.is_empty() => code.push('-'),
                TokenTree::Punct(sign) if sign.as_char() == '=' => code.push('–'),
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_of_tests(attributes(item)) {
            return;
        }
        match item {
            Item::Impl(item) => self.codes(item),
            Item::Macro(item) if item.mac.path.is_ident("table") => self.table(item.mac.tokens.clone()),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.sig.ident == "rule" {
            let mut arms = Arms::default();
            arms.visit_block(&item.block);
            let codes = arms.0.iter().filter_map(|(_, body)| self.code(body)).collect();
            self.apart.methods.insert(item.sig.ident.to_string(), codes);
        }
        self.function(&item.sig, &item.block);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let args: Vec<&Expr> = call.args.iter().collect();
        match (callee(&call.func).as_str(), args.as_slice()) {
            ("Report::new" | "Self::new", [_, rest @ ..]) if args.len() == 4 => self.beside(rest, true),
            ("Report::usage", [text, hint]) => {
                let [texts, hints] = [text, hint].map(|expr| self.scoped(|scope| pairs(expr, scope)));
                self.messages.add(self.kind, "usage", texts, hints);
            }
            ("Report::io", [en, zh, _]) => {
                if let [Some(en), Some(zh)] = [en, zh].map(|expr| self.scoped(|scope| template(expr, scope)))
                {
                    let text = Pair { en: format!("cannot {en}"), zh: format!("无法{zh}") };
                    self.messages.add(self.kind, "io", vec![text], Vec::new());
                }
            }
            (name, _) => match self.apart.functions.get(name).cloned() {
                Some(code) => {
                    let (texts, hints) = self.texts(&args);
                    self.messages.add(self.kind, &code, texts, hints);
                }
                None => self.beside(&args, false),
            },
        }
        visit::visit_expr_call(self, call);
    }

    /// The items of a list are expressions too.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let items = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(call.tokens.clone());
        if let Ok(items) = items
            && call.path.is_ident("vec")
        {
            items.iter().for_each(|item| read(self, item));
        }
    }

    fn visit_expr_array(&mut self, array: &'ast syn::ExprArray) {
        let codes: Vec<String> = array.elems.iter().filter_map(|code| self.code(code)).collect();
        for code in codes.into_iter().filter(|code| is_code(code)) {
            let name = code.split_once('.').map_or_else(String::new, |(_, name)| name.replace('-', "_"));
            self.named(&name, &code);
        }
        visit::visit_expr_array(self, array);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if let Some(code) = call.args.first().and_then(|code| self.code(code)).filter(|code| is_code(code)) {
            self.named("rule", &code);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_tuple(&mut self, tuple: &'ast syn::ExprTuple) {
        self.beside(&tuple.elems.iter().collect::<Vec<_>>(), false);
        visit::visit_expr_tuple(self, tuple);
    }

    fn visit_expr_struct(&mut self, value: &'ast syn::ExprStruct) {
        self.beside(&value.fields.iter().map(|field| &field.expr).collect::<Vec<_>>(), false);
        for field in &value.fields {
            if let (syn::Member::Named(name), Some(code)) = (&field.member, self.code(&field.expr)) {
                self.named(&name.to_string(), &code);
            }
        }
        visit::visit_expr_struct(self, value);
    }
}

/// Reads an expression that was parsed here and lives no longer than this call.
fn read(reader: &mut Reader<'_>, expr: &Expr) {
    reader.visit_expr(expr);
}
