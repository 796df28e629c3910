import { useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import UPlot from "uplot";

import "uplot/dist/uPlot.min.css";

import { count } from "./format";
import { Table, Td, Th } from "./Table";

export interface Line {
  label: string;
  /** A token of styles.css, without its dashes. */
  color: "accent" | "warn" | "good" | "bad" | "muted";
  /** One value for each x; null where nothing was measured. */
  values: readonly (number | null)[];
}

const HEIGHT = 176;
const MOST_ROWS = 50;

/** Curves over a common x, with the values at the cursor, a sentence for each curve and a table. */
export function LineChart({
  title,
  xLabel,
  xs,
  lines,
  format,
}: {
  title: string;
  xLabel: string;
  xs: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
}) {
  const id = useId();
  const [cursor, setCursor] = useState<number | null>(null);
  const shown = cursor !== null && cursor < xs.length ? cursor : null;
  return (
    <figure className="min-w-0 p-4" aria-labelledby={`${id}-title`}>
      <figcaption className="flex flex-wrap items-baseline justify-between gap-x-4 text-sm">
        <span id={`${id}-title`} className="font-semibold">
          {title}
        </span>
        <span className="flex flex-wrap gap-x-4 text-xs text-muted tabular-nums">
          <span>
            {xLabel} {count(xs[shown ?? xs.length - 1] ?? 0)}
          </span>
          {lines.map((line) => (
            <span key={line.label} className="flex items-center gap-1.5">
              <Swatch color={line.color} />
              {line.label} {valueText(line, shown, format)}
            </span>
          ))}
        </span>
      </figcaption>
      <Plot
        summary={lines.map((line) => summary(line, xs, xLabel, format)).join(" ")}
        xs={xs}
        lines={lines}
        format={format}
        onCursor={setCursor}
      />
      <Values caption={`${title}, values`} xLabel={xLabel} xs={xs} lines={lines} format={format} />
    </figure>
  );
}

const SWATCHES: Record<Line["color"], string> = {
  accent: "bg-accent",
  warn: "bg-warn",
  good: "bg-good",
  bad: "bg-bad",
  muted: "bg-muted",
};

const Swatch = ({ color }: { color: Line["color"] }) => (
  <span aria-hidden className={`inline-block h-0.5 w-3 ${SWATCHES[color]}`} />
);

/** The value at the cursor; without a cursor, the last one that was measured. */
function valueText(line: Line, at: number | null, format: (value: number) => string): string {
  const value = at === null ? line.values.findLast((one) => one !== null) : line.values[at];
  return value === null || value === undefined ? "–" : format(value);
}

/** A curve in a sentence: where it begins and ends, and its extremes. */
export function summary(
  line: Line,
  xs: readonly number[],
  xLabel: string,
  format: (value: number) => string,
): string {
  const measured = line.values.flatMap((value, index) =>
    value === null ? [] : [{ value, x: xs[index] as number }],
  );
  const [first, last] = [measured[0], measured.at(-1)];
  if (!first || !last) return `${line.label}: nothing is measured yet.`;
  const values = measured.map((one) => one.value);
  const unit = xLabel.toLowerCase();
  return (
    `${line.label}: ${format(first.value)} at ${unit} ${first.x}, ${format(last.value)} at ` +
    `${unit} ${last.x}; lowest ${format(Math.min(...values))}, ` +
    `highest ${format(Math.max(...values))}.`
  );
}

function Plot({
  summary: label,
  xs,
  lines,
  format,
  onCursor,
}: {
  summary: string;
  xs: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
  onCursor: (index: number | null) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const theme = useThemeName();
  const look = lines.map(({ label: name, color }) => `${name}:${color}`).join();
  const data = [xs, ...lines.map((line) => line.values)] as UPlot.AlignedData;
  const latest = useRef({ data, format, onCursor, lines });
  useEffect(() => {
    latest.current = { data, format, onCursor, lines };
    plot.current?.setData(data);
  });
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const made = new UPlot(options(element.clientWidth, latest), latest.current.data, element);
    plot.current = made;
    const resized = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme, look]);
  return <div ref={place} role="img" aria-label={label} className="mt-2 h-44 overflow-hidden" />;
}

interface Latest {
  current: {
    format: (value: number) => string;
    onCursor: (index: number | null) => void;
    lines: readonly Line[];
  };
}

function options(width: number, latest: Latest): UPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (token: string) => style.getPropertyValue(`--${token}`).trim();
  const axis = {
    stroke: color("muted"),
    grid: { stroke: color("line"), width: 1 },
    ticks: { stroke: color("line"), width: 1, size: 4 },
    font: `11px ${style.getPropertyValue("--font-sans") || "sans-serif"}`,
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false } },
    axes: [
      {
        ...axis,
        size: 28,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5],
        space: 60,
      },
      { ...axis, size: 52, values: (_, ticks) => ticks.map((one) => latest.current.format(one)) },
    ],
    series: [
      {},
      ...latest.current.lines.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: 1.75,
        spanGaps: true,
        points: { size: 5, fill: color("surface") },
      })),
    ],
    hooks: { setCursor: [({ cursor }) => latest.current.onCursor(cursor.idx ?? null)] },
  };
}

/** The values as a table, thinned where they are many. */
function Values({
  caption,
  xLabel,
  xs,
  lines,
  format,
}: {
  caption: string;
  xLabel: string;
  xs: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
}) {
  const every = Math.ceil(xs.length / MOST_ROWS) || 1;
  return (
    <details className="mt-1 text-xs">
      <summary className="cursor-pointer text-muted">
        Values{every > 1 && `, each ${every}th`}
      </summary>
      <Table
        caption={caption}
        head={
          <>
            <Th right>{xLabel}</Th>
            {lines.map((line) => (
              <Th key={line.label} right>
                {line.label}
              </Th>
            ))}
          </>
        }
      >
        {xs.map((x, index) =>
          index % every ? null : (
            <tr key={x}>
              <Td right>{count(x)}</Td>
              {lines.map((line) => (
                <Td key={line.label} right>
                  {valueText(line, index, format)}
                </Td>
              ))}
            </tr>
          ),
        )}
      </Table>
    </details>
  );
}

function useThemeName(): string | undefined {
  return useSyncExternalStore(
    (listener) => {
      const changes = new MutationObserver(listener);
      changes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
      return () => changes.disconnect();
    },
    () => document.documentElement.dataset.theme,
  );
}
