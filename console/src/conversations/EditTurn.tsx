import { useQueryClient } from "@tanstack/react-query";
import { diffWordsWithSpace } from "diff";
import { useMemo, useState } from "react";

import { ApiProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, TextArea, TextInput } from "@/ui/Field";
import { toast } from "@/ui/toast";

import { type Conversation, type Turn, useEditTurn } from "./queries";

const CONFLICT = 412;

/** Edit a turn beside what it was; nobody else's change made meanwhile is overwritten. */
export function EditTurn({
  conversation,
  turn,
  onClose,
}: {
  conversation: Conversation;
  turn: Turn;
  onClose: () => void;
}) {
  const [text, setText] = useState(turn.content);
  const [reason, setReason] = useState("");
  const edit = useEditTurn();
  const queries = useQueryClient();
  const isStale = edit.error instanceof ApiProblem && [409, CONFLICT].includes(edit.error.status);

  function save() {
    edit.mutate(
      {
        conversationId: conversation.id,
        version: conversation.version,
        turnNumber: turn.turn_number,
        content: text,
        reason: reason.trim(),
      },
      {
        onSuccess: () => {
          toast(`Turn ${turn.turn_number} was changed.`);
          onClose();
        },
      },
    );
  }

  return (
    <Dialog
      wide
      onClose={onClose}
      title={`Edit turn ${turn.turn_number}`}
      description="The text before stays in the audit trail; an approval is taken back, and the conversation is checked and enriched again."
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <div className="flex flex-col gap-1 text-sm">
          <span className="font-medium">Changes</span>
          <Changes before={turn.content} after={text} />
        </div>
        <Field label="New text">
          <TextArea
            autoFocus
            rows={12}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
      </div>
      <Field label="Reason">
        <TextInput
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Field>
      {edit.error && (
        <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
          {edit.error.message}
          {isStale && " Your text is kept here: load the newest version, compare, and save again."}
        </p>
      )}
      <div className="flex justify-end gap-2">
        {isStale && (
          <Button
            onClick={() => {
              edit.reset();
              void queries.invalidateQueries({
                queryKey: ["conversations", "one", conversation.id],
              });
            }}
          >
            Load the newest version
          </Button>
        )}
        <Button onClick={onClose}>Back</Button>
        <Button
          kind="primary"
          disabled={edit.isPending || text === turn.content || !text.trim() || !reason.trim()}
          onClick={save}
        >
          Save
        </Button>
      </div>
    </Dialog>
  );
}

/** What was removed and added, marked in words and not by colour alone. */
function Changes({ before, after }: { before: string; after: string }) {
  const parts = useMemo(() => diffWordsWithSpace(before, after), [before, after]);
  return (
    <div
      className="h-full max-h-80 overflow-auto rounded-md border border-line bg-page p-3 leading-relaxed break-words whitespace-pre-wrap"
      tabIndex={0}
    >
      {parts.map((part, index) =>
        part.added ? (
          <ins key={index} className="bg-good-soft text-good">
            {part.value}
          </ins>
        ) : part.removed ? (
          <del key={index} className="bg-bad-soft text-bad">
            {part.value}
          </del>
        ) : (
          <span key={index}>{part.value}</span>
        ),
      )}
    </div>
  );
}
