import { expect, test } from "vitest";

import { curvesOf } from "./curves";
import type { MetricsPoint } from "./queries";

const point = (step: number, more: Partial<MetricsPoint>): MetricsPoint => ({
  sequence: 0,
  timestamp: "",
  stage: "training",
  epoch: 0,
  step,
  total_steps: 3,
  training_loss: null,
  validation_loss: null,
  learning_rate: null,
  gradient_norm: null,
  throughput: null,
  gpu_utilization: null,
  ...more,
});

test("training and validation of one step share its place", () => {
  const curves = curvesOf([
    point(0, { validation_loss: 9 }),
    point(1, { training_loss: 8 }),
    point(2, { training_loss: 7 }),
    point(2, { validation_loss: 7.5 }),
  ]);
  expect(curves.steps).toEqual([0, 1, 2]);
  expect(curves.training_loss).toEqual([null, 8, 7]);
  expect(curves.validation_loss).toEqual([9, null, 7.5]);
});

test("steps that were repeated after an interruption count as measured last, in order", () => {
  const curves = curvesOf([
    point(1, { training_loss: 8 }),
    point(2, { training_loss: 7 }),
    point(3, { training_loss: 6 }),
    point(2, { training_loss: 7.1 }),
  ]);
  expect(curves.steps).toEqual([1, 2, 3]);
  expect(curves.training_loss).toEqual([8, 7.1, 6]);
});
