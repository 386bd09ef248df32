import { describe, expect, it } from 'vitest'
import { sharedData } from '../../../test/import/shared-data.ts'
import { browsers, crawlers, woothee } from '../../../test/user-agents/corpora.ts'
import { createDeviceOfAgent } from './device-of-agent.ts'

const folder = sharedData('ua') as string
const deviceOfAgent = createDeviceOfAgent()
const deviceOf = (agent: string) => deviceOfAgent(agent).device
const share = <T>(all: readonly T[], holds: (one: T) => boolean) => all.filter(holds).length / all.length

describe.skipIf(!folder)('real user agents', () => {
  it('at least 99 % of two thousand bots are told', () => {
    const all = crawlers(folder)
    expect(all.length).toBeGreaterThan(2000)
    expect(share(all, (agent) => deviceOf(agent) === 'bot')).toBeGreaterThanOrEqual(0.99)
  })
  it('at most 0.5 % of browsers are called bots', () => {
    const all = browsers(folder)
    expect(all.length).toBeGreaterThan(350)
    expect(share(all, (agent) => deviceOf(agent) === 'bot')).toBeLessThanOrEqual(0.005)
  })
  it('at least 97 % have the right class of device', () => {
    const all = woothee(folder)
    expect(all.length).toBeGreaterThan(190)
    expect(share(all, ({ agent, devices }) => devices.includes(deviceOf(agent)))).toBeGreaterThanOrEqual(0.97)
  })
})
