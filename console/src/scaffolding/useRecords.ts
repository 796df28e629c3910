import { useQuery, type UseQueryOptions } from "@tanstack/react-query";

import { type KindName, recordsQuery } from "./kinds";
import type { ScaffoldingRecord } from "./queries";

/** All records of a kind; the kinds' queries differ only in the type of their records. */
export const useRecords = (kind: KindName) =>
  useQuery(recordsQuery(kind) as unknown as UseQueryOptions<ScaffoldingRecord[]>);
