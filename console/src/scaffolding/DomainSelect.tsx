import { useQuery } from "@tanstack/react-query";

import { Select } from "@/ui/Field";

import { domainsQuery } from "./queries";

/** What conversations are about, where there is a choice. The default domain is none in addresses. */
export function DomainSelect({
  domain,
  onChange,
}: {
  domain: string | undefined;
  onChange: (domain: string | undefined) => void;
}) {
  const domains = useQuery(domainsQuery()).data ?? [];
  const usual = domains[0]?.key;
  if (domains.length < 2) return null;
  return (
    <label className="flex items-center gap-2 text-sm font-medium">
      Domain
      <Select
        value={domain ?? usual}
        onChange={({ target }) => onChange(target.value === usual ? undefined : target.value)}
      >
        {domains.map((one) => (
          <option key={one.key} value={one.key}>
            {one.name}
          </option>
        ))}
      </Select>
    </label>
  );
}
