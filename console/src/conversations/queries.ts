/** Conversations over the API: lists, one with its turns, decisions and edits. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { answer, api, etag } from "@/api/client";
import type { components } from "@/api/schema";

import { apiQuery, bulkFilter, type ConversationSearch, PAGE_SIZE } from "./search";

export type ConversationRow = components["schemas"]["ConversationList"]["conversations"][number];
export type Conversation = components["schemas"]["ConversationView"];
export type ConversationDetails = components["schemas"]["ConversationDetailResponse"];
export type Turn = components["schemas"]["TurnView"];
export type ReviewStatus = Conversation["status"];
export type BulkAction = components["schemas"]["BulkAction"]["action"];

const QUEUE_PAGE = 100;
/** Conversations that one pass of reviewing takes in, newest matches first. */
export const LONGEST_QUEUE = 1_000;

export const conversationListQuery = (search: ConversationSearch) =>
  queryOptions({
    queryKey: ["conversations", "list", search],
    queryFn: () =>
      answer(
        api().GET("/api/conversations", {
          params: { query: { ...apiQuery(search), limit: PAGE_SIZE, page: search.page ?? 1 } },
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** The first conversations that an address selects, up to `most` and a page, and how many match. */
async function firstMatches(search: ConversationSearch, most: number) {
  const rows: ConversationRow[] = [];
  for (let page = 1; ; page++) {
    const read = await answer(
      api().GET("/api/conversations", {
        params: { query: { ...apiQuery(search), limit: QUEUE_PAGE, page } },
      }),
    );
    rows.push(...read.conversations);
    if (rows.length >= most || page >= (read.totalPages ?? 1))
      return { rows, total: read.total ?? rows.length };
  }
}

/**
 * The ids that a reviewer goes through, fixed when the review begins: a decision must not change
 * which conversation is next.
 */
export const reviewQueueQuery = (search: ConversationSearch) =>
  queryOptions({
    queryKey: ["conversations", "queue", { ...search, page: undefined }],
    queryFn: async () => (await firstMatches(search, LONGEST_QUEUE)).rows.map((one) => one.id),
    staleTime: Infinity,
    gcTime: Infinity,
  });

export const conversationQuery = (conversationId: string) =>
  queryOptions({
    queryKey: ["conversations", "one", conversationId],
    queryFn: () =>
      answer(
        api().GET("/api/conversations/{conversation_id}", {
          params: { path: { conversation_id: conversationId }, query: { includeTurns: true } },
        }),
      ),
  });

export const auditQuery = (conversationId: string) =>
  queryOptions({
    queryKey: ["conversations", "audit", conversationId],
    queryFn: () =>
      answer(
        api().GET("/api/conversations/{conversation_id}/audit", {
          params: { path: { conversation_id: conversationId }, query: { limit: 25 } },
        }),
      ),
  });

/** Forget lists and the conversation's own pages after a change, but keep the review's order. */
function useForget() {
  const queries = useQueryClient();
  return async (conversationId?: string) => {
    const ids = conversationId === undefined ? [] : [conversationId];
    await Promise.all(
      [["list"], ["one", ...ids], ["audit", ...ids]].map((key) =>
        queries.invalidateQueries({ queryKey: ["conversations", ...key] }),
      ),
    );
  };
}

export interface Decision {
  conversationId: string;
  version: number;
  status: ReviewStatus;
  notes?: string;
}

/** Decide about the version that was read; a newer one is not overwritten. */
export function useDecide() {
  const forget = useForget();
  return useMutation({
    mutationFn: ({ conversationId, version, status, notes }: Decision) =>
      answer(
        api().PATCH("/api/conversations/{conversation_id}/status", {
          params: {
            path: { conversation_id: conversationId },
            header: { "if-match": etag(version) },
          },
          body: { status, review_notes: notes },
        }),
      ),
    onSettled: (_data, _error, decision) => forget(decision.conversationId),
  });
}

export interface TurnEdit {
  conversationId: string;
  version: number;
  turnNumber: number;
  content: string;
  reason: string;
}

export function useEditTurn() {
  const forget = useForget();
  return useMutation({
    mutationFn: (edit: TurnEdit) =>
      answer(
        api().PATCH("/api/conversations/{conversation_id}", {
          params: {
            path: { conversation_id: edit.conversationId },
            header: { "if-match": etag(edit.version) },
          },
          body: { turn_number: edit.turnNumber, content: edit.content, reason: edit.reason },
        }),
      ),
    onSuccess: (_data, edit) => forget(edit.conversationId),
  });
}

/** Conversations by their ids, or all that match a filter. */
export type BulkTarget =
  { conversationIds: string[] } | { filter: components["schemas"]["BulkFilter"] };

/** How many conversations a decision would change. */
export const bulkPreviewQuery = (action: BulkAction, target: BulkTarget) =>
  queryOptions({
    queryKey: ["conversations", "bulk-preview", action, target],
    queryFn: async () => {
      // The API wants a reason of a rejection, even of one that is not carried out.
      const reason = action === "reject" ? "Preview" : undefined;
      const { summary, remaining } = await answer(
        api().POST("/api/conversations/bulk-action", {
          body: { action, ...target, reason, dryRun: true },
        }),
      );
      return summary.updated + (remaining ?? 0);
    },
    gcTime: 0,
  });

/** What a decision about many did; `bulkActionId` takes it back. */
export interface DecidedMany {
  updated: number;
  left: number;
  bulkActionId: string | null;
  /** Why the rest was not reached. */
  interruption?: string;
}

/** Decide about many, a hundred at a time; what was done before a fault can be taken back. */
export function useDecideMany() {
  const forget = useForget();
  return useMutation({
    mutationFn: async ({
      action,
      target,
      reason,
    }: {
      action: BulkAction;
      target: BulkTarget;
      reason?: string;
    }) => {
      const done: DecidedMany = { updated: 0, left: 0, bulkActionId: null };
      for (;;) {
        const bulkActionId = done.bulkActionId ?? undefined;
        const body = { action, ...target, reason, bulkActionId };
        const call = answer(api().POST("/api/conversations/bulk-action", { body }));
        const { summary, remaining, bulk_action_id } = await call.catch((error: Error) => {
          if (done.updated === 0) throw error;
          done.interruption = error.message;
          return { summary: { updated: 0, total: 0 }, remaining: 0, bulk_action_id: null };
        });
        done.updated += summary.updated;
        done.left += summary.total - summary.updated;
        done.bulkActionId ??= bulk_action_id;
        // Those that others change meanwhile match again and again.
        if (!remaining || summary.updated === 0) return done;
      }
    },
    onSettled: () => forget(),
  });
}

/** Take back a decision about many; gives how many are as they were before. */
export function useUndoMany() {
  const forget = useForget();
  return useMutation({
    mutationFn: async (bulkActionId: string) => {
      const path = { bulk_action_id: bulkActionId };
      let undone = 0;
      let cursor: string | undefined;
      do {
        const page = await answer(
          api().POST("/api/conversations/bulk-action/{bulk_action_id}/undo", {
            params: { path, query: { cursor } },
          }),
        );
        undone += page.summary.updated;
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return undone;
    },
    onSettled: () => forget(),
  });
}

/** Edited answers of the conversations that a filter finds, approved unless it says otherwise. */
export async function preferenceLines(filter: components["schemas"]["BulkFilter"]) {
  const lines: string[] = [];
  for (let position: number | null = 0; position !== null;) {
    const body: components["schemas"]["EditedConversations"] = { filter, position };
    const page: components["schemas"]["PreferenceList"] = await answer(
      api().POST("/api/conversations/preferences", { body }),
    );
    lines.push(...page.records.map((record) => `${JSON.stringify(record)}\n`));
    position = page.next_position;
  }
  return lines;
}

/** Conversations that the API compares at once. */
export const MOST_COMPARED = 500;

/** Two conversations with the same text; `overlap` is the share of turns in common, 0 to 1. */
export interface Pair {
  id: string;
  first: ConversationRow;
  second: ConversationRow;
  kind: components["schemas"]["DuplicateView"]["kind"];
  overlap: number;
}

/** Pairs among the first conversations that an address selects; what is decided leaves them be. */
export const duplicatesQuery = (search: ConversationSearch) =>
  queryOptions({
    queryKey: ["conversations", "duplicates", { ...search, page: undefined }],
    queryFn: async () => {
      const { rows, total } = await firstMatches(search, MOST_COMPARED);
      if (rows.length === 0) return { pairs: [], compared: 0, matching: 0 };
      const known = new Map(rows.map((row) => [row.id, row]));
      const body = { conversation_ids: [...known.keys()].slice(0, MOST_COMPARED) };
      const found = await answer(api().POST("/api/conversations/duplicates", { body }));
      const pairs = found.duplicates.flatMap(({ conversation_id: id, same_as, kind, overlap }) => {
        const [first, second] = [known.get(same_as), known.get(id)];
        return first && second ? [{ id, first, second, kind, overlap } satisfies Pair] : [];
      });
      return { pairs, compared: found.compared, matching: total };
    },
    staleTime: Infinity,
  });

/** How much the conversations of an address differ, of a sample of them. */
export const diversityQuery = (search: ConversationSearch) =>
  queryOptions({
    queryKey: ["conversations", "diversity", { ...search, page: undefined }],
    queryFn: () =>
      answer(api().POST("/api/conversations/diversity", { body: { filter: bulkFilter(search) } })),
    staleTime: Infinity,
  });

export type DownloadKind = "parsed" | "enriched" | "raw";

/** A short-lived link to a conversation's file. */
export async function downloadLink(conversationId: string, kind: DownloadKind): Promise<string> {
  const params = { path: { conversation_id: conversationId } };
  const call = {
    parsed: () => api().GET("/api/conversations/{conversation_id}/download", { params }),
    enriched: () => api().GET("/api/conversations/{conversation_id}/download/enriched", { params }),
    raw: () => api().GET("/api/conversations/{conversation_id}/download/raw", { params }),
  }[kind];
  return (await answer(call())).download_url;
}
