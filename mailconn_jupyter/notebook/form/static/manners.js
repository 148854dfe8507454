// What a form owes to keyboards and screen readers and no widget can say from the kernel: which note belongs to which
// field, which field is wrong, what is read out as it changes, and where the focus goes when its button goes away.

function usable(target) {
  return target.isConnected && !target.disabled && target.getClientRects().length > 0;
}

function put(target, name, value) {
  if (value === null) target.removeAttribute(name);
  else if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}

function render({ model, el }) {
  let form = null;
  let last = null;
  let bar = null;
  let planned = 0;
  let ended = false;

  function mend() {
    planned = 0;
    for (const row of form.querySelectorAll(".mailconn-row")) {
      const note = row.querySelector(".mailconn-note");
      const field = row.querySelector("input, select, textarea");
      if (!note || !field) continue;
      note.id ||= `mailconn-note-${Math.random().toString(36).slice(2)}`;
      put(field, "aria-describedby", note.id);
      put(field, "aria-invalid", row.classList.contains("mailconn-wrong") ? "true" : null);
      // The note is said with the field; a tooltip with the same words would say it twice.
      field.removeAttribute("title");
    }
    for (const region of form.querySelectorAll(".mailconn-live")) {
      put(region, "role", "status");
      put(region, "aria-live", "polite");
    }
    for (const region of form.querySelectorAll(".mailconn-bar")) put(region, "role", "group");
    for (const toggle of form.querySelectorAll(".mailconn-fold button"))
      put(toggle, "aria-expanded", String(toggle.closest(".mailconn-open") !== null));
    for (const field of form.querySelectorAll(".mailconn-row input"))
      put(field, "aria-required", field.closest(".mailconn-needed") ? "true" : null);
    keep();
  }
  // A button that is disabled or hidden while it has the focus would send the keyboard back to the top of the page.
  function keep(tries = 0) {
    if (!last || (!tries && usable(last)) || ![document.body, last].includes(document.activeElement)) return;
    const beside = [last, ...(bar?.isConnected ? bar.querySelectorAll("button") : [])].find(usable);
    // In a bar that is shown, what takes its place comes some frames later, or it is usable again.
    if (!beside && tries < 30 && bar?.getClientRects().length && !ended) {
      requestAnimationFrame(() => keep(tries + 1));
      return;
    }
    const places = [form.querySelectorAll(".mailconn-table input:checked"), form.querySelectorAll("button")];
    const next = beside ?? places.flatMap((found) => [...found]).find(usable);
    last = null;
    next?.focus({ preventScroll: true });
  }
  function plan() {
    planned ||= requestAnimationFrame(mend);
  }
  function remember(event) {
    last = event.target;
    bar = last.closest(".mailconn-bar");
  }
  function forget(event) {
    // To somewhere else by a person's own doing.
    if (event.relatedTarget) last = null;
  }
  // The notebook has shortcuts of its own: "d d" on a button would delete the cell, and arrows would leave the form.
  function hold(event) {
    event.stopPropagation();
  }
  function answer(event) {
    const question = event.target.closest(".mailconn-question");
    if (event.key === "Escape") question?.querySelector(".mailconn-bar button:last-child")?.click();
    if (event.key === "Enter" && event.target.matches(".mailconn-question input"))
      question.querySelector("button:not(:disabled)")?.click();
  }
  function focus({ focus: selector }, tries = 60) {
    const target = form && [...form.querySelectorAll(selector)].find(usable);
    if (target) target.focus();
    else if (tries && !ended) requestAnimationFrame(() => focus({ focus: selector }, tries - 1));
  }

  const watcher = new MutationObserver(plan);
  function start(tries = 600) {
    form = el.closest(".mailconn-form");
    if (!form) {
      if (tries && !ended) requestAnimationFrame(() => start(tries - 1));
      return;
    }
    put(form, "role", "region");
    put(form, "aria-label", model.get("label"));
    put(form, "data-lm-suppress-shortcuts", "true");
    form.addEventListener("focusin", remember);
    form.addEventListener("focusout", forget);
    form.addEventListener("keyup", answer);
    form.addEventListener("keydown", hold);
    watcher.observe(form, {
      subtree: true, childList: true, attributes: true, attributeFilter: ["class", "disabled", "style"],
    });
    mend();
  }
  model.on("msg:custom", focus);
  start();
  return () => {
    ended = true;
    watcher.disconnect();
    model.off("msg:custom", focus);
    form?.removeEventListener("focusin", remember);
    form?.removeEventListener("focusout", forget);
    form?.removeEventListener("keyup", answer);
    form?.removeEventListener("keydown", hold);
  };
}

export default { render };
