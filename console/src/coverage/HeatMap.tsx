import { Link } from "@tanstack/react-router";

import { count } from "@/ui/format";

import { type Counts, type Coverage, type Measure, shade } from "./coverage";

/** A record as a row or a column: its key, which counts go by, and its id, which filters go by. */
export interface Axis {
  key: string;
  id: string;
  name: string;
}

const SHADES = ["text-muted", "heat-1", "heat-2", "heat-3"] as const;

/** Topics down, arcs across, and under each arc the personas; a cell opens its conversations. */
export function HeatMap({
  coverage,
  measure,
  personas,
  arcs,
  topics,
}: {
  coverage: Coverage;
  measure: Measure;
  personas: readonly Axis[];
  arcs: readonly Axis[];
  topics: readonly Axis[];
}) {
  return (
    <div
      className="max-h-[75vh] overflow-auto"
      tabIndex={0}
      role="region"
      aria-label="Coverage of personas, arcs and topics"
    >
      <table className="border-separate border-spacing-0 text-xs">
        <caption className="sr-only">
          Conversations {measure} by topic, arc and persona; a number opens its conversations.
        </caption>
        <thead className="text-muted">
          <tr>
            <th
              scope="col"
              rowSpan={2}
              className="sticky top-0 left-0 z-20 min-w-32 border-r border-b border-line bg-surface px-3 py-2 text-left align-bottom font-medium sm:min-w-56"
            >
              Topic
            </th>
            {arcs.map((arc) => (
              <th
                key={arc.key}
                scope="colgroup"
                colSpan={personas.length}
                className="sticky top-0 z-10 h-14 border-r border-line bg-surface px-2 py-2 text-center font-medium text-ink"
              >
                {arc.name}
              </th>
            ))}
          </tr>
          <tr>
            {arcs.map((arc) =>
              personas.map((persona, place) => (
                <th
                  key={`${arc.key}/${persona.key}`}
                  scope="col"
                  className={`sticky top-14 z-10 h-32 border-b border-line bg-surface px-1 py-2 font-normal ${place === personas.length - 1 ? "border-r" : ""}`}
                >
                  <span className="inline-block [writing-mode:vertical-rl]">{persona.name}</span>
                </th>
              )),
            )}
          </tr>
        </thead>
        <tbody>
          {topics.map((topic) => (
            <tr key={topic.key} className="group">
              <th
                scope="row"
                className="sticky left-0 z-10 border-r border-b border-line bg-surface px-3 py-1.5 text-left font-normal group-hover:bg-raised"
              >
                {topic.name}
              </th>
              {arcs.map((arc) =>
                personas.map((persona, place) => (
                  <td
                    key={`${arc.key}/${persona.key}`}
                    className={`border-b border-line p-0.5 ${place === personas.length - 1 ? "border-r" : ""}`}
                  >
                    <Cell
                      persona={persona}
                      arc={arc}
                      topic={topic}
                      measure={measure}
                      counts={coverage.of({
                        persona: persona.key,
                        arc: arc.key,
                        topic: topic.key,
                      })}
                    />
                  </td>
                )),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const CELL = "flex h-7 min-w-9 items-center justify-center rounded tabular-nums";

function Cell({
  persona,
  arc,
  topic,
  measure,
  counts,
}: {
  persona: Axis;
  arc: Axis;
  topic: Axis;
  measure: Measure;
  counts: Counts;
}) {
  const value = counts[measure];
  const look = `${CELL} ${SHADES[shade(value)]}`;
  const text = `${count(counts.written)} written, ${count(counts.approved)} approved, ${count(counts.planned)} planned`;
  // A combination without conversations has no list to open, and most have none.
  if (counts.written === 0) {
    return (
      <span className={look} title={text}>
        {value === 0 ? "·" : count(value)}
      </span>
    );
  }
  return (
    <Link
      to="/conversations"
      search={{
        persona: persona.id,
        arc: arc.id,
        topic: topic.id,
        status: measure === "approved" ? "approved" : undefined,
      }}
      title={text}
      aria-label={`${persona.name}, ${arc.name}, ${topic.name}: ${text}`}
      className={`${look} hover:outline-2 hover:outline-accent`}
    >
      {value === 0 ? "·" : count(value)}
    </Link>
  );
}
