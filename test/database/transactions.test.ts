import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import type { ResilientPool } from '../../dist/database/pool.js'
import { INSERT, UPSERT, useLedger } from './ledger.js'

test('a transaction is done as a whole or not at all', { timeout: 60_000 }, async t => {
  const { pool, proxy, counts, present } = await useLedger(t)
  const add =
    (id: number, text = INSERT) =>
    async (client: { query: ResilientPool['query'] }) => {
      await client.query(text, [id])
      return id
    }

  t.test('what its callback throws rolls it back and comes out', async t => {
    t.equal(await pool.transaction(add(1)), 1)
    const failing = pool.transaction(async client => {
      await client.query(INSERT, [2])
      throw new Error('its own')
    })
    await t.rejects(failing, { message: 'its own' })
    t.same([await present(1), await present(2)], [1, 0])
    const swallowing = pool.transaction(client => client.query(INSERT, [1]).catch(() => undefined))
    await t.rejects(swallowing, { code: 'MPERF_TRANSACTION_ROLLED_BACK' })
  })

  t.test(
    'its stack still says where in the callback it was thrown, and an error that is frozen comes out too',
    async t => {
      const thrownHere = (): Error => new Error('its own')
      const error = thrownHere()
      const { stack } = error
      const frozen = Object.freeze(thrownHere())
      for (const thrown of [error, frozen]) {
        const caught: unknown = await pool.transaction(() => Promise.reject(thrown)).catch((reason: unknown) => reason)
        t.equal(caught, thrown)
      }
      t.equal(error.stack, stack)
      t.match(stack, /thrownHere/)

      const ofStatement: unknown = await pool
        .transaction(async function inCallback(client) {
          await client.query('SELECT 1 / 0')
        })
        .catch((reason: unknown) => reason)
      t.match(ofStatement, { code: '22012', stack: /inCallback/ })
    }
  )

  t.test('an error of COMMIT leads to who asked for the transaction', async t => {
    proxy.watch('COMMIT', 'before it arrives')
    const asking = async function asking(): Promise<void> {
      await pool.transaction(add(7))
    }
    await t.rejects(asking(), { code: 'MPERF_OUTCOME_UNKNOWN', stack: /asking/ })
  })

  t.test('cut before COMMIT, it runs again only if it is repeatable', async t => {
    proxy.watch('INSERT', 'before its answer')
    await t.rejects(pool.transaction(add(3)), { message: 'Connection terminated unexpectedly' })
    t.equal(await present(3), 0)
    proxy.watch('INSERT', 'before its answer')
    await pool.transaction(add(3), { repeatable: true })
    t.equal(await present(3), 1)
    proxy.watch('BEGIN', 'before its answer')
    await pool.transaction(add(4))
    t.equal(await present(4), 1, 'nothing had been done at BEGIN')
  })

  t.test('cut at COMMIT, its outcome is unknown', async t => {
    proxy.watch('COMMIT', 'before its answer')
    await t.rejects(pool.transaction(add(5), { repeatable: true }), { code: 'MPERF_OUTCOME_UNKNOWN' })
    t.equal(await present(5), 1)
    proxy.watch('COMMIT', 'before its answer')
    await pool.transaction(add(6, UPSERT), { idempotent: true })
    t.equal(await present(6), 1)
  })

  t.test('when Postgres or a pooler hangs up at COMMIT with an error, its outcome is unknown', async t => {
    const failing = [
      { severity: 'FATAL', code: 'XX000' },
      { severity: 'PANIC', code: '58030' },
      { severity: 'FATAL', code: '40001' }
    ]
    for (const [index, said] of failing.entries()) {
      const id = 20 + index
      proxy.watch('COMMIT', 'before its answer', 1, said)
      await t.rejects(pool.transaction(add(id), { repeatable: true }), {
        code: 'MPERF_OUTCOME_UNKNOWN',
        cause: { code: said.code }
      })
      t.equal(await present(id), 1, `${said.severity} ${said.code}: it did happen`)
    }
    proxy.watch('COMMIT', 'before its answer', 1, { severity: 'FATAL', code: 'XX000' })
    await pool.transaction(add(23, UPSERT), { idempotent: true })
    t.equal(await present(23), 1)
  })

  t.test('nor is it known where that error comes in a language that nobody foresaw', async t => {
    for (const [index, code] of ['40001', '40P01', 'XX000'].entries()) {
      const id = 40 + index
      const said = { severity: 'KATASTROFALNY', code }
      proxy.watch('COMMIT', 'before its answer', 1, said)
      await t.rejects(pool.transaction(add(id), { repeatable: true }), {
        code: 'MPERF_OUTCOME_UNKNOWN',
        cause: { code }
      })
      t.equal(await present(id), 1, `${code}: it did happen`)
    }
    proxy.watch('COMMIT', 'before its answer', 1, { severity: 'KATASTROFALNY', code: '40001' })
    await pool.transaction(add(43, UPSERT), { idempotent: true })
    t.equal(await present(43), 1)
  })

  t.test('when it hangs up before COMMIT, a repeatable transaction runs again', async t => {
    for (const [index, code] of ['XX000', '40001', '40P01'].entries()) {
      const id = 30 + index
      const said = { severity: 'FATAL', code }
      proxy.watch('INSERT', 'before it arrives', 1, said)
      await t.rejects(pool.transaction(add(id)), { code }, 'on a new connection, so only if it says that it may')
      proxy.watch('INSERT', 'before it arrives', 1, said)
      await pool.transaction(add(id), { repeatable: true })
      t.equal(await present(id), 1, code)
    }
    // A server that speaks a language that nobody foresaw.
    proxy.watch('INSERT', 'before it arrives', 1, { severity: 'KATASTROFALNY', code: '40001' })
    await pool.transaction(add(33), { repeatable: true })
    t.equal(await present(33), 1)
    proxy.watch('BEGIN', 'before it arrives', 1, { severity: 'FATAL', code: '58000' })
    await pool.transaction(add(34))
    t.equal(await present(34), 1, 'nothing had been done at BEGIN')
  })

  t.test('an error of its own that looks like a lost connection is none', async t => {
    let runs = 0
    const work = (): Promise<void> => {
      runs += 1
      return Promise.reject(Object.assign(new Error('of another service'), { code: 'ECONNRESET' }))
    }
    await t.rejects(pool.transaction(work, { repeatable: true }), { message: 'of another service' })
    t.equal(runs, 1)
  })

  t.test('its client is of no use afterwards', async t => {
    let kept: { query: ResilientPool['query'] } | undefined
    await pool.transaction(async client => {
      kept = client
    })
    await t.rejects(async () => kept?.query('SELECT 1'), { code: 'MPERF_TRANSACTION_OVER' })
  })

  t.test('neither is it to a cursor, which is told so', async t => {
    let kept: { query: ResilientPool['query'] } | undefined
    await pool.transaction(async client => {
      kept = client
    })
    const told = await new Promise(resolve => {
      const cursor = { submit: () => undefined, handleError: resolve }
      t.equal(kept?.query(cursor), cursor)
    })
    t.match(told, { code: 'MPERF_TRANSACTION_OVER' })
  })

  t.test('a deadlock is resolved by running one of the two again', async t => {
    await pool.query('CREATE TABLE pair (id integer PRIMARY KEY, n integer); INSERT INTO pair VALUES (1, 0), (2, 0)')
    await pool.query("SET deadlock_timeout = '50ms'").catch(() => undefined)
    let met = 0
    const swap = (first: number, second: number) =>
      pool.transaction(
        async client => {
          await client.query('UPDATE pair SET n = n + 1 WHERE id = $1', [first])
          met += 1
          for (let turn = 0; met < 2 && turn < 50; turn += 1) await delay(10)
          await client.query('UPDATE pair SET n = n + 1 WHERE id = $1', [second])
        },
        { deadline: 10 }
      )
    await Promise.all([swap(1, 2), swap(2, 1)])
    t.same((await pool.query('SELECT n FROM pair')).rows, [{ n: 2 }, { n: 2 }])
    t.equal(counts().rolledBack, 1)
  })

  t.equal(pool.waitingCount, 0)
})
