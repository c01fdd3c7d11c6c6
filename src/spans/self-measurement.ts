/**
 * What the measuring parts are given to count and time their own work with; the monitor has it (`self/`).
 *
 * A resolver's call, of which `chosen` is kept until its end:
 *
 *     const chosen = sink.meter.calls.choose()
 *     const began = chosen ? sink.now() : 0
 *     // what is done before the call; entering its context too, or that is not seen
 *     const start = sink.now()
 *     // the resolver
 *     const end = sink.now()
 *     // what is done after it; where that failed: sink.caught(error), sink.lost() and no more
 *     sink.meter.spans += 1
 *     if (chosen) sink.meter.calls.measured(start - began + sink.now() - end)
 *
 * One that is only counted is kept and measured in the same way, less what the readings of the clock take.
 */
export interface SelfMeasuring {
  readonly meter: OwnWork
  /** What is measured now; another object once that changes. */
  readonly detail: Detail
  /** Takes note that something was not measured, be it for a fault or since `accepts()` said no. */
  lost(): void
}

export interface OwnWork {
  /** Operations, resolver calls and spans of the SDK that are done with, whether they were timed or only counted. */
  spans: number
  /** Executing an operation. */
  readonly operations: WorkTimer
  /** Calling a resolver. */
  readonly calls: WorkTimer
  /** The start and the end of a span of the SDK. */
  readonly spanStarts: WorkTimer
  readonly spanEnds: WorkTimer
}

/** Counts how often a kind of work is done, and times about one in 256. */
export interface WorkTimer {
  /** To be called once each time, before the work: whether it is to be timed. */
  choose(): boolean
  /**
   * Takes the time of one that was chosen, in nanoseconds; work in several pieces is added up. A reading of the clock
   * that is made each time is a part of the work; what one takes that is made for this alone does not belong in it.
   */
  measured(nanoseconds: number): void
  /** Does and times work that is in one piece; `work` must not throw. */
  time(work: () => void): void
}

/** How much of each operation is measured: less than everything where measuring takes more than its budget. */
export interface Detail {
  /** Whether a resolver's call is a context of its own, so that its SQL can be told from that of others. */
  readonly context: boolean
  /** One call of a resolver in so many is timed, as `isTimed` says; the others are counted: `sink.counted(...)`. */
  readonly sampleEvery: number
}

/** Whether a call is to be timed: by chance, since calls may come in a pattern. */
export function isTimed({ sampleEvery }: Detail): boolean {
  return sampleEvery <= 1 || Math.random() * sampleEvery < 1
}
