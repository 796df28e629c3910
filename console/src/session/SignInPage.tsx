import { type FormEvent, useEffect, useState } from "react";

import { Button } from "@/ui/Button";
import { Field, TextInput } from "@/ui/Field";

import { passwordInAddress } from "./local-user-pool";
import { leaveToSignIn, settings, signIn } from "./session";

/** Taken once when the pages load, since the address bar forgets it. */
const printedPassword = passwordInAddress();

/** Sign in: on AWS at the user pool's pages, locally with one click or by password. */
export function SignInPage() {
  const { signIn: how } = settings();
  useEffect(() => {
    document.title = "Sign in · Bright Run";
  }, []);
  return (
    <main className="mx-auto flex min-h-screen max-w-sm flex-col justify-center gap-6 p-6">
      <div className="flex items-center gap-3">
        <img src="/icon.svg" alt="" className="size-9" />
        <h1 className="text-2xl font-semibold">Bright Run</h1>
      </div>
      <div className="rounded-lg border border-line bg-surface p-6">
        {how.kind === "local" ? <LocalForm username={how.username} /> : <AtTheUserPool />}
      </div>
    </main>
  );
}

function AtTheUserPool() {
  const [busy, setBusy] = useState(false);
  return (
    <Button
      kind="primary"
      className="w-full"
      autoFocus
      disabled={busy}
      onClick={() => {
        setBusy(true);
        void leaveToSignIn();
      }}
    >
      Sign in
    </Button>
  );
}

function LocalForm({ username: known }: { username: string }) {
  const [username, setUsername] = useState(known);
  const [password, setPassword] = useState(printedPassword ?? "");
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setFault(null);
    try {
      await signIn(username, password);
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  }

  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {printedPassword === null ? (
        <>
          <Field label="E-mail">
            <TextInput
              autoComplete="username"
              required
              value={username}
              onChange={(event) => setUsername(event.target.value)}
            />
          </Field>
          <Field
            label="Password"
            hint="The address that `make up` and `make status` print fills it in."
          >
            <TextInput
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </Field>
        </>
      ) : (
        <p className="text-muted">
          This system runs on your machine. You work as{" "}
          <strong className="text-ink">{username}</strong>.
        </p>
      )}
      {fault && (
        <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
          {fault}
        </p>
      )}
      <Button type="submit" kind="primary" disabled={busy} autoFocus={printedPassword !== null}>
        {busy ? "Signing in…" : "Sign in"}
      </Button>
    </form>
  );
}
