/** A job's metrics as curves over the steps of the run. */
import type { MetricsPoint } from "./queries";

const MEASURES = [
  "training_loss",
  "validation_loss",
  "learning_rate",
  "gradient_norm",
  "throughput",
] as const;
export type Measure = (typeof MEASURES)[number];

export interface Curves extends Record<Measure, (number | null)[]> {
  steps: number[];
}

/**
 * One value for each step and measure. A run that was interrupted repeats steps since its last
 * checkpoint: what it measured last counts. A step's training and validation are points of their own.
 */
export function curvesOf(points: readonly MetricsPoint[]): Curves {
  const bySteps = new Map<number, Partial<Record<Measure, number>>>();
  for (const point of points) {
    const known = bySteps.get(point.step) ?? {};
    for (const measure of MEASURES) {
      const value = point[measure];
      if (value !== null) known[measure] = value;
    }
    bySteps.set(point.step, known);
  }
  const steps = [...bySteps.keys()].sort((a, b) => a - b);
  const values = (measure: Measure) => steps.map((step) => bySteps.get(step)?.[measure] ?? null);
  return {
    steps,
    training_loss: values("training_loss"),
    validation_loss: values("validation_loss"),
    learning_rate: values("learning_rate"),
    gradient_norm: values("gradient_norm"),
    throughput: values("throughput"),
  };
}
