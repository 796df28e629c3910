import { Link, useNavigate } from "@tanstack/react-router";

import { DomainSelect } from "./DomainSelect";
import { KIND_NAMES, kindOf } from "./kinds";
import { useDomainKey } from "./useDomain";

const TAB =
  "rounded-md px-3 py-1.5 text-sm text-muted hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent";

/** The kinds of scaffolding, each with its page, and the domain whose records are shown. */
export function ScaffoldingTabs() {
  const domain = useDomainKey();
  const navigate = useNavigate();
  return (
    <div className="flex flex-wrap items-center justify-between gap-2">
      <nav aria-label="Kinds of scaffolding" className="flex flex-wrap gap-1">
        {KIND_NAMES.map((kind) => (
          <Link
            key={kind}
            to="/scaffolding/$kind"
            params={{ kind }}
            search={{ domain }}
            activeOptions={{ includeSearch: false }}
            className={TAB}
          >
            {kindOf(kind).many}
          </Link>
        ))}
        <Link
          to="/scaffolding/consultant"
          search={{ domain }}
          activeOptions={{ includeSearch: false }}
          className={TAB}
        >
          Consultant
        </Link>
      </nav>
      <DomainSelect
        domain={domain}
        onChange={(next) =>
          void navigate({ to: ".", search: (old) => ({ ...old, domain: next }), replace: true })
        }
      />
    </div>
  );
}
