// The CRM's page: draws what /crm/state says, once a second, and presses its buttons.

const find = (id) => document.getElementById(id);
const money = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const GOOD = new Set(["confirmed", "shipped", "delivered", "active"]);
const SHOWN_ORDERS = 3;
const drawn = { version: "", entries: new Map(), first: true };

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

async function post(path, data = {}) {
  const answer = await fetch(path, { method: "POST", body: JSON.stringify(data), headers: { "Content-Type": "application/json" } });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

async function press(button, path, data) {
  button.disabled = true;
  try {
    const told = await post(path, data);
    const well = told.status === 200 || told.status === 202;
    find("failed").hidden = well;
    if (!well) find("failed").textContent = `Dialog Bus answered ${told.status || "nothing"}: ${told.answer?.message ?? ""}`;
  } catch (error) {
    find("failed").hidden = false;
    find("failed").textContent = String(error.message || error);
  } finally {
    button.disabled = false;
    look();
  }
}

function chip(text) {
  return element("span", `chip ${GOOD.has(text) ? "good" : text === "cancelled" ? "bad" : ""}`, text);
}

function order(row) {
  const made = element("li", "order", element("b", "", `#${row.id}`), element("span", "", `${row.what} `, chip(row.status)), element("span", "sum", row.amount ? money.format(row.amount) : ""));
  made.dataset.order = row.id;
  const acts = [["ship", "Ship order", row.status === "new" || row.status === "confirmed"], ["deliver", "Delivered", row.status === "shipped"], ["thank", "Send bonus", row.rating > 0]];
  const shown = acts.filter(([, , possible]) => possible).map(([act, label]) => {
    const button = element("button", "", label);
    button.type = "button";
    button.addEventListener("click", () => press(button, `/crm/orders/${row.id}/${act}`));
    return button;
  });
  made.append(element("span", "acts", ...shown));
  const notes = [row.address && `Deliver to: ${row.address}`, row.rating && `Rating: ${"★".repeat(row.rating)}`, row.comment && `“${row.comment}”`].filter(Boolean);
  if (notes.length) made.append(element("span", "note", notes.join(" · ")));
  return made;
}

function entry(row, base) {
  const inward = row.direction === "in";
  const title = inward ? `← Callback ${row.method} ${row.path}` : `→ ${row.note}`;
  const well = row.status >= 200 && row.status < 300;
  const when = `${clock.format(new Date(row.at * 1000))}${row.milliseconds ? ` · ${row.milliseconds} ms` : ""}`;
  const summary = element("summary", "", element("span", "what", title), element("span", "when", when), element("span", "path", inward ? brief(row.body) : `${row.method} ${row.path}`), element("span", `chip ${well ? "good" : "bad"}`, String(row.status || "—")));
  const more = element("div", "more", element("p", "label", "Request"), code(row.body), element("p", "label", "Answer"), code(row.answer));
  const made = element("li", `entry ${inward ? "in" : "out"}`, element("details", "", summary, more));
  if (row.trace_id) {
    const trace = element("a", "trace", "Open the trace");
    trace.href = `${base}/admin/events/event/trace/${encodeURIComponent(row.trace_id)}/`;
    trace.target = "_blank";
    trace.rel = "noopener";
    trace.title = `Trace ${row.trace_id}`;
    made.append(trace);
  }
  return made;
}

function brief(body) {
  const text = JSON.stringify(body);
  return text === "{}" ? "" : text;
}

function code(value) {
  return element("pre", "", element("code", "", JSON.stringify(value, null, 2)));
}

function draw(state) {
  const customer = state.customers.find((row) => row.id === state.user_id);
  find("who").replaceChildren(`${customer.name} · customer ${customer.id}`, chip(customer.status), ...(customer.chat ? [chip("chat connected")] : []));
  find("no-orders").hidden = state.orders.length > 0;
  find("orders").replaceChildren(...state.orders.slice(0, SHOWN_ORDERS).map(order));
  find("older").hidden = state.orders.length <= SHOWN_ORDERS;
  find("older").textContent = `and ${state.orders.length - SHOWN_ORDERS} earlier`;
  find("no-entries").hidden = state.entries.length > 0;
  find("trouble").value = state.trouble;
  const rows = state.entries.slice(0, 20).map((row) => {
    const known = drawn.entries.get(row.number);
    if (known) return known;
    const made = entry(row, state.base_url);
    if (!drawn.first) made.classList.add("fresh");
    drawn.entries.set(row.number, made);
    return made;
  });
  find("entries").replaceChildren(...rows);
  drawn.first = false;
}

let looking = null;

async function look() {
  clearTimeout(looking);
  try {
    const answer = await fetch(`/crm/state?version=${drawn.version}`, { cache: "no-store" });
    if (answer.status === 200) {
      const state = await answer.json();
      drawn.version = state.version;
      draw(state);
    }
    if (find("failed").dataset.gone) {
      find("failed").hidden = true;
      delete find("failed").dataset.gone;
    }
  } catch {
    find("failed").hidden = false;
    find("failed").dataset.gone = "yes";
    find("failed").textContent = "The CRM does not answer. Is the demo still running?";
  }
  looking = setTimeout(look, 1000);
}

find("new").addEventListener("click", (event) => {
  const goods = find("goods");
  press(event.currentTarget, "/crm/orders", { what: goods.selectedOptions[0].textContent.split(" · ")[0], amount: Number(goods.value) });
});
find("register").addEventListener("click", (event) => press(event.currentTarget, "/crm/register"));
find("trouble").addEventListener("change", (event) => post("/crm/trouble", { trouble: event.target.value }));
find("copy").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  try {
    await navigator.clipboard.writeText(find("curl").textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(find("curl"));
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
});

fetch("/crm/curl").then((answer) => answer.json()).then((data) => (find("curl").textContent = data.curl));
look();
