import type { Excluded } from '@nowcast/protocol'
import type { Bucket } from './buckets.ts'
import { CellSelection, toCellFilters } from './cell-selection.ts'
import { hotStart } from './measure-buckets.ts'
import type { Question } from './question.ts'
import { isCellDimension } from './question-filters.ts'
import type { QuestionState, Sources } from './question-state.ts'
import { splitRange } from './split-range.ts'

/** A watched question reads the archive again after so long, ms. */
const ARCHIVE_MS = 10_000

/** Events of a range whose revenue had no rate and was not summed, by currency. */
export async function findExcluded(
  question: Question,
  range: Bucket,
  state: QuestionState,
  sources: Sources,
): Promise<Excluded[]> {
  const { project, filters, bots } = question
  const isHot = filters.every((filter) => isCellDimension(filter.dimension))
  const hotFrom = isHot ? hotStart(sources.view, sources.now) : Number.POSITIVE_INFINITY
  const { archived, hot } = splitRange(range, hotFrom, sources.now)
  const counts = new Map<string, number>()
  const add = (currency: string, events: number) => counts.set(currency, (counts.get(currency) ?? 0) + events)
  for (const [i, stretch] of archived.entries()) {
    const selection = { project: project.id, filters, bots, ...stretch }
    const found = await state.remembered(`excluded ${i}`, ARCHIVE_MS, () =>
      sources.eventStore.excluded(selection, sources.signal),
    )
    for (const { currency, events } of found) add(currency, events)
  }
  const windows = sources.view.projects.get(project.id)
  if (windows && hot.from < hot.to) {
    const { cells } = windows.dictionary
    if (cells.some((cell) => cell?.unconverted)) {
      const selection = new CellSelection(toCellFilters(filters), bots)
      selection.update(windows.dictionary)
      for (const [minute, window] of windows.minutes) {
        if (minute < hot.from || minute >= hot.to) continue
        window.visit((id, events) => {
          const currency = cells[id]?.unconverted
          if (currency && selection.mask[id]) add(currency, events)
        })
      }
    }
  }
  return Array.from(counts, ([currency, events]) => ({ currency, events })).sort((a, b) => b.events - a.events)
}
