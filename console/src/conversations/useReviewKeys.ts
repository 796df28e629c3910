import { useEffect, useRef } from "react";
import { tinykeys } from "tinykeys";

export type ReviewAction =
  | "next"
  | "previous"
  | "nextTurn"
  | "previousTurn"
  | "approve"
  | "reject"
  | "edit"
  | "undo"
  | "help";

/** The reviewer's keys, in the order in which the help lists them. */
export const KEYS: { keys: string[]; action: ReviewAction; label: string }[] = [
  { keys: ["j"], action: "next", label: "Next conversation" },
  { keys: ["k"], action: "previous", label: "Previous conversation" },
  { keys: ["ArrowDown", "ArrowRight"], action: "nextTurn", label: "Next turn" },
  { keys: ["ArrowUp", "ArrowLeft"], action: "previousTurn", label: "Previous turn" },
  { keys: ["a"], action: "approve", label: "Approve, and go to the next" },
  { keys: ["r"], action: "reject", label: "Reject with a reason" },
  { keys: ["e"], action: "edit", label: "Edit the turn" },
  { keys: ["u"], action: "undo", label: "Undo the last decision" },
  { keys: ["?"], action: "help", label: "Show these keys" },
];

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

/** Listen to the reviewer's keys while `enabled`, except where text is typed. */
export function useReviewKeys(actions: Record<ReviewAction, () => void>, enabled: boolean): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    if (!enabled) return;
    const listen = (action: ReviewAction) => (event: KeyboardEvent) => {
      if (isTyping(event.target)) return;
      event.preventDefault();
      latest.current[action]();
    };
    return tinykeys(
      window,
      Object.fromEntries(
        KEYS.flatMap(({ keys, action }) =>
          // Some keyboards need Shift for a sign such as "?", others do not.
          keys.flatMap((key) => [key, `Shift+${key}`].map((one) => [one, listen(action)])),
        ),
      ),
    );
  }, [enabled]);
}
