import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { Field, Select, TextArea } from "@/ui/Field";
import { count } from "@/ui/format";
import { Card } from "@/ui/Page";
import { useDebounced } from "@/ui/useDebounced";

import { MarkedPrompt } from "./MarkedPrompt";
import {
  arcsQuery,
  personasQuery,
  placeholdersQuery,
  promptPreviewQuery,
  templatesQuery,
  type Tier,
  topicsQuery,
} from "./queries";
import { useDomainKey } from "./useDomain";

/** The text of a template beside what Claude would be sent, rendered while it is typed. */
export function TemplateEditor({
  text,
  arcKey,
  tier,
  onChange,
  fault,
}: {
  text: string;
  arcKey: string;
  tier: string;
  onChange: (text: string) => void;
  fault?: string;
}) {
  const area = useRef<HTMLTextAreaElement>(null);
  const domain = useDomainKey();
  const anyTemplate = useQuery(templatesQuery(domain)).data?.[0]?.id ?? "";
  const known = useQuery({
    ...placeholdersQuery(anyTemplate, domain),
    enabled: anyTemplate !== "",
  }).data;
  const insert = (name: string) => {
    const at = area.current?.selectionStart ?? text.length;
    const placeholder = `{{${name}}}`;
    onChange(text.slice(0, at) + placeholder + text.slice(area.current?.selectionEnd ?? at));
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(at + placeholder.length, at + placeholder.length);
    });
  };
  return (
    <Card title="Prompt">
      <div className="grid grid-cols-1 gap-4 p-4 lg:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-2">
          <Field label="Text" hint={`${count(text.length)} of 20,000 characters`}>
            <TextArea
              ref={area}
              rows={22}
              maxLength={20_000}
              aria-invalid={fault ? true : undefined}
              className="w-full font-mono text-xs leading-5"
              value={text}
              onChange={(event) => onChange(event.target.value)}
            />
          </Field>
          {fault && (
            <p role="alert" className="text-xs text-bad">
              {fault}
            </p>
          )}
          <Select
            aria-label="Insert a placeholder"
            className="max-w-full self-start"
            value=""
            onChange={(event) => insert(event.target.value)}
          >
            <option value="">Insert a placeholder</option>
            {[...(known ?? [])].sort().map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        </div>
        <Rendering text={text} arcKey={arcKey} tier={tier} known={known ?? []} />
      </div>
    </Card>
  );
}

function Rendering({
  text,
  arcKey,
  tier,
  known,
}: {
  text: string;
  arcKey: string;
  tier: string;
  known: readonly string[];
}) {
  const domain = useDomainKey();
  const personas = useQuery(personasQuery(domain)).data ?? [];
  const arcs = useQuery(arcsQuery(domain)).data ?? [];
  const topics = (useQuery(topicsQuery(domain)).data ?? []).filter(
    (one) => one.is_active !== false,
  );
  const [persona, setPersona] = useState("");
  const [topic, setTopic] = useState("");
  const draft = useDebounced(text);
  const preview = useQuery({
    ...promptPreviewQuery({
      persona_id: persona || (personas[0]?.persona_key ?? ""),
      emotional_arc_id: arcKey || (arcs[0]?.arc_key ?? ""),
      training_topic_id: topic || (topics[0]?.topic_key ?? ""),
      template_text: draft,
      tier: tier as Tier,
    }),
    enabled: draft !== "" && personas.length > 0 && arcs.length > 0 && topics.length > 0,
  });
  return (
    <div className="flex min-w-0 flex-col gap-2" aria-live="polite">
      <div className="grid grid-cols-1 gap-2 sm:grid-cols-2">
        <Field label="Rendered for">
          <Select value={persona} onChange={(event) => setPersona(event.target.value)}>
            {personas.map((one) => (
              <option key={one.id} value={one.persona_key}>
                {one.name}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="on the topic">
          <Select value={topic} onChange={(event) => setTopic(event.target.value)}>
            {topics.map((one) => (
              <option key={one.id} value={one.topic_key}>
                {one.name}
              </option>
            ))}
          </Select>
        </Field>
      </div>
      {draft === "" ? (
        <p className="text-sm text-muted">Write a text to see what Claude would be sent.</p>
      ) : preview.error ? (
        <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
          {preview.error.message}
        </p>
      ) : (
        preview.data && <MarkedPrompt preview={preview.data} known={known} />
      )}
    </div>
  );
}
