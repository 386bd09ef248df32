import pc from 'picocolors'
import { CommandError } from './command-error.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'

interface FlinkFlags extends ConfigFlags {
  gateway?: string
  jar?: string
  from?: string
  upgrade?: boolean
  checkpoint?: string
  transactionTimeout?: string
  withSecrets?: boolean
  property?: string[]
}

/** `nowcast flink`: prints the job that counts the windows, or submits it to a SQL gateway. */
export async function flinkCommand(flags: FlinkFlags): Promise<void> {
  const { gateway, jar, from, upgrade, checkpoint, transactionTimeout, withSecrets, property, ...configFlags } = flags
  const config = await readConfig({ ...configFlags, aggregator: 'flink' })
  const options = {
    ...(jar !== undefined && { jar }),
    ...(from !== undefined && { from }),
    ...(checkpoint !== undefined && { checkpointMs: toMilliseconds('--checkpoint', checkpoint, 200, 10_000) }),
    ...(transactionTimeout !== undefined && {
      transactionMs: toMilliseconds('--transaction-timeout', transactionTimeout, 60_000, 24 * 3_600_000),
    }),
    ...(property && { kafkaProperties: toProperties(property) }),
  }
  const { flinkScript, submitFlinkJob } = await import('../flink-job.ts')
  if (gateway === undefined) {
    if (upgrade) throw new CommandError('--upgrade: say by --gateway where the job runs')
    process.stdout.write(flinkScript(config, { ...options, withSecrets: withSecrets === true }))
    return
  }
  const { id, from: resumed } = await submitFlinkJob(config, { ...options, gateway, isUpgrade: upgrade === true })
  console.log(pc.green(`The job runs in Flink: ${id}`))
  console.log(resumed === undefined ? 'It counts the log from its beginning.' : `It goes on from ${resumed}`)
  console.log('Processes with the role aggregate or query take its figures with --aggregator flink.')
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

function toMilliseconds(flag: string, span: string, leastMs: number, mostMs: number): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(span)
  const ms = match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : 0
  if (ms < leastMs || ms > mostMs) {
    const words = (limitMs: number) => (limitMs % 1000 === 0 ? `${limitMs / 1000}s` : `${limitMs}ms`)
    throw new CommandError(`${flag} ${span}: from ${words(leastMs)} to ${words(mostMs)}`)
  }
  return ms
}

function toProperties(properties: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    properties.map((property) => {
      const at = property.indexOf('=')
      if (at < 1) throw new CommandError(`--property ${property}: a name, = and a value, like ssl.keystore.type=PEM`)
      return [property.slice(0, at), property.slice(at + 1)]
    }),
  )
}
