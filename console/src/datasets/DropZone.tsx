import { Upload } from "lucide-react";
import { type DragEvent, type ReactNode, useId, useState } from "react";

import { missingGroup } from "@/session/groups";

/** Files to upload, by dragging them here, or by choosing them with mouse, keyboard or finger. */
export function DropZone({
  label,
  multiple,
  onFiles,
  children,
}: {
  label: string;
  multiple?: boolean;
  onFiles: (files: File[]) => void;
  children?: ReactNode;
}) {
  const [isOver, setIsOver] = useState(false);
  const hint = useId();
  const barred = missingGroup("writers");
  if (barred) return <p className="text-sm text-muted">Uploading: {barred}</p>;
  function drop(event: DragEvent) {
    event.preventDefault();
    setIsOver(false);
    const files = [...event.dataTransfer.files];
    onFiles(multiple ? files : files.slice(0, 1));
  }
  return (
    <label
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
      className={`flex cursor-pointer flex-col items-center gap-1.5 rounded-lg border-2 border-dashed px-6 py-7 text-center text-sm has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent ${isOver ? "border-accent bg-accent-soft" : "border-line bg-surface hover:bg-raised"}`}
    >
      <Upload className="size-6 text-muted" aria-hidden />
      <span className="font-medium">{label}</span>
      <span id={hint} className="text-xs text-muted">
        {children}
      </span>
      <input
        type="file"
        multiple={multiple}
        aria-label={label}
        aria-describedby={hint}
        className="sr-only"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </label>
  );
}
