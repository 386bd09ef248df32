/**
 * What Segment's browser SDK asks for before it sends anything: that it sends to this server, and nothing else.
 * @param url of the request, by which the page reached this server
 */
export function segmentSettings(writeKey: string, url: URL, headers: Record<string, string>): object {
  const mountedAt = url.pathname.slice(0, url.pathname.lastIndexOf('/v1/projects/'))
  return {
    integrations: {
      'Segment.io': {
        apiKey: writeKey,
        apiHost: `${url.host}${mountedAt}/v1`,
        protocol: protocolOf(url, headers),
        unbundledIntegrations: [],
        addBundledMetadata: false,
        maybeBundledConfigIds: {},
        versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
      },
    },
    plan: {
      track: { __default: { enabled: true, integrations: {} } },
      identify: { __default: { enabled: true } },
      group: { __default: { enabled: true } },
    },
    edgeFunction: {},
    analyticsNextEnabled: true,
    middlewareSettings: {},
    enabledMiddleware: {},
    metrics: { sampleRate: 0 },
    legacyVideoPluginsEnabled: false,
    remotePlugins: [],
  }
}

/** Spoofing it deceives only whoever does it: the answer is not shared. */
function protocolOf(url: URL, headers: Record<string, string>): 'http' | 'https' {
  const forwarded = headers['x-forwarded-proto']?.split(',', 1)[0]?.trim()
  if (forwarded === 'http' || forwarded === 'https') return forwarded
  // A page with TLS may ask for nothing without, so the proxy in front of this server speaks it.
  return url.protocol === 'https:' || headers.origin?.startsWith('https://') ? 'https' : 'http'
}
