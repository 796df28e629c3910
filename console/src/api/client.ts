import createClient, { type Middleware } from "openapi-fetch";

import { accessToken, endSession } from "@/session/session";

import { ApiProblem, problemOf } from "./problem";
import type { paths } from "./schema";

const authorize: Middleware = {
  async onRequest({ request }) {
    request.headers.set("authorization", `Bearer ${await accessToken()}`);
    return request;
  },
  onResponse({ response }) {
    if (response.status === 401) endSession();
  },
};

let client = createClient<paths>({ baseUrl: "" });

/** Point the client at the API of config.json; called once before the first page. */
export function connect(apiUrl: string): void {
  client = createClient<paths>({ baseUrl: apiUrl, cache: "no-cache" });
  client.use(authorize);
}

/** The typed client, whose paths and bodies are generated from docs/openapi.json. */
export const api = () => client;

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Return the body of a successful answer, or throw its ApiProblem. */
export async function answer<T>(call: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await call;
  } catch (error) {
    if (error instanceof ApiProblem) throw error;
    throw new ApiProblem(0, "The server cannot be reached. Is it running?", "unreachable");
  }
  if (!outcome.response.ok) throw problemOf(outcome.response.status, outcome.error);
  return outcome.data as T;
}

/** The ETag of a version, for If-Match: a change is refused if the record has another by now. */
export const etag = (version: number) => `"v${version}"`;
