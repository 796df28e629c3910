import { useState } from "react";

import { GroupButton } from "@/session/GroupButton";

import type { Selection } from "./queries";
import { TrainingFileDialog } from "./TrainingFileDialog";

/** A button that makes a training file of conversations. */
export function MakeTrainingFile({ label, selection }: { label: string; selection: Selection }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <GroupButton needs="writers" onClick={() => setIsOpen(true)}>
        {label}
      </GroupButton>
      {isOpen && <TrainingFileDialog selection={selection} onClose={() => setIsOpen(false)} />}
    </>
  );
}
