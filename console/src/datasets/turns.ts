/** The turns of a list of messages, by the names that chat formats give role and text. */
export function turnsOf(value: unknown): { role: string; text: string }[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const turns = value.map((one: unknown) => {
    const { role, from, content, value: said } = (one ?? {}) as Record<string, unknown>;
    return { role: role ?? from, text: content ?? said };
  });
  const isChat = turns.every(
    ({ role, text }) => typeof role === "string" && typeof text === "string",
  );
  return isChat ? (turns as { role: string; text: string }[]) : null;
}
