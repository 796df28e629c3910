import type { ButtonHTMLAttributes } from "react";

export type ButtonKind = "primary" | "plain" | "danger" | "quiet";

const KINDS: Record<ButtonKind, string> = {
  primary: "bg-accent text-on-accent border-transparent hover:opacity-90",
  plain: "bg-surface text-ink border-line hover:bg-raised",
  danger: "bg-surface text-bad border-line hover:bg-bad-soft",
  quiet: "bg-transparent text-ink border-transparent hover:bg-raised",
};

/** The class names of a button, also for a link that looks like one. */
export const buttonClass = (kind: ButtonKind = "plain") =>
  `inline-flex items-center justify-center gap-1.5 whitespace-nowrap rounded-md border px-3 py-1.5 text-sm font-medium disabled:cursor-not-allowed disabled:opacity-50 ${KINDS[kind]}`;

export function Button({
  kind = "plain",
  className = "",
  type = "button",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { kind?: ButtonKind }) {
  return <button type={type} className={`${buttonClass(kind)} ${className}`} {...rest} />;
}
