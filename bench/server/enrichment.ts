import { resolve } from 'node:path'
import { createDeviceOfAgent } from '../../packages/server/src/ingest/enrich/device-of-agent.ts'
import { createCountryOfIp } from '../../packages/server/src/ingest/ingest.ts'
import { browsers, crawlers, woothee } from '../../packages/server/test/user-agents/corpora.ts'

/** Real user agents, beside the repository. */
const FOLDER = resolve(import.meta.dirname, '../../../shared/data/ua')

/** How well bots, browsers and devices are told apart. */
export function measureAccuracy() {
  const deviceOf = createDeviceOfAgent()
  const isBot = (agent: string) => deviceOf(agent).device === 'bot'
  const [bots, people, devices] = [crawlers(FOLDER), browsers(FOLDER), woothee(FOLDER)]
  const right = devices.filter(({ agent, devices: allowed }) => allowed.includes(deviceOf(agent).device))
  return {
    bots: { of: bots.length, told: bots.filter(isBot).length },
    browsers: { of: people.length, calledBots: people.filter(isBot).length },
    devices: { of: devices.length, right: right.length },
  }
}

/** Microseconds for one User-Agent and one address, with and without what is remembered. */
export function measureCosts(rounds: number) {
  const agents = browsers(FOLDER)
  const addresses = Array.from({ length: 10_000 }, (_, i) =>
    [1 + (i % 220), (i * 7) % 256, (i * 13) % 256, 1].join('.'),
  )
  const remembering = createDeviceOfAgent()
  for (const agent of agents) remembering(agent)
  const forgetting = createDeviceOfAgent(0)
  const countryOf = createCountryOfIp()
  return {
    agentRemembered: timed(rounds * 100, agents, (agent) => remembering(agent)),
    agentRead: timed(rounds, agents, (agent) => forgetting(agent)),
    country: timed(Math.ceil(rounds / 5), addresses, (address) => countryOf(address)),
  }
}

function timed(rounds: number, inputs: readonly string[], work: (input: string) => unknown): number {
  for (const input of inputs) work(input)
  const start = process.cpuUsage()
  for (let round = 0; round < rounds; round++) for (const input of inputs) work(input)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / (rounds * inputs.length)
}
