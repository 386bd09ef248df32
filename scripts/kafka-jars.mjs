import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { runCommand } from './run-command.mjs'

const VERSION = '4.1.1'
/** Logs to stderr, from a level on that is a system property. */
const BINDING = 'slf4j-simple'

/** Where the jars of Kafka's server and tools lie, once they are installed. */
export const kafkaJars = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nowcast', `kafka-${VERSION}`)

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
    return undefined
  } catch (error) {
    return error.message
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
