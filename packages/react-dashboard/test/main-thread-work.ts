import type { Page } from 'playwright-core'

/** Measures the CPU time of a page's main thread during a step, which does not grow while others have the processor; ms. */
export async function mainThreadWork(page: Page): Promise<(step: () => Promise<unknown>) => Promise<number>> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  async function workMs(): Promise<number> {
    const { metrics } = await session.send('Performance.getMetrics')
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN)
  }
  return async (step) => {
    const before = await workMs()
    await step()
    return (await workMs()) - before
  }
}

/** Waits until what has changed is painted. */
export function painted(page: Page): Promise<void> {
  return page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestIdleCallback(() => resolve()))),
  )
}

/** A fixed piece of what pages do, to compare other work with: objects made and sorted, elements made and laid out. */
export function yardstick(page: Page): Promise<number> {
  return page.evaluate(() => {
    const texts = Array.from({ length: 100_000 }, (_, i) => ({ text: `${(i * 7919) % 99_991}` }))
      .sort((a, b) => (a.text < b.text ? -1 : 1))
      .slice(0, 2000)
    const list = document.createElement('ol')
    for (const { text } of texts) list.append(Object.assign(document.createElement('li'), { textContent: text }))
    document.body.append(list)
    const { height } = list.getBoundingClientRect()
    list.remove()
    return height
  })
}
