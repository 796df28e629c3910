/** An order of a training while it is filled in; every limit comes from the API's choices. */
import type { Choices, Hyperparameters, TrainingOrder } from "./queries";

export const NUMBERS = [
  "epochs",
  "learning_rate",
  "batch_size",
  "rank",
  "alpha",
  "dropout",
  "max_seq_length",
  "evaluations_per_epoch",
  "early_stopping_patience",
] as const;
export type NumberName = (typeof NUMBERS)[number];
export const METHODS = ["lora", "rslora", "qlora"] as const;
export const ALL_LINEAR = "all-linear";

export interface Draft {
  datasetId: string;
  name: string;
  baseModel: string;
  gpu: { type: string; count: number };
  presetId: TrainingOrder["preset_id"] & string;
  /** A number that is being typed, and is none yet, is null. */
  values: Record<NumberName, number | null> & { method: string; target_modules: string[] };
  spot: boolean;
  /** US dollars; null without a cap. */
  cap: number | null;
  allowSimulated: boolean;
}

/** The first draft: a local system trains its own tiny model on its CPU, as the command line does. */
export function firstDraft(choices: Choices, datasetId: string): Draft {
  const model =
    choices.base_models.find((one) => one.local_only) ??
    choices.base_models.find((one) => one.default);
  const preset = choices.presets.find((one) => one.default);
  const draft = {
    datasetId,
    name: "",
    baseModel: model?.key ?? "",
    gpu: { type: "", count: 1 },
    presetId: preset?.id ?? "",
    values: {} as Draft["values"],
    spot: false,
    cap: null,
    allowSimulated: false,
  };
  return withModel(withPreset(draft, choices, draft.presetId), choices, draft.baseModel);
}

/** The preset's values; a local model is so small that only the highest learning rate moves it. */
export function withPreset(draft: Draft, choices: Choices, presetId: string): Draft {
  const values = presetValues(choices, presetId);
  if (values === null) return draft;
  const learningRate = isLocal(choices, draft.baseModel)
    ? (choices.ranges.learning_rate?.highest ?? values.learning_rate)
    : values.learning_rate;
  return { ...draft, presetId, values: { ...values, learning_rate: learningRate } };
}

/** Another base model, with GPUs that can train it and modules that it has. */
export function withModel(draft: Draft, choices: Choices, baseModel: string): Draft {
  const next = { ...draft, baseModel };
  next.values = { ...draft.values, target_modules: [ALL_LINEAR] };
  const before = isLocal(choices, draft.baseModel);
  const isSuited = before === isLocal(choices, baseModel) && draft.gpu.type !== "";
  if (isSuited) return next;
  next.gpu = { type: suitedGpu(choices, baseModel), count: 1 };
  const preset = withPreset(next, choices, draft.presetId);
  return { ...next, values: { ...next.values, learning_rate: preset.values.learning_rate } };
}

/** Another rank; alpha stays in its proportion, with which the learning rate still suits. */
export function withNumber(draft: Draft, name: NumberName, value: number | null): Draft {
  const { rank, alpha } = draft.values;
  const values = { ...draft.values, [name]: value };
  if (name === "rank" && value !== null && rank && alpha) {
    values.alpha = Math.max(1, Math.round((value * alpha) / rank));
  }
  return { ...draft, values };
}

/** The change that an alternative of an estimate names. */
export function withSettings(draft: Draft, settings: Record<string, unknown>): Draft {
  const gpu = (settings.gpu_config ?? draft.gpu) as Draft["gpu"];
  const changed = (settings.hyperparameters ?? {}) as Partial<Draft["values"]>;
  const spot = typeof settings.use_spot === "boolean" ? settings.use_spot : draft.spot;
  return { ...draft, gpu, spot, values: { ...draft.values, ...changed } };
}

/** What of the preset was changed. */
export function changedValues(draft: Draft, choices: Choices): (keyof Hyperparameters)[] {
  const preset = presetValues(choices, draft.presetId);
  if (preset === null) return [];
  const names = Object.keys(preset) as (keyof Hyperparameters)[];
  return names.filter((name) => String(draft.values[name]) !== String(preset[name]));
}

