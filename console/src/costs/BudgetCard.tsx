import { useQuery } from "@tanstack/react-query";

import { Figure, Figures } from "@/ui/Figure";
import { usd } from "@/ui/format";
import { Card } from "@/ui/Page";
import { Loaded } from "@/ui/states";

import { type Budget, budgetQuery } from "./queries";

const sum = ({ writing, training }: Budget["spent"]) => writing + training;

/** What may be spent this month: one's own budget, and the deployment's where it has one. */
export function BudgetCard() {
  const budgets = useQuery(budgetQuery);
  return (
    <Card title="Budget of this month">
      <div className="flex flex-col gap-4 p-4">
        <Loaded query={budgets}>
          {(found) => (
            <>
              <Amounts whose="Yours" budget={found.owner} />
              {found.deployment && <Amounts whose="The deployment's" budget={found.deployment} />}
              <p className="text-xs text-muted">
                {found.month}, in UTC. An order reserves the most that it can cost, and gives back
                what it did not spend when it ends. The operator sets budgets.
              </p>
            </>
          )}
        </Loaded>
      </div>
    </Card>
  );
}

const Amounts = ({ whose, budget }: { whose: string; budget: Budget }) => (
  <section aria-label={`${whose}: this month's budget`}>
    <Figures>
      <Figure label={whose}>
        {budget.limit_usd === null ? "No limit" : usd(budget.limit_usd)}
      </Figure>
      <Figure label="Spent" note="Orders that have ended">
        {usd(sum(budget.spent))}
      </Figure>
      <Figure label="Reserved" note="Orders in progress">
        {usd(sum(budget.reserved))}
      </Figure>
      <Figure label="Left">{budget.left_usd === null ? "No limit" : usd(budget.left_usd)}</Figure>
    </Figures>
  </section>
);
