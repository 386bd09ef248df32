import type { FunnelStep } from '@nowcast/protocol'
import { useState } from 'react'
import { Funnel, useQuery } from '../src/index.ts'

export interface FunnelSectionProps {
  steps: FunnelStep[] | undefined
  onSteps(steps: FunnelStep[]): void
}

const USUAL: FunnelStep[] = [{ name: 'page_view' }, { name: 'purchase' }]
const WINDOWS = { '30m': '30 minutes', '1h': '1 hour', '1d': '1 day', '7d': '7 days' }
const RANGES = { '24h': 'last 24 hours', '7d': 'last 7 days', '30d': 'last 30 days' }
const MOST_STEPS = 8

/** A funnel put together by the viewer. */
export function FunnelSection({ steps = USUAL, onSteps }: FunnelSectionProps) {
  const [within, setWithin] = useState('1h')
  const [last, setLast] = useState('24h')
  const { data } = useQuery({ kind: 'breakdown', breakdown: 'name', range: { last: '7d' }, limit: 100 })
  const seen = data?.rows.map(({ key }) => key).filter((key) => !key.startsWith('(')) ?? []
  const names = [...new Set([...steps.map(({ name }) => name), ...seen])]
  return (
    <section className="nowcast nowcast-card page-funnel" aria-label="Funnel">
      <ol className="page-steps">
        {steps.map(({ name }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same event may be two steps
          <li key={index}>
            <Select
              label={`Step ${index + 1}`}
              value={name}
              options={Object.fromEntries(names.map((one) => [one, one]))}
              onChoose={(next) => onSteps(steps.map((step, place) => (place === index ? { name: next } : step)))}
            />
            <button
              type="button"
              className="nowcast-link"
              disabled={steps.length <= 2}
              onClick={() => onSteps(steps.filter((_, place) => place !== index))}
            >
              Remove<span className="nowcast-sr"> step {index + 1}</span>
            </button>
          </li>
        ))}
        <li>
          <button
            type="button"
            className="nowcast-link"
            disabled={steps.length >= MOST_STEPS}
            onClick={() => onSteps([...steps, { name: names.at(-1) ?? 'purchase' }])}
          >
            Add a step
          </button>
        </li>
        <li>
          <Select label="Within" value={within} options={WINDOWS} onChoose={setWithin} />
          <Select label="In the" value={last} options={RANGES} onChoose={setLast} />
        </li>
      </ol>
      <Funnel steps={steps} window={within} last={last} />
    </section>
  )
}

interface SelectProps {
  label: string
  value: string
  options: Record<string, string>
  onChoose(value: string): void
}

function Select({ label, value, options, onChoose }: SelectProps) {
  return (
    <label className="page-select">
      <span>{label}</span>
      <select className="nowcast-select" value={value} onChange={({ target }) => onChoose(target.value)}>
        {Object.entries(options).map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
