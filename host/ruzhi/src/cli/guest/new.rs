//! `ruzhi guest new`: creates a project that builds, has cases and passes them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::cli::printer::Printer;
use ruzhi_author::{Language, ProjectName, project};
use ruzhi_message::Report;
use ruzhi_model::{Lang, Text};

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Project name: lower-case letters, digits and hyphens
    name: String,
    /// Language of the rules. Unlike elsewhere, this `--lang` is not the language of messages, which follow LANG
    #[arg(long, value_parser = ["rust", "typescript", "python"])]
    lang: String,
    /// The folder to create it in
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
}

impl New {
    pub(super) fn run(&self, printer: &Printer) -> Result<ExitCode, Report> {
        let name: ProjectName = self
            .name
            .parse()
            .map_err(|error: ruzhi_author::NameError| Report::usage(error.text, error.hint))?;
        let folder = match self.into.as_path() {
            here if here == Path::new(".") => PathBuf::from(name.as_str()),
            into => into.join(name.as_str()),
        };
        match std::fs::read_dir(&folder).map(|mut entries| entries.next().is_none()) {
            Ok(true) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Ok(false) | Err(_) => {
                let shown = folder.display();
                return Err(Report::usage(
                    Text::new(
                        format!("{shown} is there already, and not empty"),
                        format!("{shown} 已存在且不为空"),
                    ),
                    Text::new(
                        "take another name, or another folder with `--into DIR`; nothing was written",
                        "请换一个名称，或用 `--into 目录` 指定其他位置；未写入任何文件",
                    ),
                ));
            }
        }
        let language = match self.lang.as_str() {
            "python" => Language::Python,
            "typescript" => Language::TypeScript,
            _ => Language::Rust,
        };
        let files = project(&name, language);
        for (path, bytes) in &files {
            let path = folder.join(path);
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::write(&path, bytes)).map_err(|error| {
                Report::io(&format!("write {}", path.display()), &format!("写入 {}", path.display()), &error)
            })?;
        }
        let rules = match language {
            Language::Rust => "src/lib.rs",
            Language::TypeScript => "src/rules.ts",
            Language::Python => "rules.py",
        };
        let next = [
            format!("ruzhi guest test {}", folder.display()),
            format!("ruzhi guest build {}", folder.display()),
            format!("ruzhi guest check {}", folder.join(format!("{name}.wasm")).display()),
        ];
        if printer.json {
            printer.json(&json!({
                "name": name.as_str(),
                "folder": folder,
                "rules": folder.join(rules),
                "files": files.len(),
                "next": next,
            }));
            return Ok(ExitCode::SUCCESS);
        }
        let shown = folder.display();
        printer.out(match printer.lang {
            Lang::En => {
                format!("made {shown}: the rules are in {rules}, the rows they are tried on in cases/\nnext:")
            }
            Lang::Zh => format!("已创建 {shown}：规则在 {rules}，用例在 cases/\n接下来："),
        });
        let why = [
            printer.text("build it and run its cases", "构建并运行用例"),
            printer.text("make the component", "生成组件"),
            printer.text("is it fit to go live?", "能否上线"),
        ];
        let width = next.iter().map(String::len).max().unwrap_or_default();
        for (command, why) in next.iter().zip(why) {
            printer.out(format_args!("  {command:width$}   # {why}"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
