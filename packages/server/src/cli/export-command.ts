import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pc from 'picocolors'
import { dataDirHolder } from '../data-dir/lock-data-dir.ts'
import type { ExportedEvents, ExportRequest } from '../index.ts'
import { adminRequest } from './admin-request.ts'
import { CommandError } from './command-error.ts'
import { createExportProgress } from './export-progress.ts'
import { toFilters, toTime } from './parse-flags.ts'
import { projectOf } from './project-of.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'
import { withNowcast } from './with-nowcast.ts'

interface ExportFlags extends ConfigFlags {
  project?: string
  from?: string
  to?: string
  filter?: string[]
  format: 'ndjson' | 'csv' | 'parquet'
  out?: string
}

/** `nowcast export`, through the running server where there is one. */
export async function exportCommand({
  project,
  from,
  to,
  filter = [],
  format,
  out,
  ...flags
}: ExportFlags): Promise<void> {
  const config = await readConfig(flags)
  const request: ExportRequest = {
    project: (await projectOf(config, project)).id,
    format,
    from: toTime('--from', from),
    to: toTime('--to', to),
    ...(filter.length > 0 && { filters: toFilters(filter) }),
  }
  if (format === 'parquet' && out === undefined && process.stdout.isTTY) {
    throw new CommandError('Parquet is no text: name a file with --out')
  }
  const holder = await dataDirHolder(config.dataDir)
  if (!holder?.url) return withNowcast(config, async (nowcast) => write(await nowcast.exportEvents(request), out))
  const answer = await adminRequest({ url: holder.url, adminKey: holder.adminKey }, 'export', request)
  const events = Number(answer.headers.get('x-nowcast-events'))
  const since = answer.headers.get('x-nowcast-since')
  const bytes = Readable.fromWeb(answer.body as never)
  await write({ events, bytes, ...(since !== null && { since: Number(since) }) }, out)
}

/** A file appears under its name when it is whole. */
async function write({ events, bytes, since }: ExportedEvents, out: string | undefined): Promise<void> {
  const counted = createExportProgress(events, process.stderr)
  if (out === undefined) {
    await pipeline(bytes, counted.stream, process.stdout, { end: false })
  } else {
    const unfinished = `${out}.part`
    try {
      await pipeline(bytes, counted.stream, createWriteStream(unfinished, { mode: 0o600 }))
      await rename(unfinished, out)
    } catch (error) {
      await rm(unfinished, { force: true })
      throw new CommandError(`the export to ${out} did not end well: ${(error as Error).message}`)
    }
  }
  if (since !== undefined) {
    const date = new Date(since).toISOString()
    console.error(`${pc.yellow('note')}: single events are kept since ${date}; of the time before there are hours only`)
  }
  console.error(
    `${pc.green('done')}: ${events} events, ${counted.bytes()} bytes${out === undefined ? '' : ` in ${out}`}`,
  )
}
