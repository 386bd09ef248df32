import { bundleServer } from './measure/bundle.mjs'
import { readFlags, report } from './measure/report.mjs'

/*
 * How well user agents are told apart, and what enrichment costs: `npm run enrichment --workspace bench`.
 * Needs the real user agents in ../shared/data/ua beside the repository.
 */

const flags = readFlags({ rounds: 10, repeats: 5 })
const { measureAccuracy, measureCosts } = await import(await bundleServer('enrichment'))
const { bots, browsers, devices } = measureAccuracy()
const costs = Array.from({ length: flags.repeats }, () => measureCosts(flags.rounds))
const percent = (part, of) => (100 * part) / of
const told = percent(bots.told, bots.of)
const calledBots = percent(browsers.calledBots, browsers.of)
const right = percent(devices.right, devices.of)

report(
  {
    bench: 'enrichment',
    rows: [
      { what: `bots told as bots, of ${bots.of}`, unit: '%', readings: [told], digits: 2 },
      { what: `browsers called bots, of ${browsers.of}`, unit: '%', readings: [calledBots], digits: 2 },
      { what: `devices of the right class, of ${devices.of}`, unit: '%', readings: [right], digits: 2 },
      {
        what: 'a user agent that was seen before',
        unit: 'µs',
        readings: costs.map((c) => c.agentRemembered),
        digits: 2,
      },
      { what: 'a new user agent', unit: 'µs', readings: costs.map((c) => c.agentRead), digits: 1 },
      { what: 'the country of an address', unit: 'µs', readings: costs.map((c) => c.country), digits: 2 },
    ],
    aims: [
      { what: 'bots told', aim: '≥ 99 %', met: told >= 99 },
      { what: 'browsers called bots', aim: '≤ 0.5 %', met: calledBots <= 0.5 },
      { what: 'devices right', aim: '≥ 97 %', met: right >= 97 },
    ],
  },
  flags.json,
)
