import { type FormEvent, useState } from "react";

import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, TextArea } from "@/ui/Field";

const REASONS = ["Off topic", "Wrong facts", "Unsafe advice", "Wrong emotion", "Repetitive"];

/** The reason of a rejection: a common one, or typed; Ctrl or ⌘ with Enter sends it. */
export function RejectDialog({
  onClose,
  onReject,
}: {
  onClose: () => void;
  onReject: (reason: string) => void;
}) {
  const [reason, setReason] = useState("");
  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (reason.trim()) onReject(reason.trim());
  };
  return (
    <Dialog onClose={onClose} title="Reject this conversation">
      <form onSubmit={send} className="flex flex-col gap-4">
        <div className="flex flex-wrap gap-2" role="group" aria-label="Common reasons">
          {REASONS.map((one) => (
            <Button key={one} onClick={() => setReason(one)} aria-pressed={reason === one}>
              {one}
            </Button>
          ))}
        </div>
        <Field label="Reason">
          <TextArea
            autoFocus
            rows={3}
            maxLength={2000}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
            }}
          />
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Back</Button>
          <Button kind="danger" type="submit" disabled={!reason.trim()}>
            Reject
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
