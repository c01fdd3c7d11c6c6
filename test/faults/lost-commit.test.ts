import { test } from 'tap'
import { createPool } from '../../dist/database/pool.js'
import { PoolGroup } from '../../dist/database/pool-group.js'
import { codeOf } from '../../dist/database/failure.js'
import { startWireProxy, through, type Cut } from '../database/wire.js'
import { usePostgres } from '../postgres.js'
import { balance, CREATE, INSERT, INSERT_ONCE, newLedger, note } from './ledger.js'
import { machine, table, writeSection } from './section.js'

const full = process.env.RELIABILITY === '1'
const TRIALS = full ? 1_000 : 100

interface Trial {
  readonly name: string
  readonly text: string
  readonly cut: Cut
  readonly idempotent: boolean
  readonly inTransaction: boolean
}

const trials: readonly Trial[] = [false, true].flatMap(inTransaction =>
  [false, true].flatMap(idempotent =>
    (['before its answer', 'before it arrives'] as const).map(cut => ({
      name: `${inTransaction ? 'COMMIT' : 'autocommit write'}${idempotent ? ', idempotent' : ''}, cut ${cut}`,
      text: inTransaction ? 'COMMIT' : 'INSERT',
      cut,
      idempotent,
      inTransaction
    }))
  )
)

test('the answer to a write is lost, again and again', { timeout: 1_800_000 }, async t => {
  const postgres = await usePostgres(t)
  const proxy = await startWireProxy(t, postgres.port)
  const group = new PoolGroup()
  const pool = createPool({ connectionString: through(postgres.url, proxy), max: 1, deadline: 20 }, group)
  const direct = createPool({ connectionString: postgres.url, max: 1, statement_timeout: 60_000, deadline: 60 })
  t.teardown(() => Promise.all([pool.end(), direct.end()]))
  await direct.query(CREATE)

  const ledger = newLedger()
  const outcomes = trials.map(() => ({ trials: 0, acknowledged: 0, unknown: 0, other: 0 }))
  for (let id = 0; id < TRIALS; id += 1) {
    const trial = trials[id % trials.length]
    const outcome = outcomes[id % trials.length]
    if (trial === undefined || outcome === undefined) continue
    const { idempotent, inTransaction, text, cut } = trial
    // Retries have to be earned: ten requests pay for one.
    for (let request = 0; idempotent && request < 10; request += 1) await pool.query('SELECT 1')
    await pool.query('SELECT 1')
    const sql = idempotent ? INSERT_ONCE : INSERT
    proxy.watch(text, cut)
    const error = await note(ledger, id, () =>
      inTransaction
        ? pool.transaction(client => client.query(sql, [id]), { idempotent })
        : pool.query({ text: sql, values: [id], idempotent })
    )
    outcome.trials += 1
    if (error === undefined) outcome.acknowledged += 1
    else if (codeOf(error) === 'MPERF_OUTCOME_UNKNOWN') outcome.unknown += 1
    else outcome.other += 1
  }
  const sum = await balance(ledger, direct)
  t.comment(JSON.stringify({ sum, outcomes, counts: group.total.counts }))
  t.match(sum, { lost: 0, ghosts: 0, doubled: 0, failed: 0 })
  trials.forEach(({ name, idempotent }, index) => {
    const outcome = outcomes[index]
    t.equal(idempotent ? outcome?.acknowledged : outcome?.unknown, outcome?.trials, name)
  })
  if (!full) return
  writeSection(
    'When the answer to a write is lost',
    `Written by \`npm run reliability\`: a proxy between a pool of \`createPool\` and PostgreSQL cuts the connection at the
statement, before it arrives or once Postgres has answered. ${TRIALS} trials. ${machine()}

${table(
  ['', 'trials', 'succeeded', 'MPERF_OUTCOME_UNKNOWN', 'anything else'],
  trials.map(({ name }, index) => {
    const { trials: count, acknowledged, unknown, other } = outcomes[index] ?? {}
    return [name, ...[count, acknowledged, unknown, other].map(String)]
  })
)}

Compared with the table by a ledger of the test's own: ${sum.lost} acknowledged writes lost, ${sum.doubled} done twice,
${sum.ghosts} there although an error said that they were not.`
  )
})
