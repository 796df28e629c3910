/** A part of a failure's report under its own heading. */
export interface ReportPart {
  title: string;
  text: string;
}

/** The texts of a report that people read first, and where the report holds them. */
const TEXTS = [
  { title: "Why it stopped", path: ["error_report", "stop_reason_analysis"] },
  { title: "What follows from it", path: ["error_report", "analysis", "conclusion"] },
  { title: "Claude's answer", path: ["extracted_content"] },
  { title: "Prompt", path: ["request_context", "prompt"] },
  { title: "System prompt", path: ["request_context", "system_prompt"] },
] as const;

const at = (report: unknown, path: readonly string[]) =>
  path.reduce<unknown>(
    (inside, name) => (inside as Record<string, unknown> | null)?.[name],
    report,
  );

/** The parts of a report that have a text, then the whole of it as it is stored. */
export function reportParts(report: unknown): ReportPart[] {
  const texts = TEXTS.flatMap(({ title, path }) => {
    const text = at(report, path);
    return typeof text === "string" && text !== "" ? [{ title, text }] : [];
  });
  return [...texts, { title: "The whole report", text: JSON.stringify(report, null, 2) }];
}
