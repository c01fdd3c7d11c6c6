import { test } from 'tap'
import { createReady } from './ready-analyzer.js'

test('statements that differ in more than literals have different fingerprints', async t => {
  for (const parsesPerSecond of [Infinity, 0]) {
    const { analyze } = await createReady({ parsesPerSecond })
    const fingerprints = ['a', 'b', 'a WHERE c = 1', 'a WHERE d = 1'].map(
      rest => analyze(`SELECT * FROM ${rest}`).fingerprint
    )
    t.equal(new Set(fingerprints).size, 4)
  }
})

test('relations that the parser takes for one are statements of their own', async t => {
  const { analyze } = await createReady({ parsesPerSecond: Infinity })
  const statements = [
    'SELECT t.id FROM users t WHERE t.id = 1',
    'SELECT t.id FROM orders t WHERE t.id = 1',
    'SELECT t.id FROM orders AS u WHERE t.id = 1',
    'SELECT * FROM a.users',
    'SELECT * FROM b.users',
    'SELECT * FROM events_2025',
    'SELECT * FROM events_2026',
    'SELECT 1 FROM x AS a, y AS b',
    'SELECT 1 FROM y AS a, x AS b',
    'SELECT u.id FROM users u JOIN orders o ON true',
    'SELECT u.id FROM users u JOIN labels o ON true',
    'INSERT INTO a.users AS u (id) VALUES (1)',
    'INSERT INTO b.users AS u (id) VALUES (1)',
    'UPDATE users u SET id = 1',
    'UPDATE orders u SET id = 1',
    'WITH c AS (SELECT * FROM a.users) SELECT * FROM c',
    'WITH c AS (SELECT * FROM b.users) SELECT * FROM c'
  ]
  for (const sql of statements) t.match(analyze(sql).fingerprint, /^[0-9a-f]{16}$/)
  t.equal(new Set(statements.map(sql => analyze(sql).fingerprint)).size, statements.length)
  const { analyze: again } = await createReady({ parsesPerSecond: Infinity })
  for (const sql of [...statements].reverse()) t.equal(again(sql).fingerprint, analyze(sql).fingerprint, sql)
  t.equal(
    analyze('SELECT t.id FROM users t WHERE t.id IN (1, 2)').fingerprint,
    analyze('SELECT t.id FROM users AS t WHERE t.id = $1').fingerprint,
    'what differs in literals alone is one all the same'
  )
  t.equal(
    analyze('SELECT * FROM import_1718123456789').fingerprint,
    analyze('SELECT * FROM import_1718123456790').fingerprint,
    'and so is a table that is made for each run'
  )
})

test('a text that is too long to be read is not taken for a shorter statement', async t => {
  const rows = (count: number) => Array.from({ length: count }, (_, n) => `($${2 * n + 1}, $${2 * n + 2})`).join()
  const insert = (count: number) => `INSERT INTO t (a, b) VALUES ${rows(count)}`
  const clauses = [
    ' ON CONFLICT (a) DO UPDATE SET b = excluded.b',
    '\non conflict do nothing',
    ' ON CONFLICT ON CONSTRAINT u DO NOTHING RETURNING a',
    ' RETURNING a, b'
  ]
  const chain = (count: number) => `SELECT * FROM t WHERE ${Array.from({ length: count }, () => 'a = 1').join(' OR ')}`
  for (const parsesPerSecond of [Infinity, 0]) {
    const { analyze } = await createReady({ parsesPerSecond })
    for (const clause of clauses) {
      t.not(analyze(`${insert(9_000)}${clause}`).fingerprint, analyze(insert(1)).fingerprint, clause)
      t.equal(analyze(`${insert(9_000)}${clause}`).fingerprint, analyze(`${insert(9_001)}${clause}`).fingerprint)
    }
    t.equal(analyze(`${insert(9_000)};`).fingerprint, analyze(insert(1)).fingerprint, 'one that is only longer')
    t.not(analyze(chain(20_000)).fingerprint, analyze(chain(1)).fingerprint)
  }
})
