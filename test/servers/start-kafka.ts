import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { hasKafkaJars, kafkaClassPath, kafkaJars, kafkaJvmFlags } from '../../scripts/kafka-jars.mjs'
import { freePorts, isListening } from '../../scripts/loopback-ports.mjs'

const START_MS = 90_000
const JVM = kafkaJvmFlags()

/** One real broker in KRaft mode, with its data in a temporary folder. */
export interface KafkaServer {
  /** `host:port` for clients. */
  readonly address: string
  readonly pid: number | undefined
  /** `host:port` of one of the listeners that were asked for. */
  addressOf(listener: string): string
  /** Where a proxy is to connect to; see {@link KafkaServerOptions.proxies}. */
  readonly proxied: readonly { port: number }[]
  /** Ends it as a power cut of the process would; resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it again on the same ports and data, after {@link kill}; resolves when it answers. */
  start(): Promise<void>
  /** Sends SIGSTOP or SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Runs one of Kafka's own tools and answers what it prints. */
  runTool(mainClass: string, args: string[], input?: string): Promise<string>
  /** Ends it and deletes its data. */
  stop(): Promise<void>
}

export interface KafkaServerOptions {
  /** More listeners by name (in capitals), with their protocol: SSL, SASL_PLAINTEXT… */
  listeners?: Readonly<Record<string, string>>
  /** Lines for server.properties over the defaults. */
  properties?: Record<string, string | number>
  /**
   * Ports of proxies. For each the broker listens once more, and tells those who come that way to stay on it: clients
   * connect to whatever address a broker advertises.
   */
  proxies?: readonly number[]
  /** JVM flags instead of those that start fastest. */
  jvm?: string[]
  /** Port for clients; a free one by default. */
  port?: number
  /** Its place among several brokers, and the ports of all their controllers; alone by default. */
  cluster?: { nodeId: number; controllers: readonly number[] }
}

/** Why no broker can be started here; undefined when it can. */
export const kafkaIsMissing: string | undefined =
  spawnSync('java', ['-version']).status === 0
    ? hasKafkaJars()
      ? undefined
      : 'the jars of Kafka are missing: npm test fetches them through Maven'
    : 'there is no java on the PATH'

/** Formats the storage of one broker and starts it on free loopback ports. */
export async function startKafka(options: KafkaServerOptions = {}): Promise<KafkaServer> {
  const folder = mkdtempSync(join(tmpdir(), 'nowcast-kafka-'))
  const { proxies = [], listeners = {} } = options
  const more = Object.keys(listeners)
  const [free = 0, freeController = 0, ...otherPorts] = await freePorts(2 + proxies.length + more.length)
  const { nodeId, controllers } = options.cluster ?? { nodeId: 1, controllers: [freeController] }
  const controllerPort = controllers[nodeId - 1]
  const proxiedPorts = otherPorts.splice(0, proxies.length)
  const addressOf = (listener: string) => `127.0.0.1:${otherPorts[more.indexOf(listener)]}`
  const port = options.port ?? free
  const address = `127.0.0.1:${port}`
  const names = proxies.map((_, i) => `PROXIED${i}`)
  const jvm = options.jvm ? [...options.jvm, ...kafkaClassPath()] : JVM
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': controllers.map((one, i) => `${i + 1}@127.0.0.1:${one}`).join(),
    listeners: [
      `PLAINTEXT://${address}`,
      `CONTROLLER://127.0.0.1:${controllerPort}`,
      ...names.map((name, i) => `${name}://127.0.0.1:${proxiedPorts[i]}`),
      ...more.map((name) => `${name}://${addressOf(name)}`),
    ].join(),
    'advertised.listeners': [
      `PLAINTEXT://${address}`,
      ...names.map((name, i) => `${name}://127.0.0.1:${proxies[i]}`),
      ...more.map((name) => `${name}://${addressOf(name)}`),
    ].join(),
    'listener.security.protocol.map': [
      ...['PLAINTEXT', 'CONTROLLER', ...names].map((name) => `${name}:PLAINTEXT`),
      ...more.map((name) => `${name}:${listeners[name]}`),
    ].join(),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': controllers.length,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Members of tests are to be missed sooner than Kafka's default lets them.
    'group.min.session.timeout.ms': 1000,
    // A killed broker may register again once its session is over.
    'broker.session.timeout.ms': 1000,
    'broker.heartbeat.interval.ms': 200,
    'auto.create.topics.enable': false,
    'log.retention.check.interval.ms': 1000,
    ...options.properties,
  }
  const configFile = join(folder, 'server.properties')
  mkdirSync(join(folder, 'data'))
  writeFileSync(
    configFile,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
  )
  let child: ChildProcess | undefined
  let output = ''
  // Whatever becomes of the tests, no broker outlives them.
  const endWithUs = () => child?.kill('SIGKILL')
  process.once('exit', endWithUs)

  async function start(): Promise<void> {
    output = ''
    const started = spawn('java', [...jvm, 'kafka.Kafka', configFile], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = started
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-10_000)
    }
    started.stdout.on('data', collect)
    started.stderr.on('data', collect)
    const deadline = Date.now() + START_MS
    // The listener opens when the broker is ready to answer.
    while (!(await isListening(port))) {
      if (started.exitCode !== null) throw new Error(`Kafka ended with ${started.exitCode}: ${output}`)
      if (Date.now() > deadline) {
        await kill()
        throw new Error(`Kafka does not listen after ${START_MS} ms: ${output}`)
      }
      await sleep(50)
    }
  }

  async function kill(): Promise<void> {
    const killed = child
    child = undefined
    if (!killed || killed.exitCode !== null || killed.signalCode !== null) return
    const exited = new Promise((resolve) => killed.once('exit', resolve))
    killed.kill('SIGKILL')
    await exited
  }

  async function runTool(mainClass: string, args: string[], input = ''): Promise<string> {
    const running = promisify(execFile)('java', [...JVM, mainClass, ...args], { maxBuffer: 64 * 1024 * 1024 })
    running.child.stdin?.end(input)
    return (await running).stdout
  }

  /** Storage is formatted once for each place in a cluster: it takes as long as a start. */
  async function format(): Promise<void> {
    const formatted = join(kafkaJars, `formatted-${nodeId}`)
    const data = join(folder, 'data')
    if (existsSync(formatted)) return cpSync(formatted, data, { recursive: true })
    await runTool('kafka.tools.StorageTool', ['format', '-t', 'Tk93Y2FzdFRlc3RzMDAwMQ', '-c', configFile])
    const copy = mkdtempSync(`${formatted}-`)
    cpSync(data, copy, { recursive: true })
    try {
      renameSync(copy, formatted)
    } catch {
      // Another was faster.
      rmSync(copy, { recursive: true })
    }
  }

  try {
    await format()
    await start()
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return {
    address,
    addressOf,
    proxied: proxiedPorts.map((proxiedPort) => ({ port: proxiedPort })),
    get pid() {
      return child?.pid
    },
    kill,
    start,
    signal: (signal) => child?.kill(signal),
    runTool,
    async stop() {
      await kill()
      process.off('exit', endWithUs)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Several brokers that hold copies of each other's events. */
export async function startKafkaCluster(brokers: number): Promise<KafkaServer[]> {
  const controllers = await freePorts(brokers)
  const started = controllers.map((_, i) => startKafka({ cluster: { nodeId: i + 1, controllers } }))
  const settled = await Promise.allSettled(started)
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed) await Promise.all(settled.map((one) => one.status === 'fulfilled' && one.value.stop()))
  return Promise.all(started)
}
