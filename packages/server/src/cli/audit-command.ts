import pc from 'picocolors'
import { createNowcast } from '../create-nowcast.ts'
import { dataDirHolder } from '../data-dir/lock-data-dir.ts'
import type { AuditReport } from '../index.ts'
import { CommandError } from './command-error.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'

interface AuditFlags extends ConfigFlags {
  from?: string
  to?: string
}

/** `nowcast audit`, through the running server where there is one. */
export async function auditCommand({ from, to, ...flags }: AuditFlags): Promise<void> {
  const config = await readConfig(flags)
  const range = { from: toTime('--from', from), to: toTime('--to', to) }
  const holder = await dataDirHolder(config.dataDir)
  const report = holder?.url ? await askServer(holder.url, holder.adminKey, range) : await auditAlone(config, range)
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

async function askServer(url: string, adminKey: string, range: AuditRange): Promise<AuditReport> {
  const query = new URLSearchParams()
  for (const name of ['from', 'to'] as const) if (range[name] !== undefined) query.set(name, String(range[name]))
  const answer = await fetch(`${url}/v1/admin/audit?${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}` },
  }).catch((error: Error) => {
    throw new CommandError(
      `the server at ${url} does not answer: ${(error.cause as Error | undefined)?.message ?? error.message}`,
    )
  })
  const body = (await answer.json()) as AuditReport & { error?: { message: string } }
  if (!answer.ok) throw new CommandError(`the server at ${url} could not audit: ${body.error?.message}`)
  return body
}

async function auditAlone(config: Awaited<ReturnType<typeof readConfig>>, range: AuditRange): Promise<AuditReport> {
  const nowcast = await createNowcast(config)
  try {
    await nowcast.start()
    return await nowcast.audit(range)
  } finally {
    await nowcast.stop()
  }
}

function toTime(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const time = Date.parse(value)
  if (Number.isNaN(time)) throw new CommandError(`${flag} ${value}: a time in ISO 8601, like 2026-01-31T12:00:00Z`)
  return time
}
