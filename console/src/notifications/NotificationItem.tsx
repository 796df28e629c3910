import { Link } from "@tanstack/react-router";

import { Time } from "@/ui/Time";
import { toastError } from "@/ui/toast";

import { placeOf } from "./place";
import { type Notification, useMarkRead } from "./queries";

/** A notification that leads to what it is about, and is read by following it. */
export function NotificationItem({
  notification,
  short,
  onFollow,
}: {
  notification: Notification;
  short?: boolean;
  onFollow?: () => void;
}) {
  const markRead = useMarkRead();
  const { id, title, message, read } = notification;
  return (
    <li className="flex items-start gap-2 px-4 py-3 text-sm hover:bg-raised">
      <span
        aria-hidden
        className={`mt-1.5 size-2 shrink-0 rounded-full ${read ? "" : "bg-accent"}`}
      />
      <Link
        to={placeOf(notification.action_url)}
        className="min-w-0 flex-1"
        onClick={() => {
          if (!read) markRead.mutate(id, { onError: toastError });
          onFollow?.();
        }}
      >
        <span className={read ? "" : "font-semibold"}>
          {!read && <span className="sr-only">Unread: </span>}
          {title}
        </span>
        <span className={`break-words text-muted ${short ? "line-clamp-3" : "block"}`}>
          {message}
        </span>
        <span className="block text-xs text-muted">
          <Time at={notification.created_at} />
        </span>
      </Link>
      {!read && (
        <button
          type="button"
          className="shrink-0 text-xs text-accent underline"
          aria-label={`Mark read: ${title}`}
          onClick={() => markRead.mutate(id, { onError: toastError })}
        >
          Mark read
        </button>
      )}
    </li>
  );
}
