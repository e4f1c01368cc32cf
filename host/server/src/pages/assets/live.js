// Live numbers and times, a question before an action, a copy button. Every page works without this script, and it
// inserts only HTML that came from the server.
"use strict";
(() => {
  const lang = document.documentElement.lang;
  const number = new Intl.NumberFormat(lang);
  const rate = new Intl.NumberFormat(lang, { maximumFractionDigits: 1 });
  const ago = new Intl.RelativeTimeFormat(lang, { numeric: "always" });
  const each = (selector, deed, root = document) => root.querySelectorAll(selector).forEach(deed);

  const unit = (value, name) =>
    new Intl.NumberFormat(lang, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  const duration = (seconds) => {
    const whole = Math.max(0, Math.round(seconds));
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
    const parts = hours ? [unit(hours, "hour"), unit(minutes, "minute")]
      : minutes ? [unit(minutes, "minute"), unit(rest, "second")] : [unit(rest, "second")];
    return parts.join(lang.startsWith("zh") ? "" : " ");
  };

  // Times.
  const relative = (at) => {
    const seconds = Math.round((at - Date.now()) / 1000);
    const steps = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [Infinity, "day", 86400]];
    const [, name, size] = steps.find(([end]) => Math.abs(seconds) < end);
    return ago.format(Math.trunc(seconds / size), name);
  };
  const times = () => {
    each("[data-ago]", (element) => {
      const at = Date.parse(element.dataset.ago);
      if (!Number.isNaN(at)) element.textContent = relative(at);
    });
    each("[data-since]", (element) => {
      const since = Date.parse(element.dataset.since);
      if (!Number.isNaN(since)) element.textContent = duration((Date.now() - since) / 1000);
    });
  };

  // A question before an action.
  const ask = (form, submitter) => {
    const dialog = document.createElement("dialog");
    const text = document.createElement("p");
    text.id = "question";
    text.textContent = form.dataset.confirm;
    dialog.setAttribute("aria-labelledby", text.id);
    const row = document.createElement("div");
    row.className = "row";
    const button = (word, name, deed) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = word;
      made.className = name;
      made.addEventListener("click", deed);
      row.append(made);
      return made;
    };
    const no = button(form.dataset.no, "", () => dialog.close());
    button(form.dataset.yes, "primary", () => {
      delete form.dataset.confirm;
      dialog.close();
      form.requestSubmit(submitter);
    });
    dialog.append(text, row);
    dialog.addEventListener("close", () => { dialog.remove(); submitter?.focus(); });
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm) {
      event.preventDefault();
      ask(form, event.submitter);
      return;
    }
    // A form is sent once, however often the button is pressed.
    if (form.method === "post") {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    }
  });
  window.addEventListener("pageshow", () => each("form[data-sent]", (form) => delete form.dataset.sent));

  // Copying.
  const copies = (root) => each("button[data-copy]", (button) => {
    if (navigator.clipboard) button.hidden = false;
  }, root);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const before = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = before; }, 1500);
  });

  // Parts of a page that are fetched again on an event. A part that is in use is left alone.
  const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");
  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    each("[data-fresh]", (part) => {
      const next = page.getElementById(part.id);
      if (next && !busy(part) && part.innerHTML !== next.innerHTML) part.replaceChildren(...next.childNodes);
    });
    times();
    copies(document);
  };
  let waiting = false;
  let under_way = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      waiting = false;
      if (under_way) return soon();
      under_way = true;
      try { await refresh(); } catch { /* the next event tries again */ } finally { under_way = false; }
    }, 2000);
  };

  // A run in progress. The text read aloud changes at most every ten seconds.
  let spoken = 0;
  const show = (root, live) => {
    const stages = ["settle", "collect", "plan", "apply"];
    const values = {
      rows: number.format(live.rows), planned: number.format(live.planned), settled: number.format(live.settled),
      rate: live.per_second > 0 ? rate.format(live.per_second) : "–",
      eta: live.eta_seconds === null ? "–" : duration(live.eta_seconds),
    };
    Object.entries(values).forEach(([name, value]) =>
      each(`[data-live="${name}"]`, (element) => { element.textContent = value; }, root));
    each("progress[data-live-bar]", (bar) => {
      const known = live.planned > 0;
      if (!known) return bar.removeAttribute("value");
      bar.max = live.planned;
      bar.value = live.settled;
    }, root);
    each("[data-stage]", (step) => {
      const [at, here] = [stages.indexOf(step.dataset.stage), stages.indexOf(live.stage)];
      step.classList.toggle("past", at < here);
      if (at === here) step.setAttribute("aria-current", "step"); else step.removeAttribute("aria-current");
    }, root);
    const said = root.querySelector("[data-say]");
    if (said && Date.now() - spoken > 10000) {
      spoken = Date.now();
      const stage = root.querySelector(`[data-stage="${live.stage}"] .name`);
      said.textContent = said.dataset.say
        .replace("{stage}", stage ? stage.textContent : "").replace("{rows}", values.rows)
        .replace("{settled}", values.settled).replace("{planned}", values.planned);
    }
  };
  const follow = (root) => {
    const source = new EventSource(root.dataset.events);
    source.addEventListener("progress", (event) => show(root, JSON.parse(event.data)));
    source.addEventListener("ended", () => { source.close(); location.reload(); });
    // The first event describes the state in which the page was rendered.
    let first = true;
    source.addEventListener("status", () => { if (first) first = false; else soon(); });
    // The browser does not retry a stream that was rejected because too many are open.
    source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) setTimeout(soon, 15000); });
    window.addEventListener("pagehide", () => source.close());
  };

  times();
  setInterval(times, 15000);
  copies(document);
  each("[data-events]", follow);
})();
