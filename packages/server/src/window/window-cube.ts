import { type Cell, cellKey } from '../record/cell.ts'
import { CellDictionary } from './cell-dictionary.ts'
import type { CellContent, MinuteContent } from './minute-content.ts'
import type { CellDelta, MinuteDelta, SecondDelta } from './minute-delta.ts'
import { MinuteWindow } from './minute-window.ts'

export const MINUTE_MS = 60_000
const SECOND_MS = 1000
/** Seconds kept: the last ten whole ones, the ten before, the running one and some slack. */
const KEPT_SECONDS = 30

/** The windows of one project. */
export interface ProjectWindows {
  readonly dictionary: CellDictionary
  /** By the minute's start, epoch ms. */
  readonly minutes: ReadonlyMap<number, MinuteWindow>
  /** Events by the second they were received in (epoch ms), then by cell id. */
  readonly seconds: ReadonlyMap<number, ReadonlyMap<number, number>>
}

/** Changes of all cubes of this process, so that no two states of a minute ever have the same number. */
let changes = 0

interface MutableProject {
  dictionary: CellDictionary
  minutes: Map<number, MinuteWindow>
  seconds: Map<number, Map<number, number>>
}

/** All windows of all projects: what one flush changes and queries read. */
export class WindowCube {
  /** Grows with each change. */
  revision = 0
  private readonly projectsById = new Map<string, MutableProject>()

  get projects(): ReadonlyMap<string, ProjectWindows> {
    return this.projectsById
  }

  /** Adds a flush; minutes and seconds before the horizons are left out. */
  apply(
    minutes: readonly MinuteDelta[],
    seconds: readonly SecondDelta[],
    minuteHorizon: number,
    secondHorizon: number,
  ): void {
    this.revision = ++changes
    for (const { project, minute, cells } of minutes) {
      if (minute < minuteHorizon) continue
      const windows = this.projectOf(project)
      const window = windowAt(windows, minute)
      for (const cell of cells) addCell(window, windows.dictionary, cell)
      window.revision = this.revision
    }
    for (const each of seconds) {
      if (each.second < secondHorizon) continue
      const { counts, id } = this.secondOf(each)
      counts.set(id, (counts.get(id) ?? 0) + each.events)
    }
  }

  /** Sets what the cells named hold; minutes and seconds before the horizons are left out. */
  set(
    minutes: readonly MinuteContent[],
    seconds: readonly SecondDelta[],
    minuteHorizon: number,
    secondHorizon: number,
  ): void {
    this.revision = ++changes
    for (const { project, minute, cells } of minutes) {
      if (minute < minuteHorizon) continue
      const windows = this.projectOf(project)
      const { dictionary } = windows
      const window = windowAt(windows, minute)
      for (const content of cells) {
        const key = cellKey(content.cell)
        window.set(content, dictionary.idOf(key), () => dictionary.acquire(key, content.cell))
      }
      window.revision = this.revision
    }
    for (const each of seconds) {
      if (each.second < secondHorizon) continue
      const { counts, id } = this.secondOf(each)
      counts.set(id, each.events)
    }
  }

  /**
   * Replaces what a minute holds by what a store says; by nothing when there are no cells. Packed at once when the store
   * is not expected to change it soon.
   */
  replaceMinute(project: string, minute: number, cells: readonly CellContent[], isQuiet: boolean): void {
    const windows = cells.length > 0 ? this.projectOf(project) : this.projectsById.get(project)
    const replaced = windows?.minutes.get(minute)
    if (!windows || (!replaced && cells.length === 0)) return
    this.revision = ++changes
    if (cells.length === 0) {
      windows.minutes.delete(minute)
    } else {
      const window = new MinuteWindow()
      // Before the old ones are released, so that cells keep their ids.
      for (const content of cells) window.put(windows.dictionary.acquire(cellKey(content.cell), content.cell), content)
      window.revision = this.revision
      if (isQuiet) window.seal()
      windows.minutes.set(minute, window)
    }
    replaced?.visit((id) => windows.dictionary.release(id))
  }

  /** Replaces the events of a second by what a store says. */
  replaceSecond(project: string, second: number, cells: readonly { cell: Cell; events: number }[]): void {
    const windows = this.projectOf(project)
    const replaced = windows.seconds.get(second)
    const counts = new Map<number, number>()
    for (const { cell, events } of cells) counts.set(windows.dictionary.acquire(cellKey(cell), cell), events)
    windows.seconds.set(second, counts)
    for (const id of replaced?.keys() ?? []) windows.dictionary.release(id)
    this.revision = ++changes
  }

  /** Forgets minutes before `minuteHorizon` and old seconds; seals minutes that are over since `quietMs`. */
  tidy(now: number, minuteHorizon: number, quietMs: number): void {
    for (const windows of this.projectsById.values()) {
      for (const [minute, window] of windows.minutes) {
        if (minute < minuteHorizon) this.forget(windows, minute, window)
        else if (minute + MINUTE_MS + quietMs < now) window.seal()
      }
      for (const [second, counts] of windows.seconds) {
        if (second >= now - KEPT_SECONDS * SECOND_MS) continue
        for (const id of counts.keys()) windows.dictionary.release(id)
        windows.seconds.delete(second)
      }
    }
  }

  /** Forgets the oldest minute of all; answers its start. */
  forgetOldest(): number | undefined {
    let oldest: number | undefined
    for (const { minutes } of this.projectsById.values()) {
      for (const minute of minutes.keys()) if (oldest === undefined || minute < oldest) oldest = minute
    }
    if (oldest === undefined) return undefined
    for (const windows of this.projectsById.values()) {
      const window = windows.minutes.get(oldest)
      if (window) this.forget(windows, oldest, window)
    }
    return oldest
  }

  /** Bytes of all windows, about. */
  get byteLength(): number {
    let bytes = 0
    for (const { minutes } of this.projectsById.values())
      for (const window of minutes.values()) bytes += window.byteLength
    return bytes
  }

  private forget(windows: MutableProject, minute: number, window: MinuteWindow): void {
    window.visit((id) => windows.dictionary.release(id))
    windows.minutes.delete(minute)
    this.revision = ++changes
  }

  /** Counts of a second, and the id of a cell in them. */
  private secondOf({ second, cell }: SecondDelta): { counts: Map<number, number>; id: number } {
    const { dictionary, seconds } = this.projectOf(cell.project)
    let counts = seconds.get(second)
    if (!counts) {
      counts = new Map()
      seconds.set(second, counts)
    }
    const key = cellKey(cell)
    const known = dictionary.idOf(key)
    return { counts, id: known !== undefined && counts.has(known) ? known : dictionary.acquire(key, cell) }
  }

  private projectOf(id: string): MutableProject {
    let project = this.projectsById.get(id)
    if (!project) {
      project = { dictionary: new CellDictionary(), minutes: new Map(), seconds: new Map() }
      this.projectsById.set(id, project)
    }
    return project
  }
}

function windowAt({ minutes }: MutableProject, minute: number): MinuteWindow {
  let window = minutes.get(minute)
  if (!window) {
    window = new MinuteWindow()
    minutes.set(minute, window)
  }
  return window
}

function addCell(window: MinuteWindow, dictionary: CellDictionary, delta: CellDelta): void {
  const key = cellKey(delta.cell)
  window.add(delta, dictionary.idOf(key), () => dictionary.acquire(key, delta.cell))
}
