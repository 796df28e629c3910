/** What the groups of the signed-in user allow; the API decides, this only tells beforehand. */
import { currentTokens } from "./session";

const GROUPS = ["reviewers", "writers", "trainers"] as const;
export type Group = (typeof GROUPS)[number];

/** Why an order that needs a group cannot be placed, or null if it can; no group may do everything. */
export function refusal(accessToken: string, needed: Group): string | null {
  const groups = groupsOf(accessToken);
  const allowed: readonly string[] = GROUPS.slice(GROUPS.indexOf(needed));
  if (groups === null || groups.some((group) => allowed.includes(group))) return null;
  return `This needs the group ${allowed.join(" or ")}; yours: ${groups.join(", ")}. Ask an operator.`;
}

/** The same for whoever is signed in. */
export function missingGroup(needed: Group): string | null {
  const tokens = currentTokens();
  return tokens && refusal(tokens.accessToken, needed);
}

function groupsOf(accessToken: string): string[] | null {
  const payload = accessToken.split(".")[1] ?? "";
  try {
    const claims = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as {
      "cognito:groups"?: string[];
    };
    return claims["cognito:groups"] ?? null;
  } catch {
    return null; // no JWT, which the API refuses
  }
}
