import { count } from "@/ui/format";

interface Part {
  label: string;
  value: number;
  color: string;
}

/** How the items of a batch stand, as one bar and in words. */
export function StateBar({
  successful,
  failed,
  cancelled,
  total,
}: {
  successful: number;
  failed: number;
  cancelled: number;
  total: number;
}) {
  const parts: Part[] = [
    { label: "written", value: successful, color: "bg-accent" },
    { label: "failed", value: failed, color: "bg-bad" },
    { label: "cancelled", value: cancelled, color: "bg-muted" },
    { label: "remaining", value: total - successful - failed - cancelled, color: "bg-raised" },
  ];
  const shown = parts.filter((part) => part.value > 0);
  const text = shown.map((part) => `${count(part.value)} ${part.label}`).join(", ");
  return (
    <div>
      <div
        role="img"
        aria-label={text}
        className="flex h-2.5 overflow-hidden rounded-full border border-line bg-raised"
      >
        {shown.map((part) => (
          <div key={part.label} className={part.color} style={{ flexGrow: part.value }} />
        ))}
      </div>
      <p className="mt-1.5 text-xs text-muted">
        {text} of {count(total)}
      </p>
    </div>
  );
}
