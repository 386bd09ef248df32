import pc from 'picocolors'
import { dataDirHolder } from '../data-dir/lock-data-dir.ts'
import type { AuditReport } from '../index.ts'
import { adminRequest } from './admin-request.ts'
import { toTime } from './parse-flags.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'
import { withNowcast } from './with-nowcast.ts'

interface AuditFlags extends ConfigFlags {
  from?: string
  to?: string
}

/** `nowcast audit`, through the running server where there is one. */
export async function auditCommand({ from, to, ...flags }: AuditFlags): Promise<void> {
  const config = await readConfig(flags)
  const range = { from: toTime('--from', from), to: toTime('--to', to) }
  const holder = await dataDirHolder(config.dataDir)
  const report = holder?.url
    ? await askServer({ url: holder.url, adminKey: holder.adminKey }, range)
    : await withNowcast(config, (nowcast) => nowcast.audit(range))
  for (const { what, expected, found } of report.differences)
    console.log(`${pc.red('differs')}  ${what}: ${expected} ≠ ${found}`)
  const { minutes, events, rows, offsets, differences } = report
  console.log(
    `${differences.length === 0 ? pc.green('clean') : pc.red(`${differences.length} differences`)}: ${minutes} live minutes with ${events} events, ${rows} archived rows, ${offsets} log offsets compared`,
  )
  if (differences.length > 0) process.exitCode = 1
}

interface AuditRange {
  from?: number
  to?: number
}

async function askServer(holder: { url: string; adminKey: string }, range: AuditRange): Promise<AuditReport> {
  const query = new URLSearchParams()
  for (const name of ['from', 'to'] as const) if (range[name] !== undefined) query.set(name, String(range[name]))
  return (await (await adminRequest(holder, `audit?${query}`)).json()) as AuditReport
}
