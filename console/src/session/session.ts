/**
 * The signed-in user's tokens. They live in session storage: a new tab signs in anew, and nothing
 * stays behind when the tab is closed.
 */
import { localSignIn, renewLocally } from "./local-user-pool";
import type { Config } from "./config";

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Epoch milliseconds. */
  expiresAt: number;
  username: string;
}

const KEY = "brightrun.session";
const RENEW_BEFORE_MS = 60_000;

let config: Config;
let renewal: Promise<Tokens> | null = null;
const listeners = new Set<() => void>();

/**
 * Begin with a deployment's settings, and with the session that its user pool has just handed over,
 * if this address is the answer to a sign-in.
 */
export async function startSession(settings: Config): Promise<void> {
  config = settings;
  if (settings.signIn.kind !== "cognito") return;
  const cognito = await import("./cognito");
  if (!cognito.isAnswer(window.location.href)) return;
  const address = window.location.href;
  window.history.replaceState(null, "", "/");
  const { tokens, returnTo } = await cognito.redeem(settings.signIn, address);
  window.history.replaceState(null, "", returnTo);
  store(tokens);
}

/** Call `listener` whenever someone signs in or out; returns how to stop that. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const stored = () => sessionStorage.getItem(KEY);

/** The tokens of this tab, or null while nobody is signed in. */
export function currentTokens(): Tokens | null {
  const text = stored();
  return text === null ? null : (JSON.parse(text) as Tokens);
}

/** A snapshot for React: the same string as long as nothing changes. */
export const sessionSnapshot = stored;

function store(tokens: Tokens | null): void {
  if (tokens === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(tokens));
  for (const listener of listeners) listener();
}

async function renewed(tokens: Tokens): Promise<Tokens> {
  const { signIn } = config;
  if (signIn.kind === "local") return renewLocally(config, tokens);
  return (await import("./cognito")).renew(signIn, tokens);
}

/** A valid access token, renewed shortly before it expires. */
export async function accessToken(): Promise<string> {
  const tokens = currentTokens();
  if (tokens === null) throw new Error("Nobody is signed in.");
  if (tokens.expiresAt - Date.now() > RENEW_BEFORE_MS) return tokens.accessToken;
  renewal ??= renewed(tokens)
    .then((fresh) => {
      store(fresh);
      return fresh;
    })
    .finally(() => {
      renewal = null;
    });
  try {
    return (await renewal).accessToken;
  } catch (error) {
    endSession();
    throw error;
  }
}

/** Sign in to the local user pool; throws an Error with the pool's own words. */
export async function signIn(username: string, password: string): Promise<void> {
  store(await localSignIn(config, username, password));
}

/** Go to the pages of a user pool on AWS, and come back to where this tab is. */
export async function leaveToSignIn(): Promise<void> {
  const { signIn } = config;
  if (signIn.kind !== "cognito") return;
  const { pathname, search } = window.location;
  await (await import("./cognito")).leaveToSignIn(signIn, pathname + search);
}

/** Forget the tokens: what a refused token calls for. */
export const endSession = () => store(null);

/** Forget the tokens, and end the session at the user pool too. */
export async function signOut(): Promise<void> {
  store(null);
  const { signIn } = config;
  if (signIn.kind === "cognito") (await import("./cognito")).leaveToSignOut(signIn);
}

/** The settings of this deployment. */
export const settings = () => config;
