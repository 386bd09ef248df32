import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { runCommand } from './run-command.mjs'

const VERSION = '33.0.0'
const EXTENSIONS = ['druid-kafka-indexing-service', 'druid-datasketches']
const DOWNLOAD_MS = 20 * 60_000

/** Where Druid lies, once it is installed: `lib/`, `extensions/`. */
export const druidHome = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nowcast', `druid-${VERSION}`)

/** Whether Druid is there. */
export function hasDruid() {
  const has = (folder, start) => {
    const path = join(druidHome, folder)
    return existsSync(path) && readdirSync(path).some((name) => name.startsWith(start))
  }
  return has('lib', 'druid-services') && EXTENSIONS.every((name) => has(join('extensions', name), name))
}

// sigar, of which Druid reads the machine's load, is in no repository any more.
const pom = (groupId, artifactId) => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>nowcast</groupId><artifactId>druid-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${VERSION}</version>
      <exclusions><exclusion><groupId>org.hyperic</groupId><artifactId>sigar</artifactId></exclusion></exclusions>
    </dependency>
  </dependencies>
</project>
`

/**
 * Makes a distribution of Druid, with ZooKeeper and Derby, of what Maven's repository has.
 * @returns why it failed; undefined if it did not
 */
export async function installDruid() {
  mkdirSync(dirname(druidHome), { recursive: true })
  const folder = mkdtempSync(`${druidHome}-`)
  const home = join(folder, 'home')
  async function fetchJars(groupId, artifactId, output) {
    writeFileSync(join(folder, 'pom.xml'), pom(groupId, artifactId))
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${output}`]
    const maven = await runCommand(['mvn', '--quiet', '--batch-mode', ...copy], { cwd: folder, limitMs: DOWNLOAD_MS })
    return maven.ok ? undefined : `Maven said:\n${maven.output}`
  }
  try {
    let failure = await fetchJars('org.apache.druid', 'druid-services', join(home, 'lib'))
    for (const name of EXTENSIONS) {
      failure ??= await fetchJars('org.apache.druid.extensions', name, join(home, 'extensions', name))
    }
    if (failure) return failure
    // Moved into place as a whole, so that a download that broke off is never taken for an installation.
    rmSync(druidHome, { recursive: true, force: true })
    renameSync(home, druidHome)
    return undefined
  } catch (error) {
    return error.message
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
