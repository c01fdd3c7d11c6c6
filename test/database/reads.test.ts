import { test } from 'tap'
import { isRead, isUndoneAsAWhole } from '../../dist/database/reads.js'

const reads = [
  'SELECT 1',
  '  -- INSERT\n /* DELETE */ select * from t;',
  "SELECT 'DELETE FROM t' AS text, $$ UPDATE $$",
  'SELECT "delete" FROM "update"',
  'WITH a AS (SELECT 1) SELECT count(*) FROM a WHERE b IN (1, 2) AND NOT (c = ANY ($1::integer[]))',
  'SELECT lower(name), coalesce(max(b), 0) OVER (PARTITION BY c) FROM t, unnest($1::integer[]) AS u (id)',
  'VALUES (1), (2)',
  'TABLE t',
  'SHOW server_version',
  '(SELECT 1) UNION ALL (SELECT 2)',
  'SELECT substring(name FROM 1 FOR 3), now(), CAST(a AS numeric(10, 2)) FROM t ORDER BY (a) LIMIT (1)',
  'SELECT EXISTS (SELECT FROM t), extract(epoch FROM at)'
]

const others = [
  'INSERT INTO t VALUES (1)',
  'UPDATE t SET a = 1',
  'WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a',
  'SELECT * INTO u FROM t',
  'SELECT * FROM t FOR UPDATE',
  'SELECT * FROM t FOR NO KEY UPDATE',
  'SELECT * FROM t FOR SHARE SKIP LOCKED',
  "SELECT nextval('s')",
  "SELECT pg_notify('a', 'b')",
  "SELECT set_config('a', 'b', false)",
  'SELECT pg_advisory_lock(1)',
  'SELECT transfer(1, 2)',
  'SELECT public.lower(a) FROM t',
  'SELECT "lower"(a) FROM t',
  'SELECT 1; DELETE FROM t',
  "SELECT 'it''s; ' || E'\\'; DELETE FROM t; --'; DELETE FROM t",
  "SELECT 'never ends",
  'SELECT /* never ends',
  'EXPLAIN ANALYZE DELETE FROM t',
  'CALL p()',
  'BEGIN',
  'COPY t FROM STDIN',
  'VACUUM',
  '',
  '-- nothing',
  undefined,
  null,
  7
]

test('only what can change nothing is taken for a read', async t => {
  for (const text of reads) t.ok(isRead(text), text)
  for (const text of others) t.notOk(isRead(text), String(text))
  t.notOk(isRead(`SELECT ${'1, '.repeat(100_000)}1`), 'too long to look at')
})

test('only one statement of a kind that cannot commit is undone as a whole', async t => {
  for (const text of [
    'SELECT transfer(1, 2)',
    "insert into t values ('; COMMIT;');",
    'WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a',
    'UPDATE t SET a = 1',
    'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE',
    '(VALUES (1))',
    'TABLE t'
  ])
    t.ok(isUndoneAsAWhole(text), text)
  for (const text of [
    'CALL p()',
    'DO $$ BEGIN COMMIT; END $$',
    'BEGIN; INSERT INTO t VALUES (1); COMMIT; SELECT 1',
    'INSERT INTO t VALUES (1); SELECT 1',
    'EXPLAIN ANALYZE DELETE FROM t',
    'EXECUTE s',
    '',
    undefined
  ])
    t.notOk(isUndoneAsAWhole(text), String(text))
})
