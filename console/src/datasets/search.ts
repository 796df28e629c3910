/** What the list of datasets shows, held in the address. */
import { oneOf, text } from "@/ui/address";

import type { DatasetStatus } from "./queries";

export const STATUSES: readonly DatasetStatus[] = ["uploading", "validating", "ready", "error"];

export interface DatasetSearch {
  status?: DatasetStatus;
  q?: string;
}

export const readDatasetSearch = (raw: Record<string, unknown>): DatasetSearch => ({
  status: oneOf(raw.status, STATUSES),
  q: text(raw.q),
});
