// A mail that is written in the notebook. Nothing of it is widget state: what is typed goes to the kernel as the bytes of
// messages, and what is said of it comes likewise, so that no notebook and no log has an address or a text.

// What the kernel has not yet taken, by the form's place: it outlives the kernel as long as the page is there.
const UNTAKEN = (globalThis[Symbol.for("mailconn.untaken")] ??= new Map());
const PAUSE = 400; // milliseconds without a key, until what was typed goes to the kernel
const RECIPIENTS = ["to", "cc", "bcc"];
const SIGNS = { good: "✓", bad: "✗", warn: "⚠" };
const OUTCOMES = { accepted: "good", refused: "bad", unknown: "warn" };

function element(tag, { text, style, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (style) made.className = style;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(text, title, act) {
  const made = element("button", { text, title, type: "button", style: "jupyter-button widget-button" });
  made.addEventListener("click", act);
  return made;
}

// A line with its sign; no state shows by its colour alone.
function message(kind, text) {
  const made = element("span", { style: `mailconn-is-${kind}` });
  if (kind === "bad") made.setAttribute("role", "alert");
  if (SIGNS[kind] && text) made.append(element("span", { text: `${SIGNS[kind]} `, "aria-hidden": "true" }));
  made.append(text);
  return made;
}

let asked = 0;
let count = 0;
const unique = Math.random().toString(36).slice(2);
function id() {
  return `mailconn-compose-${unique}-${++count}`;
}

// A label, a field, and the line beneath it with its help, or with what is wrong in its place.
function row(label, field, help = "") {
  field.id ||= id();
  const note = element("div", { style: "mailconn-note" });
  const made = element("div", { style: "mailconn-row mailconn-line" },
    element("label", { text: label, for: field.id, style: "widget-label" }), field, note);
  let said = null;
  made.problem = (text, instead = help) => {
    // What is said already is not read out once more.
    if (said === (text || instead)) return;
    said = text || instead;
    made.classList.toggle("mailconn-wrong", Boolean(text));
    note.replaceChildren(text ? message("bad", text) : element("span", { text: instead, style: "mailconn-help" }));
  };
  made.problem("");
  return made;
}

// Offers what fits the piece before the caret; arrows choose, Enter or Tab takes, Escape closes.
function combobox(field, { piece, ask, taken }) {
  const list = element("ul", { role: "listbox", id: id(), style: "mailconn-offered", "aria-label": "Suggestions" });
  const holder = element("div", { style: "mailconn-combobox" }, field, list);
  let number = 0; // of the question whose answer is awaited
  let at = -1;
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false", autocomplete: "off",
    autocapitalize: "off", spellcheck: "false", "data-1p-ignore": "", "data-lpignore": "true", "data-bwignore": "",
  })) field.setAttribute(name, value);
  list.hidden = true;

  function close() {
    number = 0;
    at = -1;
    list.hidden = true;
    list.replaceChildren();
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }
  function mark(place) {
    at = (place + list.children.length) % list.children.length;
    [...list.children].forEach((one, index) => one.setAttribute("aria-selected", String(index === at)));
    list.children[at].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", list.children[at].id);
  }
  function take(text) {
    close();
    taken(text);
  }
  function show(options) {
    if (document.activeElement !== field || !options.length) return close();
    // What was chosen in the answer to the letter before stays chosen.
    const chosen = at >= 0 ? list.children[at].dataset.text : null;
    at = -1;
    field.removeAttribute("aria-activedescendant");
    list.replaceChildren(...options.map(([text, note]) => {
      const option = element("li", { role: "option", id: id(), "aria-selected": "false" }, element("bdi", { text }));
      if (note) option.append(element("span", { text: ` ${note}`, style: "mailconn-help" }));
      // The field keeps the focus.
      option.addEventListener("mousedown", (event) => event.preventDefault());
      option.addEventListener("click", () => take(text));
      option.dataset.text = text;
      return option;
    }));
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    const place = options.findIndex(([text]) => text === chosen);
    if (place >= 0) mark(place);
  }
  field.addEventListener("input", () => {
    const text = piece();
    if (!text) return close();
    number = ++asked;
    ask(text, number);
  });
  field.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at < 0 ? -1 : at - 1);
    else if (event.key === "Escape") close();
    else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) take(list.children[at].dataset.text);
    else return;
    event.preventDefault();
  });
  field.addEventListener("blur", close);
  return { holder, show: (options, of) => of === number && show(options), isOpen: () => !list.hidden };
}

