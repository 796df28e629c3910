import { Link } from "@tanstack/react-router";

const TAB =
  "rounded-md px-3 py-1.5 text-sm text-muted hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent";

/** Calls to Claude, and the generations of them that failed. */
export const GenerationTabs = () => (
  <nav aria-label="Calls to Claude" className="flex flex-wrap gap-1">
    <Link to="/generation-log" activeOptions={{ exact: true }} className={TAB}>
      All calls
    </Link>
    <Link to="/generation-log/failures" className={TAB}>
      Failed generations
    </Link>
  </nav>
);
