const WIDTH = 100
const HEIGHT = 28
/** Below this part of the largest value, ups and downs are not drawn larger than they are. */
const LEAST_SPAN = 0.1

function place(values: readonly number[]) {
  const most = Math.max(...values)
  const least = Math.min(...values)
  const span = Math.max(most - least, Math.abs(most) * LEAST_SPAN) || 1
  // Nothing at all lies on the ground; a steady value in the middle of its span.
  const ground = most === 0 && least === 0 ? 0 : (most + least - span) / 2
  return values.map((value, index) => {
    const height = (value - ground) / span
    return `${((index / (values.length - 1)) * WIDTH).toFixed(2)},${(HEIGHT - 2 - height * (HEIGHT - 4)).toFixed(2)}`
  })
}

/** A line of the last whole minutes, without axes; the running one, not complete yet, would only look like a fall. */
export function Sparkline({ values }: { values: readonly number[] }) {
  if (values.length < 3) return <div className="nowcast-spark" />
  const places = place(values.slice(0, -1))
  return (
    <svg className="nowcast-spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path className="nowcast-spark-area" d={`M0,${HEIGHT}L${places.join('L')}L${WIDTH},${HEIGHT}Z`} />
      <path className="nowcast-spark-line" d={`M${places.join('L')}`} vectorEffect="non-scaling-stroke" />
    </svg>
  )
}
