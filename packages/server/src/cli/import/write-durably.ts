import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces a file's content so that a crash leaves the old or the new one, whole. Mode 0600. */
export async function writeDurably(path: string, content: string): Promise<void> {
  const fresh = `${path}.${process.pid}.tmp`
  const file = await open(fresh, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
  const folder = await open(dirname(path), 'r').catch(() => undefined)
  // Not every platform can sync a folder; the rename is then durable a little later.
  await folder?.sync().catch(() => {})
  await folder?.close()
}
