import { resolveConfig } from '../../src/config.js'
import type { Clock } from '../../src/lib/clock.js'
import { readSnapshot } from '../../src/store/read.js'
import { Store } from '../../src/store/store.js'
import type { Scenario } from '../harness.js'

const SERIES = 2000
const SLOTS = 61
const CALLS_PER_SLOT = 100

/** A store in which every one of 2,000 series has calls in every slot of the hour, spread lognormally over decades. */
function fullStore(calls: number): Store {
  let now = 0
  const clock: Clock = { monotonic: () => now, wall: () => now / 1e6 }
  const store = new Store({ clock, retentionPeriod: 3600, seriesLimit: SERIES })
  const writers = Array.from({ length: SERIES }, (_, index) => store.callWriter(`Type.field${index}`))
  let state = 1
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let slot = 0; slot < SLOTS; slot += 1) {
    for (const writer of writers) {
      for (let call = 0; call < calls; call += 1) {
        const spread = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
        const duration = Math.round(Math.exp(13 + spread))
        writer.write(now, duration, false, 0, null, 0, 0, duration)
      }
    }
    if (slot < SLOTS - 1) now += 60e9
    store.sweep()
  }
  return store
}

export function snapshotScenario(): Scenario {
  const config = resolveConfig({})
  const reading =
    (store: Store): (() => number) =>
    () =>
      readSnapshot(store, config, {}).resolvers.length / SERIES
  return {
    title: 'What a snapshot costs',
    unit: 'snapshot',
    scale: 'ms',
    promise: 'A snapshot of 2,000 series takes at most 25 ms',
    limit: 25,
    measured: 'last',
    note:
      `Every series has calls in all ${SLOTS} slots of an hour, lognormally spread over three decades; ` +
      'each row holds count, sum, extremes and four quantiles.',
    arms: [
      { name: '2,000 series, 5 calls a slot', run: reading(fullStore(5)) },
      { name: `2,000 series, ${CALLS_PER_SLOT} calls a slot`, run: reading(fullStore(CALLS_PER_SLOT)) }
    ]
  }
}
