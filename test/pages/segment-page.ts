import { AnalyticsBrowser } from '@segment/analytics-next'

/** What a page of a test calls; the SDK is the package as it is published. */
Object.assign(globalThis, {
  load(...[settings, options]: Parameters<typeof AnalyticsBrowser.load>) {
    Object.assign(globalThis, { analytics: AnalyticsBrowser.load(settings, options) })
  },
})