function render({ model, el }) {
  const view = id();
  let mail = { connection: "", to: "", cc: "", bcc: "", subject: "", body: "", results: [], files: [] };
  let current = { place: "", id: "", rev: 0 };
  let sent = 0; // the revision that the kernel was told last
  let timer = 0;
  let waiting = 0;
  let busy = false;
  let results = [];
  let looks = new Map();
  let problems = {};
  const left = new Set(); // the fields that somebody has left once: what is missing is no error before that
  let connections = [];
  let mailboxes = [];

  function say(what, more = {}) {
    try {
      const bytes = new TextEncoder().encode(JSON.stringify({ do: what, view, id: current.id, ...more }));
      model.send({ kind: "said" }, undefined, [bytes.buffer]);
    } catch {
      // The kernel is gone: what was typed waits in UNTAKEN.
    }
  }

  // The fields

  const from = element("select");
  const fromRow = row("From", from);
  const fields = {
    subject: element("input", { type: "text", autocomplete: "off", dir: "auto" }),
    body: element("textarea", { rows: "9", dir: "auto" }),
  };
  const boxes = {};
  for (const name of RECIPIENTS) {
    const field = (fields[name] = element("input", { type: "text" }));
    boxes[name] = combobox(field, {
      piece: () => piece(field)[1].trimStart(),
      ask: (text, number) => say("complete", { field: name, text, number }),
      taken: (text) => {
        const [before, , after] = piece(field);
        field.value = `${before}${before && !before.endsWith(" ") ? " " : ""}${text}, ${after.trimStart().replace(/^,\s*/, "")}`;
        changed();
      },
    });
    // A list of lines would become one address.
    field.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (!/[\r\n]/.test(text)) return;
      event.preventDefault();
      field.setRangeText(text.trim().split(/\s*[,;]?\s*[\r\n]+\s*/).join(", "), field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input"));
    });
  }
  // What stands before the piece at the caret, the piece up to the caret, and what is behind it; quotes hold a comma.
  function piece(field) {
    const caret = field.selectionStart ?? field.value.length;
    const text = field.value.slice(0, caret);
    let start = 0;
    let quoted = false;
    for (let at = 0; at < text.length; at++) {
      if (text[at] === '"') quoted = !quoted;
      else if (text[at] === "," && !quoted) start = at + 1;
    }
    return [text.slice(0, start), text.slice(start), field.value.slice(caret)];
  }
  const rows = {
    to: row("To", boxes.to.holder, "Addresses, names and groups, with commas between"),
    cc: row("Cc", boxes.cc.holder),
    bcc: row("Bcc", boxes.bcc.holder, "Hidden from the others"),
    subject: row("Subject", fields.subject),
    body: row("Message", fields.body, "Markdown: **bold**, *italic*, - for a list, [text](https://...) for a link"),
  };
  for (const name of RECIPIENTS) {
    fields[name].id = id();
    rows[name].querySelector("label").htmlFor = fields[name].id;
  }

  const path = element("input", { type: "text" });
  const attach = button("Attach", "Attach the file of that path", () => add(path.value));
  boxes.files = combobox(path, {
    piece: () => path.value,
    ask: (text, number) => say("complete", { field: "files", text, number }),
    taken: (text) => {
      path.value = text;
      if (text.endsWith("/")) path.dispatchEvent(new Event("input"));
      else add(text);
    },
  });
  rows.files = row("Attach a file", boxes.files.holder, "A path, or a pattern such as out/*.csv");
  path.id = id();
  rows.files.querySelector("label").htmlFor = path.id;
  boxes.files.holder.append(attach);
  const attached = element("ul", { style: "mailconn-attached", "aria-label": "Attached files" });
  rows.files.append(attached);
  path.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.defaultPrevented) add(path.value);
  });
  path.addEventListener("input", () => (attach.disabled = busy || !path.value.trim()));
  function add(text) {
    if (!text.trim()) return;
    path.value = "";
    attach.disabled = true;
    left.add("files");
    mail.files = [...mail.files.filter((one) => one !== text.trim()), text.trim()];
    drawFiles();
    changed(true);
    path.focus();
  }
  function drawFiles() {
    attached.hidden = mail.files.length === 0;
    attached.replaceChildren(...mail.files.map((file) => {
      const remove = button("Remove", `Do not attach ${file}`, () => {
        mail.files = mail.files.filter((one) => one !== file);
        drawFiles();
        changed(true);
        path.focus();
      });
      remove.classList.add("mailconn-small");
      remove.setAttribute("aria-label", `Remove ${file}`);
      remove.disabled = busy;
      return element("li", {}, element("bdi", { text: file }), remove);
    }));
  }

  const list = element("div", { style: "mailconn-results" });
  const resultsNote = element("div", { style: "mailconn-note" });
  const resultsGroup = element("fieldset", { style: "mailconn-side mailconn-group" },
    element("legend", { text: "Results of this notebook" }), list, resultsNote);
  function drawResults() {
    const known = new Map(results.map((one) => [one.name, one]));
    const gone = mail.results.filter((name) => !known.has(name)).map((name) => ({ name, is: "not in this kernel", key: "" }));
    const focused = list.contains(document.activeElement) ? document.activeElement.value : null;
    list.replaceChildren(...[...gone, ...[...results].reverse()].map((one) => {
      const box = element("input", { type: "checkbox", id: id() });
      const order = mail.results.indexOf(one.name);
      box.value = one.name;
      box.checked = order >= 0;
      box.disabled = busy;
      box.addEventListener("change", () => {
        mail.results = mail.results.filter((name) => name !== one.name);
        if (box.checked) mail.results.push(one.name);
        left.add("results");
        drawResults();
        changed(true);
      });
      const label = element("label", { for: box.id }, element("strong", { text: one.name }),
        element("span", { text: ` ${one.is}`, style: "mailconn-help" }));
      if (order >= 0 && mail.results.length > 1) label.append(element("span", { text: `${order + 1}.`, style: "mailconn-mark" }));
      return element("div", { style: `mailconn-result${one.key ? "" : " mailconn-gone-result"}` }, box, label, shown(one));
    }));
    if (!list.children.length) list.append(element("span", {
      text: "None yet. Tables and figures appear here once a cell has made them.", style: "mailconn-help" }));
    if (focused !== null) [...list.querySelectorAll("input")].find((box) => box.value === focused)?.focus();
  }
  // The look at a result: it is asked for once, until the result changes.
  function shown(one) {
    const kept = looks.get(one.name);
    if (one.key && kept?.key !== one.key) {
      looks.set(one.name, { key: one.key });
      say("look", { name: one.name });
    }
    const holder = element("div", { style: "mailconn-look", "aria-hidden": "true" });
    if (kept?.png) holder.append(element("img", { src: `data:image/png;base64,${kept.png}`, alt: "" }));
    if (kept?.rows?.length) {
      const body = kept.rows.map((cells, place) =>
        element("tr", {}, ...cells.map((text) => element(place ? "td" : "th", { text }))));
      holder.append(element("table", {}, ...body));
    }
    return holder;
  }

  // What is done with it

  const send = button("Send", "Send the mail", () => act("send"));
  send.classList.add("mod-primary");
  const look = button("Preview", "See the mail as it will arrive", () => act("preview"));
  const keep = button("Save as draft", "Save it, to be sent from a mail program", askWhere);
  const code = button("Show the code", "The cell that sends the same", () => act("code"));
  const discard = button("Discard", "Discard this mail", askDiscard);
  const bar = element("div", { style: "mailconn-bar" }, send, look, keep, code, discard);
  const notice = element("div", { style: "mailconn-notice mailconn-live" });
  const status = element("div", { style: "mailconn-status mailconn-live" });
  const question = element("div", { style: "mailconn-conflict mailconn-question" });
  const panel = element("div", { style: "mailconn-shown" });
  question.hidden = panel.hidden = notice.hidden = true;

  let pressed = send; // where the keyboard goes back to
  function act(what, more = {}) {
    pressed = { preview: look, code, draft: keep }[what] ?? send;
    flush();
    drop();
    for (const name of [...Object.keys(rows), "results"]) left.add(name);
    lock(true);
    say(what, { mail, rev: current.rev, ...more });
    expect();
  }
  // Says so where the kernel does not answer.
  function expect() {
    clearTimeout(waiting);
    waiting = setTimeout(() => tell("note", "The kernel is busy. It goes on when the cell that is running has ended."
      + " If none is running, restart the kernel and run this cell again: what you typed is kept."), 1500);
  }
  // From the click on, not from the kernel's answer: what is clicked twice is sent once.
  function lock(on) {
    busy = on;
    for (const field of [...Object.values(fields), path]) field.readOnly = on;
    for (const one of [from, send, look, keep, code, discard]) one.disabled = on;
    attach.disabled = on || !path.value.trim();
    for (const one of form.querySelectorAll(".mailconn-results input, .mailconn-attached button")) one.disabled = on;
  }
  function answered() {
    clearTimeout(waiting);
  }
  function tell(kind, text, lines = []) {
    status.replaceChildren(...(text ? [message(kind, text)] : []));
    if (!lines.length) return;
    const titles = ["Recipient", "Outcome", ...(lines.some(([, , words]) => words) ? ["The server's words"] : [])];
    const head = element("tr", {}, ...titles.map((title) => element("th", { text: title, scope: "col" })));
    const body = lines.map(([recipient, outcome, words]) => element("tr", {}, element("th", { text: recipient, scope: "row" }),
      element("td", {}, outcome ? message(OUTCOMES[outcome] ?? "note", outcome) : ""),
      ...(titles.length > 2 ? [element("td", { text: words })] : [])));
    body.forEach((line) => line.querySelectorAll('[role="alert"]').forEach((one) => one.removeAttribute("role")));
    status.append(element("table", { style: "mailconn-table" }, element("thead", {}, head), element("tbody", {}, ...body)));
  }

  // Questions: the first button does it, the last one changes nothing, and Escape presses that.
  function ask(text, kind, yes, no, act, ...more) {
    const first = button(yes, yes, () => act());
    if (kind === "warn") first.classList.add("mod-danger");
    const last = button(no, "Change nothing", () => {
      drop();
      send.focus();
    });
    question.replaceChildren(message(kind, text), ...more, element("div", { style: "mailconn-bar" }, first, last));
    question.hidden = false;
    question.setAttribute("role", "group");
    question.setAttribute("aria-label", text);
    (more.length ? question.querySelector("input, select") : last).focus();
    return first;
  }
  function drop() {
    question.hidden = true;
    question.replaceChildren();
  }
  function askDiscard() {
    ask("Discard this mail? This cannot be undone.", "warn", "Discard", "Keep", () => {
      drop();
      UNTAKEN.delete(current.place);
      clearTimeout(timer);
      lock(true);
      say("discard");
      expect();
      fields.to.focus();
    });
  }
  function askWhere() {
    const where = element("select", {}, element("option", { text: "A file", value: "" }),
      ...mailboxes.map((name) => element("option", { text: `Drafts of ${name}`, value: name })));
    const name = mail.subject.replace(/[^\p{L}\p{N} _-]+/gu, "").trim().slice(0, 60) || "draft";
    const file = element("input", { type: "text", autocomplete: "off" });
    file.value = `${name}.eml`;
    const fileRow = row("File", file);
    where.addEventListener("change", () => (fileRow.hidden = where.value !== ""));
    ask("Where should the draft be saved? It is not sent.", "note", "Save", "Cancel",
      () => act("draft", { where: where.value, path: file.value }), row("Save in", where), fileRow);
  }

  // Panels

  function open(title, ...content) {
    const close = button("Close", `Close: ${title}`, shut);
    panel.replaceChildren(element("div", { style: "mailconn-bar" }, element("h4", { text: title }), close), ...content);
    panel.hidden = false;
    panel.setAttribute("role", "group");
    panel.setAttribute("aria-label", title);
    close.focus();
    panel.scrollIntoView({ block: "nearest" });
  }
  function shut() {
    const back = panel.dataset.from === "code" ? code : look;
    panel.hidden = true;
    panel.replaceChildren();
    back.focus();
  }
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") shut();
  });
  function choice(label, names, chosen, act) {
    const made = names.map(([name, value]) => {
      const one = button(name, `${label}: ${name}`, () => mark(value));
      one.dataset.value = value;
      return one;
    });
    function mark(value) {
      made.forEach((one) => {
        one.classList.toggle("mod-active", one.dataset.value === value);
        one.setAttribute("aria-pressed", String(one.dataset.value === value));
      });
      act(value);
    }
    const group = element("div", { style: "mailconn-bar", role: "group", "aria-label": label }, ...made);
    queueMicrotask(() => mark(chosen));
    return group;
  }
  function showPreview(html) {
    const page = element("div", { style: "mailconn-page-shown" });
    // Our own page of it: what a sender wrote stands escaped, or in a frame that may do nothing.
    page.innerHTML = html;
    const frame = page.querySelector("iframe");
    const light = frame?.getAttribute("srcdoc");
    const ground = element("div", { style: "mailconn-ground", tabindex: "0", role: "region", "aria-label": "The mail" }, page);
    const width = choice("Width", [["Computer, 600 px", "600"], ["Phone, 375 px", "375"]], "600", (value) => {
      page.style.width = `${value}px`;
    });
    const theme = choice("Colours", [["Light", "light"], ["Dark", "dark"]], "light", (value) => {
      page.dataset.theme = value;
      const shown = value === "dark" ? light?.replace("</head>", `${DARK}</head>`) : light;
      if (frame && frame.srcdoc !== shown) frame.srcdoc = shown;
      dark.hidden = value !== "dark";
    });
    const dark = element("p", { style: "mailconn-help",
      text: "Roughly as mail programs that invert colours in dark mode show it; others leave it light." });
    dark.hidden = true;
    panel.dataset.from = "preview";
    open("Preview", element("div", { style: "mailconn-choices" }, width, theme), dark, ground);
  }
  function showCode(text) {
    const copy = button("Copy", "Copy the code", async () => {
      try {
        await navigator.clipboard.writeText(text);
        copy.textContent = "Copied";
      } catch {
        // Only pages over https, or of this machine, may write there.
        copy.textContent = "Select it, and copy";
      }
    });
    panel.dataset.from = "code";
    open("The code", element("p", { style: "mailconn-help",
      text: "The cell that sends the same. Addresses in it are saved with the notebook, once it is in a cell." }),
      element("pre", { text, tabindex: "0", style: "mailconn-code-shown" }), element("div", { style: "mailconn-bar" }, copy));
  }

  // What is typed

  function read() {
    for (const name of Object.keys(fields)) mail[name] = fields[name].value;
    mail.connection = from.value;
  }
  function changed(now = false) {
    read();
    current.rev += 1;
    if (current.place) UNTAKEN.set(current.place, { mail: { ...mail }, rev: current.rev, id: current.id });
    clearTimeout(timer);
    if (now) flush();
    else timer = setTimeout(flush, PAUSE);
  }
  function flush() {
    clearTimeout(timer);
    if (current.rev <= sent) return;
    sent = current.rev;
    say("edit", { mail, rev: sent });
  }
  for (const [name, field] of Object.entries(fields)) {
    field.addEventListener("input", () => changed());
    field.addEventListener("blur", () => {
      if (field.value) left.add(name);
      flush();
      mark();
    });
  }
  from.addEventListener("change", () => {
    changed(true);
    drawFrom();
  });
  function fill() {
    for (const [name, field] of Object.entries(fields)) if (field.value !== mail[name]) field.value = mail[name];
    drawFrom();
    drawFiles();
    drawResults();
  }
  function drawFrom() {
    const names = connections.map((one) => one.name);
    const gone = mail.connection && !names.includes(mail.connection) ? [mail.connection] : [];
    const none = mail.connection ? [] : [element("option", { text: "Choose a connection", value: "" })];
    from.replaceChildren(...none, ...[...gone, ...names].map((name) => element("option", { text: name, value: name })));
    from.value = mail.connection;
    const missing = "No connection sends mail yet. Make one: %mailconn new NAME HOST, or %mailconn sandbox to try.";
    fromRow.problem(names.length ? "" : missing, connections.find((one) => one.name === mail.connection)?.from ?? "");
  }
  function mark() {
    for (const [name, one] of Object.entries(rows)) one.problem(left.has(name) ? problems[name] : "");
    const wrong = (left.has("results") && problems.results) || "";
    if (resultsNote.dataset.said === wrong) return;
    resultsNote.dataset.said = wrong;
    resultsNote.replaceChildren(...(wrong ? [message("bad", wrong)] : []));
  }

  // What the kernel says

  const heard = {
    all(said) {
      ({ connections, mailboxes } = said);
      answered();
      if (said.id === current.id && said.rev <= current.rev) {
        drawFrom();
        return lock(said.busy);
      }
      current = { place: said.place, id: said.id, rev: said.rev };
      sent = said.rev;
      mail = said.mail;
      // Typed while the kernel that has ended was busy: it never had it.
      const untaken = UNTAKEN.get(current.place);
      const rescued = untaken && untaken.rev > said.rev && untaken.id !== said.id;
      left.clear();
      problems = {};
      showNotice(said.notice);
      fill();
      if (rescued) {
        mail = { ...untaken.mail };
        current.rev = untaken.rev;
        fill();
        changed(true);
        showNotice(["note", "This is what you typed before the kernel ended; Discard begins a new mail."]);
      }
      lock(said.busy);
      mark();
    },
    taken(said) {
      if (UNTAKEN.get(current.place)?.rev <= said.rev) UNTAKEN.delete(current.place);
      if (said.view !== view && said.rev > current.rev) {
        mail = said.mail;
        current.rev = sent = said.rev;
        fill();
      }
      if (said.notice[0] === "warn" || notice.dataset.kind === "warn") showNotice(said.notice);
      problems = said.problems;
      mark();
    },
    options(said) {
      if (said.view === view) for (const one of Object.values(boxes)) one.show(said.options, said.number);
    },
    results(said) {
      results = said.results;
      drawResults();
    },
    look({ name, ...found }) {
      looks.set(name, { ...looks.get(name), ...found });
      drawResults();
    },
    problems(said) {
      problems = said.problems;
      mark();
      form.querySelector(".mailconn-wrong :is(input, textarea)")?.focus();
    },
    status(said) {
      answered();
      tell(said.kind, said.text, said.rows);
    },
    busy(said) {
      answered();
      lock(said.busy);
      if (!said.busy && [document.body, null].includes(document.activeElement)) pressed.focus();
    },
    preview: (said) => showPreview(said.html),
    code: (said) => showCode(said.code),
    ask(said) {
      ask(said.text, "warn", "Send it again", "Cancel", () => act("send", { sure: true }));
    },
  };
  function showNotice([kind, text]) {
    notice.hidden = !text;
    notice.dataset.kind = kind;
    notice.replaceChildren(...(text ? [message(kind, text)] : []));
  }
  function hear(content, [bytes]) {
    const { tell: what, ...said } = JSON.parse(new TextDecoder().decode(bytes));
    heard[what]?.(said);
  }

  const main = element("div", { style: "mailconn-main" }, fromRow, rows.to, rows.cc, rows.bcc, rows.subject, rows.body, rows.files);
  const form = element("div", { style: "mailconn-mail" }, notice,
    element("div", { style: "mailconn-columns" }, main, resultsGroup), question, bar, status, panel);
  el.replaceChildren(form);
  drawResults();
  lock(true);
  model.on("msg:custom", hear);
  say("ready");
  expect();
  window.addEventListener("pagehide", flush);
  return () => {
    flush();
    window.removeEventListener("pagehide", flush);
    model.off("msg:custom", hear);
  };
}

// As programs do: the lightness turned about, pictures left.
const DARK = "<style>html{filter:invert(.88) hue-rotate(180deg)}img{filter:invert(1) hue-rotate(180deg)}</style>";

export default { render };
