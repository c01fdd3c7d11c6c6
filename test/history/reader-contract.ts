import type { Test } from 'tap'
import { resolveConfig } from '../../src/config.js'
import { systemClock } from '../../src/lib/clock.js'
import type { HistoryReader } from '../../src/store/history.js'
import { snapshotOf } from '../../src/store/merged.js'
import type { SeriesRollup } from '../../src/store/roll-up.js'
import type { SeriesSnapshot } from '../../src/store/snapshot.js'
import { Store } from '../../src/store/store.js'
import type { Kind } from '../../src/store/totals.js'
import { seededRandom } from '../random.js'
import { call, recordResolver, select, sent } from '../store/support.js'

/** A process of the service, with a store of its own. */
export interface Instance {
  readonly store: Store
  /** All that it has measured can be read once this resolves. */
  deliver(): Promise<void>
  /** Delivers and ends. */
  stop(): Promise<void>
}

/** Where history is kept of one service, `VERSION` of it. */
export interface Fleet {
  readonly reader: HistoryReader
  start(name: string, store: Store): Promise<Instance>
}

export const VERSION = '1.2.3'

const SERIES_LIMIT = 8
const QUANTILES = ['median', 'p90', 'p95', 'p99'] as const
const ranks = { median: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 }
/** Of which every reader has something to tell. */
const kinds: readonly Kind[] = ['resolvers', 'batches', 'queries', 'operations', 'cacheHits', 'cacheMisses']
const resolverNames = ['Query.users', 'User.posts', 'Query.__proto__', 'constructor.toString', 'Query.flaky']
const operationNames = ['Users', 'with "quotes", \\back\\slashes\\ and\na line break', '__proto__', 'ユーザー']
const tables = ['users', 'constructor', '__proto__']
const UNKNOWN = ['Query.nobody', 'nothing', '.', '', 'toString', 'users"} or vector(1) #']

/** What was measured, by kind and name, however many instances did. */
class Truth {
  readonly #values = new Map<string, number[]>()
  readonly #errors = new Map<string, number>()

  add(kind: Kind, name: string, seconds: number, failed = false): void {
    const key = `${kind} ${name}`
    this.#values.set(key, [...(this.#values.get(key) ?? []), Math.round(seconds * 1e9) / 1e9])
    this.#errors.set(key, (this.#errors.get(key) ?? 0) + (failed ? 1 : 0))
  }

