import type { components } from "./schema";

type ProblemBody = components["schemas"]["Problem"];

/** An answer of the API that is no success; `message` can be shown to people as it is. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string,
    readonly details: unknown = null,
  ) {
    super(message);
    this.name = "ApiProblem";
  }
}

/** Read the problem of a failed response; a proxy's answer without our fields is told by status. */
export function problemOf(status: number, body: unknown): ApiProblem {
  const problem = (body ?? {}) as Partial<ProblemBody> & { message?: string };
  const message =
    problem.detail ?? problem.error ?? problem.message ?? `The server answered ${status}.`;
  return new ApiProblem(status, message, problem.code ?? `http_${status}`, problem.details ?? null);
}
