import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LiveBus } from './live-bus.ts'

export interface LiveBusFixture {
  /** Two ends of one bus; the same object where there is only one process. */
  buses: [LiveBus, LiveBus]
  cleanUp(): Promise<void>
}

const WAIT = { timeout: 20_000 }

/** What every {@link LiveBus} must do. */
export function liveBusConformance(name: string, makeFixture: () => Promise<LiveBusFixture>): void {
  describe(`${name} keeps the promises of a live bus`, () => {
    let fixture: LiveBusFixture
    beforeEach(async () => {
      fixture = await makeFixture()
      for (const bus of new Set(fixture.buses)) await bus.start()
    })
    afterEach(async () => {
      for (const bus of new Set(fixture.buses)) await bus.stop()
      await fixture.cleanUp()
    })

    test('who listens is told, at the other end too', async () => {
      const [here, there] = fixture.buses
      const atHere = vi.fn()
      const atThere = vi.fn()
      here.onTouched(atHere)
      there.onTouched(atThere)
      here.publish()
      await vi.waitFor(() => expect(atThere).toHaveBeenCalled(), WAIT)
      await vi.waitFor(() => expect(atHere).toHaveBeenCalled(), WAIT)
    })

    test('who has stopped listening is not told', async () => {
      const [here, there] = fixture.buses
      const stopped = vi.fn()
      const still = vi.fn()
      there.onTouched(stopped)()
      there.onTouched(still)
      here.publish()
      await vi.waitFor(() => expect(still).toHaveBeenCalled(), WAIT)
      expect(stopped).not.toHaveBeenCalled()
    })

    test('many changes at once are few messages, and the last is told', async () => {
      const [here, there] = fixture.buses
      const touched = vi.fn()
      there.onTouched(touched)
      for (let i = 0; i < 1000; i++) here.publish()
      await vi.waitFor(() => expect(touched).toHaveBeenCalled(), WAIT)
      await sleep(300)
      const before = touched.mock.calls.length
      expect(before).toBeLessThan(100)
      here.publish()
      await vi.waitFor(() => expect(touched.mock.calls.length).toBeGreaterThan(before), WAIT)
    })
  })
}
