import { useSyncExternalStore } from "react";

/** Short messages about what was just done, announced to screen readers. */
interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

const SHOWN_MS = 6_000;
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Show a message for some seconds. */
export function toast(text: string, bad = false): void {
  const id = ++last;
  change([...toasts.slice(-2), { id, text, bad }]);
  setTimeout(() => change(toasts.filter((one) => one.id !== id)), SHOWN_MS);
}

/** Show what went wrong; for the `onError` of mutations. */
export const toastError = (error: Error) => toast(error.message, true);

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div aria-live="polite" className="fixed right-4 bottom-4 z-50 flex max-w-sm flex-col gap-2">
      {shown.map((one) => (
        <div
          key={one.id}
          className={`rounded-md border border-line px-4 py-2.5 text-sm shadow-lg ${one.bad ? "bg-bad-soft text-bad" : "bg-surface text-ink"}`}
        >
          {one.text}
        </div>
      ))}
    </div>
  );
}
