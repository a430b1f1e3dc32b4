// The page: sections and palette on the left, the canvas, forms and problems on the right.
import { ReactFlowProvider, useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { Canvas } from "./canvas/Canvas.tsx";
import { DifferencesLayer } from "./overlay/Differences.tsx";
import { showSide, useFigures } from "./overlay/figures.ts";
import { FiguresPanel } from "./overlay/FiguresPanel.tsx";
import { openFromAddress } from "./overlay/opening.ts";
import { PeopleDialog } from "./overlay/People.tsx";
import { BlockForm } from "./panels/BlockForm.tsx";
import { ConflictDialog } from "./panels/ConflictDialog.tsx";
import { Help, PasteDialog, PublishDialog, Search, Toast } from "./panels/dialogs.tsx";
import { Palette } from "./panels/Palette.tsx";
import { Problems } from "./panels/Problems.tsx";
import { QuickAdd } from "./panels/QuickAdd.tsx";
import { Sections } from "./panels/Sections.tsx";
import { ScenarioForm, SectionForm } from "./panels/Settings.tsx";
import { Topbar } from "./panels/Topbar.tsx";
import { startKeys } from "./state/keys.ts";
import { set, useBuilder, type Panel } from "./state/store.ts";
import { gettext } from "./texts.ts";

export function App() {
  return (
    <ReactFlowProvider>
      <Page />
    </ReactFlowProvider>
  );
}

function Page() {
  const flow = useReactFlow();
  useEffect(
    () =>
      startKeys({
        center: () => {
          const box = document.querySelector(".react-flow")?.getBoundingClientRect();
          return flow.screenToFlowPosition({ x: (box?.left ?? 0) + (box?.width ?? 0) / 3, y: (box?.top ?? 0) + (box?.height ?? 0) / 3 });
        },
        fit: () => void flow.fitView({ padding: 0.15, maxZoom: 1, duration: 250 }),
      }),
    [flow],
  );
  useEffect(openFromAddress, []);
  return (
    <div className="fb-page">
      <Topbar />
      <aside className="fb-left">
        <Sections />
        <Palette />
      </aside>
      <main className="fb-canvas" aria-label={gettext("Canvas")}>
        <Canvas />
      </main>
      <aside className="fb-right">
        <Panels />
      </aside>
      <QuickAdd />
      <PeopleDialog />
      <DifferencesLayer />
      <ConflictDialog />
      <PublishDialog />
      <PasteDialog />
      <Search />
      <Help />
      <Toast />
    </div>
  );
}

function Panels() {
  const panel = useBuilder((state) => state.panel);
  const problems = useBuilder((state) => state.problems);
  const figures = useFigures((state) => state.on);
  const measured = useFigures((state) => state.side);
  const errors = problems.filter((problem) => problem.level === "error").length;
  const tab = (name: Panel, label: string, badge = 0) => (
    <button key={name} type="button" role="tab" aria-selected={!measured && panel === name} onClick={() => {
      showSide(false);
      set({ panel: name, field: "" });
    }}>
      {label}
      {badge ? <span className={`fb-badge fb-${errors ? "error" : "warning"}`}>{badge}</span> : null}
    </button>
  );
  return (
    <>
      <nav className="fb-panels" role="tablist">
        {figures ? <button type="button" role="tab" aria-selected={measured} onClick={() => showSide(true)}>{gettext("Figures")}</button> : null}
        {tab("block", gettext("Block"))}
        {tab("problems", gettext("Problems"), problems.length)}
        {tab("section", gettext("Section"))}
        {tab("scenario", gettext("Scenario"))}
      </nav>
      <div className="fb-panel" role="tabpanel">
        {measured ? <FiguresPanel /> : panel === "block" ? <BlockForm /> : panel === "problems" ? <Problems /> : panel === "section" ? <SectionForm /> : <ScenarioForm />}
      </div>
    </>
  );
}
