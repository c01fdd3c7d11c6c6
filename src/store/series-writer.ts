import type { TraceId } from '../spans/measurement.js'
import type { CallWriter, OperationWriter } from '../spans/resolvers/sinks.js'
import type { Dimension } from './dimension.js'
import type { Series } from './series.js'
import type { CountSums, ResolverSums, Sums } from './sums.js'
import type { Windows } from './window.js'

/** Writes into one series of a dimension, which it looks up once. */
abstract class SeriesWriter<Labels, Own extends Sums<Own>> {
  protected readonly windows: Windows
  readonly #dimension: Dimension<Labels, Own>
  readonly #key: string
  readonly #name: string
  readonly #labels: Labels
  #known: Series<Labels, Own> | undefined

  /** As for `Dimension.get`. */
  constructor(windows: Windows, dimension: Dimension<Labels, Own>, key: string, name: string, labels: Labels) {
    this.windows = windows
    this.#dimension = dimension
    this.#key = key
    this.#name = name
    this.#labels = labels
  }

  protected get series(): Series<Labels, Own> {
    const known = this.#known
    return known === undefined || known.isForgotten ? this.#find() : known
  }

  #find(): Series<Labels, Own> {
    const series = this.#dimension.get(this.#key, this.#name, this.#labels)
    // The overflow series is found anew each time, so that what goes there is counted.
    this.#known = this.#dimension.isOverflow(series) ? undefined : series
    return series
  }
}

/** Writes the calls of one resolver. */
export class ResolverSeriesWriter extends SeriesWriter<null, ResolverSums> implements CallWriter {
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
    const { series } = this
    const sums = series.record(this.windows, endedAt, duration, failed, argsCount, traceId)
    sums.record(statements, sqlTime, selfTime, series.weight)
  }
}

/** Writes the executions of one operation. */
export class OperationSeriesWriter<Labels> extends SeriesWriter<Labels, CountSums> implements OperationWriter {
  write(endedAt: number, duration: number, failed: boolean, traceId: TraceId, statements: number): void {
    this.series.record(this.windows, endedAt, duration, failed, null, traceId).counts.record(statements)
  }
}
