import { createHash } from 'node:crypto'
import pg from 'pg'
import { test } from 'tap'
import { startEmbeddedPostgres } from '../../dist/database/embedded.js'
import { migrate } from '../../dist/database/migrate.js'
import { migrations } from '../../dist/tracker/migrations.js'
import { seed } from '../../dist/tracker/seed.js'
import { createSeedData, seedCounts } from '../../dist/tracker/seed-data.js'
import { NO_POSTGRES, startPostgres } from '../postgres.js'

const tables = ['users', 'projects', 'labels', 'issues', 'comments', 'issue_labels']

async function checksum(url: string): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  const hash = createHash('sha256')
  for (const table of tables) {
    const { rows } = await client.query<{ row: string }>(
      `SELECT to_jsonb(${table}) - 'created_at' - 'updated_at' AS row, extract(epoch FROM ${table === 'labels' || table === 'issue_labels' ? 'now() - now()' : 'created_at'}) AS at
       FROM ${table} ORDER BY 1`
    )
    const lines = rows.map(row => JSON.stringify(row)).sort()
    hash.update(`${table} ${rows.length}\n${lines.join('\n')}`)
  }
  await client.end()
  return hash.digest('hex')
}

async function counts(url: string): Promise<Record<string, number>> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query<{ table: string; count: number }>(
    tables.map(table => `SELECT '${table}' AS "table", count(*)::integer AS count FROM ${table}`).join(' UNION ALL ')
  )
  await client.end()
  return Object.fromEntries(rows.map(row => [row.table, row.count]))
}

/** Both kinds of Postgres must do the same. */
async function prepareAtOnce(url: string): Promise<{ applied: number[][]; seeded: boolean[] }> {
  const applied = await Promise.all([1, 2, 3].map(() => migrate(url, migrations)))
  const seeded = await Promise.all([1, 2, 3].map(() => seed(url)))
  return { applied, seeded }
}

test('the demonstration data', { timeout: 60_000 }, async t => {
  const embedded = await startEmbeddedPostgres()
  t.teardown(() => embedded.close())

  t.test('several at once migrate and seed once, and again does no harm', async t => {
    const { applied, seeded } = await prepareAtOnce(embedded.url)
    t.same(applied.sort(), [[], [], migrations.map(({ version }) => version)])
    t.same(seeded.sort(), [false, false, true])
    t.match(await counts(embedded.url), seedCounts)
    const before = await checksum(embedded.url)
    t.same(await migrate(embedded.url, migrations), [])
    t.equal(await seed(embedded.url), false)
    t.equal(await checksum(embedded.url), before)
  })

  t.test('is the same on a PostgreSQL server', async t => {
    const server = await startPostgres()
    if (server === null) {
      t.plan(0, NO_POSTGRES)
      return
    }
    t.teardown(() => server.close())
    const { applied, seeded } = await prepareAtOnce(server.url)
    t.same(applied.sort(), [[], [], migrations.map(({ version }) => version)])
    t.same(seeded.sort(), [false, false, true])
    t.equal(await checksum(server.url), await checksum(embedded.url))
  })

  t.test('rows added later get ids of their own', async t => {
    const client = new pg.Client(embedded.url)
    await client.connect()
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO comments (issue_id, author_id, body) VALUES (1, 1, 'new') RETURNING id`
    )
    t.equal(rows[0]?.id, seedCounts.comments + 1)
    await client.end()
  })
})

test('the data depend on nothing', async t => {
  t.same(createSeedData(), createSeedData())
  const digest = createHash('sha256').update(JSON.stringify(createSeedData())).digest('hex')
  t.equal(digest, '20198cc1d92352d88f383e3b8652c19a604fee89bc9ec83b55861ecdaed0fb49')
})
