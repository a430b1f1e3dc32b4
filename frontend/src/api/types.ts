// Made from the OpenAPI schema by `python -m tools.api_types`; do not edit.

export type ActionKind = {
  kind: string;
  label: string;
  help: string;
  schema: Record<string, unknown>;
  exits: Array<Exit>;
};

export type BlankEnum = "";

export type BlockFigures = {
  visits: number;
  people: number;
  left: number;
  ended: number;
  waiting: number;
  /** The dialogue is over, and nobody went on from here. */
  dropped: number;
  errors: number;
  median_seconds: number | null;
  p95_seconds: number | null;
  /** Share of the visits, 0 to 1. */
  drop_off: number;
  /** Share of the visits, 0 to 1. */
  error_rate: number;
  node: string;
  title: string;
  kind: string;
};

export type BlockKind = {
  kind: string;
  label: string;
  help: string;
  icon: string;
  group: string;
  /** “section”: begins a section, “entry”: has an alias, else empty. */
  begins: string;
  /** JSON Schema of the parameters. */
  schema: Record<string, unknown>;
  /** Those of a new block; afterwards the check tells them. */
  exits: Array<Exit>;
};

export type BuilderMetadata = {
  groups: Array<Group>;
  blocks: Array<BlockKind>;
  actions: Array<ActionKind>;
  operators: Array<Operator>;
  filters: Array<Filter>;
  names: Array<Name>;
  files: Array<string>;
  channels: Array<ChannelLimits>;
  /** JSON Schema of everything outside blocks. */
  definition_schema: Record<string, unknown>;
};

export type ChangedEdge = {
  node: string;
  exit: string;
  old: string | null;
  new: string | null;
};

export type ChangedField = {
  path: string;
  label: string;
  old: string | null;
  new: string | null;
};

export type ChangedPlace = {
  kind: ChangedPlaceKindEnum;
  /** In words: section, block and kind. */
  place: string;
  node: string;
  fields: Array<ChangedField>;
};

export type ChangedPlaceKindEnum = "added" | "changed" | "removed";

export type ChannelLimits = {
  kind: string;
  label: string;
  inline_buttons: number;
  reply_buttons: number;
  buttons_per_row: number;
  label_chars: number;
  text_chars: number;
  media: Array<string>;
};

export type ComparedEnum = "base" | "yours";

export type Conflict = {
  detail: string;
  theirs: Draft;
  /** Who has saved since, the newest first. */
  saves: Array<Save>;
  /** With what theirs was compared: with the common ground, or, when it is not known, with yours.

* `base` - base
* `yours` - yours */
  compared: ComparedEnum;
  /** What they have changed, in words. */
  changes: Array<ChangedPlace>;
  /** What you have changed; empty when the common ground is not known. */
  yours: Array<ChangedPlace>;
  /** What both have changed and not alike: blocks by id, all else by its place in words. */
  collides: Array<string>;
};

export type Differences = {
  success: boolean;
  trace_id: string;
  /** Number of a version, or “draft”. */
  old: string;
  new: string;
  nodes: Record<string, "added" | "changed" | "removed">;
  edges: Array<ChangedEdge>;
  changes: Array<ChangedPlace>;
  /** Blocks that only lie elsewhere on the canvas. */
  moved: Array<string>;
  /** Both sides themselves, when the address asks for them. */
  drawn: Drawn | null;
};

export type DocumentRequest = {
  definition: Record<string, unknown>;
  layout: Record<string, unknown>;
};

export type Draft = {
  id: number;
  name: string;
  key: string;
  bot: string;
  /** Also the ETag; give it back as If-Match. */
  revision: number;
  definition: Record<string, unknown>;
  layout: Record<string, unknown>;
  saved_at: string;
  saved_by: string;
  /** Number of the version that runs. */
  published: number | null;
  /** Whether the draft differs from the version that runs. */
  differs: boolean;
  may_edit: boolean;
};

export type DraftSaveRequest = {
  definition: Record<string, unknown>;
  layout: Record<string, unknown>;
  /** The draft as it was read; with it a refusal can tell what each side has changed since, and where both have. */
  base?: DocumentRequest;
};

export type Drawn = {
  old: DrawnSide;
  new: DrawnSide;
};

