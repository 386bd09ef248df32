/**
 * The import table of ARCHITECTURE.md as rules. A wrong arrow fails with the rule's comment.
 * Tests and conformance suites may import more.
 */
const STAGES = ['ingest', 'aggregate', 'archive', 'query', 'live', 'audit']
/** Files of the server that plug the parts together. */
const COMPOSITION = ['create-nowcast', 'open-adapters', 'consumers', 'readiness', 'doctor', 'flink-job']
const OWN_FILES = ['index', ...COMPOSITION, 'cold-start', 'config', 'errors', 'project', 'telemetry']
const FOLDERS = ['record', 'window', 'sketch', 'ports', 'consume', 'data-dir', 'adapters', 'api', 'cli', ...STAGES]

/** Vendor packages and the only places that may import them. */
const VENDORS = [
  { packages: 'kafkajs(-snappy)?', homes: ['adapters/kafka'] },
  { packages: 'ioredis', homes: ['adapters/redis'] },
  { packages: 'lmdb', homes: ['adapters/lmdb'] },
  { packages: '@clickhouse/[^/]+|chdb', homes: ['adapters/clickhouse'] },
  { packages: 'hono|@hono/[^/]+|socket\\.io(-(adapter|parser))?', homes: ['api', 'create-nowcast', 'cli'] },
]

const TEST_FILE = '\\.(test|conformance|bench)\\.tsx?$|^packages/[^/]+/test/'
const THIRD_PARTY = '(^|/)node_modules/'
const protocol = '^packages/protocol/'
const WORKSPACE = '^packages/(?!.*node_modules)|^@nowcast/'

/** A folder of the server, or the file or folder that bears the name of one of its own files. */
const server = (...names) => `^packages/server/src/(${names.join('|')})(/|\\.ts$)`
const inPackage = (...folders) => `^packages/(${folders.join('|')})/`
const vendor = (names) => `(^|/)node_modules/(${names})/|^(${names})(/|$)`
const from = (path, pathNot = []) => ({ path, pathNot: [TEST_FILE, ...pathNot] })
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

/** `name` may import only its own folder and `may`; of `typesOf` only types. */
const plain = (name, may, typesOf, comment) => [
  forbid(`${name}-imports`, comment, from(server(name)), {
    pathNot: [server(name, ...may, ...typesOf), protocol],
  }),
  ...(typesOf.length === 0
    ? []
    : [
        forbid(`${name}-imports-types-only`, comment, from(server(name)), {
          path: server(...typesOf),
          dependencyTypesNot: ['type-only'],
        }),
      ]),
]

/** `name` may import, of this repository, only its own folder and `may`. Third-party code is ruled by VENDORS. */
const composed = (name, may, comment) =>
  forbid(`${name}-imports`, comment, from(server(name)), {
    path: WORKSPACE,
    pathNot: [...may, server(name), protocol],
  })

const SHARED = ['ports', 'window', 'sketch', 'record', 'errors', 'project']
const STAGE_ENTRY = `^packages/server/src/(${STAGES.join('|')})/(index|\\1|create-[a-z-]+)\\.ts$`

const serverRules = [
  ...plain('record', [], [], 'record is plain code: it imports protocol only, no I/O and no library.'),
  ...plain(
    'sketch',
    [],
    ['record'],
    'sketch is plain mathematics: it imports protocol and types of record, no I/O and no library.',
  ),
  ...plain(
    'window',
    ['record', 'sketch'],
    [],
    'window is plain mathematics: it imports protocol, record and sketch, no I/O and no library.',
  ),
  ...plain(
    'ports',
    [],
    ['record', 'window', 'sketch'],
    'A port is a contract: it imports protocol and the types of record, window and sketch, nothing that runs.',
  ),
  composed(
    'consume',
    [server(...SHARED, 'telemetry')],
    'consume is how aggregate and archive read the log: it knows ports and plain code, no stage and no adapter.',
  ),
  forbid(
    'stage-imports',
    'A stage imports ports, window, sketch, record, consume, project, protocol, errors and telemetry; a stage that needs the result of another is handed a function.',
    from(`^packages/server/src/(${STAGES.join('|')})/`),
    { path: WORKSPACE, pathNot: ['^packages/server/src/$1/', server(...SHARED, 'consume', 'telemetry'), protocol] },
  ),
  forbid(
    'adapter-imports',
    'An adapter imports ports, window, sketch, record, project, protocol, errors and its own vendor, never another adapter.',
    from('^packages/server/src/adapters/([^/]+)/'),
    { path: WORKSPACE, pathNot: ['^packages/server/src/adapters/$1/', server(...SHARED), protocol] },
  ),
  composed(
    'api',
    [STAGE_ENTRY, server('ports', 'errors', 'telemetry', 'config', 'project')],
    "api imports the stages' entry files (index.ts, <stage>.ts, create-….ts), ports, project, protocol, errors, telemetry and config; the rest it is handed.",
  ),
  composed('project', [server('window')], 'project imports protocol and window only.'),
  composed(
    'data-dir',
    [server('errors', 'project')],
    'data-dir knows the files of a data directory and the projects in them, no other part of the server.',
  ),
  composed('cold-start', [server(...SHARED)], 'cold-start knows ports only.'),
  composed('errors', [], 'errors imports protocol only.'),
  composed('telemetry', [server('errors')], 'telemetry imports errors and protocol; it is handed what it measures.'),
  composed(
    'config',
    [server('errors', 'project')],
    'config imports errors, project and protocol; it knows no part of the server.',
  ),
  ...COMPOSITION.map((name) =>
    composed(
      name,
      [
        server(...SHARED, ...STAGES, ...COMPOSITION, 'consume', 'cold-start', 'data-dir', 'adapters', 'api'),
        server('config', 'telemetry'),
      ],
      `${name} plugs the parts together and knows neither the command line nor the entry file.`,
    ),
  ),
  composed(
    'cli',
    [
      '^packages/server/src/api/read-token\\.ts$',
      server('create-nowcast', 'doctor', 'flink-job', 'config', 'data-dir', 'errors', 'project', 'telemetry'),
      '^packages/server/src/index\\.ts$',
    ],
    'cli drives create-nowcast and config; what a command needs of the parts, create-nowcast offers, but for tokens, which take no server.',
  ),
  forbid(
    'commands-load-the-server-late',
    'A command imports the server when it has checked what it was given: help and errors come at once.',
    from(server('cli'), ['^packages/server/src/cli/serve\\.ts$']),
    {
      path: `${server('index', ...COMPOSITION)}|^packages/server/src/cli/serve\\.ts$`,
      dynamic: false,
      dependencyTypesNot: ['type-only'],
    },
  ),
  forbid('index-imports', 'The library never pulls in the command line.', from(server('index')), {
    path: server('cli'),
  }),
  forbid(
    'server-folders',
    'This folder has no row in the import table: put the file into a folder that has one, or add the row to .dependency-cruiser.cjs and ARCHITECTURE.md.',
    from('^packages/server/src/', [server(...FOLDERS, ...OWN_FILES)]),
    {},
  ),
  forbid(
    'process-is-read-by-cli',
    'Only cli reads process: take what you need as an option.',
    from('^packages/server/src/', [
      server('cli'),
      // A lock names the process that holds it.
      server('data-dir'),
      // The program of the engine's child process.
      '^packages/server/src/adapters/clickhouse/embedded/engine-main\\.ts$',
    ]),
    { path: '^(node:)?process$' },
  ),
  ...VENDORS.map(({ packages, homes }) =>
    forbid(
      `vendor-${homes[0].split('/').at(-1)}`,
      `This library stays in ${homes.join(', ')}, so that it can be exchanged.`,
      from('^packages/server/src/', [server(...homes)]),
      { path: vendor(packages) },
    ),
  ),
]

