// The mark of a block in its corner: a symbol and a few letters on the mark's colour.
import type { CSSProperties } from "react";
import type { Mark } from "./marks.ts";

/** What a block in any detail takes as its style: `--fb-mark` to be filled with, `--fb-mark-ink` to write on it. */
export const markStyle = (mark: Mark | null): CSSProperties | undefined => (mark ? ({ "--fb-mark": mark.colour, "--fb-mark-ink": mark.ink } as CSSProperties) : undefined);

export function BlockBadge({ mark }: { mark: Mark }) {
  return (
    <span className="fb-mark" title={mark.title}>
      <span className="material-symbols-outlined" aria-hidden="true">{mark.icon}</span>
      <span>{mark.label}</span>
    </span>
  );
}
