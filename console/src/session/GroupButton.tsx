import type { ComponentProps } from "react";

import { Button } from "@/ui/Button";

import { type Group, missingGroup } from "./groups";

/** A button of what a group may do: whoever is not in it sees why it cannot be pressed. */
export function GroupButton({
  needs,
  disabled,
  title,
  ...rest
}: ComponentProps<typeof Button> & { needs: Group }) {
  const barred = missingGroup(needs);
  return <Button {...rest} disabled={disabled || barred !== null} title={barred ?? title} />;
}
