import { labelName, familyName } from '../../metrics/prometheus-names.js'
import { OVERFLOW } from '../../store/dimension.js'
import { METRICS, type Metric, type Source } from '../../metrics/names.js'
import type { Clock } from '../../lib/clock.js'
import type {
  HistoryReader,
  InstanceReport,
  SeriesChoice,
  Tier,
  TimelinePoint,
  TimeRange
} from '../../store/history.js'
import { identityKey, type SeriesIdentity } from '../../store/identity.js'
import { newSums, type SeriesRollup } from '../../store/roll-up.js'
import type { Rollup } from '../../store/rollup.js'
import type { Kind, KindSums } from '../../store/totals.js'
import { Sketch } from '../../store/sketch.js'
import { sketchOf } from './amounts.js'
import { Increases, LOOKBACK, type Increase, type IncreaseQuestion } from './increases.js'
import { PrometheusClient } from './client.js'
import { instancesOf } from './instances.js'
import type { Stretch } from './promql.js'
import type { HistorySettings } from '../settings.js'
import { floorTo } from '../postgres/tables.js'

/** Nothing is known of how long it keeps what; 400 days is the most that may be asked for. */
const TIERS: readonly Tier[] = [{ width: 60, retention: 400 * 86_400 }]

type Part = 'durations' | 'errors'
type Found = Map<string, { readonly identity: SeriesIdentity; readonly rollup: Rollup<KindSums[Kind]> }>

/**
 * Reads what instances export over OTLP from Prometheus, or from what answers as it does. It knows counts, errors and
 * durations. What is no metric is zero or empty: statements, callers, rows, SQL of resolvers and operations, self time,
 * the last call. Smallest and largest are those of the buckets.
 */
export class PrometheusReader implements HistoryReader {
  readonly instance: string
  readonly tiers = TIERS
  readonly ownTiers = TIERS
  readonly #client: PrometheusClient
  readonly #clock: Clock
  readonly #job: string

  /** @throws PerformanceError MPERF_CONFIG_INVALID */
  constructor({ url, urlSetting, instance, service, namespace }: HistorySettings, clock: Clock) {
    this.instance = instance
    this.#client = new PrometheusClient(url, urlSetting)
    this.#clock = clock
    // https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#resource-attributes-1
    this.#job = namespace === undefined ? service : `${namespace}/${service}`
  }

  now(): number {
    return this.#clock.wall()
  }

  async rollups(choice: SeriesChoice, { from, to }: TimeRange): Promise<SeriesRollup[]> {
    const increases = new Increases(this.#client)
    const stretch = stretchOf(from, to)
    const found: Found = new Map()
    await this.#each(choice, async (source, part, question) => {
      add(found, choice, source, part, await increases.total(question, stretch))
    })
    return [...found.values()].map(series => ({ ...series, last: null }))
  }

  async timeline(choice: SeriesChoice, { from, to }: TimeRange, step: number): Promise<TimelinePoint[]> {
    const increases = new Increases(this.#client)
    const steps = new Map<number, Found>()
    const first = floorTo(step, from)
    const lastWhole = floorTo(step, to)
    await this.#each(choice, async (source, part, question) => {
      const put = (at: number, found: readonly Increase[]): void => {
        const point = steps.get(at) ?? (new Map() as Found)
        steps.set(at, point)
        add(point, choice, source, part, found)
      }
      // The first and the last step may be cut off.
      const begin = from === first ? first : Math.min(first + step, to)
      if (begin > from) put(first, await increases.total(question, stretchOf(from, begin)))
      if (lastWhole > begin) {
        const whole = await increases.steps(question, stretchOf(begin, begin + step), lastWhole)
        for (const [at, found] of whole) put(at, found)
      }
      const rest = Math.max(begin, lastWhole)
      if (to > rest) put(floorTo(step, rest), await increases.total(question, stretchOf(rest, to)))
    })
    const inOrder = [...steps].sort(([one], [other]) => one - other)
    return inOrder.flatMap(([at, found]) => [...found.values()].map(series => ({ at, ...series })))
  }

  instances(): Promise<InstanceReport[]> {
    return instancesOf(this.#client, this.#job, this.now())
  }

  /** Hands to `ask` what has to be asked for a choice; the questions are asked side by side. */
  async #each(
    { kinds, name, instance }: SeriesChoice,
    ask: (source: Source, part: Part, question: IncreaseQuestion) => Promise<void>
  ): Promise<void> {
    const wanted = METRICS.flatMap(metric =>
      metric.sources.filter(({ kind }) => kinds.includes(kind)).map(source => ({ metric, source }))
    )
    await Promise.all(
      wanted.flatMap(({ metric, source }) => {
        const labels = {
          job: this.#job,
          ...(instance === undefined ? {} : { instance }),
          ...textual(source.common),
          ...(name === undefined || name === OVERFLOW ? {} : textual(source.attributesNamed(name)))
        }
        return namesOf(metric).map(([part, family]) =>
          ask(source, part, { metric: family, labels, attributes: source.attributes })
        )
      })
    )
  }
}

function stretchOf(from: number, to: number): Stretch {
  return { from: Math.floor(from), to: Math.ceil(to), base: Math.floor(from) - LOOKBACK }
}

function namesOf({ duration, errors }: Metric): (readonly [Part, string])[] {
  const durations = ['durations', familyName(duration, 'histogram')] as const
  return errors === undefined ? [durations] : [durations, ['errors', familyName(errors, 'counter')]]
}

function textual(attributes: Source['common']): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]))
}

/** Adds what grew to the rollups of its series. */
function add(found: Found, { name }: SeriesChoice, source: Source, part: Part, increases: readonly Increase[]): void {
  for (const { labels, amount } of increases) {
    if (amount.count <= 0) continue
    const identity = source.identityOf(attribute => labels[labelName(attribute)] ?? '')
    if (name !== undefined && identity.name !== name) continue
    const key = identityKey(identity)
    const series = found.get(key) ?? { identity, rollup: emptyRollup(source.kind) }
    found.set(key, series)
    if (part === 'durations') series.rollup.times.merge(sketchOf(amount))
    else series.rollup.errors += Math.round(amount.count)
  }
}

function emptyRollup(kind: Kind): Rollup<KindSums[Kind]> {
  return { times: new Sketch(), errors: 0, untimed: 0, sums: newSums(kind) }
}
