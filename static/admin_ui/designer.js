// The designer of a model: fields as cards that are dragged, set up and sent as one design; the server has the last word on each.
(() => {
  "use strict";
  const start = () => {
    const source = document.getElementById("designer-data");
    if (!source) return;
    const told = JSON.parse(source.textContent);
    const { design, kinds, tables, bots, rights } = told;
    const words = document.getElementById("designer-words").dataset;
    const byKind = Object.fromEntries(kinds.map((kind) => [kind.kind, kind]));
    const form = document.getElementById("designer");
    const list = document.getElementById("designer-fields");
    const blank = document.getElementById("designer-field");
    const problem = document.getElementById("designer-error");
    let dirty = false;
    let leaving = false;

    const make = (tag, more = {}, ...children) => {
      const node = document.createElement(tag);
      Object.assign(node, more);
      node.append(...children);
      return node;
    };

    // --- one field -------------------------------------------------------------------------------------------------
    const fieldOf = (card) => card.field;
    const cards = () => [...list.children];

    const choicesText = (choices) => (choices || []).map((one) => (one.label && one.label !== one.value ? `${one.value} | ${one.label}` : one.value)).join("\n");
    const choicesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
      const [value, ...label] = line.split("|");
      return { value: value.trim(), label: label.join("|").trim() };
    });

    const optionInput = (field, option) => {
      const present = field.options[option.name] ?? option.default ?? "";
      if (option.role === "choices") {
        const area = make("textarea", { rows: 4, value: choicesText(present), spellcheck: false });
        area.addEventListener("input", () => { field.options[option.name] = choicesOf(area.value); });
        return make("div", {}, make("label", { textContent: words.choices }), area);
      }
      const choices = option.role === "table" ? tables.map((one) => [one.id, one.name]) : option.choices;
      const input = option.role === "number" ? make("input", { type: "number", step: "any", value: present }) : make("select");
      if (input.tagName === "SELECT") {
        if (option.role === "table") input.append(make("option", { value: "", textContent: words.choose }));
        input.append(...choices.map(([value, text]) => make("option", { value, textContent: text })));
        input.value = present;
      }
      input.addEventListener("input", () => {
        if (input.value === "") delete field.options[option.name];
        else field.options[option.name] = option.role === "select" ? input.value : Number(input.value);
      });
      return make("div", {}, make("label", { textContent: option.title }), input);
    };

    const showOptions = (card) => {
      const field = fieldOf(card);
      const kind = byKind[field.kind];
      const place = card.querySelector("[data-options]");
      place.replaceChildren(...(kind ? kind.options : []).map((option) => optionInput(field, option)));
      place.hidden = place.children.length === 0;
      card.querySelectorAll("[data-needs]").forEach((tick) => {
        const may = Boolean(kind && kind[tick.dataset.needs]) || (tick.dataset.needs === "unique" && field.personal);
        tick.hidden = !may;
        if (!may) { field[tick.querySelector("input").dataset.set] = false; tick.querySelector("input").checked = false; }
      });
    };

    const showHead = (card) => {
      const field = fieldOf(card);
      card.querySelector("[data-title]").textContent = field.name || words.new;
      card.querySelector("[data-code]").textContent = field.alias;
      card.querySelector("[data-icon]").textContent = byKind[field.kind]?.icon || "help";
      const marks = ["required", "unique", "indexed", "personal"].filter((name) => field[name]).map((name) => make("span", { className: "db-badge db-plain", textContent: words[name] }));
      if (field.index) marks.push(make("span", { className: "db-badge db-warn", textContent: field.index }));
      card.querySelector("[data-marks]").replaceChildren(...marks);
    };

    const showTitles = () => {
      const choose = document.getElementById("d-title");
      const present = design.title_field;
      choose.replaceChildren(make("option", { value: "", textContent: words.none }), ...cards().map(fieldOf).filter((field) => field.alias && !field.personal).map((field) => make("option", { value: field.alias, textContent: field.name })));
      choose.value = present;
      const sections = [...new Set(cards().map((card) => fieldOf(card).section).filter(Boolean))];
      document.getElementById("designer-sections").replaceChildren(...sections.map((name) => make("option", { value: name })));
      document.getElementById("designer-empty").hidden = list.children.length > 0;
    };

    const move = (card, by) => {
      const other = by < 0 ? card.previousElementSibling : card.nextElementSibling;
      if (!other) return;
      if (by < 0) other.before(card); else other.after(card);
      dirty = true;
      card.querySelector("summary").focus();
    };

    const suggest = async (name, more) => {
      const query = new URLSearchParams({ name, ...(more.of ? { of: more.of } : {}) });
      (more.taken || []).forEach((alias) => query.append("taken", alias));
      const answer = await fetch(`${told.suggest}?${query}`);
      return answer.ok ? (await answer.json()).alias : "";
    };

    const add = (field, { open = false } = {}) => {
      const card = blank.content.firstElementChild.cloneNode(true);
      card.field = field;
      card.querySelector("[data-set=kind]").append(...kinds.map((kind) => make("option", { value: kind.kind, textContent: kind.label })));
      card.querySelectorAll("[data-set]").forEach((input) => {
        const name = input.dataset.set;
        if (input.type === "checkbox") input.checked = Boolean(field[name]);
        else input.value = field[name] === null || field[name] === undefined ? "" : typeof field[name] === "object" ? JSON.stringify(field[name]) : String(field[name]);
        input.disabled = !told.may_edit;
        input.addEventListener("input", async () => {
          field[name] = input.type === "checkbox" ? input.checked : input.value;
          dirty = true;
          if (name === "alias") field.typed = true;
          if (name === "kind") { field.options = {}; showOptions(card); }
          if (name === "personal") showOptions(card);
          if (name === "name" && !field.id && !field.typed) {
            const taken = cards().filter((one) => one !== card).map((one) => fieldOf(one).alias).filter(Boolean);
            const alias = await suggest(input.value, { taken });
            if (!field.typed) { field.alias = alias; card.querySelector("[data-set=alias]").value = alias; }
          }
          showHead(card);
          showTitles();
          showRights();
        });
      });
      card.addEventListener("click", (event) => {
        const act = event.target.closest("[data-do]")?.dataset.do;
        if (act === "up") move(card, -1);
        if (act === "down") move(card, 1);
        if (act === "remove") { card.remove(); dirty = true; showTitles(); showRights(); }
      });
      card.addEventListener("keydown", (event) => {
        if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
        event.preventDefault();
        move(card, event.key === "ArrowUp" ? -1 : 1);
      });
      card.open = open;
      list.append(card);
      showOptions(card);
      showHead(card);
      showTitles();
      if (open) { card.querySelector("[data-set=name]").focus(); card.scrollIntoView({ block: "nearest" }); }
      return card;
    };

    // --- dragging --------------------------------------------------------------------------------------------------
    let dragged = null;
    list.addEventListener("dragstart", (event) => {
      const card = event.target.closest?.(".db-field");
      if (!card || !told.may_edit || event.target.closest(".db-field-body")) { event.preventDefault(); return; }
      dragged = card;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", "");
      setTimeout(() => card.classList.add("db-dragged"));
    });
    list.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      const over = event.target.closest(".db-field");
      if (!over || over === dragged) return;
      const box = over.getBoundingClientRect();
      if (event.clientY < box.top + box.height / 2) over.before(dragged); else over.after(dragged);
    });
    list.addEventListener("dragend", () => { dragged?.classList.remove("db-dragged"); dragged = null; dirty = true; });

    // --- rights ----------------------------------------------------------------------------------------------------
    const showRights = () => {
      const aliases = cards().map(fieldOf).filter((field) => field.alias);
      const tick = (right, name, off) => {
        const input = make("input", { type: "checkbox", checked: Boolean(right[name]), disabled: off || !told.may_edit });
        input.addEventListener("input", () => { right[name] = input.checked; dirty = true; if (name === "own") showRights(); });
        return make("td", {}, input);
      };
      document.getElementById("designer-rights").replaceChildren(...rights.map((right) => {
        const hidden = make("select", { multiple: true, size: Math.min(4, Math.max(1, aliases.length)), disabled: !right.own || !told.may_edit });
        hidden.append(...aliases.map((field) => make("option", { value: field.alias, textContent: field.name, selected: right.hidden.includes(field.alias) })));
        hidden.addEventListener("input", () => { right.hidden = [...hidden.selectedOptions].map((one) => one.value); dirty = true; });
        return make("tr", {}, make("td", { textContent: right.name }), tick(right, "own", false), ...["view", "add", "edit", "delete"].map((name) => tick(right, name, !right.own)), make("td", {}, right.own ? hidden : "–"));
      }));
    };

    // --- the head --------------------------------------------------------------------------------------------------
    document.getElementById("d-bot").append(...bots.map((bot) => make("option", { value: bot.id, textContent: bot.name })));
    document.querySelectorAll("[data-head]").forEach((input) => {
      const name = input.dataset.head;
      input.value = design[name] ?? "";
      input.disabled = !told.may_edit;
      input.addEventListener("input", async () => {
        design[name] = name === "bot" ? Number(input.value) || null : input.value;
        dirty = true;
        if (name === "alias") design.typed = true;
        if (name === "name" && design.version === null && !design.typed) {
          const alias = await suggest(input.value, { of: "table" });
          if (!design.typed) { design.alias = alias; document.getElementById("d-alias").value = alias; }
        }
      });
    });
    const adder = document.getElementById("designer-kinds");
    if (adder) {
      adder.append(...kinds.map((kind) => {
        const button = make("button", { type: "button", className: "db-button db-plain" }, make("span", { className: "material-symbols-outlined", textContent: kind.icon, ariaHidden: "true" }), kind.label);
        button.dataset.kind = kind.kind;
        button.addEventListener("click", () => {
          dirty = true;
          cards().forEach((card) => { card.open = false; });
          add({ id: null, name: "", alias: "", kind: kind.kind, options: {}, required: false, unique: false, indexed: false, personal: false, default: null, help_text: "", section: "", in_list: list.children.length < 7, in_filter: false, in_search: kind.search }, { open: true });
          showRights();
        });
        return button;
      }));
    }
    design.fields.forEach((field) => add(field));
    showTitles();
    showRights();

    // --- saving ----------------------------------------------------------------------------------------------------
    const showErrors = (answer) => {
      const texts = Object.entries(answer.errors || {}).map(([, text]) => text);
      document.querySelectorAll("#designer [data-error], #designer [data-fault]").forEach((place) => { place.textContent = ""; });
      Object.entries(answer.fields || {}).forEach(([place, faults]) => {
        const card = cards()[Number(place)];
        if (!card) return;
        card.open = true;
        card.querySelector("[data-fault]").textContent = "!";
        Object.entries(faults).forEach(([name, text]) => {
          const spot = card.querySelector(`[data-error="${name}"]`);
          if (spot) spot.textContent = text; else texts.push(`${fieldOf(card).name}: ${text}`);
        });
      });
      const first = document.querySelector("#designer details [data-fault]:not(:empty)");
      problem.textContent = texts.join(" ") || (first ? first.closest("details").querySelector("[data-error]:not(:empty)")?.textContent || "" : "");
      problem.hidden = !problem.textContent;
      (first?.closest("details") || problem).scrollIntoView({ block: "center", behavior: "smooth" });
    };

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = document.getElementById("designer-save");
      if (!button) return;
      button.disabled = true;
      const { typed, ...head } = design;
      const fields = cards().map((card) => { const { typed: mine, index, ...field } = fieldOf(card); return field; });
      try {
        const answer = await fetch(window.location.pathname, { method: "POST", body: JSON.stringify({ ...head, fields, rights }), headers: { "Content-Type": "application/json", "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value } });
        const told = await answer.json();
        if (answer.ok) {
          leaving = true;
          if (new URL(told.url, window.location.href).pathname === window.location.pathname) { window.location.hash = "changes"; window.location.reload(); } else window.location.assign(told.url);
          return;
        }
        showErrors(told);
      } catch {
        showErrors({ errors: { "": words.failed } });
      }
      button.disabled = false;
    });
    window.addEventListener("beforeunload", (event) => { if (dirty && !leaving) event.preventDefault(); });

    // --- what moves in the background ------------------------------------------------------------------------------
    document.querySelectorAll("[data-change]").forEach((row) => {
      const look = async () => {
        const answer = await fetch(row.dataset.change).catch(() => null);
        if (answer?.ok) {
          const state = await answer.json();
          row.querySelector("[data-label]").textContent = state.label;
          row.querySelector(".db-progress span").style.width = `${state.percent}%`;
          const counts = row.querySelector("[data-counts]").querySelectorAll("b");
          if (counts.length === 2) { counts[0].textContent = state.fits; counts[1].textContent = state.refused; }
          if (!state.moving) { if (!dirty) { leaving = true; window.location.reload(); } return; }
        }
        setTimeout(look, 1500);
      };
      setTimeout(look, 1000);
    });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
