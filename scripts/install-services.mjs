import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { hasKafkaJars, installKafkaJars } from './kafka-jars.mjs'
import { runCommand } from './run-command.mjs'

/** What tests start beside the server: programs on the PATH, and the jars of Kafka. */
const SERVICES = [
  { name: 'Redis', isHere: () => isOnPath('redis-server'), install: () => installDebianPackage('redis-server') },
  {
    name: 'Chromium',
    isHere: () => ['chromium', 'chromium-browser', 'google-chrome'].some(isOnPath),
    install: () => installDebianPackage('chromium'),
  },
  { name: 'Java', isHere: () => isOnPath('java'), install: () => installDebianPackage('default-jre-headless') },
  { name: 'Kafka', isHere: hasKafkaJars, install: installKafka },
]

/** What fetches Flink and builds its functions. */
export const FLINK_TOOLS = [
  { name: 'JDK', isHere: () => isOnPath('javac'), install: () => installDebianPackage('default-jdk-headless') },
  { name: 'pip', isHere: () => isOnPath('pip3'), install: () => installDebianPackage('python3-pip') },
]

/** Installs the services that are missing where that is possible, and says what is missing where it is not. */
export async function installServices(more = []) {
  for (const { name, isHere, install } of [...SERVICES, ...more]) {
    if (isHere()) continue
    console.log(`${name} is missing, installing it…`)
    const failure = await install()
    if (failure) console.log(`${name} could not be installed: ${failure}\nTests that need ${name} cannot run.`)
  }
}

function isOnPath(program) {
  return process.env.PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** @returns why it failed; undefined if it did not */
async function installKafka() {
  const withoutMaven = isOnPath('mvn') ? undefined : await installDebianPackage('maven')
  return withoutMaven ?? installKafkaJars()
}

/** @returns why it failed; undefined if it did not */
async function installDebianPackage(name) {
  if (!isOnPath('apt-get')) return `there is no apt-get here; install ${name} with your system's package manager.`
  if (process.getuid() !== 0) return `that takes root; run: sudo apt-get install ${name}`
  // Tests start their own: the package must not start a service.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const install = ['apt-get', 'install', '--yes', '--no-install-recommends', name]
  if ((await runCommand(install, { env })).ok) return undefined
  // The list of packages may be missing or old.
  await runCommand(['apt-get', 'update'], { env })
  const { ok, output } = await runCommand(install, { env })
  return ok ? undefined : `apt-get said:\n${output}`
}
