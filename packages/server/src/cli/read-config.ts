import { readFile } from 'node:fs/promises'
import { type Config, ConfigError, configFromEnvironment, parseTrustProxy, toConfig } from '../config.ts'

const DEFAULT_FILE = 'nowcast.config.json'

/** Flags that set the configuration. */
export interface ConfigFlags {
  config?: string
  port?: string
  host?: string
  dataDir?: string
  roles?: string
  kafka?: string
  redis?: string
  clickhouse?: string
  druid?: string
  uniqueTopic?: string
  aggregator?: string
  windowsTopic?: string
  trustProxy?: string
  logLevel?: string
}

/** Flags beat environment beats file beats defaults. @throws ConfigError that names the field */
export async function readConfig(flags: ConfigFlags): Promise<Config> {
  const { config, trustProxy, ...plain } = flags
  const environment = configFromEnvironment(process.env)
  const file = config ?? process.env.NOWCAST_CONFIG
  const fromFile = await readConfigFile(file ?? DEFAULT_FILE, file !== undefined)
  const set = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined))
  const proxies = trustProxy === undefined ? {} : { trustProxy: parseTrustProxy(trustProxy) }
  const all: Record<string, unknown> = { ...fromFile, ...environment, ...set, ...proxies }
  return toConfig({ ...all, ...kafkaOf(fromFile, all) })
}

/** Brokers by flag or environment take the place of those in the file; logins and the rest stay. */
function kafkaOf(fromFile: { kafka?: unknown }, { kafka }: { kafka?: unknown }): object {
  if (typeof kafka !== 'string' || typeof fromFile.kafka !== 'object') return {}
  return { kafka: { ...fromFile.kafka, brokers: kafka.split(',').map((broker) => broker.trim()) } }
}

async function readConfigFile(file: string, isNamed: boolean): Promise<object> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (!isNamed && (error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new ConfigError(`the configuration file ${file} cannot be read: ${(error as Error).message}`)
  }
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`the configuration file ${file} is no JSON: ${(error as Error).message}`)
  }
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config
  throw new ConfigError(`the configuration file ${file} must hold a JSON object`)
}
