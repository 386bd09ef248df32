import { liveBusConformance } from '../../ports/live-bus.conformance.ts'
import { createMemoryLiveBus } from './memory-live-bus.ts'

liveBusConformance('the bus of one process', async () => {
  const bus = createMemoryLiveBus()
  return { buses: [bus, bus], cleanUp: async () => {} }
})
