import type { TraceId } from '../spans/measurement.js'
import type { CallWriter } from '../spans/resolvers/sinks.js'
import type { Dimension } from './dimension.js'
import type { Series } from './series.js'
import type { ResolverSums } from './sums.js'
import type { Windows } from './window.js'

/** Writes the calls of one resolver into its series, which it looks up once. */
export class SeriesWriter implements CallWriter {
  readonly #name: string
  readonly #dimension: Dimension<null, ResolverSums>
  readonly #windows: Windows
  #series: Series<null, ResolverSums> | undefined

  constructor(name: string, dimension: Dimension<null, ResolverSums>, windows: Windows) {
    this.#name = name
    this.#dimension = dimension
    this.#windows = windows
  }

  write(
    endedAt: number,
    duration: number,
    failed: boolean,
    argsCount: number,
    traceId: TraceId,
    statements: number,
    sqlTime: number,
    selfTime: number
  ): void {
    const known = this.#series
    const series = known === undefined || known.isForgotten ? this.#find() : known
    const sums = series.record(this.#windows, endedAt, duration, failed, argsCount, traceId)
    sums.record(statements, sqlTime, selfTime, series.weight)
  }

  #find(): Series<null, ResolverSums> {
    const name = this.#name
    const series = this.#dimension.get(name, name, null)
    // The overflow series is found anew each time, so that what goes there is counted.
    this.#series = series.name === name ? series : undefined
    return series
  }
}
