import { type Client, createClient } from './client.ts'

/** A call made before the script was there: verb and arguments. */
type QueuedCall = [verb: keyof Client, ...args: unknown[]]

declare global {
  interface Window {
    /** The script tag's client; before it has loaded, a stub whose `q` collects calls. */
    nowcast: Client & { q?: QueuedCall[] }
  }
}

const script = document.currentScript as HTMLScriptElement | null
const stub = window.nowcast
if (script?.dataset.key && (!stub || stub.q)) {
  const { key, url, autocapture, clicks, errors } = script.dataset
  const calls = stub?.q || []
  const client = createClient({
    key,
    url: url || new URL(script.src).origin,
    // Calls were made before the first page view, and it should know the user.
    userId: calls.find(([verb]) => verb === 'identify')?.[1] as string | undefined,
    autocapture: autocapture !== 'false',
    clicks: clicks !== undefined,
    errors: errors !== undefined,
  })
  const run = ([verb, ...args]: QueuedCall) => (client[verb] as (...args: unknown[]) => unknown)?.(...args)
  window.nowcast = client
  calls.forEach(run)
  // A page may still hold the stub.
  calls.push = (...late) => late.forEach(run) as unknown as number
}
