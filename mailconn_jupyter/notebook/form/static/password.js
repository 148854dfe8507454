// A password field whose text never becomes widget state: it goes to the kernel once, as the bytes of one message, and
// the field is empty from that moment on, however busy the kernel is. Bytes, because kernels log the rest of a message.

function render({ model, el }) {
  const input = document.createElement("input");
  const label = document.createElement("label");
  const toggle = document.createElement("button");
  el.classList.add("mailconn-password");
  // Each widget loads a copy of this file, so a counter of its own would give several the same.
  input.id = `mailconn-password-${Math.random().toString(36).slice(2)}`;
  label.htmlFor = input.id;
  label.className = "widget-label";
  label.textContent = model.get("description");
  // A new one, for nobody but the kernel: browsers and password managers have nothing to fill in or to keep.
  for (const [name, value] of Object.entries({
    autocomplete: "new-password", autocapitalize: "off", autocorrect: "off", spellcheck: "false",
    "data-1p-ignore": "", "data-lpignore": "true", "data-bwignore": "",
  })) input.setAttribute(name, value);
  toggle.type = "button";
  toggle.className = "jupyter-button mailconn-toggle";

  function show(visible) {
    input.type = visible ? "text" : "password";
    toggle.textContent = visible ? "Hide" : "Show";
    toggle.setAttribute("aria-label", `${toggle.textContent} ${model.get("description").toLowerCase()}`);
    toggle.disabled = !input.value;
  }
  function give() {
    if (!input.value) return;
    const text = new TextEncoder().encode(input.value);
    input.value = "";
    input.placeholder = "Handed to the kernel";
    show(false);
    model.send({ kind: "typed" }, undefined, [text.buffer]);
  }
  function placeholder() {
    input.placeholder = model.get("placeholder");
  }

  input.addEventListener("input", () => show(input.type === "text" && input.value !== ""));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") give();
    if (event.key === "Escape") { input.value = ""; show(false); }
    // The notebook's own shortcuts have no business here.
    event.stopPropagation();
  });
  // Leaving the field hands the text over, so that a click on Save or Test has it. Another window does not count.
  el.addEventListener("focusout", (event) => {
    if (!el.contains(event.relatedTarget) && document.hasFocus()) give();
  });
  toggle.addEventListener("mousedown", (event) => event.preventDefault());
  toggle.addEventListener("click", () => show(input.type === "password"));
  model.on("change:placeholder", placeholder);
  placeholder();
  show(false);
  el.replaceChildren(label, input, toggle);
  return () => {
    input.value = "";
    model.off("change:placeholder", placeholder);
  };
}

export default { render };
