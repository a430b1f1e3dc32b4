// What every canvas of the page has in common, whether people edit on it or only look.
import { gettext } from "../texts.ts";

/** From so many blocks on only those in view are drawn. */
export const MANY = 80;

export const colourMode = (): "dark" | "light" => (document.documentElement.classList.contains("dark") ? "dark" : "light");

let words: Record<string, string> | null = null;

/** The same object each time: a canvas that is given another one draws everything anew. */
export function canvasWords(): Record<string, string> {
  words ??= {
    "controls.zoomIn.ariaLabel": gettext("Zoom in"), "controls.zoomOut.ariaLabel": gettext("Zoom out"), "controls.fitView.ariaLabel": gettext("Show everything"), "minimap.ariaLabel": gettext("Overview"),
  };
  return words;
}
