/**
 * Sign-in on AWS: the user pool's own pages, which hand over a code that only this tab can redeem
 * (authorization code with PKCE). Loaded only where a deployment signs in this way.
 */
import { OidcClient, WebStorageStateStore } from "oidc-client-ts";

import type { CognitoSignIn } from "./config";
import type { Tokens } from "./session";

/** The last one is what the API asks of a token. */
const SCOPE = "openid email aws.cognito.signin.user.admin";

const home = () => `${window.location.origin}/`;

function clientOf({ authority, clientId, domain }: CognitoSignIn): OidcClient {
  return new OidcClient({
    authority,
    client_id: clientId,
    redirect_uri: home(),
    response_type: "code",
    scope: SCOPE,
    loadUserInfo: false,
    stateStore: new WebStorageStateStore({ store: window.sessionStorage }),
    metadata: {
      issuer: authority,
      authorization_endpoint: `${domain}/oauth2/authorize`,
      token_endpoint: `${domain}/oauth2/token`,
    },
  });
}

/** Whether this address is the pool's answer to a sign-in. */
export function isAnswer(address: string): boolean {
  const parameters = new URL(address).searchParams;
  return parameters.has("state") && (parameters.has("code") || parameters.has("error"));
}

/** Go to the pool's sign-in page; `returnTo` is opened afterwards. */
export async function leaveToSignIn(signIn: CognitoSignIn, returnTo: string): Promise<void> {
  const request = await clientOf(signIn).createSigninRequest({ state: returnTo });
  window.location.assign(request.url);
}

/** Redeem the code of an answer; throws an Error if the pool or the state refuses it. */
export async function redeem(
  signIn: CognitoSignIn,
  address: string,
): Promise<{ tokens: Tokens; returnTo: string }> {
  const response = await clientOf(signIn).processSigninResponse(address);
  const username = String(response.profile.email ?? response.profile.sub);
  return {
    tokens: {
      accessToken: response.access_token,
      refreshToken: response.refresh_token ?? "",
      expiresAt: Date.now() + (response.expires_in ?? 0) * 1000,
      username,
    },
    returnTo: typeof response.userState === "string" ? response.userState : "/",
  };
}

export async function renew(signIn: CognitoSignIn, tokens: Tokens): Promise<Tokens> {
  const answer = await fetch(`${signIn.domain}/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "refresh_token",
      client_id: signIn.clientId,
      refresh_token: tokens.refreshToken,
    }),
  });
  if (!answer.ok) throw new Error("The session has ended; sign in again.");
  const renewed = (await answer.json()) as { access_token: string; expires_in: number };
  return {
    ...tokens,
    accessToken: renewed.access_token,
    expiresAt: Date.now() + renewed.expires_in * 1000,
  };
}

/** End the pool's own session too, and come back to the sign-in page. */
export function leaveToSignOut({ clientId, domain }: CognitoSignIn): void {
  const parameters = new URLSearchParams({ client_id: clientId, logout_uri: home() });
  window.location.assign(`${domain}/logout?${parameters}`);
}
