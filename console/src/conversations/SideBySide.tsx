import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { diffWordsWithSpace } from "diff";
import { type ReactNode, useMemo } from "react";

import { Button } from "@/ui/Button";
import { words } from "@/ui/format";
import { Card } from "@/ui/Page";
import { Loaded } from "@/ui/states";
import { toast, toastError } from "@/ui/toast";

import { ReviewBadge, Score } from "./badges";
import {
  type Conversation,
  type ConversationDetails,
  conversationQuery,
  type Pair,
  type Turn,
  useDecide,
} from "./queries";

/** Two conversations turn by turn, where they differ marked, and a decision about either. */
export function SideBySide({ pair, onClose }: { pair: Pair; onClose: () => void }) {
  const left = useQuery(conversationQuery(pair.first.id));
  const right = useQuery(conversationQuery(pair.second.id));
  return (
    <Card title="Side by side">
      <Loaded query={left}>
        {(one) => <Loaded query={right}>{(other) => <Compared left={one} right={other} />}</Loaded>}
      </Loaded>
      <div className="flex justify-end border-t border-line p-3">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Card>
  );
}

const Compared = ({ left, right }: { left: ConversationDetails; right: ConversationDetails }) => {
  const [ours, theirs] = [left.turns ?? [], right.turns ?? []];
  const length = Math.max(ours.length, theirs.length);
  return (
    <div className="grid grid-cols-1 sm:grid-cols-2">
      <Heading place="First" conversation={left.conversation} other={right.conversation} />
      <Heading place="Second" conversation={right.conversation} other={left.conversation} />
      {Array.from({ length }, (_, index) => (
        <TurnPair key={index} left={ours[index]} right={theirs[index]} />
      ))}
    </div>
  );
};

function Heading({
  place,
  conversation,
  other,
}: {
  place: string;
  conversation: Conversation;
  other: Conversation;
}) {
  const decide = useDecide();
  const { id, version, status, conversation_name: name } = conversation;
  return (
    <div className="flex flex-wrap items-center gap-2 border-b border-line p-4">
      <p className="w-full text-xs text-muted">
        {place}, {words(conversation.emotional_arc_key)} · {words(conversation.training_topic_key)}
      </p>
      <h3 className="w-full font-medium break-words">
        <Link
          to="/conversations/$conversationId"
          params={{ conversationId: id }}
          className="hover:underline"
        >
          {name}
        </Link>
      </h3>
      <ReviewBadge status={status} />
      <Score value={conversation.quality_score} />
      <Button
        kind="danger"
        className="ml-auto"
        aria-label={`Reject this one: ${name}`}
        disabled={decide.isPending || status === "rejected"}
        onClick={() =>
          decide.mutate(
            {
              conversationId: id,
              version,
              status: "rejected",
              notes: `Same text as ${other.conversation_name}`,
            },
            { onSuccess: () => toast(`rejected: ${name}`), onError: toastError },
          )
        }
      >
        Reject this one
      </Button>
    </div>
  );
}

/** A turn of both: once where it is the same, else with the words marked that only one has. */
function TurnPair({ left, right }: { left: Turn | undefined; right: Turn | undefined }) {
  const [before, after] = [left?.content ?? "", right?.content ?? ""];
  const parts = useMemo(() => diffWordsWithSpace(before, after), [before, after]);
  if (left && before === after)
    return (
      <div className="min-w-0 border-b border-line px-4 py-3 text-sm text-muted sm:col-span-2">
        <Speaker turn={left} place="the same in both" />
        <Text>{before}</Text>
      </div>
    );
  return (
    <>
      {([left, right] as const).map((turn, side) => (
        <div key={side} className="min-w-0 border-b border-line px-4 py-3 text-sm">
          {turn && <Speaker turn={turn} place={side === 0 ? "first" : "second"} />}
          <Text>
            {parts.map((part, index) =>
              part.added || part.removed ? (
                (side === 0 ? part.removed : part.added) && (
                  <mark key={index} className="bg-warn-soft text-warn">
                    {part.value}
                  </mark>
                )
              ) : (
                <span key={index}>{part.value}</span>
              ),
            )}
          </Text>
        </div>
      ))}
    </>
  );
}

const Speaker = ({ turn, place }: { turn: Turn; place: string }) => (
  <p className="mb-1 text-xs text-muted">
    {turn.turn_number}. {turn.role === "user" ? "Client" : "Consultant"}, {place}
  </p>
);

/** Isolated, so that directional characters of a model cannot reorder the page. */
const Text = ({ children }: { children: ReactNode }) => (
  <bdi className="block leading-relaxed break-words whitespace-pre-wrap">{children}</bdi>
);
