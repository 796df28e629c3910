import { expect, test } from "vitest";

import {
  changedValues,
  type Draft,
  firstDraft,
  nearest,
  orderOf,
  problems,
  stops,
  withModel,
  withNumber,
  withPreset,
  withSettings,
} from "./draft";
import type { Choices, Hyperparameters } from "./queries";

const BALANCED: Hyperparameters = {
  learning_rate: 5e-5,
  batch_size: 4,
  epochs: 3,
  rank: 16,
  alpha: 32,
  dropout: 0.1,
  max_seq_length: 4096,
  method: "lora",
  target_modules: ["all-linear"],
  evaluations_per_epoch: 0,
  early_stopping_patience: 2,
};
const model = (key: string, more: Partial<Choices["base_models"][number]> = {}) => ({
  key,
  hub_id: key,
  revision: "1",
  revision_verified: true,
  parameters: 7e9,
  context_length: 4096,
  chat_template: true,
  license: "apache-2.0",
  gated: false,
  local_only: false,
  target_modules: ["q_proj", "v_proj"],
  default: false,
  ...more,
});
const gpu = (key: string, price: number, more: Partial<Choices["gpu_types"][number]> = {}) => ({
  key,
  aliases: [],
  memory_gib: 80,
  counts: [1, 2],
  trainable: true,
  not_trainable: null,
  instances: [{ type: `ml.${key}`, gpus: 1, usd_per_hour: price, price_source: "published" }],
  ...more,
});
const CHOICES: Choices = {
  base_models: [model("other"), model("seven", { default: true })],
  gpu_types: [
    gpu("dear", 30),
    gpu("old", 1, { trainable: false }),
    gpu("small", 2, { memory_gib: 16 }),
    gpu("fair", 8),
    gpu("this-cpu", 0.4, { aliases: ["cpu"], counts: [1] }),
  ],
  presets: [
    { id: "fast", default: false, hyperparameters: { ...BALANCED, epochs: 1, rank: 8, alpha: 16 } },
    { id: "balanced", default: true, hyperparameters: BALANCED },
    { id: "custom", default: false, hyperparameters: null },
  ],
  ranges: { epochs: { lowest: 1, highest: 20 }, learning_rate: { lowest: 1e-5, highest: 1e-3 } },
  price_date: "2026-11-21",
  price_region: "us-east-1",
};
const LOCAL = {
  ...CHOICES,
  base_models: [...CHOICES.base_models, model("tiny", { local_only: true })],
};
const drafted = (choices = CHOICES): Draft => firstDraft(choices, "dataset");

test("a draft begins with the defaults, on the cheapest machine that can train the model", () => {
  const draft = drafted();
  expect(draft).toMatchObject({ baseModel: "seven", presetId: "balanced" });
  expect(draft.gpu).toEqual({ type: "fair", count: 1 });
  expect(changedValues(draft, CHOICES)).toEqual([]);
});

test("a local system begins with its own model, its CPU and the rate that moves such a model", () => {
  const draft = drafted(LOCAL);
  expect(draft).toMatchObject({ baseModel: "tiny", gpu: { type: "this-cpu", count: 1 } });
  expect(draft.values.learning_rate).toBe(1e-3);
  const fast = withPreset(draft, LOCAL, "fast");
  expect(fast.values).toMatchObject({ epochs: 1, learning_rate: 1e-3 });
});

test("a model that needs another kind of machine changes the machine and the rate, nothing else", () => {
  const local = withNumber(drafted(LOCAL), "epochs", 7);
  const remote = withModel(local, LOCAL, "seven");
  expect(remote.gpu).toEqual({ type: "fair", count: 1 });
  expect(remote.values).toMatchObject({ epochs: 7, learning_rate: 5e-5 });
  const chosen = { ...remote, gpu: { type: "dear", count: 2 } };
  expect(withModel(chosen, LOCAL, "other").gpu).toEqual({ type: "dear", count: 2 });
});

test("alpha keeps its proportion to the rank", () => {
  expect(withNumber(drafted(), "rank", 64).values.alpha).toBe(128);
  expect(withNumber(drafted(), "alpha", 16).values.rank).toBe(16);
});

test("a number outside of the API's range or missing is told, and nothing is ordered", () => {
  const high = withNumber(drafted(), "epochs", 21);
  expect(problems(high, CHOICES)).toEqual({ epochs: "From 1 to 20." });
  expect(orderOf(high, CHOICES)).toBeNull();
  const empty = withNumber(drafted(), "epochs", null);
  expect(problems(empty, CHOICES).epochs).toBe("Enter a number.");
  expect(orderOf({ ...drafted(), datasetId: "" }, CHOICES)).toBeNull();
});

test("an order names every hyperparameter, so that the server completes none", () => {
  const order = orderOf({ ...withNumber(drafted(), "rank", 8), name: "  " }, CHOICES);
  expect(order).toMatchObject({ preset_id: "balanced", name: null, max_cost_usd: null });
  expect(order?.hyperparameters).toEqual({ ...BALANCED, rank: 8, alpha: 16 });
});

test("an alternative of an estimate is taken over", () => {
  const draft = drafted();
  expect(withSettings(draft, { use_spot: true }).spot).toBe(true);
  expect(withSettings(draft, { gpu_config: { type: "dear", count: 2 } }).gpu.count).toBe(2);
  const smaller = withSettings(draft, { hyperparameters: { method: "qlora" } });
  expect(smaller.values).toMatchObject({ method: "qlora", epochs: 3 });
});

test("a slider stops at values that people use, from the lowest to the highest", () => {
  expect(stops("learning_rate", 1e-5, 1e-3)).toEqual([
    1e-5, 2e-5, 3e-5, 5e-5, 7e-5, 1e-4, 2e-4, 3e-4, 5e-4, 7e-4, 1e-3,
  ]);
  expect(stops("rank", 4, 128)).toEqual([4, 8, 16, 32, 64, 128]);
  expect(stops("dropout", 0, 0.2)).toEqual([0, 0.05, 0.1, 0.15, 0.2]);
  expect(stops("epochs", 1, 4)).toEqual([1, 2, 3, 4]);
  expect(nearest([4, 8, 16], 7)).toBe(1);
});
