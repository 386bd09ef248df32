import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { runCommand } from './run-command.mjs'

const VERSION = '2.3.0'
const KAFKA_CONNECTOR = '5.0.0-2.2'
const DOWNLOAD_MS = 15 * 60_000

/** Where Flink lies, once it is installed: `bin/`, `conf/`, `lib/`, `opt/`. */
export const flinkHome = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nowcast', `flink-${VERSION}`)

/** Whether Flink is there. */
export function hasFlink() {
  const has = (folder, start) => {
    const path = join(flinkHome, folder)
    return existsSync(path) && readdirSync(path).some((name) => name.startsWith(start))
  }
  return has('lib', 'flink-dist') && has('lib', 'flink-sql-connector-kafka') && has('lib', 'flink-sql-gateway')
}

const dependency = (artifactId, version) =>
  `<dependency><groupId>org.apache.flink</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>nowcast</groupId><artifactId>flink-for-tests</artifactId><version>1</version>
  <dependencies>
    ${dependency('flink-sql-gateway', VERSION)}
    ${dependency('flink-sql-connector-kafka', KAFKA_CONNECTOR)}
  </dependencies>
</project>
`

/**
 * Makes a distribution of Flink of what the package registries have: jars and scripts from PyPI, the SQL gateway and the
 * Kafka connector from Maven.
 * @returns why it failed; undefined if it did not
 */
export async function installFlink() {
  mkdirSync(dirname(flinkHome), { recursive: true })
  const folder = mkdtempSync(`${flinkHome}-`)
  const options = { cwd: folder, limitMs: DOWNLOAD_MS }
  try {
    // Only jars and scripts are taken from them, which are the same for every Python and every machine.
    const wheels = ['--no-deps', '--only-binary=:all:', '--python-version=3.11', '--platform=manylinux2014_x86_64']
    const names = [`apache-flink-libraries==${VERSION}`, `apache-flink==${VERSION}`]
    const pip = await runCommand(['python3', '-m', 'pip', 'download', '--quiet', ...wheels, ...names], options)
    if (!pip.ok) return `pip said:\n${pip.output}`
    for (const wheel of readdirSync(folder).filter((name) => name.endsWith('.whl'))) {
      const unzip = await runCommand(['python3', '-m', 'zipfile', '-e', wheel, 'unpacked'], options)
      if (!unzip.ok) return `unpacking ${wheel} failed:\n${unzip.output}`
    }
    writeFileSync(join(folder, 'pom.xml'), POM)
    const home = join(folder, 'unpacked', 'pyflink')
    const copy = ['dependency:copy-dependencies', '-DexcludeTransitive=true', `-DoutputDirectory=${home}/lib`]
    const maven = await runCommand(['mvn', '--quiet', '--batch-mode', ...copy], options)
    if (!maven.ok) return `Maven said:\n${maven.output}`
    for (const script of readdirSync(join(home, 'bin'))) chmodSync(join(home, 'bin', script), 0o755)
    // Moved into place as a whole, so that a download that broke off is never taken for an installation.
    rmSync(flinkHome, { recursive: true, force: true })
    renameSync(home, flinkHome)
    return undefined
  } catch (error) {
    return error.message
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
