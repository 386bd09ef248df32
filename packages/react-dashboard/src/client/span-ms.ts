const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Length of a span such as `30m`, `24h` or `7d`, in ms; 0 for anything else. */
export function spanMs(span: string): number {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(span) ?? []
  return Number(count ?? 0) * (UNIT_MS[unit ?? ''] ?? 0)
}
