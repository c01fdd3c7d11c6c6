import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { context, trace, type Context, type ContextManager, type Tracer } from '@opentelemetry/api'
import type { Test } from 'tap'
import { test } from 'tap'
import { createPool } from '../../dist/database/pool.js'
import { retainedBytes } from '../heap.js'
import { usePostgres } from '../postgres.js'
import { startWireProxy, through } from './wire.js'

const storage = new AsyncLocalStorage<string>()

test('what a caller passes runs in the context of that caller', { timeout: 60_000 }, async t => {
  const postgres = await usePostgres(t)
  const proxy = await startWireProxy(t, postgres.port)
  const pool = createPool({ connectionString: through(postgres.url, proxy), max: 1, deadline: 20 })
  t.teardown(() => pool.end())
  const as = <Result>(name: string, work: () => Result): Result => storage.run(name, work)
  const names = ['one', 'two', 'three']

  t.test('the callback of a transaction', async t => {
    const transact = (name: string) =>
      pool.transaction(async client => {
        const atStart = storage.getStore()
        await client.query('SELECT 1')
        return [name, atStart, storage.getStore()]
      })
    const seen = await Promise.all(names.map(name => as(name, () => transact(name))))
    t.same(
      seen,
      names.map(name => [name, name, name])
    )
  })

  t.test('that of one which is done anew', async t => {
    const seen: unknown[] = []
    proxy.watch('AS second', 'before its answer')
    const transact = (name: string) =>
      pool.transaction(
        async client => {
          if (name === 'two') seen.push(storage.getStore())
          await client.query(`SELECT 1 AS ${name === 'two' ? 'second' : 'other'}`)
        },
        { repeatable: true }
      )
    await Promise.all(names.map(name => as(name, () => transact(name))))
    t.same(seen, ['two', 'two'])
  })

  t.test('those of query and connect', async t => {
    const query = (name: string) =>
      new Promise(resolve => {
        pool.query('SELECT 1', () => {
          resolve([name, storage.getStore()])
        })
      })
    const connect = (name: string) =>
      new Promise(resolve => {
        pool.connect((_error, _client, release) => {
          release()
          resolve([name, storage.getStore()])
        })
      })
    const expected = names.map(name => [name, name])
    t.same(await Promise.all(names.map(name => as(name, () => query(name)))), expected)
    t.same(await Promise.all(names.map(name => as(name, () => connect(name)))), expected)
  })
})

interface Recorded {
  readonly name: string
  readonly parent: unknown
  isEnded: boolean
}

/** As little of OpenTelemetry as shows which span is the parent of which; spans are known by their objects. */
function recordSpans(t: Test): Recorded[] {
  const spans: Recorded[] = []
  const active = new AsyncLocalStorage<Context>()
  const root = context.active()
  const manager = {
    active: () => active.getStore() ?? root,
    with: (inner: Context, work: (...given: unknown[]) => unknown, self: unknown, ...given: unknown[]) =>
      active.run(inner, () => work.apply(self, given)),
    bind: (_context: Context, target: unknown) => target,
    enable: () => manager,
    disable: () => manager
  } as unknown as ContextManager
  const tracer = {
    startSpan: (name: string, _options: unknown, within = context.active()) => {
      const span = {
        name,
        parent: trace.getSpan(within),
        isEnded: false,
        setStatus: () => span,
        end: () => {
          span.isEnded = true
        }
      }
      spans.push(span)
      return span
    }
  } as unknown as Tracer
  context.setGlobalContextManager(manager)
  trace.setGlobalTracerProvider({ getTracer: () => tracer })
  t.teardown(() => {
    context.disable()
    trace.disable()
  })
  return spans
}

test('the span of each retry hangs on the caller, and ends', { timeout: 60_000 }, async t => {
  const postgres = await usePostgres(t)
  const proxy = await startWireProxy(t, postgres.port)
  const pool = createPool({ connectionString: through(postgres.url, proxy), max: 1, deadline: 20 })
  await pool.query('SELECT 1')
  const spans = recordSpans(t)
  const asked = trace.getTracer('test').startSpan('asked')
  const within = trace.setSpan(context.active(), asked)
  proxy.watch('AS twice', 'before its answer', 2)
  await context.with(within, () => pool.query({ text: 'SELECT 1 AS twice', idempotent: true }))
  const retries = spans.filter(({ name }) => name === 'database.retry')
  t.equal(retries.length, 2)
  for (const { parent, isEnded } of retries) t.ok(parent === asked && isEnded)

  t.test('a pool that ends in the pause: the caller gets what broke', async t => {
    for (let turn = 0; turn < 5; turn += 1) {
      const ending = createPool({ connectionString: through(postgres.url, proxy), max: 1, deadline: 20 })
      await ending.query('SELECT 1')
      proxy.watch('AS gone', 'before its answer', 3)
      const asked = ending.query('SELECT 1 AS gone')
      ending.on('remove', () => void ending.end())
      await t.rejects(asked, { message: 'Connection terminated unexpectedly' })
    }
    await delay(0)
    t.ok(spans.filter(({ name }) => name === 'database.retry').every(({ isEnded }) => isEnded))
  })
  await pool.end()
})

test('who follows contexts by hooks hears of the end of each request', async t => {
  const postgres = await usePostgres(t)
  const pool = createPool({ connectionString: postgres.url, max: 1 })
  t.teardown(() => pool.end())
  const open = new Set<number>()
  let begun = 0
  const hook = createHook({
    init: (id, type) => {
      if (type !== 'DatabaseRequest') return
      begun += 1
      open.add(id)
    },
    destroy: id => {
      open.delete(id)
    }
  }).enable()
  t.teardown(() => hook.disable())
  for (let round = 0; round < 20; round += 1) await pool.query('SELECT 1')
  await delay(10)
  retainedBytes()
  await delay(100)
  t.equal(begun, 20)
  // The last one may still stand on the stack.
  t.ok(open.size <= 1, `${open.size} of ${begun} are open`)
})
