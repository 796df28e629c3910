import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { count } from "@/ui/format";

import { LONGEST_QUEUE, type ReviewStatus, reviewQueueQuery } from "./queries";
import type { ConversationSearch } from "./search";

/** A decision of this tab, with what is needed to take it back. */
export interface Decided {
  conversationId: string;
  name: string;
  version: number;
  before: ReviewStatus;
  notes?: string;
}

/** The decisions of this tab, oldest first; going to another conversation keeps them. */
const decisions: Decided[] = [];

/** The place of a conversation among those that the address selects, and how to go on from it. */
export function useReviewQueue(search: ConversationSearch, conversationId: string) {
  const navigate = useNavigate();
  const queue = useQuery(reviewQueueQuery(search));
  const ids = queue.data ?? [];
  const index = ids.indexOf(conversationId);
  const open = (id: string | undefined) => {
    if (id === undefined) return;
    void navigate({
      to: "/conversations/$conversationId",
      params: { conversationId: id },
      search,
    });
  };
  return {
    place:
      index < 0
        ? ""
        : `${count(index + 1)} of ${count(ids.length)}${ids.length >= LONGEST_QUEUE ? "+" : ""}`,
    hasPrevious: index > 0,
    hasNext: index >= 0 && index < ids.length - 1,
    next: () => open(ids[index + 1]),
    previous: () => open(ids[index - 1]),
    open,
    remember(decision: Decided) {
      decisions.push(decision);
    },
    /** The newest decision, which can then not be taken back again. */
    forgetLast(): Decided | undefined {
      return decisions.pop();
    },
  };
}
