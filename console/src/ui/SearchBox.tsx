import { useEffect, useState } from "react";

import { TextInput } from "./Field";

const TYPING_MS = 300;

/** A search that waits until typing stops. */
export function SearchBox({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      className="w-56"
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
    />
  );
}
