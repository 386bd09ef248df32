import { NowcastError } from './nowcast-error.ts'

/** A read token, or a function that fetches one from the host's backend. */
export type TokenInput = string | (() => Promise<string>)

/** Hands out the read token. */
export interface TokenSource {
  /** The last token, fetched if there is none. */
  current(): Promise<string>
  /** A newly fetched token; callers at the same time share one fetch. */
  fresh(): Promise<string>
  /** False for a token given as text: asking again would give the same one. */
  readonly renewable: boolean
}

/** Makes a token source of what the host gave. */
export function createTokenSource(token: TokenInput): TokenSource {
  if (typeof token === 'string') {
    return { current: async () => token, fresh: async () => token, renewable: false }
  }
  let last: string | undefined
  let fetching: Promise<string> | undefined

  async function fetchToken(fetch: () => Promise<string>): Promise<string> {
    try {
      last = await fetch()
      return last
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new NowcastError('token_unavailable', `The token could not be fetched: ${reason}`, { cause })
    } finally {
      fetching = undefined
    }
  }

  function fresh(): Promise<string> {
    fetching ??= fetchToken(token as () => Promise<string>)
    return fetching
  }
  return { fresh, current: async () => last ?? fresh(), renewable: true }
}
