import { Link } from "@tanstack/react-router";

import { KIND_NAMES, kindOf } from "./kinds";

const TAB =
  "rounded-md px-3 py-1.5 text-sm text-muted hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent";

/** The kinds of scaffolding, each with its page. */
export const ScaffoldingTabs = () => (
  <nav aria-label="Kinds of scaffolding" className="flex flex-wrap gap-1">
    {KIND_NAMES.map((kind) => (
      <Link key={kind} to="/scaffolding/$kind" params={{ kind }} className={TAB}>
        {kindOf(kind).many}
      </Link>
    ))}
    <Link to="/scaffolding/consultant" className={TAB}>
      Consultant
    </Link>
  </nav>
);