/** What is wrong with the numbers, by name. */
export function problems(draft: Draft, choices: Choices): Partial<Record<NumberName, string>> {
  const found: Partial<Record<NumberName, string>> = {};
  for (const name of NUMBERS) {
    const value = draft.values[name];
    const range = choices.ranges[name];
    if (value === null) found[name] = "Enter a number.";
    else if (range && (value < range.lowest || value > range.highest)) {
      found[name] = `From ${range.lowest} to ${range.highest}.`;
    }
  }
  return found;
}

/** The order, or null while something is missing or wrong. */
export function orderOf(draft: Draft, choices: Choices): TrainingOrder | null {
  if (!draft.datasetId || Object.keys(problems(draft, choices)).length > 0) return null;
  return {
    dataset_id: draft.datasetId,
    name: draft.name.trim() || null,
    base_model: draft.baseModel,
    preset_id: draft.presetId,
    gpu_config: draft.gpu,
    hyperparameters: draft.values as Partial<Hyperparameters>,
    max_cost_usd: draft.cap,
    use_spot: draft.spot,
    allow_simulated: draft.allowSimulated,
  } as TrainingOrder;
}

/** The values at which a slider stops; a number between them can be typed. */
export function stops(name: NumberName, lowest: number, highest: number): number[] {
  if (name === "learning_rate") return decades(lowest, highest);
  if (name === "dropout") return steps(lowest, highest, 0.05);
  const isLinear =
    name === "epochs" || name === "evaluations_per_epoch" || name === "early_stopping_patience";
  return isLinear ? steps(lowest, highest, 1) : doublings(lowest, highest);
}

/** The stop nearest to a value. */
export function nearest(all: readonly number[], value: number): number {
  let best = 0;
  all.forEach((stop, index) => {
    if (Math.abs(stop - value) < Math.abs((all[best] as number) - value)) best = index;
  });
  return best;
}

export const isLocal = (choices: Choices, baseModel: string) =>
  choices.base_models.find((one) => one.key === baseModel)?.local_only ?? false;

/** Whether a GPU type is the CPU of this machine, on which only local models are trained. */
export const isCpu = (gpu: Choices["gpu_types"][number]) => gpu.aliases.includes("cpu");

const ROOM_FOR_WEIGHTS = 0.6;

function suitedGpu(choices: Choices, baseModel: string): string {
  const wantsCpu = isLocal(choices, baseModel);
  const suited = choices.gpu_types.filter((one) => one.trainable && isCpu(one) === wantsCpu);
  const cheapest = (gpu: (typeof suited)[number]) =>
    Math.min(...gpu.instances.map((one) => one.usd_per_hour));
  const cheapestFirst = suited.sort((a, b) => cheapest(a) - cheapest(b));
  // LoRA keeps the whole base model in bf16, 2 bytes a weight, and needs room beside it.
  const weights = 2 * (choices.base_models.find((one) => one.key === baseModel)?.parameters ?? 0);
  const roomy = cheapestFirst.find((gpu) => weights < ROOM_FOR_WEIGHTS * gpu.memory_gib * 2 ** 30);
  const most = Math.max(...suited.map((gpu) => gpu.memory_gib));
  return (roomy ?? cheapestFirst.find((gpu) => gpu.memory_gib === most))?.key ?? "";
}

const presetValues = (choices: Choices, presetId: string) =>
  choices.presets.find((one) => one.id === presetId)?.hyperparameters ?? null;

const within = (values: number[], lowest: number, highest: number) => [
  lowest,
  ...values.filter((value) => value > lowest && value < highest),
  highest,
];

function decades(lowest: number, highest: number): number[] {
  const values: number[] = [];
  for (let power = Math.floor(Math.log10(lowest)); 10 ** power < highest; power += 1) {
    values.push(...[1, 2, 3, 5, 7].map((digit) => Number(`${digit}e${power}`)));
  }
  return within(values, lowest, highest);
}

function doublings(lowest: number, highest: number): number[] {
  const values: number[] = [];
  for (let value = 1; value < highest; value *= 2) values.push(value);
  return within(values, lowest, highest);
}

function steps(lowest: number, highest: number, step: number): number[] {
  const number = Math.round((highest - lowest) / step);
  return Array.from({ length: number + 1 }, (_, index) =>
    Number((lowest + index * step).toPrecision(6)),
  );
}
