import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { Button } from "@/ui/Button";
import { counted } from "@/ui/format";
import { ShowMore } from "@/ui/List";
import { Card, Page } from "@/ui/Page";
import { Empty, Loaded } from "@/ui/states";
import { toastError } from "@/ui/toast";

import { NotificationItem } from "./NotificationItem";
import { allQuery, newestQuery, useMarkRead } from "./queries";

/** All notifications, newest first, or the unread ones. */
export function NotificationListPage() {
  const [unreadOnly, setUnreadOnly] = useState(false);
  const newest = useQuery(newestQuery());
  const markRead = useMarkRead();
  const unread = newest.data?.unread_count ?? 0;
  return (
    <Page
      title="Notifications"
      lead={newest.data && `${counted(unread, "unread notification")}`}
      actions={
        <Button
          disabled={unread === 0 || markRead.isPending}
          onClick={() => markRead.mutate(null, { onError: toastError })}
        >
          Mark all read
        </Button>
      }
    >
      <label className="flex items-center gap-2 text-sm">
        <input
          type="checkbox"
          checked={unreadOnly}
          onChange={(event) => setUnreadOnly(event.target.checked)}
        />
        Unread only
      </label>
      <Card>
        <All unreadOnly={unreadOnly} />
      </Card>
    </Page>
  );
}

function All({ unreadOnly }: { unreadOnly: boolean }) {
  const all = useInfiniteQuery(allQuery(unreadOnly));
  return (
    <>
      <Loaded query={all}>
        {(found) =>
          found.length === 0 && !all.hasNextPage ? (
            <Empty title={unreadOnly ? "Nothing is unread" : "Nothing yet"}>
              <p className="text-muted">
                You hear here when a dataset is ready or a training ends.
              </p>
              <Link to="/datasets" className="text-accent underline">
                Go to the datasets
              </Link>
            </Empty>
          ) : (
            <ul className="divide-y divide-line">
              {found.map((one) => (
                <NotificationItem key={one.id} notification={one} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <ShowMore list={all} />
    </>
  );
}
