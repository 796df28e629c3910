import { useQueries, type UseQueryResult } from "@tanstack/react-query";

import type { Known, Named } from "./combinations";
import {
  arcsQuery,
  type EmotionalArc,
  type Persona,
  personasQuery,
  topicsQuery,
  type TrainingTopic,
} from "./queries";

/** What a batch can be made of: the active records, and `known`, which holds deactivated ones too. */
export interface Choices {
  personas: (Named & { about: string })[];
  arcs: (Named & { category: EmotionalArc["conversation_category"] })[];
  topics: (Named & { category: string })[];
  known: Known;
}

const named = (record: { id: string; name: string; is_active?: boolean }, key: string): Named => ({
  key,
  id: record.id,
  name: record.name,
  isActive: record.is_active !== false,
});

function choicesOf(personas: Persona[], arcs: EmotionalArc[], topics: TrainingTopic[]): Choices {
  const known = {
    personas: personas.map((one) => ({ ...named(one, one.persona_key), about: one.archetype })),
    arcs: arcs.map((one) => ({
      ...named(one, one.arc_key),
      category: one.conversation_category,
    })),
    topics: topics.map((one) => ({ ...named(one, one.topic_key), category: one.category })),
  };
  return {
    personas: known.personas.filter((one) => one.isActive),
    arcs: known.arcs.filter((one) => one.isActive),
    topics: known.topics.filter((one) => one.isActive),
    known,
  };
}

type Results = [
  UseQueryResult<Persona[]>,
  UseQueryResult<EmotionalArc[]>,
  UseQueryResult<TrainingTopic[]>,
];

function combine([personas, arcs, topics]: Results) {
  const failed = [personas, arcs, topics].find((one) => one.error);
  return {
    data:
      personas.data && arcs.data && topics.data
        ? choicesOf(personas.data, arcs.data, topics.data)
        : undefined,
    error: failed?.error ?? null,
    refetch: () => Promise.all([personas.refetch(), arcs.refetch(), topics.refetch()]),
  };
}

/** The personas, arcs and topics that a domain has, read together. */
export const useChoices = (domain?: string) =>
  useQueries({ queries: [personasQuery(domain), arcsQuery(domain), topicsQuery(domain)], combine });
