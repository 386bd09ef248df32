const ROUND = [1, 2, 2.5, 5, 10]

/** Marks of a value axis at round values, from below `low` to above `high`; 0 is always among them. */
export function valueTicks(low: number, high: number, isWhole: boolean, most = 5): number[] {
  const from = Math.min(0, low)
  const to = Math.max(0, high)
  const rough = (to - from) / (most - 1) || 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const round = ROUND.map((factor) => factor * power).find((step) => step >= rough * 0.999) ?? rough
  const step = isWhole ? Math.ceil(round) : round
  const first = Math.floor(from / step)
  const last = Math.max(first + 1, Math.ceil(to / step))
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)))
}
