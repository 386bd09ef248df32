import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toConfig } from '../../packages/server/src/config.ts'
import { submitFlinkJob } from '../../packages/server/src/flink-job.ts'
import { type FlinkCluster, type FlinkPart, flinkIsMissing, startFlink } from '../../test/servers/start-flink.ts'

/*
 * A Flink. Told `start` it starts one; told `{ submit }`, brokers, topic and partitions, it submits the job and answers
 * when it runs; told `usage` it answers CPU time and memory of its processes so far; told `{ signal }` it holds them, or
 * lets them go on.
 */
const JAR = fileURLToPath(new URL('../../deploy/flink/target/nowcast-flink.jar', import.meta.url))
const PARTS: FlinkPart[] = ['jobManager', 'taskManager']
const TICK_MS = 10
/** Nobody is missed who is held. */
const PATIENT = { 'heartbeat.interval': 10_000, 'heartbeat.timeout': 600_000 }
let flink: FlinkCluster | undefined

interface Job {
  brokers: string[]
  topic: string
  partitions: number
  windowsTopic: string
}

async function start(): Promise<object> {
  if (flinkIsMissing) throw new Error(flinkIsMissing)
  if (!existsSync(JAR)) throw new Error('Nowcast’s functions are not built: npm run test:flink builds them')
  flink = await startFlink([JAR], PATIENT)
  return {}
}

async function submit({ brokers, topic, partitions, windowsTopic }: Job): Promise<object> {
  const config = toConfig({ kafka: { brokers, topic, partitions }, aggregator: 'flink', windowsTopic })
  return submitFlinkJob(config, { gateway: (flink as FlinkCluster).gateway })
}

/** The gateway only submits: it is no part of what counts. */
function usage(): { cpuMs: number; bytes: number } {
  let cpuMs = 0
  let bytes = 0
  for (const part of PARTS) {
    const pid = flink?.pidOf(part)
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name, which may hold blanks: state is the third field, user and system time the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    cpuMs += (Number(fields[11]) + Number(fields[12])) * TICK_MS
    bytes += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
  }
  return { cpuMs, bytes }
}

function signal(to: 'SIGSTOP' | 'SIGCONT'): object {
  for (const part of PARTS) {
    const pid = flink?.pidOf(part)
    if (pid !== undefined) process.kill(pid, to)
  }
  return {}
}

type Message = 'start' | 'usage' | { submit: Job } | { signal: 'SIGSTOP' | 'SIGCONT' }

async function answerTo(message: Message): Promise<object> {
  if (message === 'start') return start()
  if (message === 'usage') return usage()
  return 'submit' in message ? submit(message.submit) : signal(message.signal)
}

process.on('message', (message: Message) => {
  answerTo(message).then(
    (done) => process.send?.(done),
    (error: Error) => process.send?.({ error: error.message }),
  )
})
process.on('disconnect', async () => {
  await flink?.stop()
  process.exit()
})
