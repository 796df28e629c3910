import { Button } from "@/ui/Button";
import { toast } from "@/ui/toast";

import type { Dataset } from "./queries";

/** Where the text of a dataset's lines is read: a file of this computer, or its training file. */
export type TextOrigin = File | "training file";

/**
 * Asks where the text of the lines is to be read. The API never repeats the text of a file: a file
 * that the reader chooses stays on this computer.
 */
export function TextSource({
  dataset,
  isReading,
  onChoose,
}: {
  dataset: Dataset;
  isReading: boolean;
  onChoose: (origin: TextOrigin) => void;
}) {
  function choose(file: File | undefined) {
    if (!file) return;
    if (file.size === dataset.file_size) onChoose(file);
    else toast(`${file.name} is not the file of this dataset: its size differs.`, true);
  }
  return (
    <div className="flex flex-wrap items-center gap-3 border-b border-line px-4 py-2.5 text-sm">
      {dataset.source === "upload" ? (
        <label className="flex min-w-0 flex-wrap items-center gap-2">
          To see the text, choose {dataset.file_name}; it stays on this computer:
          <input
            type="file"
            disabled={isReading}
            className="w-full max-w-xs min-w-0 text-sm file:mr-2 file:rounded-md file:border file:border-line file:bg-surface file:px-3 file:py-1 file:text-ink"
            onChange={(event) => choose(event.target.files?.[0])}
          />
        </label>
      ) : (
        <Button disabled={isReading} onClick={() => onChoose("training file")}>
          Show the text of these lines
        </Button>
      )}
    </div>
  );
}
