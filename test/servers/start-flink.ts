import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { flinkHome, hasFlink } from '../../scripts/flink-distribution.mjs'
import { freePorts } from '../../scripts/loopback-ports.mjs'

const START_MS = 180_000
const PARTS = {
  jobManager: ['org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint', '-Xmx640m'],
  taskManager: ['org.apache.flink.runtime.taskexecutor.TaskManagerRunner', '-Xmx768m'],
  gateway: ['org.apache.flink.table.gateway.SqlGateway', '-Xmx384m'],
} as const
/** What Flink's own scripts open for its reflection; those of `config.yaml` in the distribution. */
const OPENED = ['lang', 'net', 'io', 'nio', 'lang.reflect', 'text', 'time', 'util', 'util.concurrent']
const JVM = [
  ...OPENED.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
  '--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED',
  '--add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED',
  '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
  '-XX:+UseSerialGC',
]

export type FlinkPart = keyof typeof PARTS

/** A Flink of one job manager, one task manager and a SQL gateway, with its files in a temporary folder. */
export interface FlinkCluster {
  /** Address of the SQL gateway's REST API. */
  readonly gateway: string
  /** Address of the job manager's REST API. */
  readonly rest: string
  /** Where checkpoints and savepoints lie. */
  readonly folder: string
  pidOf(part: FlinkPart): number | undefined
  /** Ends a part as a crash would; resolves when it is gone. */
  kill(part: FlinkPart): Promise<void>
  /** Starts a part again, after {@link kill}; resolves when it can be used. */
  start(part: FlinkPart): Promise<void>
  /** What a part has written to its log. */
  logOf(part: FlinkPart): string
  /** Ends all and deletes its files. */
  stop(): Promise<void>
}

/** Why no Flink can be started here; undefined when it can. */
export const flinkIsMissing: string | undefined =
  spawnSync('java', ['-version']).status === 0
    ? hasFlink()
      ? undefined
      : 'Flink is missing: npm run test:flink fetches it from PyPI and through Maven'
    : 'there is no java on the PATH'

/**
 * @param jars more jars for the class path: Nowcast's functions
 * @param own lines of Flink's config.yaml over those of the tests
 */
export async function startFlink(
  jars: readonly string[],
  own: Readonly<Record<string, string | number>> = {},
): Promise<FlinkCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'nowcast-flink-'))
  const [rpc, rest, gatewayPort, blobs, taskRpc, data] = await freePorts(6)
  const conf = join(folder, 'conf')
  mkdirSync(conf)
  const settings = {
    'jobmanager.rpc.address': '127.0.0.1',
    'jobmanager.rpc.port': rpc,
    'jobmanager.bind-host': '127.0.0.1',
    'blob.server.port': blobs,
    'rest.address': '127.0.0.1',
    'rest.bind-address': '127.0.0.1',
    'rest.port': rest,
    'taskmanager.host': '127.0.0.1',
    'taskmanager.bind-host': '127.0.0.1',
    'taskmanager.rpc.port': taskRpc,
    'taskmanager.data.port': data,
    'taskmanager.numberOfTaskSlots': 2,
    // What Flink's scripts work out of one figure.
    'taskmanager.cpu.cores': 2,
    'taskmanager.memory.task.heap.size': '512m',
    'taskmanager.memory.task.off-heap.size': '0m',
    'taskmanager.memory.managed.size': '256m',
    'taskmanager.memory.network.min': '64m',
    'taskmanager.memory.network.max': '64m',
    'taskmanager.memory.framework.heap.size': '128m',
    'taskmanager.memory.framework.off-heap.size': '128m',
    'taskmanager.memory.jvm-metaspace.size': '256m',
    'taskmanager.memory.jvm-overhead.min': '192m',
    'taskmanager.memory.jvm-overhead.max': '192m',
    // A killed task manager is missed soon.
    'heartbeat.interval': 1000,
    'heartbeat.timeout': 8000,
    'parallelism.default': 2,
    'restart-strategy.type': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': 1_000_000,
    'restart-strategy.fixed-delay.delay': '1 s',
    'io.tmp.dirs': join(folder, 'tmp'),
    'execution.checkpointing.dir': `file://${folder}/checkpoints`,
    'execution.checkpointing.savepoint-dir': `file://${folder}/savepoints`,
    'sql-gateway.endpoint.rest.address': '127.0.0.1',
    'sql-gateway.endpoint.rest.bind-address': '127.0.0.1',
    'sql-gateway.endpoint.rest.port': gatewayPort,
    ...own,
  }
  const yaml = Object.entries(settings).map(([name, value]) => `${name}: ${value}\n`)
  writeFileSync(join(conf, 'config.yaml'), yaml.join(''))
  const classPath = [join(flinkHome, 'lib', '*'), ...jars].join(':')
  const running = new Map<FlinkPart, ChildProcess>()
  const addresses = { gateway: `http://127.0.0.1:${gatewayPort}`, rest: `http://127.0.0.1:${rest}` }
  const logFile = (part: FlinkPart) => join(folder, `${part}.log`)

  async function start(part: FlinkPart): Promise<void> {
    const [mainClass, memory] = PARTS[part]
    const log = [
      `-Dlog.file=${logFile(part)}`,
      `-Dlog4j.configurationFile=file:${join(flinkHome, 'conf', 'log4j.properties')}`,
    ]
    const args = part === 'gateway' ? [] : ['--configDir', conf]
    const output = openSync(`${logFile(part)}.out`, 'a')
    const child = spawn('java', [memory, ...JVM, ...log, '-cp', classPath, mainClass, ...args], {
      stdio: ['ignore', output, output],
      env: { ...process.env, FLINK_CONF_DIR: conf },
    })
    closeSync(output)
    running.set(part, child)
    const deadline = performance.now() + START_MS
    while (!(await isUsable(part))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`Flink's ${part} did not start:\n${logOf(part).slice(-3000)}`)
      }
      await sleep(200)
    }
  }

  async function isUsable(part: FlinkPart): Promise<boolean> {
    try {
      if (part === 'gateway') return (await fetch(`${addresses.gateway}/info`)).ok
      const overview = (await (await fetch(`${addresses.rest}/overview`)).json()) as { 'slots-total': number }
      return part === 'jobManager' || overview['slots-total'] > 0
    } catch {
      return false
    }
  }

  async function kill(part: FlinkPart): Promise<void> {
    const child = running.get(part)
    running.delete(part)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  const endWithUs = () => {
    for (const child of running.values()) child.kill('SIGKILL')
  }

  function logOf(part: FlinkPart): string {
    return readdirSync(folder)
      .filter((name) => name.startsWith(`${part}.log`))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n')
  }

  async function stop(): Promise<void> {
    await Promise.all((Object.keys(PARTS) as FlinkPart[]).map(kill))
    process.off('exit', endWithUs)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  process.on('exit', endWithUs)
  try {
    mkdirSync(join(folder, 'tmp'))
    await start('jobManager')
    await Promise.all([start('taskManager'), start('gateway')])
  } catch (error) {
    await stop()
    throw error
  }
  return { ...addresses, folder, pidOf: (part) => running.get(part)?.pid, kill, start, logOf, stop }
}
