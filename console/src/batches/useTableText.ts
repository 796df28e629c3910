import { useQuery, useQueryClient } from "@tanstack/react-query";

const KEY = ["new-batch", "table"];

/**
 * The pasted table of a new batch. It is too long for the address, so it is kept with what the page
 * has loaded: until the tab is reloaded or its user signs out.
 */
export function useTableText(): [string, (text: string) => void] {
  const queries = useQueryClient();
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: () => "",
    enabled: false,
    initialData: "",
    gcTime: Infinity,
  });
  return [data, (text) => queries.setQueryData(KEY, text)];
}
