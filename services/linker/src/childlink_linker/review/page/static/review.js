// Optional single-key shortcuts. Without this script the page works with Tab, arrows and Enter.
"use strict";
const form = document.getElementById("decide");
if (form) {
  const toggle = document.getElementById("shortcuts");
  const sections = [...form.querySelectorAll("section")];
  let here = 0;
  document.getElementById("keys").hidden = false;
  toggle.checked = localStorage.getItem("shortcuts") !== "off";
  toggle.addEventListener("change", () => localStorage.setItem("shortcuts", toggle.checked ? "on" : "off"));
  const go = (to) => {
    here = Math.max(0, Math.min(sections.length - 1, to));
    sections.forEach((section, at) => section.classList.toggle("here", at === here && sections.length > 1));
    if (to !== 0 || sections.length > 1) sections[here].querySelector("input").focus();
  };
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select");
    if (!toggle.checked || field || event.ctrlKey || event.altKey || event.metaKey) return;
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (key === "J") go(here + 1);
    else if (key === "K") go(here - 1);
    else {
      const choice = sections[here].querySelector(`input[data-key="${CSS.escape(key)}"]`);
      if (!choice) return;
      choice.checked = true;
      choice.focus();
      if (here < sections.length - 1) go(here + 1);
      else if (!document.getElementById("reason").value) document.getElementById("reason").focus();
    }
    event.preventDefault();
  });
  form.addEventListener("focusin", (event) => {
    const at = sections.findIndex((section) => section.contains(event.target));
    if (at >= 0) here = at;
  });
  go(0);
}
