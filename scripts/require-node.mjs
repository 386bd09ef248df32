// Imported first by scripts that people start: says what is wrong before newer syntax or features fail.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Nowcast needs Node 20.19 or newer; this is ${process.versions.node}. Get one from https://nodejs.org`)
  process.exit(1)
}
