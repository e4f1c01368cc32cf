//! `ruzhi guest import qeasy`: turns another platform's metadata into the two files of a tenant.

use std::io::Write as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::printer::Printer;
use ruzhi_author::qeasy::{self, Naming};
use ruzhi_files::file;
use ruzhi_message::Report;
use ruzhi_message::exit;
use ruzhi_model::{FlowId, TenantId, Text};

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    platform: Platform,
}

#[derive(Debug, Subcommand)]
enum Platform {
    /// The metadata of 轻易云: JSON, an export, or any text that contains it
    Qeasy(Qeasy),
}

#[derive(Debug, Args)]
struct Qeasy {
    /// Target metadata, source metadata, request body, or a text containing them, in any order; `-` for standard
    /// input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Id of the new tenant, and name of its file · 工厂 id
    #[arg(long, value_name = "ID")]
    tenant: TenantId,
    /// Id of the new flow · 同步流 id
    #[arg(long, value_name = "ID", default_value = "onboarding")]
    flow: FlowId,
    /// The corp's id, ww…; if omitted, you fill it in later · 企业 ID
    #[arg(long, value_name = "ID")]
    corp_id: Option<String>,
    /// The folder that holds tenants/; by default that of --config
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long)]
    force: bool,
}

impl Import {
    pub(super) fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        match &self.platform {
            Platform::Qeasy(command) => command.run(dir, printer),
        }
    }
}

impl Qeasy {
    fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let dir = self.into.as_deref().unwrap_or(dir);
        let dir = dir.strip_prefix(".").unwrap_or(dir);
        let mut naming = Naming::new(self.tenant.clone(), self.flow.clone());
        if let Some(corp) = &self.corp_id {
            naming = naming.with_corp(corp).ok_or_else(|| {
                Report::usage(
                    Text::new(format!("`{corp}` is not a corp id"), format!("“{corp}”不是企业 ID")),
                    Text::new("it begins with `ww` or `wx`", "以 `ww` 或 `wx` 开头"),
                )
            })?;
        }
        let texts = self.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        let imported = qeasy::import(&texts, &naming)?;

        let tenant = dir.join("tenants").join(format!("{}.toml", self.tenant));
        let rules = dir.join("tenants").join(self.tenant.as_str()).join(format!("{}.json", self.flow));
        if !self.force {
            require_absent(&[&tenant, &rules])?;
        }
        // The tenant's file refers to the rules, so it is written last.
        write(&rules, &imported.rules, self.force)?;
        write(&tenant, &imported.tenant, self.force)?;

        let component = dir.join("guests").join("member.wasm");
        let mut left = imported.left;
        if !component.is_file() {
            left.push(Text::new(
                format!("put the default guest at {} (`make guests` builds it)", component.display()),
                format!("把默认规则组件放到 {}（用 `make guests` 构建）", component.display()),
            ));
        }
        let exported =
            imported.variables.iter().map(|name| format!("{name}=…")).collect::<Vec<_>>().join(" ");
        let config = match dir.as_os_str().is_empty() {
            true => String::new(),
            false => format!("--config {} ", dir.display()),
        };
        let next = [
            format!("export {exported}"),
            format!("ruzhi {config}check {}", self.tenant),
            format!("ruzhi {config}check {} --online", self.tenant),
            format!("ruzhi {config}plan {}", self.tenant),
        ];
        if printer.json {
            printer.json(&json!({
                "tenant": self.tenant,
                "flow": self.flow,
                "files": [tenant, rules],
                "variables": imported.variables,
                "notes": imported.notes,
                "left": left,
                "next": next,
            }));
            return Ok(ExitCode::SUCCESS);
        }
        printer.out(format_args!("{}  {}", tenant.display(), printer.text("tenant", "工厂配置文件")));
        printer.out(format_args!("{}  {}", rules.display(), printer.text("rules", "规则文件")));
        let print = |title: &str, texts: &[Text]| {
            if !texts.is_empty() {
                printer.out(title);
                texts.iter().for_each(|text| printer.out(format_args!("  - {}", text.in_lang(printer.lang))));
            }
        };
        print(printer.text("notes:", "说明："), &imported.notes);
        print(printer.text("left for you:", "需要您完成："), &left);
        printer.out(printer.text("then:", "然后："));
        next.iter().for_each(|command| printer.out(format_args!("  {command}")));
        Ok(ExitCode::SUCCESS)
    }
}

/// Bytes of metadata. A platform's metadata of one form has 100 KiB.
const MOST_BYTES: u64 = 16 << 20;

fn is_pipe(path: &Path) -> bool {
    file::stat(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// The text and name of a file.
fn read(path: &Path) -> Result<(String, String), Report> {
    let is_input = path == Path::new("-");
    let name = if is_input { "stdin".to_owned() } else { path.display().to_string() };
    let bytes = if is_input {
        file::whole(std::io::stdin(), MOST_BYTES)
    } else if is_pipe(path) {
        // A person who names a pipe waits for it, as for the shell's `<(…)`.
        std::fs::File::open(path).and_then(|pipe| file::whole(pipe, MOST_BYTES))
    } else {
        file::read(path, MOST_BYTES).map(|read| read.bytes)
    };
    let bytes = bytes.map_err(|error| {
        let why = file::because(&error);
        Report::new(
            exit::USAGE,
            "import.file",
            Text::new(format!("{name} cannot be read{}", why.en), format!("无法读取 {name}{}", why.zh)),
            Some(Text::new("name a file with the metadata", "请指明含有元数据的文件")),
        )
        .because(&error)
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(Report::new(
                exit::USAGE,
                "import.encoding",
                Text::new(format!("{name}:{line} is not UTF-8"), format!("{name}:{line} 不是 UTF-8 编码")),
                Some(Text::new(
                    "save it as UTF-8; on a Chinese Windows an editor may save as GBK",
                    "请以 UTF-8 编码另存；中文 Windows 的编辑器可能存成 GBK",
                )),
            ))
        }
    }
}

fn require_absent(paths: &[&PathBuf]) -> Result<(), Report> {
    let there: Vec<String> =
        paths.iter().filter(|path| path.exists()).map(|path| path.display().to_string()).collect();
    if there.is_empty() {
        return Ok(());
    }
    Err(Report::new(
        exit::USAGE,
        "import.exists",
        Text::new(format!("already there: {}", there.join(", ")), format!("已存在：{}", there.join("、"))),
        Some(Text::new(
            "choose another --tenant or --flow, or write over it with --force",
            "请换一个 --tenant 或 --flow，或用 --force 覆盖",
        )),
    ))
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Report> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true);
        // Another process may have created the file since it was checked.
        if force {
            options.create(true).truncate(true)
        } else {
            options.create_new(true)
        };
        options.open(path)?.write_all(text.as_bytes())
    });
    written.map_err(|error| {
        let shown = path.display();
        Report::io(&format!("write {shown}"), &format!("写入 {shown}"), &error)
    })
}
