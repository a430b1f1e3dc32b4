// Made from the OpenAPI schema by `python -m tools.api_types`; do not edit.

export type ActionKind = {
  kind: string;
  label: string;
  help: string;
  schema: Record<string, unknown>;
  exits: Array<Exit>;
};

export type BlankEnum = "";

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

export type Conflict = {
  detail: string;
  theirs: Draft;
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

export type Filter = {
  name: string;
  example: string;
  help: string;
};

export type Group = {
  name: string;
  label: string;
};

export type KindEnum = "system" | "person" | "constant" | "setting";

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
  kind: KindEnum;
  help: string;
};

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
