/** The uploads of this tab: they go on while the reader looks at other pages. */
import { useSyncExternalStore } from "react";

import { bytes } from "@/ui/format";

import { confirmUpload, createDataset, uploadPlan, type UploadPlan } from "./queries";
import { sendFile } from "./transfer";

export const LARGEST_FILE = 524_288_000;
const CHANGED = "brightrun.upload.";

export interface Upload {
  datasetId: string;
  name: string;
  size: number;
  sent: number;
  /** Bytes that were there when it began, which say nothing about its speed. */
  sentBefore: number | null;
  startedAt: number;
  state: "sending" | "arrived" | "failed";
  error?: string;
}

/** The end of an upload that was cancelled by its reader. */
const CANCELLED = new DOMException("The upload was cancelled.", "AbortError");

let uploads: readonly Upload[] = [];
const controllers = new Map<string, AbortController>();
const files = new Map<string, File>();
const listeners = new Set<() => void>();

function change(next: readonly Upload[]): void {
  uploads = next;
  const isSending = next.some((one) => one.state === "sending");
  window.onbeforeunload = isSending ? (event) => event.preventDefault() : null;
  for (const listener of listeners) listener();
}

const amend = (datasetId: string, fields: Partial<Upload>) =>
  change(uploads.map((one) => (one.datasetId === datasetId ? { ...one, ...fields } : one)));

const forget = (datasetId: string) => change(uploads.filter((one) => one.datasetId !== datasetId));

export function useUploads(): readonly Upload[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => uploads,
  );
}

/** The file that this tab has sent or is sending as a dataset. */
export const fileOf = (datasetId: string) => files.get(datasetId);

/** Why a file cannot become a dataset; null if it can. */
export function complaint(file: File): string | null {
  if (file.size === 0) return `${file.name} is empty.`;
  if (file.size > LARGEST_FILE)
    return `${file.name} has ${bytes(file.size)}; a dataset holds ${bytes(LARGEST_FILE)} at most. Split it, or leave out what is not needed.`;
  return null;
}

/** Why a file is not the one whose upload was interrupted; null if it may be. */
export function mismatch(file: File, datasetId: string, size: number): string | null {
  if (file.size !== size)
    return `${file.name} has ${bytes(file.size)} (${file.size} bytes), but the interrupted upload is of a file of ${size} bytes.`;
  const changed = localStorage.getItem(CHANGED + datasetId);
  if (changed !== null && changed !== String(file.lastModified))
    return `${file.name} was changed after its upload began. Delete this dataset and upload the file anew.`;
  return null;
}

/** Upload a file as a new dataset; resolves with its id once it is created, while it is sent. */
export async function startUpload(file: File, onChange: () => void): Promise<string> {
  const { dataset, upload } = await createDataset(file);
  localStorage.setItem(CHANGED + dataset.id, String(file.lastModified));
  void send(dataset.id, dataset.name, file, upload, onChange);
  return dataset.id;
}

/** Send what is missing of an interrupted upload. */
export async function resumeUpload(
  dataset: { id: string; name: string },
  file: File,
  onChange: () => void,
): Promise<void> {
  void send(dataset.id, dataset.name, file, await uploadPlan(dataset.id), onChange);
}

/** Stop sending; what has arrived stays, and the upload can be resumed. */
export function cancelUpload(datasetId: string): void {
  controllers.get(datasetId)?.abort(CANCELLED);
  forget(datasetId);
}

async function send(
  datasetId: string,
  name: string,
  file: File,
  plan: UploadPlan,
  onChange: () => void,
): Promise<void> {
  const controller = new AbortController();
  controllers.set(datasetId, controller);
  files.set(datasetId, file);
  const begun: Upload = {
    datasetId,
    name,
    size: file.size,
    sent: 0,
    sentBefore: null,
    startedAt: Date.now(),
    state: "sending",
  };
  change([...uploads.filter((one) => one.datasetId !== datasetId), begun]);
  try {
    await sendFile({
      file,
      plan,
      freshPlan: () => uploadPlan(datasetId),
      onProgress: (sent) => {
        const before = uploads.find((one) => one.datasetId === datasetId)?.sentBefore;
        amend(datasetId, { sent, sentBefore: before ?? sent });
      },
      signal: controller.signal,
    });
    await confirmUpload(datasetId);
    localStorage.removeItem(CHANGED + datasetId);
    // It stays in the list: a page that reads the dataset later must not take it for interrupted.
    amend(datasetId, { state: "arrived" });
  } catch (error) {
    if (!controller.signal.aborted)
      amend(datasetId, { state: "failed", error: (error as Error).message });
  }
  onChange();
}
