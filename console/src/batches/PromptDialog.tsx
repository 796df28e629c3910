import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { MarkedPrompt } from "@/scaffolding/MarkedPrompt";
import { promptPreviewQuery } from "@/scaffolding/queries";
import type { Choices } from "@/scaffolding/useChoices";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, Select } from "@/ui/Field";
import { Loaded } from "@/ui/states";

interface Planned {
  position: number;
  persona_key: string;
  emotional_arc_key: string;
  training_topic_key: string;
}

/** What Claude will be sent for a conversation of the order, by the template that is selected. */
export function PromptDialog({
  choices,
  items,
  onClose,
}: {
  choices: Choices;
  items: readonly Planned[];
  onClose: () => void;
}) {
  const [place, setPlace] = useState(0);
  const item = items[place];
  const preview = useQuery(
    promptPreviewQuery({
      persona_id: item?.persona_key ?? "",
      emotional_arc_id: item?.emotional_arc_key ?? "",
      training_topic_id: item?.training_topic_key ?? "",
    }),
  );
  return (
    <Dialog wide title="What Claude is sent" onClose={onClose}>
      <Field label="For the conversation">
        <Select value={place} onChange={(event) => setPlace(Number(event.target.value))}>
          {items.map((one, index) => (
            <option key={one.position} value={index}>
              {titleOf(one, choices)}
            </option>
          ))}
        </Select>
      </Field>
      <Loaded query={preview} rows={8}>
        {(prompt) => (
          <>
            <p className="text-sm text-muted">
              {prompt.template && `Template: ${prompt.template.template_name}`}
            </p>
            <h3 className="text-sm font-semibold">System prompt</h3>
            <pre
              tabIndex={0}
              aria-label="System prompt"
              className="max-h-40 overflow-auto rounded-md border border-line bg-page p-3 text-xs leading-5 break-words whitespace-pre-wrap"
            >
              {prompt.system_prompt}
            </pre>
            <h3 className="text-sm font-semibold">Prompt</h3>
            <MarkedPrompt preview={prompt} known={prompt.unresolved} />
          </>
        )}
      </Loaded>
      <div className="flex justify-end">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

/** A conversation by the names of its records. */
function titleOf(item: Planned, choices: Choices): string {
  const name = (records: readonly { key: string; name: string }[], key: string) =>
    records.find((one) => one.key === key)?.name ?? key;
  return [
    name(choices.known.personas, item.persona_key),
    name(choices.known.arcs, item.emotional_arc_key),
    name(choices.known.topics, item.training_topic_key),
  ].join(", ");
}
