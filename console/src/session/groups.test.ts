import { expect, test } from "vitest";

import { refusal } from "./groups";

const token = (claims: object) => `e30.${btoa(JSON.stringify(claims))}.signature`;
const inGroups = (...groups: string[]) => token({ "cognito:groups": groups });

test("a reviewer is told which group an order needs", () => {
  expect(refusal(inGroups("reviewers"), "writers")).toBe(
    "This needs the group writers or trainers; yours: reviewers. Ask an operator.",
  );
});

test("a group may do what those before it may", () => {
  expect(refusal(inGroups("trainers"), "writers")).toBeNull();
  expect(refusal(inGroups("writers"), "writers")).toBeNull();
  expect(refusal(inGroups("writers"), "trainers")).not.toBeNull();
});

test("whoever is in no group, or has an unreadable token, is left to the API", () => {
  expect(refusal(token({}), "trainers")).toBeNull();
  expect(refusal("opaque", "trainers")).toBeNull();
});
