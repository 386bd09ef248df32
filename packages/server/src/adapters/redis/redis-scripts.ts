import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Cluster, Redis } from 'ioredis'

const NAMES = ['flush', 'set', 'begin', 'read-changes'] as const

/** A file of the folder `commands`. */
export type ScriptName = (typeof NAMES)[number]

export type RunScript = (
  client: Redis | Cluster,
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | Buffer)[],
) => Promise<unknown>

/** Reads the scripts of the folder `commands` beside this module, and beside the bundle that it becomes part of. */
export async function loadScripts(folder = new URL('./commands/', import.meta.url)): Promise<RunScript> {
  const scripts = new Map<ScriptName, { lua: string; sha: string }>()
  for (const name of NAMES) {
    const lua = await readFile(new URL(`${name}.lua`, folder), 'utf8')
    scripts.set(name, { lua, sha: createHash('sha1').update(lua).digest('hex') })
  }
  return async (client, name, keys, args) => {
    const { lua, sha } = scripts.get(name) as { lua: string; sha: string }
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...args)
    } catch (error) {
      // A server that was restarted does not know the script yet.
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
      return client.eval(lua, keys.length, ...keys, ...args)
    }
  }
}
