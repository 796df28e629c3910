import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, Select, TextInput } from "@/ui/Field";
import { count, counted } from "@/ui/format";

import { LeftOut } from "./LeftOut";
import {
  type Conditions,
  type Eligibility,
  previewQuery,
  type Selection,
  trainingFileListQuery,
  useMakeVersion,
} from "./queries";

const NEW = "";

/** Makes a training file of conversations, or a further version of one. */
export function TrainingFileDialog({
  selection,
  onClose,
}: {
  selection: Selection;
  onClose: () => void;
}) {
  const [fileId, setFileId] = useState(NEW);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [conditions, setConditions] = useState<Conditions>({
    eligibility: "approved",
    allow_duplicates: false,
  });
  const preview = useQuery(previewQuery(selection, conditions));
  const navigate = useNavigate();
  const make = useMakeVersion();

  function send(event: FormEvent) {
    event.preventDefault();
    const about = fileId === NEW ? { name: name.trim(), description } : { fileId };
    make.mutate(
      { selection, ...conditions, ...about },
      {
        onSuccess: (file) => {
          onClose();
          void navigate({ to: "/training-files/$fileId", params: { fileId: file.id } });
        },
      },
    );
  }

  return (
    <Dialog onClose={onClose} title="Make a training file">
      <form onSubmit={send} className="flex flex-col gap-4">
        <FileChoice value={fileId} onChange={setFileId} />
        {fileId === NEW && (
          <>
            <Field label="Name">
              <TextInput
                required
                autoFocus
                maxLength={255}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            </Field>
            <Field label="Description (optional)">
              <TextInput
                maxLength={2000}
                value={description}
                onChange={(event) => setDescription(event.target.value)}
              />
            </Field>
          </>
        )}
        <ConditionFields conditions={conditions} onChange={setConditions} />
        <div role="status" className="min-h-10 text-sm">
          {preview.data ? (
            <>
              <p className="font-medium">
                {count(preview.data.eligible)} of {counted(preview.data.selected, "conversation")}{" "}
                can be in it
              </p>
              <LeftOut counts={preview.data.leftOut} />
            </>
          ) : (
            <p className="text-muted">{preview.error?.message ?? "Counting which can be in it…"}</p>
          )}
        </div>
        {make.error && (
          <p role="alert" className="text-sm text-bad">
            {make.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Back</Button>
          <Button kind="primary" type="submit" disabled={make.isPending || !preview.data?.eligible}>
            {fileId === NEW ? "Make the file" : "Add to the file"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function FileChoice({ value, onChange }: { value: string; onChange: (fileId: string) => void }) {
  const files = useInfiniteQuery(trainingFileListQuery());
  return (
    <Field label="File">
      <Select className="w-full" value={value} onChange={(event) => onChange(event.target.value)}>
        <option value={NEW}>A new file</option>
        {files.data?.map((file) => (
          <option key={file.id} value={file.id}>
            Add to {file.name}, as version {file.version + 1}
          </option>
        ))}
      </Select>
    </Field>
  );
}

const ConditionFields = ({
  conditions,
  onChange,
}: {
  conditions: Conditions;
  onChange: (conditions: Conditions) => void;
}) => (
  <>
    <Field
      label="Which of them"
      hint="Rejected and archived ones never, and with a severe flag only those that a reviewer approved."
    >
      <Select
        className="w-full"
        value={conditions.eligibility}
        onChange={(event) =>
          onChange({ ...conditions, eligibility: event.target.value as Eligibility })
        }
      >
        <option value="approved">Approved ones only</option>
        <option value="enriched">Those waiting for review, too</option>
      </Select>
    </Field>
    <label className="flex items-start gap-2 text-sm">
      <input
        type="checkbox"
        className="mt-1"
        checked={conditions.allow_duplicates}
        onChange={(event) => onChange({ ...conditions, allow_duplicates: event.target.checked })}
      />
      Accept those that have the same text as another one
    </label>
  </>
);
