import { useMutation } from "@tanstack/react-query";
import type { ComponentProps } from "react";

import { Button } from "./Button";
import { toastError } from "./toast";

/** Fetches a short-lived link when it is pressed, and follows it: the store names it a file to keep. */
export function DownloadButton({
  link,
  ...button
}: { link: () => Promise<string> } & ComponentProps<typeof Button>) {
  const download = useMutation({
    mutationFn: link,
    onSuccess: (url) => window.location.assign(url),
    onError: toastError,
  });
  return <Button disabled={download.isPending} onClick={() => download.mutate()} {...button} />;
}
