import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Cluster, Redis } from 'ioredis'

/** Each operation is a file of the folder `commands`, behind those that it shares with others. */
const PARTS = {
  flush: ['windows', 'flush'],
  set: ['windows', 'set'],
  begin: ['begin'],
  'read-changes': ['read-changes'],
} as const

export type ScriptName = keyof typeof PARTS

export type RunScript = (
  client: Redis | Cluster,
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | Buffer)[],
) => Promise<unknown>

/** Reads the scripts of the folder `commands` beside this module, and beside the bundle that it becomes part of. */
export async function loadScripts(folder = new URL('./commands/', import.meta.url)): Promise<RunScript> {
  const scripts = new Map<ScriptName, { lua: string; sha: string }>()
  for (const [name, parts] of Object.entries(PARTS)) {
    const files = await Promise.all(parts.map((part) => readFile(new URL(`${part}.lua`, folder), 'utf8')))
    const lua = files.join('')
    scripts.set(name as ScriptName, { lua, sha: createHash('sha1').update(lua).digest('hex') })
  }
  return async (client, name, keys, args) => {
    const { lua, sha } = scripts.get(name) as { lua: string; sha: string }
    // As one array, which has room for more than the arguments of a call have: a flush of many cells has 200,000.
    const rest = [keys.length, ...keys, ...args]
    try {
      return await client.call('evalsha', [sha, ...rest])
    } catch (error) {
      // A server that was restarted does not know the script yet.
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
      return client.call('eval', [lua, ...rest])
    }
  }
}
