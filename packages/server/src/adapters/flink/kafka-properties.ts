/** Kafka's Java client in the connector of Flink has its classes under a name of their own. */
const SHADED = 'org.apache.flink.kafka.shaded.org.apache.kafka.common.security'

interface Login {
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  username: string
  password: string
}

/** A connection to Kafka as its Java client names it. */
export function kafkaProperties({ ssl, sasl }: { ssl: unknown; sasl?: Login | undefined }): Record<string, string> {
  const isTls = ssl !== false
  if (!sasl) return isTls ? { 'security.protocol': 'SSL' } : {}
  const module = sasl.mechanism === 'plain' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule'
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
  return {
    'security.protocol': isTls ? 'SASL_SSL' : 'SASL_PLAINTEXT',
    'sasl.mechanism': sasl.mechanism.toUpperCase(),
    'sasl.jaas.config': `${SHADED}.${module} required username=${quoted(sasl.username)} password=${quoted(sasl.password)};`,
  }
}
