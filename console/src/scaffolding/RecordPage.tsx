import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";

import { Badge } from "@/ui/Badge";
import { GroupButton } from "@/session/GroupButton";
import { Button, buttonClass } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Page } from "@/ui/Page";
import { Empty, Loaded } from "@/ui/states";
import { toast, toastError } from "@/ui/toast";

import { OriginBadge } from "./badges";
import { changesOf, recordOf } from "./form";
import { isKindName, type KindName, kindOf, nameOf } from "./kinds";
import {
  type Domain,
  type ScaffoldingRecord,
  useChangeRecord,
  useCreateRecord,
  useDeactivateRecord,
} from "./queries";
import { RecordForm } from "./RecordForm";
import { useDomain, useDomainKey } from "./useDomain";
import { useRecords } from "./useRecords";

/** One persona, arc, topic or template: a form that makes it or changes it. */
export function RecordPage() {
  const { kind, recordId } = useParams({ from: "/scaffolding/$kind/$recordId" });
  if (!isKindName(kind)) return <Empty title="There is no such kind of scaffolding" />;
  return recordId === "new" ? (
    <NewRecord kind={kind} />
  ) : (
    <ExistingRecord key={recordId} kind={kind} id={recordId} />
  );
}

function NewRecord({ kind }: { kind: KindName }) {
  const domain = useDomain();
  return (
    <Loaded query={domain} rows={12}>
      {(loaded) => <NewRecordOfDomain kind={kind} domain={loaded} />}
    </Loaded>
  );
}

function NewRecordOfDomain({ kind, domain }: { kind: KindName; domain: Domain }) {
  const navigate = useNavigate();
  const { one, path, initial } = kindOf(kind);
  const groups = kindOf(kind).groups(domain);
  const create = useCreateRecord(path);
  return (
    <Page title={`New ${one}`} actions={<Back kind={kind} />}>
      <RecordForm
        isNew
        record={initial}
        groups={groups}
        saving={create}
        onReload={() => Promise.resolve(initial)}
        onSave={async (form) => {
          const created = await create.mutateAsync({
            ...recordOf(form, groups),
            domain: domain.key,
          });
          toast(`${nameOf(created)} was created.`);
          void navigate({
            to: "/scaffolding/$kind/$recordId",
            params: { kind, recordId: created.id },
            search: (old) => old,
          });
          return created;
        }}
      />
    </Page>
  );
}

function ExistingRecord({ kind, id }: { kind: KindName; id: string }) {
  const domain = useDomain();
  return (
    <Loaded query={domain} rows={12}>
      {(loaded) => <RecordOfDomain kind={kind} id={id} domain={loaded} />}
    </Loaded>
  );
}

function RecordOfDomain({ kind, id, domain }: { kind: KindName; id: string; domain: Domain }) {
  const { one, path, keyField } = kindOf(kind);
  const groups = kindOf(kind).groups(domain);
  const records = useRecords(kind);
  const change = useChangeRecord(path);
  const [version, setVersion] = useState<number>();
  return (
    <Loaded query={records} rows={12}>
      {(loaded) => {
        const record = loaded.find((each) => each.id === id);
        if (!record) return <Empty title={`There is no such ${one}`} />;
        return (
          <Page
            title={nameOf(record)}
            lead={<Lead record={record} one={one} />}
            actions={<Back kind={kind} />}
          >
            <RecordForm
              record={record}
              groups={groups}
              keyField={keyField}
              saving={change}
              actions={<Activity record={record} kind={kind} />}
              onSave={async (form, base) => {
                const fields = changesOf(base, form, groups);
                const seen = version ?? record.version ?? 1;
                const saved = await change.mutateAsync({ id, version: seen, fields });
                setVersion(saved.version);
                toast(`${nameOf(saved)} was saved.`);
                return saved;
              }}
              onReload={async () => {
                const { data } = await records.refetch();
                const newest = data?.find((each) => each.id === id) ?? record;
                setVersion(newest.version);
                return newest;
              }}
            />
          </Page>
        );
      }}
    </Loaded>
  );
}

const Back = ({ kind }: { kind: KindName }) => (
  <Link
    to="/scaffolding/$kind"
    params={{ kind }}
    search={{ domain: useDomainKey() }}
    className={buttonClass()}
  >
    All {kindOf(kind).many.toLowerCase()}
  </Link>
);

const Lead = ({ record, one }: { record: ScaffoldingRecord; one: string }) => (
  <span className="flex flex-wrap items-center gap-2">
    <OriginBadge origin={record.origin} />
    {record.is_active === false && <Badge>deactivated</Badge>}
    {record.origin === "built_in" && (
      <span>This {one} came with Bright Run. Saving makes your own version in its place.</span>
    )}
    {record.origin === "edited" && (
      <span>Your own version stands in the built-in one's place.</span>
    )}
  </span>
);

/** Take a record out of the choices, or put it back. */
function Activity({ record, kind }: { record: ScaffoldingRecord; kind: KindName }) {
  const { one, path } = kindOf(kind);
  const [confirming, setConfirming] = useState(false);
  const deactivate = useDeactivateRecord(path);
  const change = useChangeRecord(path);
  if (record.is_active === false) {
    return (
      <GroupButton
        needs="writers"
        disabled={change.isPending}
        onClick={() =>
          change.mutate(
            { id: record.id, version: record.version ?? 1, fields: { is_active: true } },
            { onSuccess: () => toast("It can be chosen again."), onError: toastError },
          )
        }
      >
        Activate
      </GroupButton>
    );
  }
  return (
    <>
      <GroupButton needs="writers" kind="danger" onClick={() => setConfirming(true)}>
        Deactivate
      </GroupButton>
      {confirming && (
        <Dialog
          onClose={() => setConfirming(false)}
          title={`Deactivate this ${one}?`}
          description="New batches no longer offer it. Conversations that were written from it stay, and you can activate it again."
        >
          <div className="flex justify-end gap-2">
            <Button onClick={() => setConfirming(false)}>Back</Button>
            <Button
              kind="danger"
              onClick={() => {
                setConfirming(false);
                deactivate.mutate(record.id, {
                  onSuccess: () => toast(`${nameOf(record)} was deactivated.`),
                  onError: toastError,
                });
              }}
            >
              Deactivate
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
