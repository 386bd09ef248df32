/** The token of this page in this tab; another page of the same origin has one of its own. */
const KEY = `nowcast.token ${location.pathname}`

/** Takes the token out of a text: the token itself, or an address with `#token=…`. */
export function tokenFrom(text: string): string | undefined {
  const token = /#token=([^&\s]+)/.exec(text)?.[1] ?? text.trim()
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) ? token : undefined
}

/** The token that the address brings, or that this tab has kept. It leaves the address at once. */
export function takeToken(): string | undefined {
  if (location.hash.startsWith('#token=')) {
    const brought = tokenFrom(location.hash)
    history.replaceState(history.state, '', location.pathname + location.search)
    if (brought) keepToken(brought)
  }
  try {
    return sessionStorage.getItem(KEY) ?? undefined
  } catch {
    return kept
  }
}

let kept: string | undefined

/** Keeps the token while the tab lives; undefined forgets it. */
export function keepToken(token: string | undefined) {
  kept = token
  try {
    if (token === undefined) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, token)
  } catch {
    // A browser without storage asks for the token again after a reload.
  }
}
