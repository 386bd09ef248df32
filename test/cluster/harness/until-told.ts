import { request } from '../../servers/requests.ts'
import { until } from '../../servers/until.ts'
import type { ClusterProcess } from './cluster-process.ts'

const SEEN_MS = 60_000

/** What `/readyz` says of the parts of a process. */
async function readinessOf({ url }: ClusterProcess): Promise<string> {
  const { body } = await request<Record<string, unknown>>(`${url}/readyz`)
  return JSON.stringify(body)
}

/** Waits until `/readyz` of a process says so. */
export async function untilTold(process: ClusterProcess, words: RegExp): Promise<void> {
  await until(true, async () => words.test(await readinessOf(process)), SEEN_MS).catch(async (error: Error) => {
    throw new Error(`${error.message}; it says ${await readinessOf(process)}, wanted ${words}`)
  })
}

/** Waits until a process has all that it needs. */
export async function untilReady(process: ClusterProcess): Promise<void> {
  await until(200, async () => (await request(`${process.url}/readyz`)).status, SEEN_MS)
}
