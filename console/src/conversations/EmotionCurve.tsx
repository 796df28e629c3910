import { words } from "@/ui/format";

import type { Turn } from "./queries";

const WIDTH = 240;
const HEIGHT = 48;
const MARGIN = 4;

interface Point {
  x: number;
  y: number;
  text: string;
  turn: number;
}

/** The client's intensity of emotion, turn by turn: 0 at the bottom, 1 at the top. */
export function emotionPoints(turns: readonly Turn[]): Point[] {
  const spoken = turns.filter((turn) => turn.role === "user");
  const step = (WIDTH - 2 * MARGIN) / Math.max(1, spoken.length - 1);
  return spoken.flatMap((turn, index) => {
    const { primary_emotion: emotion, intensity } = turn.emotional_context;
    if (typeof intensity !== "number") return [];
    return [
      {
        x: MARGIN + index * step,
        y: HEIGHT - MARGIN - Math.min(1, Math.max(0, intensity)) * (HEIGHT - 2 * MARGIN),
        text: `Turn ${turn.turn_number}: ${words(String(emotion))}, ${Math.round(intensity * 100)} %`,
        turn: turn.turn_number,
      },
    ];
  });
}

export function EmotionCurve({ turns, current }: { turns: readonly Turn[]; current: number }) {
  const points = emotionPoints(turns);
  if (points.length < 2) return null;
  return (
    <figure>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        className="w-full max-w-60 text-accent"
        role="img"
        aria-label={points.map((point) => point.text).join("; ")}
      >
        <polyline
          points={points.map((point) => `${point.x},${point.y}`).join(" ")}
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
        />
        {points.map((point) => (
          <circle
            key={point.turn}
            cx={point.x}
            cy={point.y}
            r={point.turn === current ? 4 : 2.5}
            fill="currentColor"
          >
            <title>{point.text}</title>
          </circle>
        ))}
      </svg>
      <figcaption className="text-xs text-muted">The client’s emotion, by intensity</figcaption>
    </figure>
  );
}
