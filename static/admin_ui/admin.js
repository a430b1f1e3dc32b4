// Small behaviour of the admin's own pages: copying, asking before acts, tabs. Works on markup; holds no data.
(() => {
  "use strict";

  const copyText = async (text) => {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return;
    }
    const helper = document.createElement("textarea");
    helper.value = text;
    helper.style.position = "fixed";
    helper.style.opacity = "0";
    document.body.append(helper);
    helper.select();
    document.execCommand("copy");
    helper.remove();
  };

  const showCopied = (button) => {
    const icon = button.querySelector(".material-symbols-outlined");
    const before = icon ? icon.textContent : "";
    button.classList.add("db-done");
    if (icon) icon.textContent = "check";
    setTimeout(() => {
      button.classList.remove("db-done");
      if (icon) icon.textContent = before;
    }, 1500);
  };

  const words = (name, fallback) => document.body.dataset[name] || (window.gettext ? window.gettext(fallback) : fallback);

  const ask = (question) => new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.className = "db-dialog";
    const text = document.createElement("p");
    text.textContent = question;
    const acts = document.createElement("div");
    acts.className = "db-acts";
    const cancel = document.createElement("button");
    cancel.type = "button";
    cancel.className = "db-button db-plain";
    cancel.textContent = words("cancel", "Cancel");
    const go = document.createElement("button");
    go.type = "button";
    go.className = "db-button db-primary";
    go.textContent = words("go", "Continue");
    acts.append(cancel, go);
    dialog.append(text, acts);
    document.body.append(dialog);
    let answer = false;
    cancel.addEventListener("click", () => dialog.close());
    go.addEventListener("click", () => { answer = true; dialog.close(); });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(answer); });
    dialog.showModal();
    go.focus();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      event.preventDefault();
      await copyText(button.dataset.copy);
      showCopied(button);
      return;
    }
    const tab = event.target.closest("[role=tab][aria-controls]");
    if (tab) chooseTab(tab);
  });

  const chooseTab = (tab) => {
    for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      const panel = document.getElementById(other.getAttribute("aria-controls"));
      if (panel) panel.hidden = !chosen;
    }
  };

  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest && event.target.closest("[role=tab]");
    if (!tab || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const next = tabs[(tabs.indexOf(tab) + (event.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length];
    chooseTab(next);
    next.focus();
  });

  // A form with a question is sent after the answer; sent twice by a double click it would act twice, so its button rests.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    const question = (event.submitter && event.submitter.dataset.confirm) || form.dataset.confirm;
    if (question && !form.dataset.asked) {
      event.preventDefault();
      if (await ask(question)) {
        form.dataset.asked = "1";
        form.requestSubmit(event.submitter || undefined);
      }
      return;
    }
    delete form.dataset.asked;
    if (form.closest(".db-acts")) {
      const button = form.querySelector("button[type=submit]");
      if (button) button.disabled = true;
    }
  });

  window.dialogBus = Object.assign(window.dialogBus || {}, { chooseTab, copyText });
})();
