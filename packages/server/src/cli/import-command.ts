import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import pc from 'picocolors'
import type { Config } from '../config.ts'
import { dataDirHolder } from '../data-dir/lock-data-dir.ts'
import { CommandError } from './command-error.ts'
import { drawProgress } from './import/draw-progress.ts'
import { importFiles } from './import/import-files.ts'
import type { ImportFormat } from './import/import-format.ts'
import type { ImportReport } from './import/import-report.ts'
import { projectOf } from './project-of.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'

interface ImportFlags extends ConfigFlags {
  project?: string
  format?: ImportFormat
  map?: string
  delimiter?: string
  zone?: string
  url?: string
  key?: string
  force?: boolean
}

/** `nowcast import`: sends through the running server, or through one that runs for the time it takes. */
export async function importCommand(
  files: string[],
  { project: id, format, map, delimiter, zone, url, key, force, ...flags }: ImportFlags,
): Promise<void> {
  const config = await readConfig(flags)
  const target = url ? { url, stop: async () => {} } : await serverOf(config)
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
  const drawing = drawProgress()
  try {
    const isNamed = key !== undefined && url !== undefined
    const project = isNamed ? { id: id ?? 'default', secretKey: key } : await projectOf(config, id)
    const report = await importFiles({
      files,
      format,
      map: map === undefined ? undefined : await readMap(map),
      delimiter,
      zone,
      project: project.id,
      url: target.url,
      key: key ?? project.secretKey,
      stateDir: resolve(join(config.dataDir, 'imports')),
      force,
      progress: drawing.update,
      notice: drawing.notice,
      signal: abort.signal,
    })
    drawing.stop()
    printReport(report)
    if (abort.signal.aborted) process.exitCode = 130
  } finally {
    drawing.stop()
    await target.stop()
  }
}

async function serverOf(config: Config): Promise<{ url: string; stop(): Promise<void> }> {
  const holder = await dataDirHolder(config.dataDir)
  if (holder?.url) return { url: holder.url, stop: async () => {} }
  if (holder)
    throw new CommandError(
      `process ${holder.pid} holds ${config.dataDir} and does not answer yet: try again in a moment`,
    )
  console.error('No server is running on this data directory: starting one for the import')
  const { serve } = await import('./serve.ts')
  return serve({ ...config, port: 0, host: '127.0.0.1' })
}

async function readMap(file: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new CommandError(`the map ${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CommandError(`the map ${file} is no JSON: ${(error as Error).message}`)
  }
}

function printReport(report: ImportReport): void {
  const count = (value: number) => value.toLocaleString('en-US')
  for (const { file, status, lines, accepted, rejected, note, rejectedFile, rejectedBy } of report.files) {
    console.log(`${pc.bold(file)}: ${status}`)
    if (note) console.log(`  ${note}`)
    console.log(`  ${count(lines)} lines read, ${count(accepted)} accepted, ${count(rejected)} rejected`)
    for (const [reason, lines] of Object.entries(rejectedBy)) console.log(`    ${reason}: ${count(lines)}`)
    if (rejectedFile) console.log(`  rejected lines are in ${rejectedFile}`)
  }
  console.log(
    `${count(report.accepted)} events in ${(report.elapsedMs / 1000).toFixed(1)} s, ${count(report.eventsPerSecond)} events/s`,
  )
}
