import { CommandError } from './command-error.ts'

/** Epoch ms of a flag in ISO 8601. @throws CommandError */
export function toTime(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const time = Date.parse(value)
  if (Number.isNaN(time)) throw new CommandError(`${flag} ${value}: a time in ISO 8601, like 2026-01-31T12:00:00Z`)
  return time
}

/** `country=US`, once or more, as filters. @throws CommandError */
export function toFilters(filters: readonly string[]): Record<string, string[]> {
  const answer: Record<string, string[]> = {}
  for (const filter of filters) {
    const at = filter.indexOf('=')
    if (at < 1) throw new CommandError(`--filter ${filter}: a dimension, = and a value, like country=US`)
    const name = filter.slice(0, at)
    answer[name] = [...(answer[name] ?? []), filter.slice(at + 1)]
  }
  return answer
}
