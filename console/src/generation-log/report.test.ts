import { expect, test } from "vitest";

import { reportParts } from "./report";

test("texts come first, each under its heading, and the whole report last", () => {
  const report = {
    error_report: { stop_reason_analysis: "It was cut off.", analysis: null },
    request_context: { prompt: "Write.", system_prompt: "" },
    extracted_content: "{",
  };
  expect(reportParts(report).map((part) => part.title)).toEqual([
    "Why it stopped",
    "Claude's answer",
    "Prompt",
    "The whole report",
  ]);
});

test("a call without an answer has no answer to show", () => {
  const titles = reportParts({ extracted_content: null }).map((part) => part.title);
  expect(titles).toEqual(["The whole report"]);
});
