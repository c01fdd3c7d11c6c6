import type { PerformanceConfig } from '../config.js'
import type { NamedPoolSnapshot, PoolSnapshot } from './pool-snapshot.js'
import type { RecentCall } from './recent.js'
import type { SelfSnapshot } from './self-snapshot.js'
import type { SlowCall } from './slow.js'

/** Aggregated times, in seconds; all 0 where nothing was measured. Quantiles are within 1%, the rest is exact. */
export interface TimeSummary {
  readonly count: number
  readonly avgTime: number
  readonly medianTime: number
  readonly minTime: number
  readonly maxTime: number
  readonly totalTime: number
  readonly p90Time: number
  readonly p95Time: number
  readonly p99Time: number
}

/** How a count is spread; all 0 where nothing was measured. Quantiles are within 1% and whole, `avg` is exact. */
export interface CountSummary {
  readonly avg: number
  readonly min: number
  readonly median: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

export interface SeriesSnapshot extends TimeSummary {
  /** `Issue.comments`, `SELECT issues`, `IssueList`; `(other)` is what came after the series limit. */
  readonly name: string
  readonly errorCount: number
  /** Seconds of the newest call. */
  readonly lastExecutionTime: number
  /** When the newest call ended, ISO 8601. */
  readonly lastExecution: string | null
  /** Newest first; empty unless asked for. */
  readonly recent: readonly RecentCall[]
}

export interface ResolverSnapshot extends SeriesSnapshot {
  /** SQL statements that its calls sent. */
  readonly sqlCount: number
  /** Seconds in which its calls waited for at least one of them. */
  readonly sqlTime: number
  /** Seconds of its calls less those of their SQL and of resolver calls inside them. */
  readonly selfTime: number
  /** The batches of its loader; null where it has none. */
  readonly batches: BatchSnapshot | null
}

/** The calls of a loader's batch function. */
export interface BatchSnapshot extends SeriesSnapshot {
  /** How many objects a batch was for. */
  readonly size: CountSummary
}

export interface QuerySnapshot extends SeriesSnapshot {
  /** `SELECT`, `INSERT`, ... */
  readonly queryType: string
  readonly table: string | null
}

/** SQL statements that differ in nothing but their literals. */
export interface StatementSnapshot extends QuerySnapshot {
  /** 16 hexadecimal digits: that of libpg-query, or a hash of the text where PostgreSQL's parser does not know it. */
  readonly fingerprint: string
  /** Without literals and comments, at most 1,024 characters. */
  readonly text: string
  /** Rows that it returned or changed; null where no span told. Calls that do not tell count as nothing. */
  readonly rows: number | null
  /** Who sent it, the largest total time first. Their counts add up to `count`. */
  readonly callers: readonly StatementCaller[]
}

/** What one caller of a statement added to it. */
export interface StatementCaller {
  /** `Type.field`; null where it was not sent by a resolver, `(other)` for all that came after the limit of callers. */
  readonly resolver: string | null
  /** The name of the operation; null where it is not known. */
  readonly operation: string | null
  readonly count: number
  readonly errorCount: number
  /** Seconds. */
  readonly totalTime: number
  /** Null where it is null for the statement. */
  readonly rows: number | null
}

export interface OperationSnapshot extends SeriesSnapshot {
  /** `query`, `mutation` or `subscription`. */
  readonly operationType: string
  /** SQL statements per call, on average. */
  readonly queriesPerRequest: number
  /** SQL statements per call. */
  readonly sqlPerRequest: CountSummary
}

/** One cache, or all of them together. Deduplicated calls, which share a running look-up, count in neither. */
export interface CacheSnapshot {
  readonly hits: number
  readonly misses: number
  /** hits / (hits + misses); 0 where there were none. */
  readonly hitRatio: number
  readonly hitTimes: TimeSummary
  readonly missTimes: TimeSummary
}

export interface NamedCacheSnapshot extends CacheSnapshot {
  readonly name: string
}

/** What the store remembers. */
export interface StoreSnapshot {
  readonly resolvers: readonly ResolverSnapshot[]
  readonly queries: readonly QuerySnapshot[]
  readonly statements: readonly StatementSnapshot[]
  readonly operations: readonly OperationSnapshot[]
  readonly cache: CacheSnapshot & { readonly byName: readonly NamedCacheSnapshot[] }
  /** Newest first; empty unless asked for. */
  readonly slow: readonly SlowCall[]
  readonly config: PerformanceConfig
}

/** All that a reader sees: plain, typed, JSON-serialisable. */
export interface Snapshot extends StoreSnapshot {
  readonly self: SelfSnapshot
  /** The pools of `createPool`; `byName` has those that have not ended, together as far as they share a name. */
  readonly pool: PoolSnapshot & { readonly byName: readonly NamedPoolSnapshot[] }
}

export interface SnapshotOptions {
  /** The parts to read; the others come back empty. Default all. */
  readonly include?: readonly ('resolvers' | 'queries' | 'statements' | 'operations' | 'cache' | 'self' | 'pool')[]
  /** Only the series of this name. */
  readonly name?: string
  /** Only the statement of this fingerprint; says nothing of the other parts. */
  readonly fingerprint?: string
  /** How many recent calls to list per series, 0 to 32. Default 0. */
  readonly recent?: number
  /** How many slow calls to list, 0 to 100. Default 0. */
  readonly slow?: number
}
