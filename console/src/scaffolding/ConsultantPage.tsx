import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Page } from "@/ui/Page";
import { Loaded } from "@/ui/states";
import { toast } from "@/ui/toast";

import { OriginBadge } from "./badges";
import { recordOf } from "./form";
import { CONSULTANT_FIELDS } from "./kinds";
import { consultantQuery, usePutConsultant } from "./queries";
import { RecordForm } from "./RecordForm";
import { ScaffoldingTabs } from "./ScaffoldingTabs";
import { useDomainKey } from "./useDomain";

/** The consultant, who answers in every conversation: the system prompt, and what files say of it. */
export function ConsultantPage() {
  const domain = useDomainKey();
  return <ConsultantOfDomain key={domain} domain={domain} />;
}

function ConsultantOfDomain({ domain }: { domain: string | undefined }) {
  const consultant = useQuery(consultantQuery(domain));
  const put = usePutConsultant();
  const [version, setVersion] = useState<number>();
  return (
    <Loaded query={consultant} rows={12}>
      {(record) => (
        <Page
          title="Consultant"
          lead={
            <span className="flex flex-wrap items-center gap-2">
              <OriginBadge origin={record.origin} />
              Who answers in every conversation.
              {record.origin === "built_in" && " Saving makes your own version."}
            </span>
          }
        >
          <ScaffoldingTabs />
          <RecordForm
            record={record}
            groups={CONSULTANT_FIELDS}
            saving={put}
            onSave={async (form) => {
              const fields = { ...recordOf(form, CONSULTANT_FIELDS), domain: record.domain };
              const seen = version ?? record.version ?? 1;
              const saved = await put.mutateAsync({ version: seen, fields });
              setVersion(saved.version);
              toast("The consultant was saved.");
              return saved;
            }}
            onReload={async () => {
              const newest = (await consultant.refetch()).data ?? record;
              setVersion(newest.version);
              return newest;
            }}
          />
        </Page>
      )}
    </Loaded>
  );
}
