import type { ComponentProps, InputHTMLAttributes, ReactNode, SelectHTMLAttributes } from "react";

const CONTROL =
  "rounded-md border border-line bg-surface px-3 py-1.5 text-sm text-ink placeholder:text-muted";

/** A labelled control, with a hint below it. */
export function Field({
  label,
  hint,
  children,
}: {
  label: string;
  hint?: string;
  children: ReactNode;
}) {
  return (
    <label className="flex flex-col gap-1 text-sm">
      <span className="font-medium">{label}</span>
      {children}
      {hint && <span className="text-xs text-muted">{hint}</span>}
    </label>
  );
}

export const TextInput = (props: InputHTMLAttributes<HTMLInputElement>) => (
  <input {...props} className={`${CONTROL} ${props.className ?? "w-full"}`} />
);

export const TextArea = (props: ComponentProps<"textarea">) => (
  <textarea {...props} className={`${CONTROL} ${props.className ?? "w-full"}`} />
);

export const Select = (props: SelectHTMLAttributes<HTMLSelectElement>) => (
  <select {...props} className={`${CONTROL} ${props.className ?? ""}`} />
);
