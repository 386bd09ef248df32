import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'

/** A folder with the SDK as `nowcast.mjs`, for programs that run in processes of their own. */
export async function bundleSdk(): Promise<{ folder: string; add(name: string, source: string): Promise<string> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nowcast-node-'))
  const entry = path.join(import.meta.dirname, '../src/index.ts')
  const outfile = path.join(folder, 'nowcast.mjs')
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm' })
  return {
    folder,
    async add(name, source) {
      const file = path.join(folder, name)
      await writeFile(file, source)
      return file
    },
  }
}

/** Removes a folder of this test. */
export const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true, maxRetries: 5 })
