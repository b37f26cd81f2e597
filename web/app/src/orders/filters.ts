import type { StageCode } from '../api/types'

export type Filters = {
  stage?: StageCode
  op?: string
  late?: boolean
  confirmed?: boolean
  customer?: string
  state?: 'open' | 'all'
}

export const STAGES: readonly StageCode[] = [
  'engineering',
  'accepted',
  'planned',
  'released',
  'in_process',
  'outside',
  'finished',
  'stocked',
  'shipped',
  'closed',
  'cancelled',
]

function flag(value: string | null): boolean | undefined {
  return value === 'true' ? true : value === 'false' ? false : undefined
}

/** The filters in the address; what it does not know it leaves out. */
export function filtersFrom(params: URLSearchParams): Filters {
  const stage = STAGES.find((code) => code === params.get('stage'))
  const op = params.get('op')
  const late = flag(params.get('late'))
  const confirmed = flag(params.get('confirmed'))
  const customer = params.get('customer')
  return {
    ...(stage && { stage }),
    ...(op && { op }),
    ...(late !== undefined && { late }),
    ...(confirmed !== undefined && { confirmed }),
    ...(customer && { customer }),
    state: params.get('state') === 'all' ? 'all' : 'open',
  }
}
