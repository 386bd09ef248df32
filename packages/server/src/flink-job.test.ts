import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { openSqlGateway } from './adapters/flink/sql-gateway.ts'
import { toConfig } from './config.ts'
import { flinkScript } from './flink-job.ts'

const SASL = { mechanism: 'scram-sha-512', username: 'analytics', password: `correct "horse" it's` }
const certificate = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`
const configOf = (kafka: object) => toConfig({ aggregator: 'flink', kafka: { brokers: ['kafka:9092'], ...kafka } })

/** What each of both tables says of a property of Kafka's client. */
function property(script: string, name: string): string[] {
  const found = script.matchAll(new RegExp(`'properties\\.${name.replaceAll('.', '\\.')}' = '((?:[^']|'')*)',`, 'g'))
  return [...found].map(([, value]) => (value as string).replaceAll("''", "'"))
}

describe('the job as SQL', () => {
  test('reads and writes with the login and the TLS of the configuration', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' })
    const ssl = { ca: [certificate('root'), certificate('other')], cert: certificate('own'), key, passphrase: 'sesame' }
    const script = flinkScript(configOf({ ssl, sasl: SASL }), { withSecrets: true })
    const both = (value: string) => [value, value]
    expect(property(script, 'security.protocol')).toEqual(both('SASL_SSL'))
    expect(property(script, 'sasl.mechanism')).toEqual(both('SCRAM-SHA-512'))
    expect(property(script, 'sasl.jaas.config')).toEqual(
      both(
        `org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule required username="analytics" password="correct \\"horse\\" it's";`,
      ),
    )
    expect(property(script, 'ssl.truststore.type')).toEqual(both('PEM'))
    expect(property(script, 'ssl.truststore.certificates')).toEqual(
      both(
        '-----BEGIN CERTIFICATE----- root -----END CERTIFICATE----- -----BEGIN CERTIFICATE----- other -----END CERTIFICATE-----',
      ),
    )
    expect(property(script, 'ssl.keystore.certificate.chain')).toEqual(
      both(certificate('own').trim().replaceAll('\n', ' ')),
    )
    // Java reads PKCS #8 alone.
    const plain = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(property(script, 'ssl.keystore.key')).toEqual(both(plain.trim().replaceAll('\n', ' ')))
  })

  test('shows no secret unless it is asked for', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const ssl = { cert: certificate('own'), key }
    const kafkaProperties = {
      'ssl.truststore.password': 'hush',
      'sasl.oauthbearer.client.credentials.client.secret': 'kept-quiet',
    }
    const script = flinkScript(configOf({ ssl, sasl: SASL }), { kafkaProperties })
    for (const secret of ['horse', 'hush', 'kept-quiet', key.split('\n')[1] as string])
      expect(script).not.toContain(secret)
    expect(property(script, 'ssl.truststore.password')).toEqual(['…', '…'])
    expect(property(script, 'ssl.keystore.certificate.chain')[0]).toContain('own')
  })

  test('names an option of Node that Java has no word for, unless it is said in words of Java', () => {
    const config = configOf({ ssl: { ca: certificate('root'), rejectUnauthorized: false } })
    expect(() => flinkScript(config)).toThrow(/kafka\.ssl\.rejectUnauthorized: Flink knows ca, cert, key.*--property/)
    const kafkaProperties = { 'ssl.endpoint.identification.algorithm': '' }
    expect(property(flinkScript(config, { kafkaProperties }), 'ssl.endpoint.identification.algorithm')).toEqual([
      '',
      '',
    ])
  })

  test('gives transactions the time that its checkpoints may take', () => {
    const script = flinkScript(configOf({}), { checkpointMs: 2000, transactionMs: 120_000 })
    expect(property(script, 'transaction.timeout.ms')).toEqual(['120000'])
    const setting = (name: string) => Number(new RegExp(`SET '${name}' = '(\\d+)`).exec(script)?.[1])
    const failures = setting('execution.checkpointing.tolerable-failed-checkpoints') + 1
    const longest = failures * (setting('execution.checkpointing.timeout') + 2000) + 2000
    expect(longest).toBeLessThan(120_000)
    expect(() => flinkScript(configOf({}), { checkpointMs: 10_000, transactionMs: 60_000 })).toThrow(
      /--transaction-timeout: 100s or more are needed with a checkpoint every 10000 ms/,
    )
  })
})

describe('an error of Flink', () => {
  let stop: () => void
  afterEach(() => stop())

  test('is told without the secrets in the statement that it repeats', async () => {
    const server = createServer((request, response) => {
      const errors = [
        'Internal',
        "java.lang.Exception: x\n\tat y\nCaused by: org.Invalid: no such option in 'a' = 'it''s secret'",
      ]
      if (request.url === '/v1/sessions') response.end(JSON.stringify({ sessionHandle: '1' }))
      else response.writeHead(500).end(JSON.stringify({ errors }))
    }).listen(0, '127.0.0.1')
    stop = () => server.close()
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const gateway = await openSqlGateway(url, {}, ["it's secret", "it''s secret"])
    await expect(gateway.run('CREATE TABLE')).rejects.toThrow("Flink says: no such option in 'a' = '…'")
  })
})
