import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import type { components } from "@/api/schema";
import { MakeTrainingFile } from "@/training-files/MakeTrainingFile";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, TextArea } from "@/ui/Field";
import { counted } from "@/ui/format";
import { toast, toastError } from "@/ui/toast";

import {
  type BulkAction,
  bulkPreviewQuery,
  type BulkTarget,
  type DecidedMany,
  useDecideMany,
  useUndoMany,
} from "./queries";

/** The conversations that are chosen by their ids, or all that match the filter. */
export type Selected = ReadonlySet<string> | "all";
export const NOTHING: Selected = new Set<string>();

const ACTIONS: { action: BulkAction; label: string; done: string; needsReason?: boolean }[] = [
  { action: "approve", label: "Approve", done: "approved" },
  { action: "reject", label: "Reject", done: "rejected", needsReason: true },
  { action: "archive", label: "Archive", done: "archived" },
  { action: "reopen", label: "Reopen", done: "reopened" },
];
type Choice = (typeof ACTIONS)[number];
const BAR =
  "flex flex-wrap items-center gap-2 rounded-lg border border-line bg-accent-soft px-3 py-2 text-sm";

/** One decision about all selected conversations, and the way to take the last one back. */
export function BulkActions({
  selected,
  filter,
  total,
  isWholePage,
  onSelect,
}: {
  selected: Selected;
  filter: components["schemas"]["BulkFilter"];
  /** How many match the filter, and whether all of the page that is shown are selected. */
  total: number;
  isWholePage: boolean;
  onSelect: (selected: Selected) => void;
}) {
  const [chosen, setChosen] = useState<Choice | null>(null);
  const [last, setLast] = useState<{ done: DecidedMany; choice: Choice } | null>(null);
  const size = selected === "all" ? total : selected.size;
  if (size === 0) return last && <Undo {...last} onClose={() => setLast(null)} />;
  const target: BulkTarget =
    selected === "all" ? { filter } : { conversationIds: [...selected].sort() };
  return (
    <div role="toolbar" aria-label="Selected conversations" className={BAR}>
      <span className="font-medium">{counted(size, "conversation")} selected</span>
      {isWholePage && total > size && (
        <Button kind="quiet" onClick={() => onSelect("all")}>
          Select all {counted(total, "match", "matches")}
        </Button>
      )}
      {ACTIONS.map((one) => (
        <Button key={one.action} onClick={() => setChosen(one)}>
          {one.label}
        </Button>
      ))}
      <MakeTrainingFile
        label="Training file"
        selection={"filter" in target ? target : { conversation_ids: target.conversationIds }}
      />
      <Button kind="quiet" onClick={() => onSelect(NOTHING)}>
        Clear
      </Button>
      {chosen && (
        <DecisionDialog
          choice={chosen}
          target={target}
          size={size}
          onClose={() => setChosen(null)}
          onDone={(done) => {
            setChosen(null);
            setLast({ done, choice: chosen });
            onSelect(NOTHING);
          }}
        />
      )}
    </div>
  );
}

/** How many a decision touches, its reason, and the button that makes it. */
function DecisionDialog({
  choice,
  target,
  size,
  onClose,
  onDone,
}: {
  choice: Choice;
  target: BulkTarget;
  size: number;
  onClose: () => void;
  onDone: (done: DecidedMany) => void;
}) {
  const [reason, setReason] = useState("");
  const decide = useDecideMany();
  const preview = useQuery(bulkPreviewQuery(choice.action, target));
  const touched = preview.data;
  const stay = touched === undefined ? 0 : size - touched;
  return (
    <Dialog onClose={onClose} title={`${choice.label} ${counted(size, "conversation")}?`}>
      <p role="status" className="min-h-5 text-sm text-muted">
        {touched === undefined
          ? (preview.error?.message ?? "Counting what this touches…")
          : `${counted(touched, "conversation")} will be ${choice.done}` +
            (stay > 0 ? `; ${counted(stay, "other")} already ${stay === 1 ? "is" : "are"}.` : ".")}
      </p>
      <Field label={choice.needsReason ? "Reason" : "Reason (optional)"}>
        <TextArea
          rows={3}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Field>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Back</Button>
        <Button
          kind="primary"
          disabled={decide.isPending || !touched || (choice.needsReason && !reason.trim())}
          onClick={() =>
            decide.mutate(
              { action: choice.action, target, reason: reason.trim() || undefined },
              { onSuccess: onDone, onError: toastError },
            )
          }
        >
          {decide.isPending ? "Working" : choice.label}
        </Button>
      </div>
    </Dialog>
  );
}

/** What the last decision did, until it is taken back or put away. */
function Undo({
  done,
  choice,
  onClose,
}: {
  done: DecidedMany;
  choice: Choice;
  onClose: () => void;
}) {
  const undo = useUndoMany();
  const id = done.bulkActionId;
  return (
    <div role="status" className={BAR}>
      <span className="mr-auto">
        {counted(done.updated, "conversation")} {choice.done}.
        {done.left > 0 && ` ${counted(done.left, "other")} unchanged, or changed by others.`}
        {done.interruption && ` Then it stopped: ${done.interruption}`}
      </span>
      {id && (
        <Button
          disabled={undo.isPending}
          onClick={() =>
            undo.mutate(id, {
              onSuccess: (undone) => {
                toast(`Undone: ${counted(undone, "conversation")}.`);
                onClose();
              },
              onError: toastError,
            })
          }
        >
          Undo
        </Button>
      )}
      <Button kind="quiet" onClick={onClose}>
        Close
      </Button>
    </div>
  );
}
