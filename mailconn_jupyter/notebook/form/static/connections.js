// The list of connections: a table in which one row is chosen, with radio buttons, so arrows and screen readers work.

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function render({ model, el }) {
  const group = `mailconn-list-${Math.random().toString(36).slice(2)}`;
  const table = element("table", "", "mailconn-table");
  const caption = element("caption", "Mail server connections", "mailconn-hidden");
  const head = element("thead");
  const body = element("tbody");
  const titles = ["Name", "Protocol", "Server", "Security", "User", "Last test", "Kept by"];
  const line = element("tr");
  line.append(...titles.map((title) => {
    const cell = element("th", title);
    cell.scope = "col";
    return cell;
  }));
  head.append(line);
  table.append(caption, head, body);
  el.replaceChildren(table);

  function choose(name) {
    if (name === model.get("selected")) return;
    model.set("selected", name);
    model.save_changes();
  }
  function open(name) {
    choose(name);
    model.send({ kind: "open", name });
  }
  function row(entry, index) {
    const made = element("tr");
    const radio = element("input");
    radio.type = "radio";
    radio.name = group;
    radio.id = `${group}-${index}`;
    radio.value = entry.name;
    radio.addEventListener("change", () => choose(entry.name));
    radio.addEventListener("keydown", (event) => {
      if (event.key === "Enter") open(entry.name);
    });
    const label = element("label", entry.name);
    label.htmlFor = radio.id;
    const name = element("th");
    name.scope = "row";
    name.append(radio, label, ...entry.marks.map((mark) => element("span", mark, "mailconn-mark")));
    const outcome = element("span", "", `mailconn-outcome ${entry.style}`);
    if (entry.sign) {
      const sign = element("span", `${entry.sign} `);
      sign.setAttribute("aria-hidden", "true");
      outcome.append(sign);
    }
    outcome.append(entry.word);
    const test = element("td");
    test.append(outcome, element("span", entry.when ? ` ${entry.when}` : "", "mailconn-time"));
    const [protocol, server, security, user, kept] = ["protocol", "server", "security", "user", "kept"].map(
      (key) => element("td", entry[key]),
    );
    made.append(name, protocol, server, security, user, test, kept);
    [...made.children].forEach((cell, place) => (cell.dataset.title = titles[place]));
    made.addEventListener("click", () => choose(entry.name));
    made.addEventListener("dblclick", () => open(entry.name));
    return made;
  }
  function mark() {
    for (const made of body.rows) {
      const radio = made.querySelector("input");
      radio.checked = radio.value === model.get("selected");
      made.classList.toggle("mailconn-chosen", radio.checked);
    }
  }
  function draw() {
    const focused = body.contains(document.activeElement);
    body.replaceChildren(...model.get("rows").map(row));
    table.hidden = model.get("rows").length === 0;
    mark();
    if (focused) (body.querySelector("input:checked") ?? body.querySelector("input"))?.focus();
  }

  model.on("change:rows", draw);
  model.on("change:selected", mark);
  draw();
  return () => {
    model.off("change:rows", draw);
    model.off("change:selected", mark);
  };
}

export default { render };
