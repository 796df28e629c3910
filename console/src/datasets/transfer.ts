/** Sending a file to the links of an upload: whole, or in parts that can be resumed. */
import type { UploadPlan } from "./queries";

const PARALLEL_PARTS = 3;
const MOST_ATTEMPTS = 6;
const FIRST_WAIT_MS = 1_000;

/** A request that did not arrive; `status` 0 when there was no answer at all. */
export class TransferError extends Error {
  constructor(readonly status: number) {
    super(
      status === 0
        ? "The connection broke off."
        : status === 507
          ? "The disk of the system is full."
          : `The store refused the file (${status}).`,
    );
    this.name = "TransferError";
  }

  /** An expired link answers 403, and a fresh one is accepted. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 403 || this.status === 429 || this.status >= 500;
  }
}

/** Sends a piece of the file to a link, and tells how many of its bytes have gone out. */
export type Put = (
  url: string,
  piece: Blob,
  onSent: (bytes: number) => void,
  signal: AbortSignal,
) => Promise<void>;

export interface Transfer {
  file: Blob;
  plan: UploadPlan;
  /** Asks what is still missing, with fresh links. */
  freshPlan: () => Promise<UploadPlan>;
  /** Hears how many bytes have arrived or are on their way. */
  onProgress: (bytes: number) => void;
  signal: AbortSignal;
  put?: Put;
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Send what the plan says is missing. A failed piece is sent again with fresh links, with growing
 * pauses; attempts are counted anew whenever a part has arrived.
 */
export async function sendFile(transfer: Transfer): Promise<void> {
  const { freshPlan, signal, wait = pause } = transfer;
  let plan = transfer.plan;
  let attempt = 1;
  for (;;) {
    const before = plan.uploaded.length;
    try {
      await sendPlan(transfer, plan);
      return;
    } catch (error) {
      const isTransient = error instanceof TransferError && error.mayPass;
      if (signal.aborted || !isTransient || attempt >= MOST_ATTEMPTS) throw error;
      await wait(FIRST_WAIT_MS * 2 ** (attempt - 1), signal);
      plan = await freshPlan();
      attempt = plan.uploaded.length > before ? 1 : attempt + 1;
    }
  }
}

async function sendPlan(transfer: Transfer, plan: UploadPlan): Promise<void> {
  const { file, onProgress, signal, put = putByXhr } = transfer;
  if (plan.method === "put") {
    await put(plan.url as string, file.slice(), onProgress, signal);
    return;
  }
  const size = plan.part_size as number;
  const pieceOf = (number: number) => file.slice((number - 1) * size, number * size);
  let arrived = plan.uploaded.reduce((sum, number) => sum + pieceOf(number).size, 0);
  const underWay = new Map<number, number>();
  const tell = () => onProgress([...underWay.values()].reduce((sum, one) => sum + one, arrived));
  const left = [...plan.parts];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  tell();

  async function sendParts(): Promise<void> {
    for (let part = left.shift(); part && !either.aborted; part = left.shift()) {
      const { part_number: number, url } = part;
      const piece = pieceOf(number);
      const onSent = (bytes: number) => {
        underWay.set(number, bytes);
        tell();
      };
      await put(url, piece, onSent, either);
      underWay.delete(number);
      arrived += piece.size;
      tell();
    }
  }

  try {
    await Promise.all(Array.from({ length: PARALLEL_PARTS }, sendParts));
  } catch (error) {
    stop.abort();
    throw error;
  }
  // Cancelled between two parts, no request was there to fail.
  signal.throwIfAborted();
}

/** The browser's `fetch` does not tell how much it has sent; its older sister does. */
const putByXhr: Put = (url, piece, onSent, signal) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("PUT", url);
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(new TransferError(request.status));
    };
    request.onerror = () => reject(new TransferError(0));
    request.onabort = () => reject(signal.reason as Error);
    request.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    if (signal.aborted) reject(signal.reason as Error);
    else request.send(piece);
  });

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
