import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { checkClickHouse } from './adapters/clickhouse/check-clickhouse.ts'
import { checkDruid } from './adapters/druid/check-druid.ts'
import { checkKafka } from './adapters/kafka/check-kafka.ts'
import { checkWindows } from './adapters/kafka/check-windows.ts'
import { checkRedis } from './adapters/redis/check-redis.ts'
import { type Config, toConfig } from './config.ts'
import type { NowcastOptions } from './create-nowcast.ts'
import { dataDirHolder } from './data-dir/lock-data-dir.ts'
import { kafkaConnection, kafkaTopicOptions, uniqueTopicOf, windowsTopicOf } from './open-adapters.ts'
import type { Finding } from './ports/finding.ts'

/** A repeat that comes later than this must be expected of clients, s. */
const LEAST_DEDUPE_S = 15 * 60
const ASK_MS = 5000

/**
 * Looks at everything a server with this configuration needs: its data directory, the running server on it, Kafka,
 * Redis, ClickHouse. Changes nothing.
 * @throws ConfigError that names the field
 */
export async function doctor(options: NowcastOptions = {}): Promise<Finding[]> {
  const config = toConfig(options)
  const dataDir = resolve(config.dataDir)
  const holder = await dataDirHolder(dataDir)
  const { kafka, redis, clickhouse, druid } = config
  const named = (name: string, findings: Finding[]) =>
    findings.map(({ what, ...rest }) => ({ ...rest, what: what.startsWith(name) ? what : `${name} ${what}` }))
  const parts = await Promise.all([
    [retention(config)],
    checkDataDir(dataDir, holder?.pid),
    holder?.url ? checkServer(holder.url) : [],
    kafka ? checkKafka(kafkaTopicOptions(kafka)).then((findings) => named('Kafka', findings)) : [],
    kafka && config.aggregator === 'flink'
      ? checkWindows({ ...kafkaConnection(kafka), topic: windowsTopicOf(config, kafka), events: kafka }).then(
          (findings) => named('windows of Flink:', findings),
        )
      : [],
    redis ? checkRedis({ url: redis }) : [],
    clickhouse ? checkClickHouse(clickhouse, config) : [],
    kafka && druid ? checkDruid({ url: druid }, uniqueTopicOf(config, kafka)) : [],
  ])
  return parts.flat()
}

async function checkDataDir(dataDir: string, pid: number | undefined): Promise<Finding[]> {
  const what = 'data directory'
  const used = pid === undefined ? 'no server runs on it' : `process ${pid} runs on it`
  try {
    await access(dataDir, constants.R_OK | constants.W_OK)
    return [{ what, ok: true, message: `${dataDir}: ${used}` }]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return [{ what, ok: true, message: `${dataDir} is not there yet: the first start makes it` }]
    }
    const message = `${dataDir} cannot be written: choose another with --data-dir, or mend its permissions`
    return [{ what, ok: false, message }]
  }
}

/** What the running server says of itself. */
async function checkServer(url: string): Promise<Finding[]> {
  try {
    const read = async (path: string) => (await fetch(`${url}/${path}`, { signal: AbortSignal.timeout(ASK_MS) })).text()
    const [readiness, metrics] = await Promise.all([read('readyz'), read('metrics')])
    const { parts } = JSON.parse(readiness) as { parts: Record<string, { ready: boolean; message?: string }> }
    const findings = Object.entries(parts).map(([part, { ready, message }]) => ({
      what: `server: ${part}`,
      ok: ready,
      message: message ?? 'ready',
    }))
    return [...findings, ...checkDedupeWindow(metrics), ...checkStrayEvents(metrics)]
  } catch (error) {
    return [{ what: 'server', ok: false, message: `${url} does not answer: ${(error as Error).message}` }]
  }
}

/** How long what is archived stays. */
function retention({ rawRetentionMonths: events, rollupRetentionMonths: hours }: Config): Finding {
  const beside = (months: number) => `the running month and ${months} before it`
  const kept = hours === undefined ? 'their hours for ever' : `their hours of ${beside(hours)}`
  const message = events === undefined ? 'events are kept for ever' : `events are kept of ${beside(events)}, ${kept}`
  return { what: 'retention', ok: true, message }
}

function checkStrayEvents(metrics: string): Finding[] {
  const events = Number(/^nowcast_stray_events (\S+)$/m.exec(metrics)?.[1] ?? 0)
  if (events === 0) return []
  const message = `${events} events came after their month was rolled up, and are not counted: give all processes the same rawRetentionMonths`
  return [{ what: 'server: retention', ok: false, message }]
}

function checkDedupeWindow(metrics: string): Finding[] {
  const readings = [...metrics.matchAll(/^nowcast_dedupe_window_seconds\{[^}]*\} (\S+)$/gm)].map(([, text]) =>
    Number(text),
  )
  if (readings.length === 0) return []
  const least = Math.min(...readings)
  const ok = least >= LEAST_DEDUPE_S
  const reach = least >= 7200 ? `${Math.round(least / 3600)} hours` : `${Math.round(least / 60)} minutes`
  const message = ok
    ? `a repeat is recognised ${reach} back`
    : `a repeat is recognised only ${reach} back, and clients may retry for longer: raise duplicateOffsets (about 32 bytes of memory each)`
  return [{ what: 'server: duplicates', ok, message }]
}
