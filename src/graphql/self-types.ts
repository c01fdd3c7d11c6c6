/** What `self` answers with. */
export const selfTypes = `
  "What became of the spans that ended: ended is the sum of the others, at any time."
  type ExportMetrics {
    ended: Float!
    exported: Float!
    "Given up, because too many were waiting or the process was about to end."
    dropped: Float!
    "Given up after an attempt to send them."
    failed: Float!
    notSampled: Float!
    "Not yet sent, or on their way."
    waiting: Float!
  }
  "Counts are those since the process started."
  type SelfMetrics {
    "Operations, resolver calls and OpenTelemetry spans that were measured."
    spansProcessed: Float!
    "Those that were not, for a fault or while measuring was off after too many: an operation is one then, with its calls."
    spansDropped: Float!
    "Measurements that are in a series (other), since there were too many names."
    overflowed: Float!
    faults: Float!
    "Whether measuring is off now, after 100 faults in a row."
    isTripped: Boolean!
    "Memory that the numbers take, within about 20%."
    storeBytes: Float!
    "What measuring a span takes, timed on one in 256; 0 until the first was."
    nanosecondsPerSpan: Float!
    "Share of one core that the monitor's own work took in the last ten seconds, garbage collection not counted."
    overhead: Float!
    "Share of one core that it may take; null for any."
    budget: Float
    detail: MeasuringDetail!
    "Share of the resolver calls that are timed; all are counted."
    sampleRate: Float!
    "When detail or sampleRate last changed, ISO 8601."
    detailSince: String!
    "Null where this package exports no spans, as with an SDK of the application's own."
    export: ExportMetrics
    "Null where history is off."
    history: PerformanceHistoryMetrics
  }
  enum MeasuringDetail {
    FULL
    "SQL is attributed to operations and not to resolvers."
    WITHOUT_CONTEXT
    "Besides, only a part of the resolver calls is timed."
    SAMPLED
  }`
