import { exact, relative } from "./format";

/** A relative time, with the exact one on hover. */
export const Time = ({ at }: { at: string }) => (
  <time dateTime={at} title={exact(at)} className="whitespace-nowrap">
    {relative(at)}
  </time>
);
