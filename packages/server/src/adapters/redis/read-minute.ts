import type { Cluster, Redis } from 'ioredis'
import type { Cell } from '../../record/cell.ts'
import { HyperLogLog } from '../../sketch/hyperloglog.ts'
import type { CellContent } from '../../window/minute-content.ts'
import { knownCell, minuteKey, secondKey, sketchKey } from './hot-keys.ts'

/** Sketches that are asked for at once: at 12 KB each, a few megabytes at most. */
const MOST_SKETCHES = 256

/** What was read of a cell before. */
type HeldCell = Pick<CellContent, 'events' | 'users' | 'sessions'>

/**
 * All cells of a minute; none when Redis does not have it. Sketches of a cell whose events are as many as those that
 * `heldOf` names are taken from there: nothing is added to a sketch without an event.
 */
export async function readMinute(
  client: Redis | Cluster,
  { group, project, minute }: { group: number; project: string; minute: number },
  heldOf?: (cell: Cell) => HeldCell | undefined,
): Promise<CellContent[]> {
  const cells = toCells(project, await fieldsOf(client, minuteKey(group, project, minute)))
  const changed: [name: string, content: CellContent][] = []
  for (const [name, content] of cells) {
    const held = heldOf?.(content.cell)
    if (held?.events === content.events) {
      content.users = held.users
      content.sessions = held.sessions
    } else {
      changed.push([name, content])
    }
  }
  for (const kind of ['users', 'sessions'] as const) {
    for (let first = 0; first < changed.length; first += MOST_SKETCHES) {
      const chunk = changed.slice(first, first + MOST_SKETCHES)
      const values = await client.mgetBuffer(chunk.map(([name]) => sketchKey(group, project, minute, kind, name)))
      for (const [i, [, content]] of chunk.entries()) {
        const value = values[i]
        content[kind] = value ? HyperLogLog.fromRedis(value) : undefined
      }
    }
  }
  return [...cells.values()]
}

/** The events of a second by cell. */
export async function readSecond(client: Redis | Cluster, group: number, project: string, second: number) {
  const fields = await fieldsOf(client, secondKey(group, project, second))
  const cells = []
  for (let i = 0; i < fields.length; i += 2) {
    cells.push({ cell: knownCell(project, fields[i] as string), events: Number(fields[i + 1]) })
  }
  return cells
}

/** Fields and values of a hash in turns: an object would not keep fields that look like numbers in their order. */
const fieldsOf = async (client: Redis | Cluster, key: string) => (await client.call('HGETALL', key)) as string[]

/** Reads fields as `flush.lua` writes them: digits for an overflow, a letter for what is counted, the cell's name. */
function toCells(project: string, fields: readonly string[]): Map<string, CellContent> {
  const cells = new Map<string, CellContent>()
  for (let i = 0; i < fields.length; i += 2) {
    const field = fields[i] as string
    let at = 0
    while (field.charCodeAt(at) >= 48 && field.charCodeAt(at) <= 57) at++
    const kind = field[at]
    const name = field.slice(at + 1)
    let cell = cells.get(name)
    if (!cell) {
      const sums = { events: 0, revenue: 0n, refunds: 0, refundRevenue: 0n }
      cell = { cell: knownCell(project, name), ...sums, users: undefined, sessions: undefined }
      cells.set(name, cell)
    }
    const value = fields[i + 1] as string
    if (kind === 'e') cell.events = Number(value)
    else if (kind === 'n') cell.refunds = Number(value)
    else if (kind === 'r') cell.revenue += BigInt(value)
    else if (kind === 'd') cell.refundRevenue += BigInt(value)
  }
  return cells
}
