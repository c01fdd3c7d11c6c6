import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { startStack } from '../../stack/stack.js'
import { runNode, startNode } from '../node.js'

const COMMAND = ['stack/dist/run.js']

test('without Go and without binaries the command says so in one line', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'stack-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const { code, stdout, stderr } = await runNode(COMMAND, { PATH: folder, STACK_CACHE: join(folder, 'cache') })
  t.strictSame([code, stdout], [1, ''])
  t.match(stderr, /^Go is not on PATH, [^\n]+\n$/)
})

test('two run at once; each stops cleanly, at a signal and when a program dies', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'stack-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const command = startNode(COMMAND, { TMPDIR: folder })
  t.teardown(() => command.kill('SIGTERM'))
  const ended = new Promise<number | null>(resolve => command.once('close', resolve))
  let output = ''
  command.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  while (!output.includes('Ctrl-C') && command.exitCode === null) await delay(50)
  const addresses = [...output.matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].map(([address]) => address)
  t.match(
    output,
    /^Collector .+\nJaeger .+\nPrometheus .+\n\n.+\n {2}OTEL_SERVICE_NAME=tracker OTEL_EXPORTER_OTLP_ENDPOINT=http.+ npm start\n/m
  )
  t.equal(await answers(addresses), addresses.length, 'all answer')

  await t.test('a second one, whose Jaeger is killed', async t => {
    const stack = await startStack()
    const { Jaeger: jaeger = 0, ...others } = stack.processIds
    process.kill(jaeger, 'SIGKILL')
    t.match(await stack.failed, {
      name: 'StackError',
      message: /^Jaeger ended by itself with SIGKILL; the last it wrote:\n.+/
    })
    await stack.stop()
    for (const [name, pid] of Object.entries(others)) t.throws(() => process.kill(pid, 0), `${name} is gone`)
    t.equal(await answers([stack.otlpHttp, stack.jaegerUrl, stack.prometheusUrl, stack.collectorHealthUrl]), 0)
    t.equal(await answers(addresses), addresses.length, 'the first goes on')
  })

  command.kill('SIGINT')
  t.equal(await ended, 0)
  t.equal(await answers(addresses), 0, 'its ports are free')
  t.strictSame(await readdir(folder), [], 'its folders are gone')
})

/** How many of the addresses accept a connection, whatever they speak. */
async function answers(addresses: readonly string[]): Promise<number> {
  const tried = addresses.map(async address => {
    try {
      await fetch(address)
      return true
    } catch (error) {
      const code = ((error as Error).cause as { code?: string } | undefined)?.code
      return code !== 'ECONNREFUSED'
    }
  })
  return (await Promise.all(tried)).filter(Boolean).length
}
