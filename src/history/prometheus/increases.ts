import { increase, NOTHING, plus, type Amount } from './amounts.js'
import type { Labels, PrometheusClient, PrometheusSeries } from './client.js'
import {
  growth,
  oneOf,
  restarted,
  restartedSamples,
  samplesIn,
  selector,
  sumBy,
  valueBefore,
  type Stretch
} from './promql.js'

/** Which series of one metric are asked for, and which attributes tell apart what they are added up to. */
export interface IncreaseQuestion {
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
  readonly attributes: readonly string[]
}

export interface Increase {
  readonly labels: Labels
  readonly amount: Amount
}

/** Processes export at least every so often, so that there is a last value before a range: milliseconds. */
export const LOOKBACK = 3_600_000
/** So many raw samples are some twenty megabytes. */
const FEW = 10_000
/** A stretch of this length is not divided, however much there is in it: milliseconds. */
const SHORT = 60_000
const INSTANCE = 'instance'

/**
 * By how much counters and histograms grew in a stretch of time, exactly: as much as arrived. Prometheus adds up what grew
 * steadily. Where a series has begun anew, since a process was restarted under the same name, the stretch is halved until
 * few samples are left, and these are read themselves.
 */
export class Increases {
  readonly #client: PrometheusClient
  readonly #limit: AbortSignal
  readonly #few: number

  /** `few` is how many raw samples may be read at once. */
  constructor(client: PrometheusClient, few = FEW) {
    this.#client = client
    this.#few = few
    this.#limit = client.limit()
  }

  async total(question: IncreaseQuestion, stretch: Stretch): Promise<Increase[]> {
    const series = seriesOf(question)
    const [grown, anew] = await Promise.all([
      this.#ask(sumBy(question.attributes, growth(series, stretch)), stretch.to),
      this.#ask(restartedSamples(series, stretch), stretch.to)
    ])
    return [...grown.map(increaseOf), ...(await this.#divided(question, stretch, anew))]
  }

  /** The same for each of the stretches of equal length that follow each other from `first` up to `end`. */
  async steps(question: IncreaseQuestion, first: Stretch, end: number): Promise<Map<number, Increase[]>> {
    const step = first.to - first.from
    const series = seriesOf(question)
    const ask = (expression: string): Promise<PrometheusSeries[]> =>
      this.#client.range(expression, first.to, end, step, this.#limit)
    const [grown, anew] = await Promise.all([
      ask(sumBy(question.attributes, growth(series, first))),
      ask(`count(${restarted(series, first, first.to)})`)
    ])
    const found = new Map<number, Increase[]>()
    const add = (at: number, increases: readonly Increase[]): void => {
      found.set(at, [...(found.get(at) ?? []), ...increases])
    }
    for (const { labels, samples } of grown) for (const { at, amount } of samples) add(at - step, [{ labels, amount }])
    for (const { at } of anew.flatMap(({ samples }) => samples)) {
      const stretch = { from: at - step, to: at, base: first.base + at - first.to }
      const which = await this.#ask(restartedSamples(series, stretch), at)
      add(stretch.from, await this.#divided(question, stretch, which))
    }
    return found
  }

  /** Of the series `anew` alone, which have begun anew in it. */
  async #divided(question: IncreaseQuestion, stretch: Stretch, anew: readonly PrometheusSeries[]): Promise<Increase[]> {
    if (anew.length === 0) return []
    const { from, to, base } = stretch
    const samples = anew.reduce((sum, series) => sum + increaseOf(series).amount.count, 0)
    if (samples <= this.#few || to - from <= SHORT) return this.#raw(question, stretch, anew)
    const middle = Math.floor((from + to) / 2)
    const halves = await Promise.all(
      [
        { from, to: middle, base },
        { from: middle, to, base }
      ].map(half => this.#half(question, half, stretch, anew.length))
    )
    return halves.flat()
  }

  /** Of the `count` series that have begun anew in the `whole`. */
  async #half(question: IncreaseQuestion, half: Stretch, whole: Stretch, count: number): Promise<Increase[]> {
    const series = seriesOf(question)
    const anew = await this.#ask(restartedSamples(series, half), half.to)
    const divided = await this.#divided(question, half, anew)
    // All of them have begun anew in this half: none is left that grew steadily.
    if (anew.length === count) return divided
    const grown = await this.#ask(sumBy(question.attributes, growth(series, half, whole)), half.to)
    return [...divided, ...grown.map(increaseOf)]
  }

  async #raw(question: IncreaseQuestion, stretch: Stretch, anew: readonly PrometheusSeries[]): Promise<Increase[]> {
    const wanted = new Set(anew.map(({ labels }) => keyOf(labels)))
    const instances = [...new Set(anew.map(({ labels }) => labels[INSTANCE] ?? ''))]
    const series = seriesOf(question, oneOf(INSTANCE, instances))
    const [before, samples] = await Promise.all([
      this.#ask(valueBefore(series, stretch), stretch.to),
      this.#ask(samplesIn(series, stretch), stretch.to)
    ])
    const last = new Map(before.map(found => [keyOf(found.labels), found.samples[0]?.amount]))
    return samples
      .filter(({ labels }) => wanted.has(keyOf(labels)))
      .map(found => ({ labels: found.labels, amount: grownIn(found, last.get(keyOf(found.labels)) ?? NOTHING) }))
  }

  #ask(expression: string, at: number): Promise<PrometheusSeries[]> {
    return this.#client.instant(expression, at, this.#limit)
  }
}

function seriesOf({ metric, labels }: IncreaseQuestion, more?: string): string {
  return selector(metric, labels, more)
}

function increaseOf({ labels, samples }: PrometheusSeries): Increase {
  return { labels, amount: samples[0]?.amount ?? NOTHING }
}

function grownIn({ samples }: PrometheusSeries, before: Amount): Amount {
  let last = before
  let grown = NOTHING
  for (const { amount } of samples) {
    grown = plus(grown, increase(amount, last))
    last = amount
  }
  return grown
}

/** The same for the same series, whatever became of its name in a question. */
function keyOf(labels: Labels): string {
  return JSON.stringify(
    Object.entries(labels)
      .filter(([name]) => name !== '__name__')
      .sort(([one], [other]) => (one < other ? -1 : 1))
  )
}
