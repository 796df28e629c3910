import { expect, test } from "vitest";

import { emotionPoints } from "./EmotionCurve";
import type { Turn } from "./queries";

const turn = (number: number, role: Turn["role"], intensity: unknown): Turn => ({
  turn_number: number,
  role,
  content: "…",
  emotional_context: { primary_emotion: "deep_fear", intensity },
});

test("only the client's turns are drawn, the stronger the higher", () => {
  const points = emotionPoints([
    turn(1, "user", 0.9),
    turn(2, "assistant", 0.1),
    turn(3, "user", 0.2),
  ]);
  expect(points.map((point) => point.turn)).toEqual([1, 3]);
  expect(points[0]?.y).toBeLessThan(points[1]?.y ?? 0);
  expect(points[0]?.text).toBe("Turn 1: deep fear, 90 %");
});

test("a turn without an intensity has no point", () => {
  expect(emotionPoints([turn(1, "user", undefined), turn(2, "assistant", 1)])).toEqual([]);
});
