/** A piece of a prompt; `name` is that of a placeholder without a value. */
export interface Part {
  text: string;
  name?: string;
}

/** Split a prompt at the placeholders that stayed in it; other braces are text. */
export function markUnresolved(prompt: string, unresolved: readonly string[]): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const found of prompt.matchAll(/\{\{([A-Za-z_][\w.]*)\}\}/g)) {
    const name = found[1] as string;
    if (!unresolved.includes(name)) continue;
    parts.push({ text: prompt.slice(from, found.index) }, { text: found[0], name });
    from = found.index + found[0].length;
  }
  return [...parts, { text: prompt.slice(from) }].filter((part) => part.text !== "");
}
