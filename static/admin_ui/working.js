// A form whose work may take long says so: its button tells what is done and cannot be pressed twice.
document.querySelectorAll("form[data-working]").forEach((form) => {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button[type=submit]");
    const icon = button.querySelector(".material-symbols-outlined");
    button.replaceChildren(...(icon ? [icon] : []), form.dataset.working);
    if (icon) icon.textContent = "hourglass_top";
    button.setAttribute("aria-busy", "true");
    setTimeout(() => { button.disabled = true; });
  });
});
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
