import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A User-Agent and what kinds of device it may be taken for. */
export interface LabelledAgent {
  agent: string
  devices: readonly string[]
}

const CLASS_BY_CATEGORY: Record<string, readonly string[]> = {
  pc: ['desktop'],
  // Woothee has no class for tablets: its iPads are smartphones.
  smartphone: ['mobile', 'tablet'],
  mobilephone: ['mobile'],
  crawler: ['bot'],
}
const BROWSERS =
  /^(Chrome|Chromium|Firefox|Safari|Mobile Safari|IE|Edge|Opera|Samsung Internet|UC Browser|Yandex Browser|Vivaldi|Android|BlackBerry|Sleipnir|SeaMonkey|Konqueror|Maxthon|Epiphany|Iceweasel|Camino|Netscape|NetFront|Obigo|Teleca|Dolfin|Nokia|Amazon Silk|Puffin|QQ Browser|MiuiBrowser|Coc Coc|Brave|Pale Moon|Waterfox|K-Meleon|Midori|Galeon|Kindle|Polaris|webOS|Phantom Browser|ICE Browser|MozillaDeveloperPreview|HbbTV|Facebook|Instagram|Snapchat|DuckDuckGo|Ecosia|Whale)/
const ROBOTIC_FAMILY = /bot|crawl|preview/i
/** A gateway or a reader that fetches for somebody says where it comes from; a browser does not. */
const SELF_DESCRIBED = /https?:|Google Web Preview/

/** Bots of the list `crawler-user-agents`. @param folder of the user agents */
export function crawlers(folder: string): string[] {
  const file = join(folder, 'crawler-user-agents/crawler-user-agents.json')
  const kinds = JSON.parse(readFileSync(file, 'utf8')) as { instances: string[] }[]
  return kinds.flatMap(({ instances }) => instances)
}

/** Woothee's agents of phones, computers and crawlers. */
export function woothee(folder: string): LabelledAgent[] {
  const files = join(folder, 'woothee/testsets')
  return readdirSync(files).flatMap((name) =>
    readCases(join(files, name), 'target', 'category').flatMap(({ agent, label }) => {
      const devices = CLASS_BY_CATEGORY[label]
      return devices ? [{ agent, devices }] : []
    }),
  )
}

/** What people browse with: woothee's phones and computers, and uap-core's cases whose family is a browser. */
export function browsers(folder: string): string[] {
  const known = readCases(join(folder, 'uap-core/test_ua.yaml'), 'user_agent_string', 'family')
    .filter(({ label }) => BROWSERS.test(label) && !ROBOTIC_FAMILY.test(label))
    .map(({ agent }) => agent)
  const devices = woothee(folder).filter((labelled) => !labelled.devices.includes('bot'))
  return [...known, ...devices.map(({ agent }) => agent)].filter((agent) => !SELF_DESCRIBED.test(agent))
}

/** Two fields of each case of a YAML file, which are lines of their own there. */
function readCases(file: string, agentField: string, labelField: string): { agent: string; label: string }[] {
  const cases: { agent: string; label: string }[] = []
  let agent: string | undefined
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, field, value = ''] = /^\s*(?:- )?(\w+):\s*(.*?)\s*$/.exec(line) ?? []
    if (field === agentField) agent = unquoted(value)
    if (field === labelField && agent !== undefined) {
      cases.push({ agent, label: unquoted(value) })
      agent = undefined
    }
  }
  return cases
}

function unquoted(value: string): string {
  if (value.startsWith("'")) return value.slice(1, -1).replaceAll("''", "'")
  return value.startsWith('"') ? (JSON.parse(value) as string) : value
}
