import type { Kind, KindLabels } from './totals.js'

/** What names a series across processes and restarts. */
export interface SeriesIdentity<Of extends Kind = Kind> {
  readonly kind: Of
  readonly name: string
  readonly labels: KindLabels[Of]
  /** Whether it is that of what came after the series limit; its name alone does not tell. */
  readonly isOverflow: boolean
}

/** The same text for the same series, whichever process measured it. */
export function identityKey({ kind, name, labels, isOverflow }: SeriesIdentity): string {
  return JSON.stringify(isOverflow ? [kind] : [kind, ...distinguishing(name, labels)])
}

function distinguishing(name: string, labels: SeriesIdentity['labels']): readonly (string | null)[] {
  if (labels === null) return [name]
  if ('type' in labels) return [name, labels.type]
  return 'fingerprint' in labels ? [labels.fingerprint] : [labels.operation, labels.table]
}
