import { useQuery } from "@tanstack/react-query";

import { count, significant } from "@/ui/format";
import { type Line, LineChart } from "@/ui/LineChart";
import { Card } from "@/ui/Page";
import { Empty, Loaded } from "@/ui/states";

import { type Curves, curvesOf } from "./curves";
import { metricsQuery } from "./queries";

interface Chart {
  title: string;
  lines: (curves: Curves) => Line[];
  format: (value: number) => string;
}

/** "5e-5"; rates of one axis in one form. */
const scientific = (value: number) =>
  value === 0 ? "0" : Number(value.toPrecision(3)).toExponential();

const CHARTS: Chart[] = [
  {
    title: "Loss",
    lines: (curves) => [
      { label: "Training", color: "accent", values: curves.training_loss },
      { label: "Held out", color: "warn", values: curves.validation_loss },
    ],
    format: (value) => significant(value, 4),
  },
  {
    title: "Learning rate",
    lines: (curves) => [{ label: "Rate", color: "accent", values: curves.learning_rate }],
    format: scientific,
  },
  {
    title: "Gradient norm",
    lines: (curves) => [{ label: "Norm", color: "accent", values: curves.gradient_norm }],
    format: (value) => significant(value),
  },
  {
    title: "Throughput",
    lines: (curves) => [{ label: "Tokens a second", color: "accent", values: curves.throughput }],
    format: (value) => count(Math.round(value)),
  },
];

/** The curves of a run, step by step, while it runs. */
export function TrainingCurves({ jobId, active }: { jobId: string; active: boolean }) {
  const metrics = useQuery(metricsQuery(jobId, active));
  return (
    <Card title="Curves">
      <Loaded query={metrics} rows={12}>
        {(points) => {
          if (points.length === 0) {
            return (
              <Empty title={active ? "No step is measured yet" : "No step was measured"}>
                {active && <p className="text-muted">The curves begin with the first step.</p>}
              </Empty>
            );
          }
          const curves = curvesOf(points);
          return (
            <div className="grid md:grid-cols-2">
              {CHARTS.map((chart) => (
                <LineChart
                  key={chart.title}
                  title={chart.title}
                  xLabel="Step"
                  xs={curves.steps}
                  lines={chart.lines(curves)}
                  format={chart.format}
                />
              ))}
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}
