import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { knownProject } from '../servers/known-projects.ts'
import { runNowcast } from '../servers/nowcast-cli.ts'
import { sendEvents } from '../servers/requests.ts'
import { type FlinkCluster, flinkIsMissing, startFlink } from '../servers/start-flink.ts'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../servers/start-kafka.ts'
import { isRedisSkipped, startRedis, type TestRedis } from '../servers/start-redis.ts'
import { startServer, type TestServer } from '../servers/start-server.ts'
import { until } from '../servers/until.ts'

const JAR = fileURLToPath(new URL('../../deploy/flink/target/nowcast-flink.jar', import.meta.url))
const LOGIN_MODULE = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const PASSWORD = `correct 'horse' "battery"`
const STORE_PASSWORD = 'staple-of-the-store'
const SUBMIT_MS = 240_000
const CATCH_UP_MS = 120_000

describe.skipIf(kafkaIsMissing || flinkIsMissing || isRedisSkipped)(
  'a Kafka with TLS, logins, client certificates and rights',
  () => {
    let folder: string
    let kafka: KafkaServer
    let redis: TestRedis
    let flink: FlinkCluster
    let server: TestServer
    let key: string
    const project = knownProject('shop', {})

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'nowcast-flink-tls-'))
      const store = join(folder, 'all.p12')
      const keystore = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD, '-alias', 'all']
      const names = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1']
      const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'pipe' })
      run('keytool', '-genkeypair', '-keyalg', 'RSA', '-validity', '30', ...names, ...keystore)
      run('keytool', '-exportcert', '-rfc', '-file', join(folder, 'all.pem'), ...keystore)
      const openssl = ['pkcs12', '-in', store, '-passin', `pass:${STORE_PASSWORD}`, '-nocerts', '-nodes']
      key = execFileSync('openssl', openssl, { stdio: 'pipe' }).toString()
      const trusted = ['-keystore', join(folder, 'trusted.p12'), '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD]
      run('keytool', '-importcert', '-noprompt', '-alias', 'all', '-file', join(folder, 'all.pem'), ...trusted)
      const certificate = readFileSync(join(folder, 'all.pem'), 'utf8')
      const inJaas = PASSWORD.replaceAll('"', '\\\\"')
      kafka = await startKafka({
        listeners: { SAFE: 'SASL_SSL' },
        properties: {
          'sasl.enabled.mechanisms': 'PLAIN',
          'listener.name.safe.plain.sasl.jaas.config': `${LOGIN_MODULE} required user_nowcast="${inJaas}";`,
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:ANONYMOUS',
          'ssl.keystore.location': store,
          'ssl.keystore.password': STORE_PASSWORD,
          'ssl.keystore.type': 'PKCS12',
          'ssl.truststore.location': join(folder, 'trusted.p12'),
          'ssl.truststore.password': STORE_PASSWORD,
          'ssl.truststore.type': 'PKCS12',
          'listener.name.safe.ssl.client.auth': 'required',
          'transaction.max.timeout.ms': 300_000,
        },
      })
      await grant()
      redis = await startRedis()
      const config = {
        projects: [project],
        kafka: {
          brokers: [kafka.addressOf('SAFE')],
          ssl: { ca: certificate, cert: certificate, key },
          sasl: { mechanism: 'plain', username: 'nowcast', password: PASSWORD },
        },
        redis: redis.url,
        aggregator: 'flink',
      }
      server = await startServer({ config })
      flink = await startFlink([JAR])
    })
    afterAll(async () => {
      await server?.remove()
      await flink?.stop()
      await Promise.all([kafka?.stop(), redis?.remove()])
      rmSync(folder, { recursive: true, force: true })
    })

    /** The rights that the guide names, and no others. */
    async function grant(): Promise<void> {
      const admin = new kafkajs.Kafka({ brokers: [kafka.address], logLevel: kafkajs.logLevel.NOTHING }).admin()
      await admin.connect()
      const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
      const { TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID } = AclResourceTypes
      const { PREFIXED, LITERAL } = ResourcePatternTypes
      const rights: [number, string, number, (keyof typeof AclOperationTypes)[]][] = [
        [TOPIC, 'nowcast.', PREFIXED, ['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS']],
        [GROUP, 'nowcast.', PREFIXED, ['READ']],
        [TRANSACTIONAL_ID, 'nowcast.windows', PREFIXED, ['WRITE', 'DESCRIBE']],
        [CLUSTER, 'kafka-cluster', LITERAL, ['DESCRIBE_CONFIGS']],
      ]
      const acl = rights.flatMap(([resourceType, resourceName, resourcePatternType, operations]) =>
        operations.map((operation) => ({
          ...{ principal: 'User:nowcast', host: '*', permissionType: AclPermissionTypes.ALLOW },
          ...{ operation: AclOperationTypes[operation], resourceType, resourceName, resourcePatternType },
        })),
      )
      await admin.createAcls({ acl })
      await admin.disconnect()
    }

    const nowcastFlink = (...args: string[]) => runNowcast(['flink', ...args], server.folder, SUBMIT_MS)

    /** Passwords and a piece of the key. */
    const secrets = () => ['horse', 'battery', key.split('\n').find((line) => /^[\w+/]{64}$/.test(line)) as string]

    test('the job reads and writes there, and its figures are live', async () => {
      const { stdout, stderr, code } = await nowcastFlink('--gateway', flink.gateway, '--transaction-timeout', '5m')
      expect(stderr).toBe('')
      expect(code).toBe(0)
      const events = Array.from({ length: 300 }, (_, i) => ({
        ...{ id: `event-${i}`, name: 'click', anonymousId: `visitor-${i % 7}`, timestamp: Date.now() },
      }))
      await sendEvents(server.url, project.secretKey, events)
      await until(
        true,
        async () => (await server.run('audit')).stdout.includes('live minutes with 300 events'),
        CATCH_UP_MS,
      )
      for (const secret of secrets()) expect(`${stdout}${stderr}`).not.toContain(secret)
    })

    test('nothing secret stands in the logs of Flink and of the server, nor in what is printed', async () => {
      const { stdout } = await nowcastFlink()
      expect(stdout).toContain("'properties.security.protocol' = 'SASL_SSL'")
      const logs = (['jobManager', 'taskManager', 'gateway'] as const).map((part) => flink.logOf(part))
      expect(logs.map((log) => log.length > 0)).toEqual([true, true, true])
      const { stdout: said, stderr: warned } = server.printed()
      for (const text of [stdout, ...logs, said, warned]) {
        for (const secret of secrets()) expect(text).not.toContain(secret)
      }
      const asked = await nowcastFlink('--with-secrets')
      expect(asked.stdout).toContain("''horse''")
    })

    test('a time-out of transactions that the brokers do not allow is told before anything is started', async () => {
      const { stderr, code } = await nowcastFlink('--gateway', flink.gateway, '--transaction-timeout', '20m')
      expect(stderr).toMatch(/the brokers allow transactions of 300000 ms at most .*--transaction-timeout 300s/)
      expect(code).toBe(1)
    })
  },
)
