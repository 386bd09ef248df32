import { createHash } from 'node:crypto'
import type { Cell } from '../../record/cell.ts'

const MINUTE_MS = 60_000
const SECOND_MS = 1000
/** Cells whose ids are remembered. */
const REMEMBERED = 100_000

/** Hash tags of the slot groups: one in each sixteenth of the slots, so that any number of nodes shares them evenly. */
const TAGS = ['0', '1', '2', '3', '10', '11', '12', '13', '40', '41', '42', '43', '60', '61', '62', '63']

/** Slot groups of a cluster: enough for its nodes to share the load, few enough to be written at each flush. */
export const CLUSTER_GROUPS = TAGS.length

const prefixOf = (group: number) => `nowcast:{${TAGS[group]}}`

/** Keys of one slot group: its hash tag keeps them on one node of a cluster. */
export interface GroupKeys {
  fence: string
  begun: string
  touched: string
  touchedSeconds: string
}

export function groupKeys(group: number): GroupKeys {
  const prefix = prefixOf(group)
  return {
    fence: `${prefix}:fence`,
    begun: `${prefix}:begun`,
    touched: `${prefix}:touched`,
    touchedSeconds: `${prefix}:touched-seconds`,
  }
}

/** The slot group of a minute (epoch ms): neighbouring minutes lie in different ones. */
export function groupOf(project: string, minute: number, groups: number): number {
  let sum = minute / MINUTE_MS
  for (let i = 0; i < project.length; i++) sum += project.charCodeAt(i)
  return sum % groups
}

/** The slot group of a second: that of its minute. */
export const groupOfSecond = (project: string, second: number, groups: number) =>
  groupOf(project, second - (second % MINUTE_MS), groups)

export const minuteMember = (project: string, minute: number) => `${project}:${minute / MINUTE_MS}`
export const secondMember = (project: string, second: number) => `${project}:${second / SECOND_MS}`

/** Project and start (epoch ms) of a member made by {@link minuteMember}. */
export const minuteOfMember = (member: string) => startOfMember(member, MINUTE_MS)
/** Project and start (epoch ms) of a member made by {@link secondMember}. */
export const secondOfMember = (member: string) => startOfMember(member, SECOND_MS)

function startOfMember(member: string, unitMs: number): { project: string; start: number } {
  const at = member.lastIndexOf(':')
  return { project: member.slice(0, at), start: Number(member.slice(at + 1)) * unitMs }
}

export const minuteKey = (group: number, project: string, minute: number) =>
  `${prefixOf(group)}:${project}:minute:${minute / MINUTE_MS}`
export const secondKey = (group: number, project: string, second: number) =>
  `${prefixOf(group)}:${project}:second:${second / SECOND_MS}`

export type SketchKind = 'users' | 'sessions'

/** The sketch of a cell, which is named by {@link cellName}. */
export const sketchKey = (group: number, project: string, minute: number, kind: SketchKind, name: string) =>
  `${prefixOf(group)}:${project}:${kind}:${minute / MINUTE_MS}:${cellId(name)}`

/** A cell within its project: its values, separated by NUL, without the empty ones at the end. */
export function cellName(cell: Cell): string {
  const { name, country, device, category, hot1, hot2, unconverted } = cell
  const start = `${name}\0${country}\0${device}\0${category}`
  if (hot1 === '' && hot2 === '' && unconverted === '') return start
  return `${start}\0${hot1}\0${hot2}\0${unconverted}`.replace(/\0+$/, '')
}

/** The cell that {@link cellName} has named. */
function cellOfName(project: string, text: string): Cell {
  const [name = '', country = '', device = '', category = '', hot1 = '', hot2 = '', unconverted = ''] = text.split('\0')
  return { project, name, country, device, category, hot1, hot2, unconverted }
}

const cells = new Map<string, Cell>()

/** As {@link cellOfName}; the same object for the same cell, as a day has each in most of its minutes. */
export function knownCell(project: string, name: string): Cell {
  const key = `${project}\0${name}`
  let cell = cells.get(key)
  if (!cell) {
    if (cells.size >= REMEMBERED) cells.clear()
    cell = cellOfName(project, name)
    cells.set(key, cell)
  }
  return cell
}

const ids = new Map<string, string>()

/** Sixteen characters for a cell in the key of its sketch. A cryptographic hash: senders choose a cell's values. */
function cellId(name: string): string {
  let id = ids.get(name)
  if (id === undefined) {
    if (ids.size >= REMEMBERED) ids.clear()
    id = createHash('sha256').update(name).digest().subarray(0, 12).toString('base64url')
    ids.set(name, id)
  }
  return id
}
