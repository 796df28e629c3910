import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Facts } from "@/ui/Figure";
import { bytes, count, exact, label, significant } from "@/ui/format";
import { Card } from "@/ui/Page";
import { Loaded } from "@/ui/states";

import { type Manifest, manifestQuery, type Model } from "./queries";

/** What the adapter is made of, by its manifest: base model, data, versions and settings. */
export function BillOfMaterials({ model }: { model: Model }) {
  const manifest = useQuery(manifestQuery(model.id));
  return (
    <Card title="Bill of materials">
      <Loaded query={manifest} rows={10}>
        {(made) => (
          <div className="divide-y divide-line">
            <Facts
              facts={[
                ["Made", exact(made.created)],
                ["Base model", `${made.base_model.id}, revision ${made.base_model.revision}`],
                ...made.base_model.files.map(
                  (file) => [file.path, <Hash of={file.sha256} />] as const,
                ),
                ...made.dataset.flatMap(datasetFacts),
              ]}
            />
            <Part title="Versions">
              {Object.entries(made.versions).map(([name, version]) => [name, version ?? "none"])}
            </Part>
            <Part title="Adapter">
              {Object.entries(model.compatibility)
                .filter(([, value]) => typeof value !== "object")
                .map(([name, value]) => [label(name), shown(value)])}
            </Part>
            <Part title="Settings of the trainer">
              {Object.entries(made.settings).map(([name, value]) => [label(name), shown(value)])}
            </Part>
          </div>
        )}
      </Loaded>
    </Card>
  );
}

const datasetFacts = (file: Manifest["dataset"][number]) =>
  [
    ["Dataset", `${file.name}: ${count(file.rows)} rows, ${bytes(file.bytes)}`],
    ["Its SHA-256", <Hash of={file.sha256} />],
  ] as const;

const Hash = ({ of }: { of: string }) => <code className="text-xs break-all">{of}</code>;

const Part = ({ title, children }: { title: string; children: [string, ReactNode][] }) => (
  <details>
    <summary className="cursor-pointer px-4 py-2.5 text-sm font-medium">{title}</summary>
    <Facts facts={children} />
  </details>
);

function shown(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "number") return significant(value, 6);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
