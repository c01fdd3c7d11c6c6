import '../preload.js'
import pg from 'pg'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { NO_POSTGRES, startPostgres } from '../postgres.js'

test('Database Integration: each statement says how many rows it returned or changed', async t => {
  const postgres = await startPostgres()
  if (postgres === null) {
    t.plan(0, NO_POSTGRES)
    return
  }
  const client = new pg.Client({ connectionString: postgres.url })
  t.teardown(async () => {
    await client.end()
    await postgres.close()
  })
  await processMonitor().sql.ready
  await client.connect()
  const queries: (string | pg.QueryConfig)[] = [
    'CREATE TABLE notes (id int PRIMARY KEY, body text)',
    { text: 'INSERT INTO notes SELECT n, $1 FROM generate_series(1, 5) n', values: ['secret'] },
    'SELECT id FROM notes',
    'SELECT id FROM notes',
    { text: 'SELECT body FROM notes WHERE id > $1', values: [100] },
    { text: 'UPDATE notes SET body = $1 WHERE id < 4', values: [null] },
    'DELETE FROM notes WHERE id = 5 RETURNING id',
    'BEGIN',
    'COMMIT',
    'BEGIN; SELECT id, body FROM notes; UPDATE notes SET id = id + 10 WHERE id > 2; COMMIT; SELECT 1'
  ]
  for (const query of queries) await client.query(query)
  await t.rejects(client.query('INSERT INTO notes (id) VALUES (1)'), { code: '23505' })
  await new Promise<void>((resolve, reject) => {
    client.query('SELECT 7 FROM notes', error => {
      if (error instanceof Error) reject(error)
      else resolve()
    })
  })
  const { statements } = processMonitor().snapshot({ include: ['statements'] })
  t.strictSame(
    statements.map(({ text, count, rows }) => [text, count, rows]),
    [
      ['CREATE TABLE notes (id int PRIMARY KEY, body text)', 1, null],
      ['INSERT INTO notes SELECT n, $1 FROM generate_series(?, ?) n', 1, 5],
      ['SELECT id FROM notes', 2, 10],
      ['SELECT body FROM notes WHERE id > $1', 1, 0],
      ['UPDATE notes SET body = $1 WHERE id < ?', 1, 3],
      ['DELETE FROM notes WHERE id = ? RETURNING id', 1, 1],
      ['BEGIN', 1, null],
      ['COMMIT', 1, null],
      ['BEGIN; SELECT id, body FROM notes; UPDATE notes SET id = id + ? WHERE id > ?; COMMIT; SELECT ?', 1, 4 + 2 + 1],
      ['INSERT INTO notes (id) VALUES (?)', 1, null],
      ['SELECT ? FROM notes', 1, 4]
    ]
  )
  t.equal(processMonitor().faults.faults, 0)
})
