import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { estimateQuery, type TrainingOrder } from "./queries";

/** A change is asked about after this pause: a moving slider asks once, not at every stop. */
const PAUSE_MS = 150;

/** The estimate of what is being filled in; the last one stays in view until the next one comes. */
export function useEstimate(order: TrainingOrder | null) {
  const wanted = JSON.stringify(order);
  const [asked, setAsked] = useState(wanted);
  useEffect(() => {
    if (asked === wanted) return;
    const timer = setTimeout(() => setAsked(wanted), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [asked, wanted]);
  const query = useQuery(estimateQuery(priced(JSON.parse(asked) as TrainingOrder | null)));
  return { ...query, isStale: asked !== wanted || query.isFetching };
}

export type EstimateState = ReturnType<typeof useEstimate>;

/** The part of an order on which its price depends, so that a new name asks for nothing. */
function priced(order: TrainingOrder | null): TrainingOrder | null {
  if (order === null) return null;
  const { dataset_id, base_model, preset_id, gpu_config, hyperparameters } = order;
  return { dataset_id, base_model, preset_id, gpu_config, hyperparameters } as TrainingOrder;
}
