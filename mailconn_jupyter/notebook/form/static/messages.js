// The messages of a mailbox: a table with a check box before each. What a message says is text here, and nothing else.

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function render({ model, el }) {
  const group = `mailconn-inbox-${Math.random().toString(36).slice(2)}`;
  const table = element("table", "", "mailconn-table mailconn-messages");
  const caption = element("caption");
  const head = element("thead");
  const body = element("tbody");
  const titles = ["Subject", "From", "Date", "Size"];
  const line = element("tr");
  line.append(...titles.map((title) => {
    const cell = element("th", title);
    cell.scope = "col";
    return cell;
  }));
  const all = element("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", "Select all messages");
  line.cells[0].prepend(all);
  head.append(line);
  table.append(caption, head, body);
  el.replaceChildren(table);
  let last = -1;

  function choose(keys) {
    model.set("chosen", keys);
    model.save_changes();
    mark();
  }
  function boxes() {
    return [...body.querySelectorAll("input")];
  }
  function changed() {
    choose(boxes().filter((one) => one.checked).map((one) => one.value));
  }
  function cell(text, title) {
    const made = element("td", text);
    made.dir = "auto";
    made.dataset.title = title;
    return made;
  }
  function sign(mark, word) {
    const made = element("span", `${mark} `, "mailconn-sign");
    made.setAttribute("aria-hidden", "true");
    return [made, element("span", `${word}, `, "mailconn-hidden")];
  }
  function row(entry, index) {
    const made = element("tr", "", entry.seen === false ? "mailconn-unread" : "");
    const box = element("input");
    box.type = "checkbox";
    box.id = `${group}-${index}`;
    box.value = entry.key;
    box.addEventListener("change", changed);
    // With Shift, all from the last one on.
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last >= 0)
        boxes().slice(Math.min(last, index), Math.max(last, index) + 1).forEach((one) => (one.checked = box.checked));
      last = index;
    });
    const label = element("label");
    label.htmlFor = box.id;
    label.dir = "auto";
    if (entry.seen === false) label.append(...sign("•", "unread"));
    if (entry.flagged) label.append(...sign("⚑", "flagged"));
    label.append(element("span", entry.subject));
    const subject = element("th");
    subject.scope = "row";
    subject.dataset.title = titles[0];
    subject.append(box, label);
    made.append(subject, cell(entry.from, "From"), cell(entry.date, "Date"), cell(entry.size, "Size"));
    made.cells[2].classList.add("mailconn-time");
    made.cells[3].classList.add("mailconn-time");
    return made;
  }
  function mark() {
    const chosen = new Set(model.get("chosen"));
    for (const box of boxes()) {
      box.checked = chosen.has(box.value);
      box.closest("tr").classList.toggle("mailconn-chosen", box.checked);
    }
    const count = boxes().filter((one) => one.checked).length;
    all.checked = count > 0 && count === boxes().length;
    all.indeterminate = count > 0 && !all.checked;
    all.disabled = boxes().length === 0;
  }
  function draw() {
    const focused = body.contains(document.activeElement) ? document.activeElement.value : null;
    caption.textContent = model.get("caption");
    body.replaceChildren(...model.get("rows").map(row));
    last = -1;
    mark();
    if (focused !== null) (boxes().find((one) => one.value === focused) ?? boxes()[0] ?? all).focus();
  }
  all.addEventListener("change", () => choose(all.checked ? boxes().map((one) => one.value) : []));

  model.on("change:rows", draw);
  model.on("change:caption", draw);
  model.on("change:chosen", mark);
  draw();
  return () => {
    model.off("change:rows", draw);
    model.off("change:caption", draw);
    model.off("change:chosen", mark);
  };
}

export default { render };
