import type { Pool } from 'pg'

export interface LabelRow {
  readonly id: number
  readonly name: string
  readonly color: string
}

export function createLabelResolvers(pool: Pool) {
  return {
    Query: {
      // Cached: see cache.ts.
      labels: () => listLabels(pool)
    }
  }
}

async function listLabels(pool: Pool): Promise<LabelRow[]> {
  const { rows } = await pool.query<LabelRow>(`
    SELECT id, name, color
    FROM labels
    ORDER BY name
  `)
  return rows
}
