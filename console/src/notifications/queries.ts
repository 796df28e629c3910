/** Notifications over the API. */
import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";

import { answer, api } from "@/api/client";
import type { components } from "@/api/schema";

import { pauseMs } from "./pause";

export type Notification = components["schemas"]["NotificationView"];

const NEWEST = 8;
const PAGE = 50;

/** The newest few and how many are unread; what the bell shows. Hidden tabs do not ask. */
export const newestQuery = () =>
  queryOptions({
    queryKey: ["notifications", "newest"],
    queryFn: async () =>
      (await answer(api().GET("/api/notifications", { params: { query: { limit: NEWEST } } })))
        .data,
    refetchInterval: ({ state }) => pauseMs(state.data?.notifications[0]?.created_at),
  });

/** All of them, page by page. */
export const allQuery = (unread: boolean) =>
  infiniteQueryOptions({
    queryKey: ["notifications", "all", unread],
    queryFn: ({ pageParam: cursor }) =>
      answer(
        api().GET("/api/notifications", {
          params: { query: { limit: PAGE, unread, cursor: cursor ?? undefined } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    select: ({ pages }) => pages.flatMap((page) => page.data.notifications),
  });

/** Mark one as read; without an id, all. */
export function useMarkRead() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: string | null) => {
      if (id === null) await answer(api().POST("/api/notifications/read-all"));
      else {
        const params = { path: { notification_id: id } };
        await answer(api().PATCH("/api/notifications/{notification_id}/read", { params }));
      }
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["notifications"] }),
  });
}
