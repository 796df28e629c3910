import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bell } from "lucide-react";
import { useId, useRef } from "react";

import { Button, buttonClass } from "@/ui/Button";
import { count } from "@/ui/format";
import { Empty, Loaded } from "@/ui/states";
import { toastError } from "@/ui/toast";

import { NotificationItem } from "./NotificationItem";
import { newestQuery, useMarkRead } from "./queries";

const MOST_SHOWN = 99;

/** How many notifications are unread, and the newest ones in a panel; Escape closes it. */
export function NotificationBell() {
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  const newest = useQuery(newestQuery());
  const markRead = useMarkRead();
  const unread = newest.data?.unread_count ?? 0;
  const close = () => panel.current?.hidePopover();
  return (
    <>
      <button
        type="button"
        popoverTarget={id}
        className={`${buttonClass("quiet")} relative`}
        aria-label={unread > 0 ? `Notifications, ${count(unread)} unread` : "Notifications"}
        title="Notifications"
      >
        <Bell className="size-4" aria-hidden />
        {unread > 0 && (
          <span
            aria-hidden
            className="absolute top-0 right-0 min-w-4 rounded-full bg-accent px-1 text-center text-[0.625rem] leading-4 font-semibold text-on-accent tabular-nums"
          >
            {unread > MOST_SHOWN ? `${MOST_SHOWN}+` : unread}
          </span>
        )}
      </button>
      <div
        ref={panel}
        id={id}
        popover="auto"
        role="dialog"
        aria-label="Notifications"
        className="fixed inset-auto top-14 right-4 m-0 lg:top-3 lg:right-auto lg:left-54 max-h-[80vh] w-96 max-w-[calc(100vw-2rem)] overflow-auto rounded-lg border border-line bg-surface text-ink shadow-xl"
      >
        <div className="flex items-center justify-between gap-2 border-b border-line px-4 py-2">
          <h2 className="text-sm font-semibold">Notifications</h2>
          <Button
            kind="quiet"
            disabled={unread === 0 || markRead.isPending}
            onClick={() => markRead.mutate(null, { onError: toastError })}
          >
            Mark all read
          </Button>
        </div>
        <Loaded query={newest} rows={3}>
          {({ notifications }) =>
            notifications.length === 0 ? (
              <Empty title="Nothing yet">
                <p className="text-sm text-muted">
                  You hear here when a dataset is ready or a training ends.
                </p>
              </Empty>
            ) : (
              <ul className="divide-y divide-line">
                {notifications.map((one) => (
                  <NotificationItem key={one.id} notification={one} short onFollow={close} />
                ))}
              </ul>
            )
          }
        </Loaded>
        <Link
          to="/notifications"
          onClick={close}
          className="block border-t border-line px-4 py-2.5 text-center text-sm text-accent hover:bg-raised"
        >
          All notifications
        </Link>
      </div>
    </>
  );
}
