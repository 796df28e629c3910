/** What a list of scaffolding shows, held in the address. */
import { isOn, text } from "@/ui/address";

export interface ScaffoldingSearch {
  q?: string;
  /** Show deactivated records too. */
  all?: boolean;
}

export const readScaffoldingSearch = (raw: Record<string, unknown>): ScaffoldingSearch => ({
  q: text(raw.q),
  all: isOn(raw.all),
});
