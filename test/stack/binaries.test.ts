import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { findBinaries } from '../../stack/binaries.js'
import { programs } from '../../stack/programs.js'

const NAMES = ['otelcol-contrib', 'jaeger', 'prometheus']
const COLLECTOR = '[ "$1" = validate ] || echo "otelcol-contrib version 0.159.0"'
const JAEGER = `[ "$1" = validate ] || echo '2025/12/03 {"gitCommit":"f9", "gitVersion":"v2.13.0","buildDate":""}'`
const PROMETHEUS = 'echo "prometheus, version 3.16.0 (branch: HEAD)"'
/** Writes the file that it is told to, or as the builder of Collectors does. */
const GO = `
[ "$1" = version ] && echo "go version go1.26.8 linux/amd64" && exit 0
if [ "$1" = run ]; then mkdir build; target=build/otelcol; fi
while [ $# -gt 0 ]; do [ "$1" = -o ] && target=$2; shift; done
printf '#!/bin/sh\\n' > "$target"; /bin/chmod +x "$target"`

/** Two folders: programs that are shell scripts, and a cache. */
async function setUp(t: Test, scripts: Record<string, string>): Promise<{ path: string; cache: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'binaries-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`)
    await chmod(join(folder, name), 0o755)
  }
  return { path: folder, cache: join(folder, 'cache') }
}

test('programs on PATH are used when they can do what is needed', async t => {
  const { path, cache } = await setUp(t, { 'otelcol-contrib': COLLECTOR, jaeger: JAEGER, prometheus: PROMETHEUS })
  t.strictSame(
    await findBinaries(programs, { path, cache }),
    NAMES.map(name => join(path, name))
  )
})

test('a program that is only called so, or is too old, is not taken', async t => {
  const others: Record<string, string>[] = [
    { otelcol: 'exit 0', jaeger: 'exit 0', prometheus: 'exit 0' },
    {
      otelcol: 'echo "otelcol version 0.158.9"',
      jaeger: `echo '{"gitVersion":"v2.12.0"}'`,
      prometheus: 'echo "prometheus, version 3.8.1"'
    },
    { otelcol: 'echo "0.159.0"', jaeger: `echo '{"gitVersion":""}'`, prometheus: 'echo "version 3.16.0"' }
  ]
  for (const scripts of others) {
    await t.rejects(findBinaries(programs, await setUp(t, scripts)), {
      message: /Collector, Jaeger, Prometheus cannot/
    })
  }
  const newer = {
    otelcol: '[ "$1" = validate ] || echo "otelcol version 1.2.0"',
    jaeger: `[ "$1" = validate ] || echo '{"gitVersion":"v2.20.0"}'`,
    prometheus: 'echo "prometheus, version 4.0.0"'
  }
  t.equal((await findBinaries(programs, await setUp(t, newer))).length, 3)
})

test('without Go one line tells what is missing', async t => {
  const nothing = await setUp(t, {})
  await t.rejects(findBinaries(programs, nothing), {
    name: 'StackError',
    message: /^Go is not on PATH, and without it Collector, Jaeger, Prometheus cannot be built: install Go .+newer$/
  })
  const old = await setUp(t, {
    otelcol: `${COLLECTOR}; [ "$1" != validate ]`,
    jaeger: JAEGER,
    prometheus: 'echo "prometheus, version 2.42.0+ds (branch: debian)"',
    go: 'echo "go version go1.19.8 linux/amd64"'
  })
  await t.rejects(findBinaries(programs, old), {
    message:
      /without it Collector, Prometheus cannot be built: .+: otelcol-contrib 0\.159 or newer, prometheus 3\.9 or newer$/
  })
})

test('what is missing is built once, under the version in the manifest; two at once do no harm', async t => {
  const { path, cache } = await setUp(t, { go: GO })
  const lines: string[] = []
  const report = (line: string): void => void lines.push(line)
  const [first, second] = await Promise.all([
    findBinaries(programs, { path, cache, report }),
    findBinaries(programs, { path, cache })
  ])
  t.strictSame(first, second)
  t.strictSame((await readdir(cache)).length, 3, 'nothing else is left')
  t.match(
    first.map(file => file.slice(cache.length)),
    [/^\/collector-0\.159\.0-\w{8}$/, /^\/jaeger-1\.76\.0-\w{8}$/, /^\/prometheus-0\.316\.0-\w{8}$/]
  )
  t.match(lines, { length: 6 })
  t.match(lines[1], /^Collector 0\.159\.0: built in \d+ s$/)

  await rm(join(path, 'go'))
  t.strictSame(await findBinaries(programs, { path, cache }), first, 'then Go is not needed')
})

test('a build that fails says what Go said, and leaves nothing', async t => {
  const script =
    '[ "$1" = version ] && echo "go version go1.26.8" && exit 0\necho "module lookup: no route" >&2; exit 1'
  const { path, cache } = await setUp(t, { go: script })
  await t.rejects(findBinaries(programs, { path, cache }), {
    name: 'StackError',
    message: /^Collector 0\.159\.0: Go could not build it and ended with 1:\nmodule lookup: no route$/
  })
  t.strictSame(await readdir(cache), [])
})

test('an interrupted build ends Go and what Go has started', async t => {
  const script = '[ "$1" = version ] && echo "go version go1.26.8" && exit 0\n/bin/sleep 300 & echo $! > pid; wait'
  const { path, cache } = await setUp(t, { go: script })
  const interrupted = new AbortController()
  const building = findBinaries(programs, { path, cache, signal: interrupted.signal })
  const readPid = async (): Promise<number> => {
    const [folder = ''] = await readdir(cache).catch(() => [])
    return Number(await readFile(join(cache, folder, 'pid'), 'utf8').catch(() => ''))
  }
  let pid = 0
  while (pid === 0) {
    await delay(20)
    pid = await readPid()
  }
  interrupted.abort()
  await t.rejects(building, { name: 'AbortError' })
  t.strictSame(await readdir(cache), [])
  while (isAlive(pid)) await delay(20)
  t.pass('it is gone')
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
