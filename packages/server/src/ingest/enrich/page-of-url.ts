export interface PageFacts {
  /** The URL without query (campaign parameters aside) and fragment. */
  url: string
  /** '' when the URL has none. */
  path: string
  utmSource: string
  utmMedium: string
  utmCampaign: string
}

const NO_PAGE: PageFacts = { url: '', path: '', utmSource: '', utmMedium: '', utmCampaign: '' }

/** Names of query parameters that stay in stored addresses; `true` for all. */
export type KeptParameters = readonly string[] | true

/**
 * Path and campaign of a URL, absolute or a bare path. Query parameters that are neither a campaign's nor in `kept` are
 * dropped, since addresses and tokens hide there.
 */
export function pageOfUrl(url: string | undefined | null, kept: KeptParameters): PageFacts {
  if (!url) return NO_PAGE
  const end = endOfPath(url)
  const bare = end === url.length ? url : url.slice(0, end)
  const scheme = bare.indexOf('://')
  const slash = scheme < 0 ? 0 : bare.indexOf('/', scheme + 3)
  const path = slash < 0 ? '/' : bare.slice(slash)
  if (url.charCodeAt(end) !== 63 || (kept !== true && kept.length === 0 && !url.includes('utm_', end))) {
    return { url: bare, path, utmSource: '', utmMedium: '', utmCampaign: '' }
  }
  const hash = url.indexOf('#', end)
  const query = new URLSearchParams(url.slice(end + 1, hash < 0 ? undefined : hash))
  if (kept !== true) {
    for (const name of [...query.keys()]) if (!name.startsWith('utm_') && !kept.includes(name)) query.delete(name)
  }
  const utm = (name: string) => query.get(name)?.slice(0, 256) ?? ''
  return {
    url: query.size > 0 ? `${bare}?${query}` : bare,
    path,
    utmSource: utm('utm_source'),
    utmMedium: utm('utm_medium'),
    utmCampaign: utm('utm_campaign'),
  }
}

/** Host of a referrer, '' without one. */
export function hostOfReferrer(referrer: string | undefined | null): string {
  if (!referrer) return ''
  const scheme = referrer.indexOf('://')
  if (scheme < 0) return ''
  const rest = referrer.slice(scheme + 3, endOfPath(referrer))
  const slash = rest.indexOf('/')
  const authority = slash < 0 ? rest : rest.slice(0, slash)
  return authority
    .slice(authority.lastIndexOf('@') + 1)
    .toLowerCase()
    .slice(0, 253)
}

/** Where the query or the fragment begins. */
function endOfPath(url: string): number {
  const query = url.indexOf('?')
  const hash = url.indexOf('#')
  if (query < 0) return hash < 0 ? url.length : hash
  return hash < 0 ? query : Math.min(query, hash)
}
