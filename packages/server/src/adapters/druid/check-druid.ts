import type { Finding } from '../../ports/finding.ts'
import { createDruidConnection, type DruidLocation } from './druid-connection.ts'
import { createSupervisor } from './supervisor.ts'

/** Oldest version that the statements were tried with. */
const OLDEST = 33

/** Looks at everything that matters to Nowcast in a Druid. Changes nothing, never throws. */
export async function checkDruid(location: DruidLocation, topic: string): Promise<Finding[]> {
  const connection = createDruidConnection(location)
  try {
    const status = await connection.call<{ version: string; modules: { artifact: string }[] }>(
      'GET',
      '/status',
      'looking at it',
    )
    const version = status?.version ?? 'of no version'
    const findings: Finding[] = [{ what: 'Druid connection', ok: true, message: 'its router answers' }]
    const isNew = Number.parseInt(version, 10) >= OLDEST
    findings.push({
      what: 'Druid version',
      ok: isNew,
      message: isNew ? version : `${version}: tried with ${OLDEST} and newer`,
    })
    for (const name of ['druid-kafka-indexing-service', 'druid-datasketches']) {
      const ok = status?.modules.some(({ artifact }) => artifact === name) ?? false
      const message = ok ? 'loaded' : 'missing: add it to druid.extensions.loadList of all services'
      findings.push({ what: `Druid extension ${name}`, ok, message })
    }
    const problem = await createSupervisor(connection, { topic, consumerProperties: {} }).problem()
    return [
      ...findings,
      { what: 'Druid supervisor', ok: problem === undefined, message: problem ?? `${topic} is read` },
    ]
  } catch (error) {
    return [{ what: 'Druid connection', ok: false, message: (error as Error).message }]
  }
}
