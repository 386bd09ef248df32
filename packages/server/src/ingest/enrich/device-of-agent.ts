import type { Device } from '@nowcast/protocol'
import Bowser from 'bowser'
import { isbot } from 'isbot'

export interface AgentFacts {
  device: Device
  /** '' when unknown. */
  browser: string
  /** '' when unknown. */
  os: string
}

const DEVICE_BY_PLATFORM: Record<string, Device> = {
  desktop: 'desktop',
  mobile: 'mobile',
  tablet: 'tablet',
  tv: 'tv',
  bot: 'bot',
}
const NO_AGENT: AgentFacts = { device: 'other', browser: '', os: '' }

/** Device, browser and operating system of User-Agent strings; remembers the last `capacity` of them. */
export function createDeviceOfAgent(capacity = 10_000): (userAgent: string | undefined) => AgentFacts {
  const known = new Map<string, AgentFacts>()
  return (userAgent) => {
    if (!userAgent) return NO_AGENT
    const found = known.get(userAgent)
    if (found) {
      // Least recently used goes first: a Map keeps its order of insertion.
      known.delete(userAgent)
      known.set(userAgent, found)
      return found
    }
    const facts = readAgent(userAgent)
    known.set(userAgent, facts)
    if (known.size > capacity) known.delete(known.keys().next().value as string)
    return facts
  }
}

function readAgent(userAgent: string): AgentFacts {
  const { browser, os, platform } = Bowser.parse(userAgent)
  const device = isbot(userAgent) ? 'bot' : (DEVICE_BY_PLATFORM[platform.type ?? ''] ?? 'other')
  return { device, browser: browser.name ?? '', os: os.name ?? '' }
}