export type DrawnSide = {
  definition: Record<string, unknown>;
  layout: Record<string, unknown>;
};

export type Error = {
  success?: boolean;
  message: string;
  /** The chain of this request in the event log; also in the header X-Trace-Id. */
  trace_id: string;
  /** already_linked, bad_json, bad_request, dry_run_only, endpoint_misconfigured, endpoint_not_found, forbidden, forged, internal_error, invalid_definition, invalid_record, invalid_signature, invalid_token, key_reused, method_not_allowed, no_longer_awaited, not_allowed, not_found, not_json, not_published, not_signed_in, precondition_required, rate_limited, recipient_not_found, recipient_required, recipient_unreachable, record_in_use, replayed, schema_mismatch, script_error, stale, too_large, too_slow, unavailable, version_conflict */
  code: string;
  errors?: Array<Record<string, unknown>>;
};

export type Exit = {
  name: string;
  label: string;
  failure: boolean;
  required: boolean;
  waits: boolean;
  /** Where it goes by itself; then it is not drawn.

* `` - 
* `section` - section
* `caller` - caller */
  leads: LeadsEnum | BlankEnum;
  section: string;
  entry: string;
};

export type ExitFigures = {
  visits: number;
  people: number;
  left: number;
  ended: number;
  waiting: number;
  /** The dialogue is over, and nobody went on from here. */
  dropped: number;
  errors: number;
  median_seconds: number | null;
  p95_seconds: number | null;
  /** Share of the visits, 0 to 1. */
  drop_off: number;
  /** Share of the visits, 0 to 1. */
  error_rate: number;
  node: string;
  exit: string;
  /** Where it led in the version on which each dialogue ran, the most frequent first. */
  to: Array<Way>;
};

export type FateEnum = "left" | "ended" | "waiting" | "dropped";

export type Figures = {
  success: boolean;
  trace_id: string;
  nodes: Array<BlockFigures>;
  edges: Array<ExitFigures>;
  versions: Array<number>;
  languages: Array<string>;
};

export type Filter = {
  name: string;
  example: string;
  help: string;
};

export type Group = {
  name: string;
  label: string;
};

export type LeadsEnum = "section" | "caller";

export type LevelEnum = "error" | "warning";

export type Lint = {
  problems: Array<Problem>;
  nodes: Record<string, NodeFacts>;
};

export type LintRequestRequest = {
  definition: unknown;
};

export type Name = {
  name: string;
  kind: NameKindEnum;
  help: string;
};

export type NameKindEnum = "system" | "person" | "constant" | "setting";

export type NodeFacts = {
  exits: Array<Exit>;
  /** Variables that the block sets; “*” when only the run can tell. */
  sets: Array<string>;
};

export type Operator = {
  name: string;
  label: string;
  /** How many values stand on the right: none, one, two, list. */
  takes: string;
};

export type Other = {
  window: string;
  name: string;
  mine: boolean;
  node: string;
};

export type Presence = {
  revision: number;
  others: Array<Other>;
};

export type PresenceRequestRequest = {
  window: string;
  node?: string;
  leave?: boolean;
};

export type Problem = {
  level: LevelEnum;
  code: string;
  message: string;
  section: string;
  node: string;
  /** Path of the parameter, such as params.buttons.0.1.label or exits.next. */
  field: string;
};

export type Save = {
  /** Empty when a program saved. */
  by: string;
  at: string;
};

export type Visit = {
  session: number;
  /** Which visit of a block in that session. */
  visit: number;
  at: string;
  person: number;
  /** Null without the right to see people of the bot. */
  name: string | null;
  version: number;
  fate: FateEnum;
  seconds: number | null;
  failed: boolean;
  exit: string;
  /** How many of the counted visits are this person's. */
  visits: number;
  /** The conversation at that moment; empty when the reader may not open it. */
  transcript: string;
  session_page: string;
  /** This visit in the trace. */
  way: string;
};

export type Visits = {
  success: boolean;
  trace_id: string;
  visits: Array<Visit>;
  page: number;
  more: boolean;
};

export type Way = {
  /** Empty: to no block that is connected, such as another section. */
  node: string;
  visits: number;
};
