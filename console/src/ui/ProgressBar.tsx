/** How much is done, `value` of `of`, for eyes and for screen readers. */
export const ProgressBar = ({ label, value, of }: { label: string; value: number; of: number }) => (
  <progress
    aria-label={label}
    value={value}
    max={of || 1}
    className="h-2.5 w-full appearance-none overflow-hidden rounded-full border border-line bg-raised [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-raised [&::-webkit-progress-value]:bg-accent"
  />
);
