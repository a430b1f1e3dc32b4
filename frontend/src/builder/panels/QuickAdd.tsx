// Where a connection was dropped on nothing: choose the block that comes next.
import { useReactFlow } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { addBlock } from "../state/acting.ts";
import { set, useBuilder } from "../state/store.ts";
import { gettext } from "../texts.ts";
import { entriesOf, matching } from "./Palette.tsx";

export function QuickAdd() {
  const adding = useBuilder((state) => state.adding);
  const metadata = useBuilder((state) => state.metadata);
  const flow = useReactFlow();
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const entries = useMemo(() => entriesOf(metadata), [metadata]);
  useEffect(() => {
    setTyped("");
    setChosen(0);
    if (adding) input.current?.focus();
  }, [adding]);
  if (!adding) return null;
  const found = matching(entries, typed).filter((entry) => entry.kind !== "start");
  const close = (): void => set({ adding: null });
  const add = (index: number): void => {
    const entry = found[index];
    if (!entry) return;
    const { source, exit } = adding;
    addBlock(entry.kind, flow.screenToFlowPosition({ x: adding.x + 10, y: adding.y - 30 }), { source, exit, ...(entry.action ? { action: entry.action } : {}) });
    close();
  };
  const style = { left: Math.min(adding.x, window.innerWidth - 280), top: Math.min(adding.y, window.innerHeight - 340) };
  return (
    <>
      <div className="fb-shade" onClick={close} />
      <div className="fb-quick" style={style} role="dialog" aria-label={gettext("Which block comes next?")}>
        <input ref={input} type="search" value={typed} placeholder={gettext("Which block comes next?")} aria-label={gettext("Which block comes next?")}
          onChange={(event) => {
            setTyped(event.target.value);
            setChosen(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") close();
            if (event.key === "Enter") add(chosen);
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
              event.preventDefault();
              setChosen((old) => Math.max(0, Math.min(found.length - 1, old + (event.key === "ArrowDown" ? 1 : -1))));
            }
          }} />
        <ul role="listbox">
          {found.map((entry, index) => (
            <li key={entry.key} role="option" aria-selected={index === chosen} className={`fb-group-${entry.group}`} title={entry.help} onMouseEnter={() => setChosen(index)} onClick={() => add(index)}>
              <span className="material-symbols-outlined" aria-hidden="true">{entry.icon}</span>
              {entry.label}
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}
