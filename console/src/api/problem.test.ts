import { expect, test } from "vitest";

import { problemOf } from "./problem";

test("a problem document is told in its own words", () => {
  const problem = problemOf(409, {
    detail: "It changed since it was read.",
    code: "version_conflict",
  });
  expect(problem.message).toBe("It changed since it was read.");
  expect(problem.code).toBe("version_conflict");
});

test("an answer of a proxy is told by its message or its status", () => {
  expect(problemOf(413, { message: "Request Too Long" }).message).toBe("Request Too Long");
  expect(problemOf(502, undefined).message).toBe("The server answered 502.");
});
