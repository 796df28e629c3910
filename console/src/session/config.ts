/** The user pool of a local system, with the link that its start prints. */
export interface LocalSignIn {
  kind: "local";
  clientId: string;
  username: string;
}

/** A user pool on AWS: `authority` is its issuer, `domain` where its own pages are. */
export interface CognitoSignIn {
  kind: "cognito";
  clientId: string;
  authority: string;
  domain: string;
}

/** What a deployment tells its pages; the local engine serves the same shape. */
export interface Config {
  apiUrl: string;
  signIn: LocalSignIn | CognitoSignIn;
}

/** Read config.json, which stands beside the pages. */
export async function readConfig(): Promise<Config> {
  const response = await fetch("/config.json", { cache: "no-cache" });
  if (!response.ok) throw new Error(`config.json could not be read (HTTP ${response.status}).`);
  return (await response.json()) as Config;
}
