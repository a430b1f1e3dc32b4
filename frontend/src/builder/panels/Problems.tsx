// Everything that the check found, errors first; a click leads to the block and its field.
import { useMemo } from "react";
import { nodesOf } from "../model/reading.ts";
import { goToProblem } from "../state/choosing.ts";
import { useBuilder } from "../state/store.ts";
import { gettext } from "../texts.ts";

export function Problems() {
  const problems = useBuilder((state) => state.problems);
  const checked = useBuilder((state) => state.checked);
  const channels = useBuilder((state) => state.metadata.channels);
  const definition = useBuilder((state) => state.doc.definition);
  const titles = useMemo(() => new Map(nodesOf(definition).map((node) => [node.id, node.title || node.id])), [definition]);
  if (!checked) return <p className="fb-empty">{gettext("Checking…")}</p>;
  return (
    <div className="fb-problems">
      {problems.length ? null : (
        <p className="fb-empty fb-good"><span className="material-symbols-outlined" aria-hidden="true">check_circle</span>{gettext("No problems. It can be published.")}</p>
      )}
      <ul>
        {problems.map((problem, index) => (
          <li key={`${index}${problem.message}`}>
            <button type="button" className={`fb-problem fb-${problem.level}`} data-code={problem.code} onClick={() => goToProblem(problem)}>
              <span className="material-symbols-outlined" aria-hidden="true">{problem.level === "error" ? "error" : "warning"}</span>
              <span>{problem.message}{problem.node && !problem.message.includes(titles.get(problem.node) ?? problem.node) ? ` (${titles.get(problem.node) ?? problem.node})` : ""}</span>
            </button>
          </li>
        ))}
      </ul>
      <p className="fb-help">{channels.length ? gettext("Checked for: %(channels)s.", { channels: channels.map((channel) => channel.label).join(", ") }) : gettext("No channel is connected yet, so that limits of channels are not checked.")}</p>
    </div>
  );
}
