import { Card } from "@/ui/Page";

import { turnsOf } from "./turns";

/** The first rows of the file, field by field; the API has shortened long texts. */
export const Samples = ({ rows }: { rows: Record<string, unknown>[] }) => (
  <Card title="First rows">
    <ol className="divide-y divide-line">
      {rows.map((row, at) => (
        <li key={at}>
          <details open={at === 0} className="px-4 py-2.5">
            <summary className="cursor-pointer text-sm font-medium">Row {at + 1}</summary>
            <dl className="mt-2 flex flex-col gap-2 text-sm">
              {Object.entries(row).map(([name, value]) => (
                <div key={name}>
                  <dt className="text-xs text-muted">
                    <code>{name}</code>
                  </dt>
                  <dd className="min-w-0">
                    <Value value={value} />
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        </li>
      ))}
    </ol>
  </Card>
);

function Value({ value }: { value: unknown }) {
  const turns = turnsOf(value);
  if (turns) {
    return (
      <ul className="flex flex-col gap-1.5">
        {turns.map(({ role, text }, at) => (
          <li
            key={at}
            dir="auto"
            className="rounded-md bg-page px-3 py-1.5 break-words whitespace-pre-wrap"
          >
            <span className="mr-2 text-xs text-muted">{role}</span>
            {text}
          </li>
        ))}
      </ul>
    );
  }
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 1);
  const isStructure = typeof value === "object" && value !== null;
  return (
    <p
      dir="auto"
      className={`break-words whitespace-pre-wrap ${isStructure ? "max-h-40 overflow-auto font-mono text-xs" : ""}`}
      {...(isStructure ? { tabIndex: 0, role: "region", "aria-label": "Nested fields" } : {})}
    >
      {text}
    </p>
  );
}
