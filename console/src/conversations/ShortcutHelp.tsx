import { Dialog } from "@/ui/Dialog";

import { KEYS } from "./useReviewKeys";

const SHOWN: Record<string, string> = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  ArrowLeft: "←",
  ArrowRight: "→",
};

export const ShortcutHelp = ({ onClose }: { onClose: () => void }) => (
  <Dialog onClose={onClose} title="Keys">
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2 text-sm">
      {KEYS.map(({ keys, label }) => (
        <div key={label} className="contents">
          <dt className="flex gap-1">
            {keys.map((key) => (
              <kbd key={key} className="rounded border border-line bg-raised px-1.5 font-mono">
                {SHOWN[key] ?? key}
              </kbd>
            ))}
          </dt>
          <dd>{label}</dd>
        </div>
      ))}
    </dl>
  </Dialog>
);
