import type { ReactNode } from "react";

import { Button } from "./Button";
import { Card } from "./Page";
import { Empty, Loaded } from "./states";
import { Table } from "./Table";

/** A query's records, and whether more of them can be read. */
interface Records<T> extends Partial<MoreToRead> {
  data: readonly T[] | undefined;
  error: Error | null;
}

interface MoreToRead {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => Promise<unknown>;
}

/** Records as a table: loading, failed, empty, or a row for each, and a way to read more. */
export function List<T extends { id: string }>({
  query,
  caption,
  head,
  row,
  none,
  onShowAll,
}: {
  query: Records<T>;
  caption: string;
  /** The heads of the columns, and the cells of one record. */
  head: ReactNode;
  row: (record: T) => ReactNode;
  /** Shown where there is no record at all: what this is, and what to do next. */
  none: ReactNode;
  /** Clears the filter; given while there is one. */
  onShowAll?: () => void;
}) {
  return (
    <>
      <Card>
        <Loaded query={query} rows={8}>
          {(records) =>
            records.length > 0 ? (
              <Table caption={caption} head={head}>
                {records.map((record) => (
                  <tr key={record.id} className="hover:bg-raised">
                    {row(record)}
                  </tr>
                ))}
              </Table>
            ) : query.hasNextPage ? (
              <Empty title="Nothing among the newest">
                <p className="text-muted">Older ones have not been searched yet.</p>
              </Empty>
            ) : onShowAll ? (
              <Empty title="Nothing matches">
                <Button onClick={onShowAll}>Show all</Button>
              </Empty>
            ) : (
              none
            )
          }
        </Loaded>
      </Card>
      <ShowMore list={query} />
    </>
  );
}

/** The rest of a list that is read a page at a time. */
export const ShowMore = ({ list }: { list: Partial<MoreToRead> }) =>
  list.hasNextPage && (
    <div className="flex justify-center p-3">
      <Button disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage?.()}>
        {list.isFetchingNextPage ? "Loading" : "Show more"}
      </Button>
    </div>
  );
