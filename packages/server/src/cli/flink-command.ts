import pc from 'picocolors'
import { flinkScript, submitFlinkJob } from '../flink-job.ts'
import { CommandError } from './command-error.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'

interface FlinkFlags extends ConfigFlags {
  gateway?: string
  jar?: string
  from?: string
  upgrade?: boolean
  checkpoint?: string
  property?: string[]
}

const PASSWORD = /(password=)"(?:[^"\\]|\\.)*"/g

/** `nowcast flink`: prints the job that counts the windows, or submits it to a SQL gateway. */
export async function flinkCommand(flags: FlinkFlags): Promise<void> {
  const { gateway, jar, from, upgrade, checkpoint, property, ...configFlags } = flags
  const config = await readConfig({ ...configFlags, aggregator: 'flink' })
  const options = {
    ...(jar !== undefined && { jar }),
    ...(from !== undefined && { from }),
    ...(checkpoint !== undefined && { checkpointMs: toMilliseconds(checkpoint) }),
    ...(property && { kafkaProperties: toProperties(property) }),
  }
  if (gateway === undefined) {
    if (upgrade) throw new CommandError('--upgrade: say by --gateway where the job runs')
    // What is printed ends up in terminals and files.
    process.stdout.write(flinkScript(config, options).replace(PASSWORD, '$1"…"'))
    return
  }
  const { id, from: resumed } = await submitFlinkJob(config, { ...options, gateway, isUpgrade: upgrade === true })
  console.log(pc.green(`The job runs in Flink: ${id}`))
  console.log(resumed === undefined ? 'It counts the log from its beginning.' : `It goes on from ${resumed}`)
  console.log('Processes with the role aggregate or query take its figures with --aggregator flink.')
}

function toMilliseconds(span: string): number {
  const match = /^(\d+)(ms|s)$/.exec(span)
  const ms = match ? Number(match[1]) * (match[2] === 's' ? 1000 : 1) : 0
  if (ms < 200 || ms > 600_000) throw new CommandError(`--checkpoint ${span}: from 200ms to 600s, like 1s`)
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
