import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { Button } from "@/ui/Button";
import { DownloadButton } from "@/ui/DownloadButton";
import { exact, usd, words } from "@/ui/format";
import { Card, Page } from "@/ui/Page";
import { Loaded } from "@/ui/states";
import { toast, toastError } from "@/ui/toast";

import { FlagBadge, ReviewBadge, Score } from "./badges";
import { EditTurn } from "./EditTurn";
import { EmotionCurve } from "./EmotionCurve";
import {
  auditQuery,
  type Conversation,
  conversationQuery,
  type DownloadKind,
  downloadLink,
  type Turn,
  useDecide,
} from "./queries";
import { RejectDialog } from "./RejectDialog";
import { ShortcutHelp } from "./ShortcutHelp";
import { useReviewQueue } from "./useReviewQueue";
import { useReviewKeys } from "./useReviewKeys";

/** One conversation as a chat, with its score and flags, and a reviewer's keyboard. */
export function ConversationPage() {
  const { conversationId } = useParams({ from: "/conversations/$conversationId" });
  const conversation = useQuery(conversationQuery(conversationId));
  return (
    <Loaded query={conversation} rows={10}>
      {(data) => (
        <Reader key={conversationId} conversation={data.conversation} turns={data.turns ?? []} />
      )}
    </Loaded>
  );
}

type Open = "reject" | "edit" | "help" | null;

function Reader({ conversation, turns }: { conversation: Conversation; turns: Turn[] }) {
  const search = useSearch({ from: "/conversations/$conversationId" });
  const queue = useReviewQueue(search, conversation.id);
  const decide = useDecide();
  const [turn, setTurn] = useState(1);
  const [open, setOpen] = useState<Open>(null);

  function decided(status: Conversation["status"], notes?: string) {
    decide.mutate(
      { conversationId: conversation.id, version: conversation.version, status, notes },
      {
        onSuccess: (after) => {
          queue.remember({
            conversationId: conversation.id,
            name: conversation.conversation_name,
            version: after.version,
            before: conversation.status,
            notes: conversation.review_notes ?? undefined,
          });
          toast(`${words(status)}: ${conversation.conversation_name}`);
          queue.next();
        },
        onError: toastError,
      },
    );
  }

  function undo() {
    const last = queue.forgetLast();
    if (!last) return toast("There is nothing to undo.");
    decide.mutate(
      {
        conversationId: last.conversationId,
        version: last.version,
        status: last.before,
        notes: last.notes,
      },
      {
        onSuccess: () => {
          toast(`Undone: ${last.name} is ${words(last.before)} again.`);
          queue.open(last.conversationId);
        },
        onError: toastError,
      },
    );
  }

  useReviewKeys(
    {
      next: queue.next,
      previous: queue.previous,
      nextTurn: () => setTurn((now) => Math.min(turns.length, now + 1)),
      previousTurn: () => setTurn((now) => Math.max(1, now - 1)),
      approve: () => decided("approved"),
      reject: () => setOpen("reject"),
      edit: () => setOpen("edit"),
      undo,
      help: () => setOpen("help"),
    },
    open === null && !decide.isPending,
  );

  const current = turns.find((one) => one.turn_number === turn);
  return (
    <Page
      title={conversation.conversation_name}
      lead={
        <span className="flex flex-wrap items-center gap-2">
          <ReviewBadge status={conversation.status} />
          <Score value={conversation.quality_score} />
          <span>
            {words(conversation.persona_key)} · {words(conversation.emotional_arc_key)} ·{" "}
            {words(conversation.training_topic_key)}
          </span>
        </span>
      }
      actions={
        <>
          <Link
            to="/conversations"
            search={search}
            className="self-center text-sm text-accent hover:underline"
          >
            List
          </Link>
          <Button onClick={queue.previous} disabled={!queue.hasPrevious} title="k">
            Previous
          </Button>
          {/* As wide before the queue is known as after, so that the buttons stay where they are. */}
          <span
            className="min-w-24 self-center text-center text-sm tabular-nums text-muted"
            data-testid="place"
          >
            {queue.place}
          </span>
          <Button onClick={queue.next} disabled={!queue.hasNext} title="j">
            Next
          </Button>
          <Button
            kind="primary"
            onClick={() => decided("approved")}
            disabled={decide.isPending}
            title="a"
          >
            Approve
          </Button>
          <Button
            kind="danger"
            onClick={() => setOpen("reject")}
            disabled={decide.isPending}
            title="r"
          >
            Reject
          </Button>
          <Button kind="quiet" onClick={() => setOpen("help")} title="?">
            Keys
          </Button>
        </>
      }
    >
      <div className="grid items-start gap-5 lg:grid-cols-[1fr_20rem]">
        <Turns
          turns={turns}
          flags={conversation.flag_details}
          current={turn}
          onTurn={setTurn}
          onEdit={() => setOpen("edit")}
        />
        <aside
          aria-label="About this conversation"
          className="flex flex-col gap-4 lg:sticky lg:top-4"
        >
          <Quality conversation={conversation} turns={turns} current={turn} />
          <Trail conversationId={conversation.id} />
          <Downloads conversationId={conversation.id} />
        </aside>
      </div>
      {open === "reject" && (
        <RejectDialog
          onClose={() => setOpen(null)}
          onReject={(notes) => {
            setOpen(null);
            decided("rejected", notes);
          }}
        />
      )}
      {open === "edit" && current && (
        <EditTurn conversation={conversation} turn={current} onClose={() => setOpen(null)} />
      )}
      {open === "help" && <ShortcutHelp onClose={() => setOpen(null)} />}
    </Page>
  );
}

