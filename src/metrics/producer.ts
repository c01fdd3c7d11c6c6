import { setImmediate as otherWork } from 'node:timers/promises'
import type { Attributes, HrTime } from '@opentelemetry/api'
// Types alone: who collects has loaded the SDK, who only names the class need not.
import type * as SdkMetrics from '@opentelemetry/sdk-metrics'
import type {
  CollectionResult,
  DataPoint,
  ExponentialHistogram,
  MetricData,
  MetricProducer
} from '@opentelemetry/sdk-metrics'
import { INSTRUMENTATION_NAME, INSTRUMENTATION_VERSION } from '../spans/sample.js'
import type { Store } from '../store/store.js'
import { readTotals, type SeriesTotals } from '../store/totals.js'
import { METRICS, type Metric } from './names.js'
import { histogramOf, hrTimeOf, isLater, since, type Counted } from './points.js'

export interface ProducerOptions {
  /**
   * `cumulative`, the default: everything since the series began. `delta`: what came since the last collection. It has
   * to be what the reader's exporter prefers, and nobody else may collect from the same producer then.
   */
  readonly temporality?: 'cumulative' | 'delta'
  /** Seconds between two collections. What is collected more seldom than every ten minutes has to say so. */
  readonly interval?: number
}

export interface StoreProducerOptions extends ProducerOptions {
  /** Whether somebody says what became of each collection; otherwise to be asked for it is to have delivered it. */
  readonly isConfirmed?: boolean
}

/** What one collection has to deliver before it counts as collected. */
export interface Delivery {
  /** So many data points of it have arrived. */
  arrived(points: number): void
}

type Sdk = typeof SdkMetrics

/** After so many series requests come first: thousands of series take a while. */
const SERIES_AT_A_TIME = 100

/** What is remembered of a series from one collection to the next. */
interface Known {
  /**
   * From when on the next point counts, as was told: since the series began or, in deltas, since the last collection. A
   * start that moved with a wall clock that is set would look like a restart.
   */
  start: HrTime
  /** The same in monotonic nanoseconds. */
  startedAt: number
  /** What it had counted when it was collected last. */
  last: Counted | undefined
  /** The largest sum there was, in nanoseconds. */
  sum: number
}

interface Points {
  readonly durations: DataPoint<ExponentialHistogram>[]
  readonly errors: DataPoint<number>[]
}

/** The store as metrics of the OpenTelemetry SDK: what was counted anyway leaves, nothing is measured for it. */
export class StoreMetricProducer implements MetricProducer {
  readonly #store: Store
  readonly #isDelta: boolean
  readonly #isConfirmed: boolean
  readonly #patience: number
  readonly #known = new WeakMap<object, Known>()
  #delivery: Delivery | undefined

  constructor(
    store: Store,
    { temporality = 'cumulative', interval = 0, isConfirmed = false }: StoreProducerOptions = {}
  ) {
    this.#store = store
    this.#isDelta = temporality === 'delta'
    this.#isConfirmed = isConfirmed
    // Where deliveries are confirmed, one of them may fail.
    this.#patience = (isConfirmed ? 3 : 2) * interval * 1e9
    // What is measured from now on waits for the first collection.
    store.collectors.collected(this, store.now(), this.#patience)
  }

  /** That of the newest collection. */
  get delivery(): Delivery | undefined {
    return this.#delivery
  }

  async collect(): Promise<CollectionResult> {
    const sdk = await import('@opentelemetry/sdk-metrics')
    const began = this.#store.now()
    const metrics: MetricData[] = []
    for (const metric of METRICS) metrics.push(...(await this.#metric(sdk, metric)))
    this.#delivery = this.#deliveryOf(metrics, began)
    const scope = { name: INSTRUMENTATION_NAME, version: INSTRUMENTATION_VERSION }
    const scopeMetrics = metrics.length === 0 ? [] : [{ scope, metrics }]
    return { resourceMetrics: { resource: noResource, scopeMetrics }, errors: [] }
  }

  #deliveryOf(metrics: readonly MetricData[], began: number): Delivery {
    let missing = metrics.reduce((sum, { dataPoints }) => sum + dataPoints.length, 0)
    const arrived = (points: number): void => {
      missing -= points
      if (missing <= 0) this.#store.collectors.collected(this, began, this.#patience)
    }
    arrived(this.#isConfirmed ? 0 : missing)
    return { arrived }
  }

  async #metric(
    { AggregationTemporality, DataPointType }: Sdk,
    { duration, errors, sources }: Metric
  ): Promise<MetricData[]> {
    const points: Points = { durations: [], errors: [] }
    let read = 0
    for (const { kind, attributesOf } of sources) {
      for (const totals of readTotals(this.#store, kind)) {
        this.#add(points, totals, attributesOf(totals))
        read += 1
        if (read % SERIES_AT_A_TIME === 0) await otherWork()
      }
    }
    const aggregationTemporality = this.#isDelta ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE
    const metrics: MetricData[] = [
      {
        descriptor: duration,
        aggregationTemporality,
        dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
        dataPoints: points.durations
      }
    ]
    if (errors !== undefined) {
      const dataPoints = points.errors
      metrics.push({
        descriptor: errors,
        aggregationTemporality,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints
      })
    }
    return metrics.filter(({ dataPoints }) => dataPoints.length > 0)
  }

  #add(points: Points, totals: SeriesTotals, attributes: Attributes): void {
    const known = this.#knownOf(totals)
    const before = known.last
    const endTime = this.#timeOf(totals.end)
    // The end follows the wall clock, so that metrics go on however it is set. Only where that is now before the start,
    // the start goes with it.
    if (isLater(known.start, endTime)) known.start = this.#timeOf(known.startedAt)
    const startTime = known.start
    // Past 2^53 a sum is rounded, and one that went back by a nanosecond would look like a restart.
    const sum = (known.sum = Math.max(known.sum, totals.sum))
    const counted = { ...totals, sum }
    if (this.#isDelta) Object.assign(known, { last: counted, start: endTime, startedAt: totals.end })
    const change = since(before, counted)
    // In deltas nothing new is nothing to say; of the whole, that nothing failed is.
    if (change.count > 0) {
      const value = this.#isDelta ? histogramOf(change) : histogramOf(change, totals)
      points.durations.push({ startTime, endTime, attributes, value })
    }
    if (change.errors > 0 || (change.count > 0 && !this.#isDelta)) {
      points.errors.push({ startTime, endTime, attributes, value: change.errors })
    }
  }

  #knownOf({ series, start: startedAt }: SeriesTotals): Known {
    const found = this.#known.get(series)
    if (found !== undefined) return found
    const known = { start: this.#timeOf(startedAt), startedAt, last: undefined, sum: 0 }
    this.#known.set(series, known)
    return known
  }

  #timeOf(at: number): HrTime {
    return hrTimeOf(this.#store.wallTimeOf(at))
  }
}

/** A reader takes that of its SDK instead. */
const noResource: CollectionResult['resourceMetrics']['resource'] = {
  attributes: {},
  merge: other => other ?? noResource,
  getRawAttributes: () => []
}
