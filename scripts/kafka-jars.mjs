import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, isListening } from './loopback-ports.mjs'
import { runCommand } from './run-command.mjs'

const VERSION = '4.1.1'
/** Logs to stderr, from a level on that is a system property. */
const BINDING = 'slf4j-simple'

/** Where the jars of Kafka's server and tools lie, once they are installed. */
export const kafkaJars = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nowcast', `kafka-${VERSION}`)

/** The classes that a broker loads, in the form in which a JVM maps them: it starts in half the time. */
const CLASSES = 'classes.jsa'
const START_MS = 60_000

/** Flags of a JVM that runs one of Kafka's programs. */
export function kafkaJvmFlags() {
  const archive = join(kafkaJars, CLASSES)
  return [
    ...['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'],
    // Another JVM than the one that wrote it does without, and says so: silently here.
    ...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`, '-Xlog:disable', '-Xlog:all=error:stderr'] : []),
    ...kafkaClassPath(),
  ]
}

/** The class path; of the log only what ends a broker is worth showing. */
export function kafkaClassPath() {
  return ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', join(kafkaJars, '*')]
}

/** Whether the jars are there. */
export function hasKafkaJars() {
  const jars = existsSync(kafkaJars) ? readdirSync(kafkaJars) : []
  return ['kafka_', `${BINDING}-`].every((start) => jars.some((name) => name.startsWith(start)))
}

const dependency = (groupId, artifactId, version) =>
  `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>nowcast</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    ${dependency('org.apache.kafka', 'kafka_2.13', VERSION)}
    ${dependency('org.apache.kafka', 'kafka-tools', VERSION)}
    ${dependency('org.slf4j', BINDING, '1.7.36')}
  </dependencies>
</project>
`

/**
 * Fetches the jars through Maven: from its own store if they are there, else from its repository.
 * @returns why it failed; undefined if it did not
 */
export async function installKafkaJars() {
  mkdirSync(dirname(kafkaJars), { recursive: true })
  const folder = mkdtempSync(`${kafkaJars}-`)
  try {
    writeFileSync(join(folder, 'pom.xml'), POM)
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}/jars`]
    const options = { cwd: folder, limitMs: 10 * 60_000 }
    let run = await runCommand(['mvn', '--quiet', '--batch-mode', '--offline', ...copy], options)
    if (!run.ok) run = await runCommand(['mvn', '--quiet', '--batch-mode', ...copy], options)
    if (!run.ok) return `Maven said:\n${run.output}`
    // Moved into place as a whole, so that a download that broke off is never taken for an installation.
    rmSync(kafkaJars, { recursive: true, force: true })
    renameSync(join(folder, 'jars'), kafkaJars)
    await archiveClasses(folder)
    return undefined
  } catch (error) {
    return error.message
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Starts a broker once, which leaves the archive of its classes; it names the jars by their place. */
async function archiveClasses(folder) {
  const [port, controllerPort] = await freePorts(2)
  const file = join(folder, 'server.properties')
  const properties = [
    ...['process.roles=broker,controller', 'node.id=1', `controller.quorum.voters=1@127.0.0.1:${controllerPort}`],
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    ...['controller.listener.names=CONTROLLER', 'inter.broker.listener.name=PLAINTEXT'],
    `log.dirs=${join(folder, 'data')}`,
  ]
  writeFileSync(file, properties.join('\n'))
  const flags = kafkaJvmFlags()
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'Tk93Y2FzdFRlc3RzMDAwMQ', '-c', file]
  if (!(await runCommand(['java', ...flags, ...format])).ok) return
  const archive = join(folder, CLASSES)
  const broker = spawn('java', [`-XX:ArchiveClassesAtExit=${archive}`, ...flags, 'kafka.Kafka', file], {
    stdio: 'ignore',
  })
  const ended = once(broker, 'exit')
  const deadline = Date.now() + START_MS
  while (!(await isListening(port)) && Date.now() < deadline) await sleep(100)
  broker.kill('SIGTERM')
  await ended
  if (existsSync(archive)) renameSync(archive, join(kafkaJars, CLASSES))
}