function Turns({
  turns,
  flags,
  current,
  onTurn,
  onEdit,
}: {
  turns: Turn[];
  flags: Conversation["flag_details"];
  current: number;
  onTurn: (turn: number) => void;
  onEdit: () => void;
}) {
  return (
    <ol aria-label="Turns" className="flex flex-col gap-3">
      {turns.map((turn) => {
        const isCurrent = turn.turn_number === current;
        const isClient = turn.role === "user";
        return (
          <li
            key={turn.turn_number}
            aria-current={isCurrent}
            ref={isCurrent ? (node) => node?.scrollIntoView({ block: "nearest" }) : undefined}
            className={`max-w-[92%] rounded-lg border px-4 py-3 ${isClient ? "self-start bg-surface" : "self-end bg-accent-soft"} ${isCurrent ? "border-accent" : "border-line"}`}
          >
            <div className="mb-1 flex flex-wrap items-center gap-2 text-xs text-muted">
              <button
                type="button"
                className="font-medium text-ink hover:underline"
                onClick={() => onTurn(turn.turn_number)}
              >
                {turn.turn_number}. {isClient ? "Client" : "Consultant"}
              </button>
              <span>{words(String(turn.emotional_context.primary_emotion ?? ""))}</span>
              {flags
                .filter((flag) => flag.turn_number === turn.turn_number)
                .map((flag) => (
                  <span key={flag.code} title={flag.message}>
                    <FlagBadge severity={flag.severity} code={flag.code} />
                  </span>
                ))}
              {isCurrent && (
                <button
                  type="button"
                  className="ml-auto text-accent hover:underline"
                  onClick={onEdit}
                  title="e"
                >
                  Edit
                </button>
              )}
            </div>
            {/* Isolated, so that directional characters of a model cannot reorder the page. */}
            <bdi className="block leading-relaxed break-words whitespace-pre-wrap">
              {turn.content}
            </bdi>
          </li>
        );
      })}
    </ol>
  );
}

function Quality({
  conversation,
  turns,
  current,
}: {
  conversation: Conversation;
  turns: Turn[];
  current: number;
}) {
  return (
    <Card title="Quality">
      <div className="flex flex-col gap-3 p-4 text-sm">
        <EmotionCurve turns={turns} current={current} />
        <dl className="grid grid-cols-[1fr_auto] gap-x-3 gap-y-1">
          {Object.entries(conversation.quality_criteria).map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{words(name)}</dt>
              <dd className="text-right tabular-nums">
                {value === null ? "unknown" : value.toFixed(1)}
              </dd>
            </div>
          ))}
        </dl>
        {conversation.quality_reasons.length > 0 && (
          <ul aria-label="Reasons" className="list-disc space-y-1 pl-5">
            {conversation.quality_reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        )}
        {conversation.flag_details.length > 0 && (
          <ul aria-label="Flags" className="space-y-2">
            {conversation.flag_details.map((flag) => (
              <li key={`${flag.code} ${flag.turn_number}`}>
                <FlagBadge severity={flag.severity} code={flag.code} />{" "}
                <span className="text-muted">turn {flag.turn_number}:</span> {flag.message}
              </li>
            ))}
          </ul>
        )}
        {conversation.review_notes && <p>Notes: {conversation.review_notes}</p>}
        <p className="text-xs text-muted">
          {conversation.model}, {usd(conversation.cost_usd)}
          {conversation.simulated && " (simulated)"}
        </p>
      </div>
    </Card>
  );
}

const Downloads = ({ conversationId }: { conversationId: string }) => (
  <Card title="Downloads">
    <div className="flex flex-wrap gap-2 p-4">
      {DOWNLOADS.map(([kind, label]) => (
        <DownloadButton key={kind} link={() => downloadLink(conversationId, kind)}>
          {label}
        </DownloadButton>
      ))}
    </div>
  </Card>
);

const DOWNLOADS: readonly (readonly [DownloadKind, string])[] = [
  ["enriched", "Enriched"],
  ["parsed", "As written"],
  ["raw", "Claude's answer"],
];

function Trail({ conversationId }: { conversationId: string }) {
  const trail = useQuery(auditQuery(conversationId));
  return (
    <Card title="Changes">
      <Loaded query={trail} rows={2}>
        {(page) =>
          page.entries.length === 0 ? (
            <p className="p-4 text-sm text-muted">None yet.</p>
          ) : (
            <ul className="divide-y divide-line text-sm">
              {page.entries.map((entry) => (
                <li key={entry.entry_id} className="px-4 py-2">
                  {words(entry.action)}
                  {entry.turn_number && ` turn ${entry.turn_number}`}
                  {entry.reason && <span className="text-muted">: {entry.reason}</span>}
                  <div className="text-xs text-muted">{exact(entry.at)}</div>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
