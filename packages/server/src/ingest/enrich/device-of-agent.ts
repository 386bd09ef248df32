import type { Device } from '@nowcast/protocol'
import Bowser from 'bowser'
import { type ClientHints, factsOfHints } from './client-hints.ts'
import { deviceClass } from './device-class.ts'
import { isBot } from './is-bot.ts'

export interface AgentFacts {
  device: Device
  /** '' when unknown. */
  browser: string
  /** '' when unknown. */
  os: string
}

/** Facts about the program that sends, by its User-Agent and its client hints. */
export type DeviceOfAgent = (userAgent: string | undefined, hints?: ClientHints) => AgentFacts

const NO_AGENT: AgentFacts = { device: 'other', browser: '', os: '' }

/** Reads User-Agents; remembers the last `capacity` of them. */
export function createDeviceOfAgent(capacity = 10_000): DeviceOfAgent {
  const known = new Map<string, AgentFacts>()
  return (userAgent, hints) => {
    if (!userAgent) return NO_AGENT
    const key = hints ? `${userAgent}\n${hints.brands}\n${hints.mobile}\n${hints.platform}` : userAgent
    const found = known.get(key)
    if (found) {
      // Least recently used goes first: a Map keeps its order of insertion.
      known.delete(key)
      known.set(key, found)
      return found
    }
    const facts = readAgent(userAgent, hints)
    known.set(key, facts)
    if (known.size > capacity) known.delete(known.keys().next().value as string)
    return facts
  }
}

function readAgent(userAgent: string, hints: ClientHints | undefined): AgentFacts {
  const { browser, os } = Bowser.parse(userAgent)
  const said = { device: deviceClass(userAgent), browser: browser.name ?? '', os: os.name ?? '' }
  if (isBot(userAgent)) return { ...said, device: 'bot' }
  if (!hints) return said
  const hinted = factsOfHints(hints)
  // Hints know no televisions: theirs is the word of the Android in it.
  if (said.device === 'tv' && hinted.device !== 'bot') delete hinted.device
  return { ...said, ...hinted }
}
