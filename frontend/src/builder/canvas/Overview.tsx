// The whole section in a corner. A press or drag brings that place into view, the wheel comes nearer. Drawn as a few paths, of which a moving
// canvas changes none: only the frame of what is seen moves.
import { Panel, useReactFlow, useStore } from "@xyflow/react";
import { useRef, type PointerEvent } from "react";
import { WIDTH } from "../model/arranging.ts";
import { gettext } from "../texts.ts";
import { tallness } from "./afar.tsx";
import type { CanvasNode } from "./drawing.ts";

const MARGIN = 0.06;
const NEARER = 0.002;

type Props = { nodes: readonly CanvasNode[]; nodeClassName: (node: CanvasNode) => string; nodeColor: (node: CanvasNode) => string };
type Box = { x: number; y: number; width: number; height: number };

export function Overview({ nodes, nodeClassName, nodeColor }: Props) {
  const flow = useReactFlow<CanvasNode>();
  const picture = useRef<SVGSVGElement>(null);
  const boxes = nodes.map(boxOf);
  const paths = new Map<string, { className: string; fill: string; path: string }>();
  nodes.forEach((node, index) => {
    const [className, fill] = [nodeClassName(node), nodeColor(node)];
    const found = paths.get(`${className} ${fill}`) ?? { className, fill, path: "" };
    const { x, y, width, height } = boxes[index] as Box;
    paths.set(`${className} ${fill}`, { ...found, path: `${found.path}M${x} ${y}h${width}v${height}h${-width}z` });
  });
  const look = (event: PointerEvent<SVGSVGElement>): void => {
    if (!event.buttons) return;
    const turned = picture.current?.getScreenCTM()?.inverse();
    if (!turned) return;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(turned);
    void flow.setCenter(x, y, { zoom: flow.getZoom() });
  };
  return (
    <Panel position="bottom-right" className="fb-overview">
      <svg ref={picture} viewBox={seen(boxes)} role="img" aria-label={gettext("Overview")}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          look(event);
        }}
        onPointerMove={look} onWheel={(event) => void flow.zoomTo(flow.getZoom() * 2 ** (-event.deltaY * NEARER))}>
        {[...paths].map(([key, { className, fill, path }]) => <path key={key} className={className} d={path} style={fill ? { fill } : {}} />)}
        <Frame />
      </svg>
    </Panel>
  );
}

/** What is seen of the section. */
function Frame() {
  const [x, y, zoom] = useStore((state) => state.transform);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  return <rect className="fb-overview-frame" x={-x / zoom} y={-y / zoom} width={width / zoom} height={height / zoom} />;
}

function boxOf(node: CanvasNode): Box {
  const size = node.type === "block" ? { width: WIDTH, height: tallness(node.data, node.measured?.height) } : { width: node.data.note.width, height: node.data.note.height };
  return { ...node.position, ...size };
}

function seen(boxes: readonly Box[]): string {
  if (!boxes.length) return `0 0 ${WIDTH} ${WIDTH}`;
  const [left, top] = [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
  const width = Math.max(...boxes.map((box) => box.x + box.width)) - left;
  const height = Math.max(...boxes.map((box) => box.y + box.height)) - top;
  return `${left - width * MARGIN} ${top - height * MARGIN} ${width * (1 + 2 * MARGIN)} ${height * (1 + 2 * MARGIN)}`;
}
