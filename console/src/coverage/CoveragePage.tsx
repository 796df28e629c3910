import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { DomainSelect } from "@/scaffolding/DomainSelect";
import { domainsQuery } from "@/scaffolding/queries";
import { type Choices as Records, useChoices } from "@/scaffolding/useChoices";
import { buttonClass } from "@/ui/Button";
import { Select } from "@/ui/Field";
import { count, counted, words } from "@/ui/format";
import { Card, Page } from "@/ui/Page";
import { Empty, Loaded } from "@/ui/states";

import { type CoverageSearch, MEASURES } from "./coverage";
import { HeatMap } from "./HeatMap";
import { coverageQuery, type ReadCoverage } from "./queries";

/** Which combinations of persona, arc and topic have conversations, and a batch for those without. */
export function CoveragePage() {
  const read = useQuery(coverageQuery());
  const choices = useChoices(useSearch({ from: "/coverage" }).domain);
  // Waited for as well, whatever becomes of it: its choice would push the others aside later.
  const domains = useQuery(domainsQuery());
  if (read.data && choices.data && domains.isFetched)
    return <Shown read={read.data} records={choices.data} />;
  return (
    <Page title="Coverage">
      {/* Whichever is missing says that it loads, or why it did not come. */}
      <Card>
        <Loaded query={choices} rows={12}>
          {() => (
            <Loaded query={read} rows={12}>
              {() => null}
            </Loaded>
          )}
        </Loaded>
      </Card>
    </Page>
  );
}

function Shown({ read, records }: { read: ReadCoverage; records: Records }) {
  const search = useSearch({ from: "/coverage" });
  const personas = records.personas.filter((one) => !search.persona || one.key === search.persona);
  const arcs = records.arcs.filter((one) => !search.arc || one.key === search.arc);
  const keys = [personas, arcs, records.topics].map((axis) => axis.map((one) => one.key));
  const gaps = read.coverage.gaps(keys[0] ?? [], keys[1] ?? [], keys[2] ?? []).length;
  const combinations = personas.length * arcs.length * records.topics.length;
  return (
    <Page
      title="Coverage"
      lead={`${count(combinations - gaps)} of ${counted(combinations, "combination")} have a conversation or wait for one.`}
      actions={
        gaps > 0 && (
          <Link
            to="/batches/new"
            search={{
              gaps: true,
              domain: search.domain,
              personas: search.persona ? [search.persona] : undefined,
              arcs: search.arc ? [search.arc] : undefined,
              name: "Gaps",
            }}
            className={buttonClass("primary")}
          >
            Fill {counted(gaps, "gap")}
          </Link>
        )
      }
    >
      <Controls search={search} records={records} />
      <Notes read={read} />
      <Card className="overflow-hidden">
        {combinations === 0 ? (
          <Empty title="Nothing can be combined">
            <p className="text-muted">
              There is no active persona, arc or topic. Activate or create one.
            </p>
            <Link
              to="/scaffolding/$kind"
              params={{ kind: "personas" }}
              search={{ domain: search.domain }}
              className={buttonClass("primary")}
            >
              Open the scaffolding
            </Link>
          </Empty>
        ) : (
          <HeatMap
            coverage={read.coverage}
            measure={search.show ?? "written"}
            personas={personas}
            arcs={arcs}
            topics={records.topics}
          />
        )}
      </Card>
    </Page>
  );
}

function Controls({ search, records }: { search: CoverageSearch; records: Records }) {
  const navigate = useNavigate({ from: "/coverage" });
  const change = (next: CoverageSearch) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  const axes = [
    { name: "persona", all: "All personas", records: records.personas },
    { name: "arc", all: "All arcs", records: records.arcs },
  ] as const;
  return (
    <div className="flex flex-wrap items-center gap-2">
      <DomainSelect
        domain={search.domain}
        onChange={(domain) => change({ domain, persona: undefined, arc: undefined })}
      />
      <Select
        aria-label="What is counted"
        value={search.show ?? "written"}
        onChange={(event) =>
          change({ show: event.target.value as NonNullable<CoverageSearch["show"]> })
        }
      >
        {MEASURES.map((one) => (
          <option key={one} value={one}>
            Count {words(one)}
          </option>
        ))}
      </Select>
      {axes.map((axis) => (
        <Select
          key={axis.name}
          aria-label={`Which ${axis.name}s`}
          className="max-w-full"
          value={search[axis.name] ?? ""}
          onChange={(event) => change({ [axis.name]: event.target.value || undefined })}
        >
          <option value="">{axis.all}</option>
          {axis.records.map((one) => (
            <option key={one.key} value={one.key}>
              {one.name}
            </option>
          ))}
        </Select>
      ))}
      <Legend />
    </div>
  );
}

const Legend = () => (
  <p className="flex items-center gap-1.5 text-xs text-muted">
    {["none", "1", "2", "3 and more"].map((text, level) => (
      <span
        key={text}
        className={`rounded px-2 py-0.5 ${level === 0 ? "border border-line" : `heat-${level}`}`}
      >
        {text}
      </span>
    ))}
  </p>
);

/** What the table does not show, if anything. */
const Notes = ({ read }: { read: ReadCoverage }) => (
  <>
    {read.omitted > 0 && (
      <p className="text-sm text-warn">
        {counted(read.omitted, "rare combination")} could not be counted and may look like gaps.
      </p>
    )}
    {read.isPlanPartial && (
      <p className="text-sm text-warn">
        There are more open batches than can be counted: of older ones nothing is planned here.
      </p>
    )}
  </>
);
