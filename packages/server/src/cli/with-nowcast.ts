import type { Config } from '../config.ts'
import { createNowcast, type Nowcast } from '../create-nowcast.ts'

/** Starts a server on the data directory for the time that `work` takes. */
export async function withNowcast<T>(config: Config, work: (nowcast: Nowcast) => Promise<T>): Promise<T> {
  const nowcast = await createNowcast(config)
  try {
    await nowcast.start()
    return await work(nowcast)
  } finally {
    await nowcast.stop()
  }
}
