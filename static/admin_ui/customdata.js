// Lists and forms of records: a cell edited in place, a linked row chosen by its title. Works on markup; holds no data.
(() => {
  "use strict";

  const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";

  // --- a cell ------------------------------------------------------------------------------------------------------
  const close = (cell) => {
    if (cell.dataset.before !== undefined) cell.innerHTML = cell.dataset.before;
    delete cell.dataset.before;
    cell.classList.remove("db-open");
  };

  const save = async (cell) => {
    const body = new FormData();
    for (const input of cell.querySelectorAll("input, select, textarea")) {
      if (input.type === "checkbox" && !input.checked) continue;
      if (input.name) body.append(input.name, input.value);
    }
    const answer = await fetch(cell.dataset.cell, { method: "POST", body, headers: { "X-CSRFToken": csrf() } });
    const told = await answer.json().catch(() => ({ error: `${answer.status}` }));
    if (told.html !== undefined) {
      cell.dataset.before = told.html;
      close(cell);
      if (answer.ok) {
        cell.classList.add("db-saved");
        setTimeout(() => cell.classList.remove("db-saved"), 1200);
        cell.focus();
        return;
      }
    }
    let place = cell.querySelector(".db-cell-error");
    if (!place) {
      place = document.createElement("span");
      place.className = "db-cell-error";
      cell.append(place);
    }
    place.textContent = told.error || "";
  };

  const open = async (cell) => {
    if (cell.classList.contains("db-open")) return;
    document.querySelectorAll(".db-cell.db-open").forEach(close);
    cell.classList.add("db-open");
    const before = cell.innerHTML;
    const answer = await fetch(cell.dataset.cell);
    if (!answer.ok) { cell.classList.remove("db-open"); return; }
    cell.dataset.before = before;
    cell.innerHTML = await answer.text();
    cell.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  };

  document.addEventListener("click", (event) => {
    const cell = event.target.closest(".db-cell");
    if (!cell) return;
    if (event.target.closest("a") && !cell.classList.contains("db-open")) return;
    event.stopPropagation();
    if (event.target.closest(".db-cell-save")) save(cell);
    else if (event.target.closest(".db-cell-leave")) close(cell);
    else if (!cell.classList.contains("db-open")) { event.preventDefault(); open(cell); }
  }, true);

  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest(".db-cell");
    if (!cell) return;
    if (event.key === "Escape") { close(cell); cell.focus(); }
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (cell.classList.contains("db-open")) save(cell); else open(cell);
  }, true);

  // --- choosing a row ----------------------------------------------------------------------------------------------
  let waiting = 0;

  const offer = async (box, term) => {
    const list = box.querySelector(".db-choose-list");
    const answer = await fetch(`${box.dataset.choose}?q=${encodeURIComponent(term)}`);
    if (!answer.ok) return;
    const rows = (await answer.json()).rows;
    list.replaceChildren(...rows.map(({ id, text }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.role = "option";
      button.dataset.id = id;
      button.textContent = text;
      return button;
    }));
    list.hidden = rows.length === 0;
  };

  document.addEventListener("input", (event) => {
    const box = event.target.closest(".db-choose");
    if (!box) return;
    box.querySelector(".db-choose-title").textContent = "";
    clearTimeout(waiting);
    waiting = setTimeout(() => offer(box, event.target.value), 200);
  });

  document.addEventListener("focusin", (event) => {
    const box = event.target.closest(".db-choose");
    document.querySelectorAll(".db-choose-list:not([hidden])").forEach((list) => {
      if (!box || !box.contains(list)) list.hidden = true;
    });
    if (box && event.target.matches("input") && !event.target.value) offer(box, "");
  });

  document.addEventListener("mousedown", (event) => {
    const row = event.target.closest(".db-choose-list button");
    if (!row) return;
    event.preventDefault();
    const box = row.closest(".db-choose");
    box.querySelector("input").value = row.dataset.id;
    box.querySelector(".db-choose-title").textContent = row.textContent;
    box.querySelector(".db-choose-list").hidden = true;
  });
})();
