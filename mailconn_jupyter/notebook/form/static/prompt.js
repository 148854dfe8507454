// What a person needs to sign in: the address and the code of a device, large and with a button that copies it, or a link.
// It comes as the bytes of a message, so that it is in no notebook and no log.

function link(href, text) {
  const made = document.createElement("a");
  made.href = href;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
  made.textContent = text;
  return made;
}

function line(style, ...parts) {
  const made = document.createElement("div");
  made.className = style;
  made.append(...parts);
  return made;
}

function copy(code) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "jupyter-button mailconn-copy";
  made.textContent = "Copy the code";
  made.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code);
      made.textContent = "Copied";
    } catch {
      // Only pages over https, or of this machine, may write there.
      made.textContent = "Select it, and copy";
    }
  });
  return made;
}

function render({ model, el }) {
  function show(content, [bytes]) {
    const { uri, code, link: direct } = JSON.parse(new TextDecoder().decode(bytes));
    if (code) {
      const shown = document.createElement("code");
      shown.textContent = code;
      const parts = [line("mailconn-lead", "Open this page, here or on any other device:"), line("mailconn-uri", link(uri, uri)),
        line("mailconn-lead", "and enter this code:"), line("mailconn-code", shown, copy(code))];
      if (direct) parts.push(line("mailconn-lead", "Or open ", link(direct, "the page with the code in it"), "."));
      el.replaceChildren(...parts);
    } else if (direct) {
      el.replaceChildren(line("mailconn-lead", "Open ", link(direct, "this link to sign in"), ". Its last page fails to load: ",
        "copy the address of that page, and paste it below."));
    } else {
      el.replaceChildren();
    }
  }
  model.on("msg:custom", show);
  model.send({ kind: "ready" });
  return () => model.off("msg:custom", show);
}

export default { render };
