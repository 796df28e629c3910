import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";

import { domainsQuery } from "./queries";

/** The key of the domain that the address names; none for the default one. */
export const useDomainKey = () => useSearch({ strict: false }).domain;

/** The domain that the address names, else the default one, which is the first. */
export function useDomain() {
  const key = useDomainKey();
  const domains = useQuery(domainsQuery());
  return { ...domains, data: domains.data?.find((one) => one.key === key) ?? domains.data?.[0] };
}