  names(kind: Kind): string[] {
    return [...this.#values.keys()].flatMap(key => (key.startsWith(`${kind} `) ? [key.slice(kind.length + 1)] : []))
  }

  count(kind: Kind, name: string): number {
    return this.#values.get(`${kind} ${name}`)?.length ?? 0
  }

  errors(kind: Kind, name: string): number {
    return this.#errors.get(`${kind} ${name}`) ?? 0
  }

  sum(kind: Kind, name: string): number {
    return (this.#values.get(`${kind} ${name}`) ?? []).reduce((sum, value) => sum + value, 0)
  }

  /** As PostgreSQL's percentile_cont. */
  quantile(kind: Kind, name: string, quantile: number): number {
    const sorted = (this.#values.get(`${kind} ${name}`) ?? []).sort((one, other) => one - other)
    const rank = quantile * (sorted.length - 1)
    const [low = 0, high = low] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]]
    return low + (rank - Math.floor(rank)) * (high - low)
  }
}

/** What every reader of history has to answer; `open` makes an empty one for a service that nobody else measures. */
export async function checkReader(t: Test, open: (service: string) => Promise<Fleet>): Promise<void> {
  const began = systemClock.wall() - 1000
  const random = seededRandom(20261125)
  const [all, ofOne] = [new Truth(), new Truth()]
  const fleet = await open('contract')
  const { reader } = fleet

  const start = (name: string): Promise<Instance> =>
    fleet.start(name, new Store({ clock: systemClock, retentionPeriod: 3600, seriesLimit: SERIES_LIMIT }))
  const stranger = await (await open('stranger')).start('one', newStore())
  recordResolver(stranger.store, 'Query.users', call(9))
  await stranger.deliver()

  const one = await start('one')
  let two = await start('two')
  const three = await start('three')
  for (let round = 0; round < 6; round += 1) {
    // A process that is killed after its last export, and comes back under the same name.
    if (round === 3) {
      await two.stop()
      two = await start('two')
    }
    for (const instance of [one, two, three]) {
      measure(instance.store, instance === one ? [all, ofOne] : [all], 40 + round, random)
      if (round % 2 === 0 || instance !== three) await instance.deliver()
    }
  }
  await three.deliver()
  // Past the limit of its dimension, which five names have some of.
  for (let index = 0; index < 7; index += 1) {
    recordResolver(three.store, `Flood.field${index}`, call(0.25, true))
    const isOverflow = index >= SERIES_LIMIT - resolverNames.length
    all.add('resolvers', isOverflow ? '(other)' : `Flood.field${index}`, 0.25, true)
  }
  await three.deliver()

  const range = { from: began, to: reader.now() + 1 }
  await t.test('every kind: the same series, counts and errors to the unit, times within 1%', async t => {
    compare(t, await reader.rollups({ kinds }, range), all, kinds)
  })
  await t.test('one name', async t => {
    for (const kind of kinds)
      for (const name of all.names(kind)) {
        const found = await reader.rollups({ kinds: [kind], name }, range)
        t.strictSame(
          found.map(({ identity, rollup }) => [identity.name, rollup.times.count, rollup.errors]),
          [[name, all.count(kind, name), all.errors(kind, name)]],
          `${kind} ${name}`
        )
      }
  })
  await t.test('names that nobody measured', async t => {
    for (const name of UNKNOWN) t.strictSame(await reader.rollups({ kinds, name }, range), [], name)
    for (const name of UNKNOWN) t.strictSame(await reader.timeline({ kinds, name }, range, 60_000), [], name)
  })
  await t.test('labels, and which series is that of what came after the limit', async t => {
    const found = await reader.rollups({ kinds }, range)
    const labelsOf = (kind: Kind, name: string): unknown =>
      found.find(({ identity }) => identity.kind === kind && identity.name === name)?.identity.labels
    t.match(labelsOf('queries', 'SELECT users'), { operation: 'SELECT', table: 'users' })
    t.match(labelsOf('queries', 'BEGIN'), { operation: 'BEGIN', table: null })
    t.match(labelsOf('operations', 'Users'), { type: 'query' })
    t.equal(labelsOf('resolvers', 'Query.users'), null)
    t.strictSame(
      found.filter(({ identity }) => identity.isOverflow).map(({ identity: { kind, name } }) => [kind, name]),
      [['resolvers', '(other)']]
    )
  })
  await t.test('what one instance measured', async t => {
    compare(t, await reader.rollups({ kinds, instance: 'one' }, range), ofOne, kinds)
    t.strictSame(await reader.rollups({ kinds, instance: 'nobody' }, range), [])
  })
  await t.test('steps of a timeline add up to the whole', async t => {
    const step = 60_000
    for (const choice of [{ kinds }, { kinds: ['resolvers'], name: 'Query.users' } as const]) {
      const points = await reader.timeline(choice, range, step)
      t.ok(points.every(({ at }) => at % step === 0 && at > range.from - step && at < range.to))
      t.strictSame(
        points.map(({ at }) => at),
        points.map(({ at }) => at).sort((a, b) => a - b),
        'the oldest first'
      )
      const sum = (name: string): [number, number] =>
        points
          .filter(({ identity }) => identity.kind === 'resolvers' && identity.name === name)
          .reduce(([count, errors], { rollup }) => [count + rollup.times.count, errors + rollup.errors], [0, 0])
      for (const name of ['name' in choice ? choice.name : 'User.posts']) {
        t.strictSame(sum(name), [all.count('resolvers', name), all.errors('resolvers', name)], name)
      }
    }
  })
  await t.test('nothing from before', async t => {
    const before = { from: began - 1800_000, to: began - 600_000 }
    t.strictSame(await reader.rollups({ kinds }, before), [])
    t.strictSame(await reader.timeline({ kinds }, before, 60_000), [])
  })
  await t.test('who has reported', async t => {
    const found = await reader.instances()
    t.strictSame(new Set(found.map(({ name }) => name)), new Set(['one', 'two', 'three']))
    for (const { name, version, since, lastSeen } of found) {
      t.equal(version, VERSION, name)
      t.ok(since <= lastSeen && since >= began && lastSeen <= range.to + 5000, name)
    }
    for (const name of ['one', 'three']) t.ok(found.find(found => found.name === name)?.isReporting, name)
  })
  await Promise.all([stranger, one, two, three].map(instance => instance.stop()))
}

export function newStore(): Store {
  return new Store({ clock: systemClock, retentionPeriod: 3600 })
}

/** Calls whose times spread over five orders of magnitude. */
function measure(store: Store, truths: readonly Truth[], calls: number, random: () => number): void {
  const add = (...values: Parameters<Truth['add']>): void => {
    for (const truth of truths) truth.add(...values)
  }
  const any = (names: readonly string[]): string => names[Math.floor(random() * names.length)] ?? ''
  for (let index = 0; index < calls; index += 1) {
    const seconds = 1e-5 * 10 ** (5 * random())
    const resolver = any(resolverNames)
    const failed = resolver === 'Query.flaky' && random() < 0.5
    recordResolver(store, resolver, call(seconds, failed))
    add('resolvers', resolver, seconds, failed)
    store.recordBatch('User.posts', 3, call(seconds))
    add('batches', 'User.posts', seconds)
    const operation = any(operationNames)
    store.recordOperation(operation, { type: 'query' }, call(seconds, index % 10 === 0), 2)
    add('operations', operation, seconds, index % 10 === 0)
    const table = any(tables)
    store.recordQuery(select(table), sent(seconds))
    add('queries', `SELECT ${table}`, seconds)
    store.recordQuery({ ...select(''), operation: 'BEGIN', table: null, name: 'BEGIN' }, sent(seconds))
    add('queries', 'BEGIN', seconds)
    const isHit = random() < 0.7
    const cache = any(['labels', 'constructor'])
    store.recordCache(isHit ? 'hit' : 'miss', cache, call(seconds))
    add(isHit ? 'cacheHits' : 'cacheMisses', cache, seconds)
  }
}

function compare(t: Test, found: readonly SeriesRollup[], truth: Truth, kinds: readonly Kind[]): void {
  for (const kind of kinds) {
    const ofKind = found.filter(({ identity }) => identity.kind === kind)
    t.strictSame(ofKind.map(({ identity }) => identity.name).sort(), truth.names(kind).sort(), kind)
    for (const { identity, rollup } of ofKind) {
      const what = `${kind} ${identity.name}`
      t.equal(rollup.times.count, truth.count(kind, identity.name), `${what}: count`)
      t.equal(rollup.errors, truth.errors(kind, identity.name), `${what}: errors`)
      const sum = truth.sum(kind, identity.name)
      t.ok(Math.abs(rollup.times.sum / 1e9 - sum) <= 1e-9 * Math.max(1, sum) * 10, `${what}: sum`)
    }
  }
  const { resolvers, queries, operations } = snapshotOf(found, systemClock, resolveConfig({}), {})
  const rows: [Kind, readonly SeriesSnapshot[]][] = [
    ['resolvers', resolvers],
    ['queries', queries],
    ['operations', operations]
  ]
  for (const [kind, row] of rows.flatMap(([kind, rows]) => rows.map(row => [kind, row] as const)))
    for (const quantile of QUANTILES) {
      const exact = truth.quantile(kind, row.name, ranks[quantile])
      const seen = row[`${quantile}Time`]
      t.ok(Math.abs(seen / exact - 1) <= 0.01, `${kind} ${row.name} ${quantile}: ${seen}, exactly ${exact}`)
    }
}
