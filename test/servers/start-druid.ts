import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { druidHome, hasDruid } from '../../scripts/druid-distribution.mjs'
import { freePorts, isListening } from '../../scripts/loopback-ports.mjs'

const START_MS = 240_000
/** What Druid's own scripts open for its reflection. */
const JVM = [
  '--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED',
  '--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED',
  ...['java.nio', 'sun.nio.ch', 'jdk.internal.ref', 'java.io', 'java.lang'].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
  '--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED',
  '-XX:+UseSerialGC',
  '-Duser.timezone=UTC',
  '-Dfile.encoding=UTF-8',
  // What cannot be written anywhere is said by log4j itself.
  '-Dlog4j2.level=WARN',
]

const BUFFERS = {
  'druid.processing.numThreads': 1,
  'druid.processing.numMergeBuffers': 2,
  'druid.processing.buffer.sizeBytes': 32 * 1024 * 1024,
  // Sketches of many buckets are more than the buffers hold.
  'druid.query.groupBy.maxOnDiskStorage': 2 ** 31,
  'druid.server.http.numThreads': 20,
}
const PARTS = {
  zookeeper: { heap: 128 },
  coordinator: {
    heap: 384,
    properties: {
      'druid.coordinator.asOverlord.enabled': true,
      'druid.coordinator.asOverlord.overlordService': 'druid/overlord',
      'druid.coordinator.startDelay': 'PT1S',
      'druid.coordinator.period': 'PT3S',
      'druid.manager.segments.pollDuration': 'PT3S',
      'druid.indexer.queue.startDelay': 'PT1S',
      'druid.indexer.runner.type': 'httpRemote',
      'druid.indexer.storage.type': 'metadata',
    },
  },
  broker: { heap: 384, properties: { ...BUFFERS, 'druid.broker.http.numConnections': 10 } },
  historical: { heap: 384, properties: BUFFERS },
  // Tasks are its threads: a middle manager would start a JVM for each.
  indexer: { heap: 768, properties: { ...BUFFERS, 'druid.worker.capacity': 3 } },
  // One address for questions and supervisors, as in most installations.
  router: {
    heap: 128,
    properties: { 'druid.router.managementProxy.enabled': true, 'druid.router.http.numConnections': 20 },
  },
} as const

export type DruidPart = keyof typeof PARTS

/** A Druid with ZooKeeper and Derby, with its files in a temporary folder. */
export interface DruidCluster {
  /** Address of the router. */
  readonly url: string
  pidOf(part: DruidPart): number | undefined
  /** Ends a part as a crash would; resolves when it is gone. */
  kill(part: DruidPart): Promise<void>
  /** Starts a part again, after {@link kill}; resolves when it is healthy. */
  start(part: DruidPart): Promise<void>
  /** What a part has written. */
  logOf(part: DruidPart): string
  /** Ends all and deletes its files. */
  stop(): Promise<void>
}

/** Why no Druid can be started here; undefined when it can. */
export const druidIsMissing: string | undefined =
  spawnSync('java', ['-version']).status === 0
    ? hasDruid()
      ? undefined
      : 'Druid is missing: npm run test:druid fetches it through Maven'
    : 'there is no java on the PATH'

/** @param options.jvm flags beside the usual ones: by default those that start fastest */
export async function startDruid({ jvm = ['-XX:TieredStopAtLevel=1'] } = {}): Promise<DruidCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'nowcast-druid-'))
  const parts = Object.keys(PARTS) as DruidPart[]
  const [derby, ...ports] = await freePorts(parts.length + 1)
  const portOf = (part: DruidPart) => ports[parts.indexOf(part)] as number
  const common = {
    'druid.extensions.directory': join(druidHome, 'extensions'),
    'druid.extensions.loadList': '["druid-kafka-indexing-service","druid-datasketches"]',
    'druid.host': '127.0.0.1',
    'druid.zk.service.host': `127.0.0.1:${portOf('zookeeper')}`,
    'druid.metadata.storage.type': 'derby',
    'druid.metadata.storage.connector.connectURI': `jdbc:derby://127.0.0.1:${derby}/${folder}/derby;create=true`,
    'druid.metadata.storage.connector.host': '127.0.0.1',
    'druid.metadata.storage.connector.port': derby,
    'druid.storage.type': 'local',
    'druid.storage.storageDirectory': join(folder, 'segments'),
    'druid.indexer.logs.type': 'file',
    'druid.indexer.logs.directory': join(folder, 'task-logs'),
    'druid.indexer.task.baseTaskDir': join(folder, 'tasks'),
    'druid.segmentCache.locations': `[{"path":"${folder}/cache","maxSize":"20g"}]`,
    'druid.sql.enable': true,
    'java.io.tmpdir': join(folder, 'tmp'),
  }
  const running = new Map<DruidPart, ChildProcess>()
  const logFile = (part: DruidPart) => join(folder, `${part}.log`)

  function commandOf(part: DruidPart): string[] {
    const { heap } = PARTS[part]
    const classPath = `${join(druidHome, 'lib')}/*`
    const flags = [`-Xmx${heap}m`, '-XX:MaxDirectMemorySize=512m', ...JVM, ...jvm]
    if (part === 'zookeeper') {
      const main = 'org.apache.zookeeper.server.ZooKeeperServerMain'
      const settings = ['-Dzookeeper.admin.enableServer=false']
      return [...flags, ...settings, '-cp', classPath, main, String(portOf(part)), join(folder, 'zookeeper')]
    }
    const properties = { ...common, ...PARTS[part].properties, 'druid.plaintextPort': portOf(part) }
    const set = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`)
    return [...flags, ...set, '-cp', classPath, 'org.apache.druid.cli.Main', 'server', part]
  }

  async function start(part: DruidPart): Promise<void> {
    const output = openSync(logFile(part), 'a')
    const child = spawn('java', commandOf(part), { cwd: folder, stdio: ['ignore', output, output] })
    closeSync(output)
    running.set(part, child)
    const deadline = performance.now() + START_MS
    while (!(await isHealthy(part))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`Druid's ${part} did not start:\n${logOf(part).slice(-3000)}`)
      }
      await sleep(200)
    }
  }

  async function isHealthy(part: DruidPart): Promise<boolean> {
    const port = portOf(part)
    if (part === 'zookeeper') return isListening(port)
    const readiness = part === 'broker' || part === 'historical' ? `/druid/${part}/v1/readiness` : '/status/health'
    try {
      return (await fetch(`http://127.0.0.1:${port}${readiness}`)).ok
    } catch {
      return false
    }
  }

  async function kill(part: DruidPart): Promise<void> {
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

  function logOf(part: DruidPart): string {
    return existsSync(logFile(part)) ? readFileSync(logFile(part), 'utf8') : ''
  }

  async function stop(): Promise<void> {
    await Promise.all(parts.map(kill))
    process.off('exit', endWithUs)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  process.on('exit', endWithUs)
  const url = `http://127.0.0.1:${portOf('router')}`
  try {
    for (const name of ['tmp', 'cache', 'segments', 'tasks']) mkdirSync(join(folder, name))
    await start('zookeeper')
    await Promise.all(parts.filter((part) => part !== 'zookeeper').map(start))
  } catch (error) {
    await stop()
    throw error
  }
  return { url, pidOf: (part) => running.get(part)?.pid, kill, start, logOf, stop }
}
