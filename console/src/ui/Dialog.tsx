import { type ReactNode, useEffect, useId, useRef } from "react";

/**
 * A modal dialog, closed by Escape or a click beside it. The browser's own element keeps the focus
 * inside; libraries that do it in script inject styles, which the Content-Security-Policy forbids.
 */
export function Dialog({
  onClose,
  title,
  description,
  wide,
  children,
}: {
  onClose: () => void;
  title: string;
  description?: string;
  wide?: boolean;
  children: ReactNode;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={`${id}-title`}
      aria-describedby={description ? `${id}-description` : undefined}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === element.current && onClose()}
      className={`m-auto max-h-[90vh] w-[92vw] overflow-auto rounded-lg border border-line bg-surface p-0 text-ink shadow-xl backdrop:bg-black/50 ${wide ? "max-w-4xl" : "max-w-lg"}`}
    >
      <div className="flex flex-col gap-4 p-5">
        <div>
          <h2 id={`${id}-title`} className="text-lg font-semibold">
            {title}
          </h2>
          {description && (
            <p id={`${id}-description`} className="mt-1 text-sm text-muted">
              {description}
            </p>
          )}
        </div>
        {children}
      </div>
    </dialog>
  );
}
