import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'esbuild'

const ENTRY = `
import { openIdentityFolder } from ${JSON.stringify(join(import.meta.dirname, '../../src/adapters/identity-files/identity-folder.ts'))}
const onProblem = (problem) => console.error(problem)
const folder = await openIdentityFolder(1, { folder: process.argv[2], offsets: 1e9, onProblem })
for (let offset = 0; ; offset += folder.count) {
  const ids = new Uint32Array(folder.count * 3).fill(offset + 1)
  folder.save(0, { offset, ids, receivedAt: new Float64Array(folder.count).fill(offset) })
  await folder.settled()
}
`

/** Bundles a program that writes files of identities without end; returns a function that starts it. */
export async function bundleWriter(into: string): Promise<(folder: string) => ChildProcess> {
  const outfile = join(into, 'write-identities.mjs')
  await build({
    stdin: { contents: ENTRY, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    outfile,
  })
  return (folder) => spawn(process.execPath, [outfile, folder], { stdio: 'inherit' })
}
