import { createPrivateKey } from 'node:crypto'
import { FlinkError } from './flink-error.ts'

/** Kafka's Java client in the connector of Flink has its classes under a name of their own. */
const SHADED = 'org.apache.flink.kafka.shaded.org.apache.kafka.common.security'
/** What nobody else is to read, by the names of Kafka's Java client. */
const SECRET = /password|secret|jaas\.config$|^ssl\.keystore\.key$/i

interface Login {
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  username: string
  password: string
}

/** TLS as Nowcast's configuration says it: options of Node's `tls.connect`. */
type NodeTls = Readonly<Record<string, unknown>>

/** Whether a property of Kafka's Java client is to stay out of what is printed and told. */
export const isSecret = (property: string) => SECRET.test(property)

/**
 * A connection to Kafka as its Java client names it.
 * @param security package of the client's logins, for who has it under its own name
 * @throws FlinkError when a key cannot be read
 */
export function kafkaProperties(
  { ssl, sasl }: { ssl: unknown; sasl?: Login | undefined },
  security = SHADED,
): Record<string, string> {
  const isTls = ssl !== false
  const tls = typeof ssl === 'object' && ssl !== null ? tlsProperties(ssl as NodeTls) : {}
  if (!sasl) return isTls ? { 'security.protocol': 'SSL', ...tls } : {}
  const module = sasl.mechanism === 'plain' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule'
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
  return {
    'security.protocol': isTls ? 'SASL_SSL' : 'SASL_PLAINTEXT',
    'sasl.mechanism': sasl.mechanism.toUpperCase(),
    'sasl.jaas.config': `${security}.${module} required username=${quoted(sasl.username)} password=${quoted(sasl.password)};`,
    ...tls,
  }
}

/** Options of Node's TLS that Kafka's Java client has no word for. */
export function unknownToJava(ssl: unknown): string[] {
  if (typeof ssl !== 'object' || ssl === null) return []
  return Object.keys(ssl).filter((name) => !['ca', 'cert', 'key', 'passphrase'].includes(name))
}

function tlsProperties({ ca, cert, key, passphrase }: NodeTls): Record<string, string> {
  return {
    ...(ca !== undefined && { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': inOneLine(ca) }),
    ...(cert !== undefined &&
      key !== undefined && {
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.certificate.chain': inOneLine(cert),
        'ssl.keystore.key': inOneLine(plainKey(String(key), passphrase)),
      }),
  }
}

/** PEM, of one or several texts, without line ends: Java takes blanks for them. */
const inOneLine = (pem: unknown) => [pem].flat().map(String).join(' ').trim().replace(/\s+/g, ' ')

/** Java reads keys of one kind only, Node all. */
function plainKey(key: string, passphrase: unknown): string {
  try {
    const read = createPrivateKey({ key, ...(passphrase !== undefined && { passphrase: String(passphrase) }) })
    return read.export({ type: 'pkcs8', format: 'pem' }).toString()
  } catch (error) {
    throw new FlinkError(`kafka.ssl.key: the key cannot be read: ${(error as Error).message}`)
  }
}
