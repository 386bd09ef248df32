import { type Client, createClient } from './client.ts'
import type { ClientOptions } from './options.ts'

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
  const calls = stub?.q || []
  const options: Record<string, unknown> = {
    url: new URL(script.src).origin,
    // Calls were made before the first page view, and it should know the user.
    userId: calls.find(([verb]) => verb === 'identify')?.[1],
  }
  for (const [name, text] of Object.entries(script.dataset)) options[name] = optionOf(text!)
  const client = createClient(options as unknown as ClientOptions)
  const run = ([verb, ...args]: QueuedCall) => (client[verb] as (...args: unknown[]) => unknown)?.(...args)
  window.nowcast = client
  calls.forEach(run)
  // A page may still hold the stub.
  calls.push = (...late) => late.forEach(run) as unknown as number
}

/** Every option is an attribute: without a value it is on; `false` and numbers are what they say. */
function optionOf(text: string) {
  if (!text) return true
  return /^(false|true|\d{1,9})$/.test(text) ? JSON.parse(text) : text
}
