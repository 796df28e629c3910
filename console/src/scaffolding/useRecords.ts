import { useQuery, type UseQueryOptions } from "@tanstack/react-query";

import { type KindName, recordsQuery } from "./kinds";
import type { ScaffoldingRecord } from "./queries";
import { useDomainKey } from "./useDomain";

/**
 * All records of a kind in the domain that the address names; the kinds' queries differ only in the
 * type of their records.
 */
export const useRecords = (kind: KindName) =>
  useQuery(recordsQuery(kind, useDomainKey()) as unknown as UseQueryOptions<ScaffoldingRecord[]>);
