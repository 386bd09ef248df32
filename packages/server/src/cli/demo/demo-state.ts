import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'

const demoState = z.object({
  seed: z.number(),
  eventsPerSecond: z.number(),
  /** When live traffic of this density began, epoch ms. */
  liveSinceMs: z.number(),
  /** Everything before is acknowledged, epoch ms. */
  sentUntilMs: z.number(),
})

/** How far the demo's traffic has come. */
export type DemoState = z.infer<typeof demoState>

/** @returns undefined when there is none that can be read: the demo then begins anew */
export async function readDemoState(path: string): Promise<DemoState | undefined> {
  try {
    return demoState.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** Replaces the state; after a crash an older one is good enough, since repeated events are counted once. */
export async function writeDemoState(path: string, state: DemoState): Promise<void> {
  await writeFile(`${path}.tmp`, JSON.stringify(state), { mode: 0o600 })
  await rename(`${path}.tmp`, path)
}
