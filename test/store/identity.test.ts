import { test } from 'tap'
import { identityKey } from '../../src/store/identity.js'
import { rollUp, startRollingUp, type SeriesRollup } from '../../src/store/roll-up.js'
import { call, select, sent, storeWith } from './support.js'

function seriesOf(store: Parameters<typeof rollUp>[0]): SeriesRollup[] {
  startRollingUp(store)
  return [...rollUp(store)].filter(found => found !== undefined)
}

test('what is counted by operation and table is one series, whichever statement came first', async t => {
  const keys = ['one', 'other'].map(fingerprint => {
    const { store } = storeWith()
    store.recordQuery(select('issues', fingerprint), sent(0.1))
    return seriesOf(store)
      .filter(({ identity }) => identity.kind === 'queries')
      .map(({ identity }) => identityKey(identity))
  })
  t.strictSame(keys, [['["queries","SELECT","issues"]'], ['["queries","SELECT","issues"]']])
})

test('statements are told apart by their fingerprint, operations by their type too', async t => {
  const { store } = storeWith()
  store.recordQuery(select('issues', 'one'), sent(0.1))
  store.recordOperation('Issues', { type: 'query' }, call(0.1), 0)
  store.recordOperation('Issues', { type: 'mutation' }, call(0.1), 0)
  t.strictSame(
    seriesOf(store).map(({ identity }) => identityKey(identity)),
    [
      '["queries","SELECT","issues"]',
      '["statements","one"]',
      '["operations","Issues","query"]',
      '["operations","Issues","mutation"]'
    ]
  )
})

test('a series keeps nothing of what it is given but its labels', async t => {
  const { store } = storeWith()
  const facts = { type: 'query', source: 'x'.repeat(1_000_000) }
  store.recordOperation('Issues', facts, call(0.1), 0)
  store.recordQuery({ ...select('issues'), formerly: 'another' }, sent(0.1))
  t.strictSame(
    seriesOf(store).map(({ identity }) => identity.labels),
    [
      { operation: 'SELECT', table: 'issues' },
      {
        operation: 'SELECT',
        table: 'issues',
        fingerprint: 'fingerprint of issues',
        text: 'SELECT * FROM issues'
      },
      { type: 'query' }
    ]
  )
})
