// made by python -m downslope.lab.messages from the Python values

export type Asked = Choose | Open | Setup | Play | Pause | Renew | GoTo | Pace | Walk | Look | Measure | FindRate | Diagnose | Draw | Count | OpenTest | Ready;
export type Sent = Scene | Frame | Notice | Told | Looked | Layers | Rated | Findings | Relief | Counted | Tested;

export interface LayerShape {
  name: string;
  text: string;
  shape: Array<number>;
  activation: string;
  numbers: number;
}

export interface Plane {
  left: number;
  right: number;
  bottom: number;
  top: number;
  side: number;
}

export interface OneFactor {
  symbol: string;
  words: string;
  value: string;
  how: string;
}

export interface OneProduct {
  factors: Array<OneFactor>;
  value: string;
}

export interface OneSum {
  symbol: string;
  terms: Array<OneProduct>;
  count: number;
  rest: string;
  value: string;
}

export interface FoundOne {
  cause: string;
  level: string;
  where: string;
  seen: string;
  means: string;
  change: Record<string, string>;
  proof: string;
}

export interface Choose {
  do: "choose";
  data: string;
  target?: string | null;
}

export interface Open {
  do: "open";
  run: string;
}

export interface Setup {
  do: "setup";
  network?: string | null;
  optimizer?: string | null;
  learning_rate?: number | null;
  schedule?: string | null;
  batch_size?: number | "full" | null;
  epochs?: number | null;
  weight_decay?: number | null;
  seed?: number | null;
}

export interface Play {
  do: "play";
  steps?: number | null;
  epochs?: number | null;
}

export interface Pause {
  do: "pause";
}

export interface Renew {
  do: "renew";
}

export interface GoTo {
  do: "goto";
  step: number;
}

export interface Pace {
  do: "pace";
  steps: number;
}

export interface Walk {
  do: "walk";
  sample?: number | null;
}

export interface Look {
  do: "look";
  layer?: number | null;
  unit?: number;
  weight?: string | null;
  sample?: number | null;
  gradients?: boolean;
}

export interface Measure {
  do: "layers";
  points?: number;
}

export interface FindRate {
  do: "rate";
  seconds?: number;
}

export interface Diagnose {
  do: "diagnose";
  seconds?: number;
}

export interface Draw {
  do: "draw";
  points?: number;
}

export interface Count {
  do: "count";
  photo: string;
}

export interface OpenTest {
  do: "test";
}

export interface Ready {
  do: "ready";
}

export interface Scene {
  kind: "scene";
  session: string;
  place: string;
  data: string;
  source: string;
  task: string;
  inputs: Array<string>;
  input_shape: Array<number>;
  classes: Array<string>;
  targets: Array<string>;
  sizes: Record<string, number>;
  findings: Array<string>;
  network: string;
  layers: Array<LayerShape>;
  settings: Record<string, string | number>;
  loss: string;
  metrics: Array<string>;
  baseline: Record<string, number>;
  steps: number;
  steps_per_epoch: number;
  folder: string;
  command: string;
  python: string;
  choices: Record<string, Array<string>>;
  counts_people: boolean;
  image: [number, number, number] | null;
  plane: Plane | null;
  arrays: Array<[string, Array<number>]>;
}

export interface Frame {
  kind: "frame";
  state: "new" | "training" | "paused" | "ended" | "watched";
  step: number;
  at: number;
  epoch: number;
  seconds: number;
  losses_from: number;
  rows_from: number;
  message: string;
  branches: boolean;
  arrays: Array<[string, Array<number>]>;
}

export interface Notice {
  kind: "notice";
  text: string;
  level: "error" | "note" | "working" | "page";
  arrays: Array<[string, Array<number>]>;
}

export interface Told {
  kind: "told";
  step: number;
  sample: number;
  title: string;
  parts: Array<[string, string]>;
  short: Array<string>;
  arrays: Array<[string, Array<number>]>;
}

export interface Looked {
  kind: "looked";
  at: number;
  sample: number;
  target: string;
  loss: string;
  layer: number;
  unit: number;
  title: string;
  rows: Array<[string, string, string, string, string]>;
  others: [number, string];
  numbers: Array<[string, string]>;
  worked_out: Array<string>;
  weight: string;
  value: string;
  gradient: string;
  chain: Array<OneSum>;
  arrays: Array<[string, Array<number>]>;
}

export interface Layers {
  kind: "layers";
  text: string;
  names: Array<string>;
  arrays: Array<[string, Array<number>]>;
}

export interface Rated {
  kind: "rated";
  text: string;
  learning_rate: number;
  low: number;
  high: number;
  overshoots: number | null;
  too_slow: number | null;
  start_loss: number;
  loss: string;
  proof: Array<[string, number]>;
  arrays: Array<[string, Array<number>]>;
}

export interface Findings {
  kind: "findings";
  title: string;
  findings: Array<FoundOne>;
  arrays: Array<[string, Array<number>]>;
}

export interface Relief {
  kind: "relief";
  text: string;
  loss: string;
  arrays: Array<[string, Array<number>]>;
}

export interface Counted {
  kind: "counted";
  photo: string;
  people: number;
  note: string;
  arrays: Array<[string, Array<number>]>;
}

export interface Tested {
  kind: "tested";
  text: Array<string>;
  arrays: Array<[string, Array<number>]>;
}
