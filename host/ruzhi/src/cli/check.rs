//! `ruzhi check`: validates the configuration before anything runs.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;
use serde_json::json;

use super::deployment;
use super::printer::Printer;
use super::service_checks;
use ruzhi_config::{Checks, Config, ProcessEnvironment};
use ruzhi_jiandaoyun::FormWidget;
use ruzhi_message::Report;

#[derive(Debug, Args)]
pub(super) struct Check {
    /// tenant or tenant/flow; every flow if omitted
    target: Option<String>,
    /// Ask both services too: key, secret, trusted address, the form's fields
    #[arg(long)]
    online: bool,
}

/// A field of a form, with all that helps a person find it.
#[derive(Debug, Serialize)]
struct FormField {
    /// The permanent id; a field of a subform has the subform's id in front.
    id: String,
    /// The name that rows and rules use, if it differs from the id.
    alias: Option<String>,
    /// The label on the form.
    label: String,
    /// Its type, such as `text` or `phone`.
    kind: String,
}

impl FormField {
    /// Every field; a subform is followed by its own fields.
    fn all(widgets: &[FormWidget]) -> Vec<Self> {
        let of = |widget: &FormWidget, within: Option<&FormWidget>| {
            let path = |own: &str, outer: fn(&FormWidget) -> &str| match within {
                Some(within) => format!("{}.{own}", outer(within)),
                None => own.to_owned(),
            };
            let id = path(&widget.widget_name, |outer| &outer.widget_name);
            let name = path(&widget.name, |outer| &outer.name);
            let alias = (name != id).then_some(name);
            Self { id, alias, label: widget.label.clone(), kind: widget.kind.clone() }
        };
        let with_items = |widget: &FormWidget| -> Vec<Self> {
            let items = widget.items.iter().map(|item| of(item, Some(widget)));
            std::iter::once(of(widget, None)).chain(items).collect()
        };
        widgets.iter().flat_map(with_items).collect()
    }

    fn table(fields: &[Self], printer: &Printer) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(
            [("id", "字段 ID"), ("alias", "别名"), ("label", "标题"), ("kind", "类型")]
                .map(|(en, zh)| printer.text(en, zh)),
        );
        for Self { id, alias, label, kind } in fields {
            table.add_row([id, alias.as_deref().unwrap_or("-"), label, kind]);
        }
        table
    }
}

impl Check {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let checks = Checks::ALL;
        let (config, wrong) = Config::usable(dir, &ProcessEnvironment, &checks);
        let config = match config {
            Some(config) => config,
            None => return Err(wrong.unwrap_or_default().into()),
        };
        let chosen = config.select_usable(self.target.as_deref(), wrong.as_ref())?;
        let registry = deployment::registry(&config, printer)?;
        let wrong = wrong.map(Report::from);
        // `ruzhi serve` does not start with such a configuration; a command does.
        let open = config.unguarded().map(Report::from);
        if let Some(open) = &open {
            printer.warn(open, printer.text("`ruzhi serve` does not start", "`ruzhi serve` 无法启动"));
        }
        match &wrong {
            Some(report) => printer.explain(report),
            None => deployment::warn(&config, printer),
        }
        let mut failures = Vec::new();
        let mut flows = Vec::new();
        for (tenant, flow) in chosen {
            let mut problems = Vec::new();
            let guest = ruzhi_app::deployment::guest(&registry, flow);
            let (mut widgets, mut fields) = (None, Vec::new());
            if self.online {
                problems.extend(service_checks::directory(&config, tenant).await.err());
                match service_checks::widgets(tenant, flow).await {
                    Ok(found) => {
                        let missing = service_checks::missing(tenant, flow, guest.as_ref().ok(), &found);
                        if missing.is_some() {
                            fields = FormField::all(&found);
                        }
                        problems.extend(missing);
                        widgets = Some(found);
                    }
                    Err(report) => problems.push(report),
                }
            }
            problems.extend(service_checks::write_back(flow, guest.as_ref().ok(), widgets.as_deref()));
            let described = match guest {
                Ok(guest) => Some(guest.description().clone()),
                Err(report) => {
                    problems.push(report);
                    None
                }
            };
            flows.push(json!({
                "tenant": tenant.id,
                "flow": flow.id,
                "guest": described,
                "fields": fields,
                "problems": problems.iter().map(|p| printer.report_value(p)).collect::<Vec<_>>(),
            }));
            if !printer.json {
                printer.out(format_args!(
                    "{}/{}  {}",
                    tenant.id,
                    flow.id,
                    if problems.is_empty() {
                        printer.text("ok", "正常")
                    } else {
                        printer.text("not ready", "未就绪")
                    }
                ));
                if let Some(guest) = described {
                    printer.out(format_args!(
                        "  {} {} {}",
                        printer.text("guest", "规则组件"),
                        guest.name,
                        guest.version
                    ));
                    printer.out(format_args!(
                        "  {}{}{}",
                        printer.text("reads", "读取字段"),
                        printer.colon(),
                        guest.source_fields.join(", ")
                    ));
                }
            }
            for problem in &problems {
                printer.explain(problem);
            }
            if !printer.json && !fields.is_empty() {
                printer.out(format_args!("  {}", printer.text("fields of the form:", "表单的全部字段：")));
                printer.out(FormField::table(&fields, printer));
            }
            failures.extend(problems);
        }
        if printer.json {
            let warnings: Vec<_> = open.iter().map(|open| printer.report_value(open)).collect();
            let ok = wrong.is_none() && failures.is_empty();
            let mut value = json!({ "ok": ok, "flows": flows, "warnings": warnings });
            if let (Some(report), Some(object)) = (&wrong, value.as_object_mut()) {
                object.insert("error".to_owned(), printer.report_value(report));
            }
            printer.json(&value);
        }
        failures.extend(wrong);
        Ok(match failures.iter().map(Report::exit).min() {
            None => ExitCode::SUCCESS,
            Some(code) => ExitCode::from(code),
        })
    }
}
