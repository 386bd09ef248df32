const WIDTH = 100
const HEIGHT = 28
/** Below this part of the largest value, ups and downs are not drawn larger than they are. */
const LEAST_SPAN = 0.1

function place(values: readonly number[]) {
  const closed = values.slice(0, -1)
  const most = Math.max(...closed)
  const least = Math.min(...closed)
  const span = Math.max(most - least, Math.abs(most) * LEAST_SPAN) || 1
  // Nothing at all lies on the ground; a steady value in the middle of its span.
  const ground = most === 0 && least === 0 ? 0 : (most + least - span) / 2
  return values.map((value, index) => {
    const height = Math.min(1, Math.max(0, (value - ground) / span))
    return `${((index / (values.length - 1)) * WIDTH).toFixed(2)},${(HEIGHT - 2 - height * (HEIGHT - 4)).toFixed(2)}`
  })
}

/** A line of the last minutes, without axes; the running minute, not complete yet, is dashed. */
export function Sparkline({ values }: { values: readonly number[] }) {
  if (values.length < 3) return <div className="nowcast-spark" />
  const places = place(values)
  const closed = places.slice(0, -1)
  const edge = (((values.length - 2) / (values.length - 1)) * WIDTH).toFixed(2)
  return (
    <svg className="nowcast-spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path className="nowcast-spark-area" d={`M0,${HEIGHT}L${closed.join('L')}L${edge},${HEIGHT}Z`} />
      <path className="nowcast-spark-line" d={`M${closed.join('L')}`} vectorEffect="non-scaling-stroke" />
      <path
        className="nowcast-spark-line nowcast-partial"
        d={`M${places.slice(-2).join('L')}`}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}
