import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Button } from "@/ui/Button";
import { bytes, count, words } from "@/ui/format";
import { Card } from "@/ui/Page";
import { Skeleton } from "@/ui/states";

import { byFrequency, type Counts } from "./contents";
import { contentsQuery, type TrainingFile } from "./queries";

/** Files up to this size are read without asking, to count what their row does not hold. */
const READ_UNASKED = 5_000_000;
/** A browser parses this much; the file can be downloaded otherwise. */
const READ_AT_MOST = 100_000_000;

/** What the newest version holds: personas, arcs, topics, tiers and scores. */
export function Distribution({ file }: { file: TrainingFile }) {
  const {
    personas = {},
    emotional_arcs = {},
    training_topics = {},
  } = file.scaffolding_distribution;
  return (
    <Card title="What it holds">
      <div className="grid gap-x-8 gap-y-6 p-4 sm:grid-cols-2 lg:grid-cols-3">
        <Bars title="Personas" counts={byFrequency(personas)} />
        <Bars title="Emotional arcs" counts={byFrequency(emotional_arcs)} />
        <Bars title="Topics" counts={byFrequency(training_topics)} />
        <TiersAndScores file={file} />
      </div>
    </Card>
  );
}

function TiersAndScores({ file }: { file: TrainingFile }) {
  const [asked, setAsked] = useState(file.json_file_size <= READ_UNASKED);
  const contents = useQuery({ ...contentsQuery(file.id, file.version), enabled: asked });
  if (file.json_file_size > READ_AT_MOST) {
    return (
      <p className="text-sm text-muted">
        The file is too large to count its tiers and scores here.
      </p>
    );
  }
  if (!asked) {
    return (
      <div>
        <Button onClick={() => setAsked(true)}>
          Count tiers and scores (reads {bytes(file.json_file_size)})
        </Button>
      </div>
    );
  }
  if (contents.error)
    return <p className="text-sm text-muted">Tiers and scores: {contents.error.message}</p>;
  if (!contents.data) return <Skeleton rows={3} />;
  return (
    <>
      <Bars title="Quality tiers" counts={contents.data.tiers} />
      <Bars title="Scores of answers" counts={contents.data.scores} />
    </>
  );
}

const SHOWN = 10;

/** Counts as bars, the longest as wide as the column. */
function Bars({ title, counts }: { title: string; counts: Counts }) {
  const [isWhole, setIsWhole] = useState(false);
  const most = Math.max(1, ...counts.map(([, value]) => value));
  const shown = isWhole ? counts : counts.slice(0, SHOWN);
  return (
    <section className="min-w-0">
      <h3 className="mb-2 text-xs font-medium text-muted">{title}</h3>
      <ul className="flex flex-col gap-2 text-sm">
        {shown.map(([name, value]) => (
          <li key={name}>
            <div className="flex justify-between gap-2">
              <span className="min-w-0 break-words">{words(name)}</span>
              <span className="tabular-nums">{count(value)}</span>
            </div>
            <div aria-hidden className="mt-0.5 h-1.5 rounded-full bg-raised">
              <div
                className="h-full rounded-full bg-accent"
                style={{ width: `${(100 * value) / most}%` }}
              />
            </div>
          </li>
        ))}
      </ul>
      {counts.length > SHOWN && (
        <Button kind="quiet" className="mt-2" onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show all ${count(counts.length)}`}
        </Button>
      )}
    </section>
  );
}
