import { useState } from "react";

import { Button } from "@/ui/Button";

import type { Selection } from "./queries";
import { TrainingFileDialog } from "./TrainingFileDialog";

/** A button that makes a training file of conversations. */
export function MakeTrainingFile({ label, selection }: { label: string; selection: Selection }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>{label}</Button>
      {isOpen && <TrainingFileDialog selection={selection} onClose={() => setIsOpen(false)} />}
    </>
  );
}
