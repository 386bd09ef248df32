/** Reads what a page's main thread did, by the clock and without the turns that others took on the same cores. */
export async function startChartMeter(page) {
  const sessions = await Promise.all([0, 1].map(() => page.context().newCDPSession(page)))
  const [clock, cpu] = sessions
  await clock.send('Performance.enable', { timeDomain: 'timeTicks' })
  await cpu.send('Performance.enable', { timeDomain: 'threadTicks' })

  async function read() {
    const [byClock, byCpu] = await Promise.all(
      sessions.map(async (session) => {
        const { metrics } = await session.send('Performance.getMetrics')
        return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
      }),
    )
    return { byClock, byCpu }
  }

  return {
    /** @returns what was done while `work` ran, in ms a second of `seconds`, and how often the page was laid out */
    async during(work, seconds) {
      const before = await read()
      await work()
      const after = await read()
      const perSecond = (domain, name) => ((after[domain][name] - before[domain][name]) * 1000) / seconds
      return {
        clockMs: perSecond('byClock', 'TaskDuration'),
        cpuMs: perSecond('byCpu', 'TaskDuration'),
        scriptMs: perSecond('byCpu', 'ScriptDuration'),
        layoutMs: perSecond('byCpu', 'LayoutDuration') + perSecond('byCpu', 'RecalcStyleDuration'),
        layouts: after.byClock.LayoutCount - before.byClock.LayoutCount,
      }
    },
    /** What the page holds once nothing is left to collect. */
    async held() {
      for (let i = 0; i < 3; i++) await clock.send('HeapProfiler.collectGarbage')
      const { usedSize } = await clock.send('Runtime.getHeapUsage')
      const { byClock } = await read()
      return { bytes: usedSize, nodes: byClock.Nodes, listeners: byClock.JSEventListeners }
    },
  }
}