const packageRules = [
  forbid('protocol-imports', 'protocol is words only: it imports nothing.', from('^packages/protocol/src/'), {
    pathNot: protocol,
  }),
  forbid(
    'sdk-core-imports',
    'sdk-core runs in browsers and in Node: it imports protocol, nothing else.',
    from('^packages/sdk-core/src/'),
    { pathNot: inPackage('sdk-core', 'protocol') },
  ),
  forbid(
    'sdk-browser-imports',
    'The browser SDK has no dependencies: it imports protocol and sdk-core, which are inlined.',
    from('^packages/sdk-browser/src/'),
    { pathNot: inPackage('sdk-browser', 'sdk-core', 'protocol') },
  ),
  forbid(
    'sdk-node-imports',
    'The Node SDK imports protocol, sdk-core and what Node brings.',
    from('^packages/sdk-node/src/'),
    { pathNot: inPackage('sdk-node', 'sdk-core', 'protocol'), dependencyTypesNot: ['core'] },
  ),
  forbid(
    'react-imports',
    'The React package speaks to the server over the wire: of this repository it imports protocol only.',
    from('^packages/react-dashboard/(src|page)/'),
    { path: WORKSPACE, pathNot: inPackage('react-dashboard', 'protocol') },
  ),
  forbid(
    'react-client-imports',
    'client/ holds the behaviour and knows no React: it imports no hooks, components, React or charts.',
    from('^packages/react-dashboard/src/client/'),
    { path: ['^packages/react-dashboard/src/(hooks|components)/', vendor('react|react-dom|react-is|recharts')] },
  ),
  forbid(
    'react-hooks-imports',
    'hooks/ are thin readers of client/: a host that uses only the hooks gets no component, style or chart code.',
    from('^packages/react-dashboard/src/hooks/'),
    { path: ['^packages/react-dashboard/src/components/', '\\.css$', vendor('recharts|react-dom')] },
  ),
  forbid(
    'react-chart-imports',
    'chart/ and format/ are plain code: they know neither React nor the client.',
    from('^packages/react-dashboard/src/(chart|format)/'),
    {
      path: ['^packages/react-dashboard/src/(client|hooks|components)/', vendor('react|react-dom|react-is|recharts')],
    },
  ),
]

const generalRules = [
  forbid(
    'no-cycles',
    'Files that import each other in a ring cannot be understood or tested one by one.',
    {},
    {
      circular: true,
    },
  ),
  forbid('no-tests-in-production', 'Code that ships imports no test file.', from('^packages/[^/]+/src/'), {
    path: TEST_FILE,
  }),
  forbid(
    'no-dev-dependencies-in-production',
    'Code that ships imports only what package.json lists under dependencies, optionalDependencies or peerDependencies.',
    from('^packages/[^/]+/src/'),
    {
      path: THIRD_PARTY,
      dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
      // A peer dependency is listed as a development dependency too.
      dependencyTypesNot: ['npm', 'npm-optional', 'npm-peer', 'type-only'],
    },
  ),
]

module.exports = {
  forbidden: [...serverRules, ...packageRules, ...generalRules],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: '/(test-results|coverage)/' },
    // Types count as imports too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js'],
    },
  },
}
