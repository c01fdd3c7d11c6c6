import { test } from 'tap'
import { DatabaseClock } from '../../src/history/postgres/database-clock.js'
import { Recorder } from '../../src/history/postgres/recorder.js'
import { rollUp } from '../../src/store/roll-up.js'
import type { Store } from '../../src/store/store.js'
import { select, sent, storeWith } from '../store/support.js'

const STATEMENTS = 256
/** As many as are told apart of one statement, and of all together. */
const CALLERS = 32

function callAll(store: Store, round: string): void {
  for (let statement = 0; statement < STATEMENTS; statement += 1) {
    for (let caller = 0; caller < CALLERS; caller += 1)
      store.recordQuery(select('issues', `${round} ${statement}`), sent(0.001, { operation: `${round} ${caller}` }))
  }
}

test('what is being taken when nothing can be written any more is let go', async t => {
  const { store, clock, read } = storeWith(60)
  const recorder = new Recorder(store, 'tracker', new DatabaseClock(clock))
  callAll(store, 'first')
  const taking = recorder.take()
  recorder.stop()
  await taking
  callAll(store, 'first')
  t.ok(
    [...rollUp(store)].every(came => came === undefined),
    'nothing is rolled up any more'
  )
  clock.advance(3600)
  store.sweep()
  t.strictSame(read().statements, [])
  callAll(store, 'second')
  const { statements } = read()
  t.equal(statements.length, STATEMENTS)
  const others = statements.filter(({ callers }) => callers.some(({ operation }) => operation === '(other)'))
  t.strictSame(others, [], 'callers of what is forgotten make room for others')
})
