/** The user pool of a local system: Cognito's InitiateAuth at the address of the pages. */
import type { Config } from "./config";
import type { Tokens } from "./session";

interface AuthenticationResult {
  AccessToken: string;
  RefreshToken?: string;
  ExpiresIn: number;
}

async function initiateAuth(
  config: Config,
  flow: "USER_PASSWORD_AUTH" | "REFRESH_TOKEN_AUTH",
  parameters: Record<string, string>,
): Promise<AuthenticationResult> {
  const response = await fetch("/", {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
    },
    body: JSON.stringify({
      AuthFlow: flow,
      ClientId: config.signIn.clientId,
      AuthParameters: parameters,
    }),
  });
  const body = (await response.json()) as {
    AuthenticationResult?: AuthenticationResult;
    message?: string;
  };
  if (!response.ok || !body.AuthenticationResult) {
    throw new Error(body.message ?? `The user pool answered ${response.status}.`);
  }
  return body.AuthenticationResult;
}

function tokensOf(username: string, result: AuthenticationResult, refreshToken: string): Tokens {
  return {
    accessToken: result.AccessToken,
    refreshToken: result.RefreshToken ?? refreshToken,
    expiresAt: Date.now() + result.ExpiresIn * 1000,
    username,
  };
}

export async function localSignIn(
  config: Config,
  username: string,
  password: string,
): Promise<Tokens> {
  const result = await initiateAuth(config, "USER_PASSWORD_AUTH", {
    USERNAME: username,
    PASSWORD: password,
  });
  return tokensOf(username, result, "");
}

export async function renewLocally(config: Config, tokens: Tokens): Promise<Tokens> {
  const result = await initiateAuth(config, "REFRESH_TOKEN_AUTH", {
    REFRESH_TOKEN: tokens.refreshToken,
  });
  return tokensOf(tokens.username, result, tokens.refreshToken);
}

/** The password in the address that `make up` prints, taken out of the address bar at once. */
export function passwordInAddress(): string | null {
  const fragment = new URLSearchParams(window.location.hash.slice(1));
  const password = fragment.get("password");
  if (password !== null) {
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
  }
  return password;
}
