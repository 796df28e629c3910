/** What the pages of scaffolding show, held in the address. */
import { isOn, text } from "@/ui/address";

export interface DomainSearch {
  /** The key of the domain whose records are shown; none for the default one. */
  domain?: string;
}
export interface ScaffoldingSearch extends DomainSearch {
  q?: string;
  /** Show deactivated records too. */
  all?: boolean;
}

export const readDomainSearch = (raw: Record<string, unknown>): DomainSearch => ({
  domain: text(raw.domain),
});

export const readScaffoldingSearch = (raw: Record<string, unknown>): ScaffoldingSearch => ({
  ...readDomainSearch(raw),
  q: text(raw.q),
  all: isOn(raw.all),
});
