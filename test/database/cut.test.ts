import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test } from 'tap'
import { cut } from '../../dist/database/cut.js'
import { usePostgres } from '../postgres.js'

const PATIENCE_MILLISECONDS = 5_000

for (const [version, { Pool }] of [
  ['8.16', createRequire(import.meta.url)('pg-8-16') as typeof pg],
  ['of today', pg]
] as const) {
  test(`what runs on a connection that is cut is cancelled, and nobody is warned; pg ${version}`, async t => {
    const { url } = await usePostgres(t)
    const warnings: unknown[] = []
    const warned = (warning: unknown): unknown => warnings.push(warning)
    process.on('warning', warned)
    t.teardown(() => process.off('warning', warned))
    const pool = new Pool({ connectionString: url, max: 2 })
    const watching = new pg.Pool({ connectionString: url, max: 1 })
    t.teardown(() => Promise.all([pool.end(), watching.end()]))
    const client = await pool.connect()
    client.on('error', () => undefined)
    const sleeping = t.rejects(client.query('SELECT pg_sleep(60)'))
    const isSleeping = async (): Promise<boolean> => {
      const { rows } = await watching.query(
        `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(60)'`
      )
      return rows.length > 0
    }
    const deadline = performance.now() + PATIENCE_MILLISECONDS
    while (!(await isSleeping()) && performance.now() < deadline) await delay(10)
    t.ok(await isSleeping())
    cut(client)
    while ((await isSleeping()) && performance.now() < deadline) await delay(10)
    t.notOk(await isSleeping())
    await sleeping
    t.strictSame(warnings, [])
  })
}
